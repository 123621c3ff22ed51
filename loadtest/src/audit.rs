//! Holds one client's ticks against each symbol's counter: what was lost, what came twice, what was announced.

use std::collections::HashMap;
use std::ops::AddAssign;

use serde::Serialize;

/// What the audit found, over one client or many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Findings {
    /// Ticks lost without a word.
    pub(crate) missing: u64,
    /// How many jumps of a counter those make.
    pub(crate) jumps: u64,
    /// Ticks that came again, or after a later one.
    pub(crate) repeats: u64,
    /// Ticks superseded between two short polls: what that transport does by design.
    pub(crate) skipped: u64,
    /// Announced `gap`s.
    pub(crate) announced_gaps: u64,
    /// Ticks those said were missed, where they knew.
    pub(crate) announced_missed: u64,
    /// Announced `lag`s.
    pub(crate) lags: u64,
    /// Ticks those said were left out.
    pub(crate) conflated: u64,
}

impl AddAssign for Findings {
    fn add_assign(&mut self, other: Self) {
        self.missing += other.missing;
        self.jumps += other.jumps;
        self.repeats += other.repeats;
        self.skipped += other.skipped;
        self.announced_gaps += other.announced_gaps;
        self.announced_missed += other.announced_missed;
        self.lags += other.lags;
        self.conflated += other.conflated;
    }
}

/// One client's memory: the last counter of each symbol.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    last: HashMap<Box<str>, u64>,
    /// Jumps of the frame just read. The `lag` that explains them comes after the ticks it explains,
    /// so they are judged when the next frame begins. What the run's end leaves here is never judged.
    pending: Findings,
    /// A gap was announced, so the next snapshot may jump.
    resync: bool,
}

impl Audit {
    /// Begins a frame that is not a `lag`: the jumps before it stay unexplained.
    pub(crate) fn settle(&mut self) -> Findings {
        std::mem::take(&mut self.pending)
    }

    /// A `lag` frame: it explains as many of the last frame's missing ticks as it admits to.
    pub(crate) fn lag(&mut self, conflated: u64) -> Findings {
        let mut found = self.settle();
        if found.missing <= conflated {
            found.missing = 0;
            found.jumps = 0;
        } else {
            found.missing -= conflated;
        }
        Findings {
            lags: 1,
            conflated,
            ..found
        }
    }

    /// A `gap`, as a frame of its own or inside a poll's snapshot.
    pub(crate) fn gap(&mut self, missed: Option<u64>) -> Findings {
        self.resync = true;
        Findings {
            announced_gaps: 1,
            announced_missed: missed.unwrap_or(0),
            ..self.settle()
        }
    }

    /// A quote of a snapshot: ground to build on, unless it shows that ticks before it never came.
    pub(crate) fn ground(&mut self, symbol: &str, n: u64) -> Findings {
        let resync = self.resync;
        match self.replace(symbol, n) {
            Some(last) if !resync && n < last => Findings {
                repeats: 1,
                ..Findings::default()
            },
            Some(last) if !resync => {
                self.jump(n.saturating_sub(last + 1));
                Findings::default()
            }
            _ => Findings::default(),
        }
    }

    /// The end of a snapshot: whatever was announced before it is made good.
    pub(crate) fn grounded(&mut self) {
        self.resync = false;
    }

    /// A live tick. True if it is news, false if it came before.
    pub(crate) fn tick(&mut self, symbol: &str, n: u64) -> bool {
        match self.last.get_mut(symbol) {
            Some(last) if n <= *last => {
                self.pending.repeats += 1;
                return false;
            }
            Some(last) => {
                let missing = n - *last - 1;
                *last = n;
                self.jump(missing);
            }
            None => {
                self.last.insert(symbol.into(), n);
            }
        }
        true
    }

    /// A quote read by a short poll: how many ticks it superseded, or nothing if it is not news.
    pub(crate) fn quote(&mut self, symbol: &str, n: u64) -> Option<Findings> {
        match self.replace(symbol, n) {
            Some(last) if n < last => Some(Findings {
                repeats: 1,
                ..Findings::default()
            }),
            Some(last) if n > last => Some(Findings {
                skipped: n - last - 1,
                ..Findings::default()
            }),
            // Unchanged, or the first sight of a symbol: of unknown age to this client.
            _ => None,
        }
    }

    fn jump(&mut self, missing: u64) {
        if missing > 0 {
            self.pending.missing += missing;
            self.pending.jumps += 1;
        }
    }

    /// Remembers `n` and returns what it replaces. Allocates at the first sight of a symbol only.
    fn replace(&mut self, symbol: &str, n: u64) -> Option<u64> {
        match self.last.get_mut(symbol) {
            Some(last) => Some(std::mem::replace(last, n)),
            None => self.last.insert(symbol.into(), n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grounded(n: u64) -> Audit {
        let mut audit = Audit::default();
        assert_eq!(audit.ground("AAPL", n), Findings::default());
        audit.grounded();
        audit
    }

    #[test]
    fn counters_that_grow_by_one_are_in_order() {
        let mut audit = grounded(7);
        assert!(audit.tick("AAPL", 8) && audit.tick("AAPL", 9) && audit.tick("MSFT", 3));
        assert_eq!(audit.settle(), Findings::default());
    }

    #[test]
    fn a_jump_is_a_gap_with_all_its_ticks() {
        let mut audit = grounded(7);
        assert!(audit.tick("AAPL", 11));
        assert_eq!(
            audit.settle(),
            Findings {
                missing: 3,
                jumps: 1,
                ..Findings::default()
            }
        );
        assert_eq!(audit.settle(), Findings::default(), "counted once");
    }

    #[test]
    fn equal_and_lower_are_repeats_and_move_nothing() {
        let mut audit = grounded(7);
        assert!(!audit.tick("AAPL", 7) && !audit.tick("AAPL", 5) && audit.tick("AAPL", 8));
        assert_eq!(
            audit.settle(),
            Findings {
                repeats: 2,
                ..Findings::default()
            }
        );
    }

    #[test]
    fn a_lag_explains_the_jumps_of_the_frame_before_it() {
        let mut audit = grounded(7);
        audit.tick("AAPL", 11);
        assert_eq!(
            audit.lag(3),
            Findings {
                lags: 1,
                conflated: 3,
                ..Findings::default()
            }
        );

        audit.tick("AAPL", 15);
        let too_modest = audit.lag(1);
        assert_eq!(
            (too_modest.missing, too_modest.jumps, too_modest.conflated),
            (2, 1, 1)
        );
    }

    #[test]
    fn an_announced_gap_lets_the_next_snapshot_jump_and_no_later_one() {
        let mut audit = grounded(7);
        let gap = audit.gap(Some(40));
        assert_eq!((gap.announced_gaps, gap.announced_missed), (1, 40));
        audit.ground("AAPL", 48);
        audit.grounded();
        assert_eq!(audit.settle(), Findings::default());

        audit.ground("AAPL", 60);
        audit.grounded();
        assert_eq!(audit.settle().missing, 11, "nobody announced this one");
    }

    #[test]
    fn a_recreated_tape_may_count_from_the_start_after_a_gap() {
        let mut audit = grounded(700);
        audit.gap(None);
        assert_eq!(audit.ground("AAPL", 2), Findings::default());
        audit.grounded();
        assert!(audit.tick("AAPL", 3));
    }

    #[test]
    fn short_polls_skip_and_do_not_lose() {
        let mut audit = Audit::default();
        assert_eq!(audit.quote("AAPL", 7), None, "the first sight");
        assert_eq!(audit.quote("AAPL", 7), None, "unchanged");
        assert_eq!(audit.quote("AAPL", 8), Some(Findings::default()));
        assert_eq!(
            audit.quote("AAPL", 12),
            Some(Findings {
                skipped: 3,
                ..Findings::default()
            })
        );
        assert_eq!(
            audit.quote("AAPL", 11),
            Some(Findings {
                repeats: 1,
                ..Findings::default()
            })
        );
    }
}
