//! Holds one client's ticks against each symbol's counter: what was lost, what came twice, what was announced.

use std::collections::HashMap;
use std::ops::AddAssign;

use serde::Serialize;

use crate::wire::{Gap, Reason};

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
    /// Announced `gap`s whose snapshot came.
    pub(crate) announced_gaps: u64,
    /// Those of them over which counters can't be compared, so that nobody knows how many ticks they cost.
    pub(crate) unknown_gaps: u64,
    /// Those of them that told another number than their counters jumped by.
    pub(crate) misstated_gaps: u64,
    /// Ticks missed in the rest of them, as the counters tell it.
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
        self.unknown_gaps += other.unknown_gaps;
        self.misstated_gaps += other.misstated_gaps;
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
    resync: Option<Resync>,
}

/// An announced gap on its way to its snapshot.
#[derive(Debug)]
struct Resync {
    gap: Gap,
    /// By how much the counters have jumped so far.
    jumped: u64,
    /// Each quote so far was of a symbol known before: only then the sum has to be the number told.
    is_whole: bool,
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
    /// It counts once its snapshot has come, which alone tells how much it was.
    pub(crate) fn gap(&mut self, gap: Gap) {
        self.resync = Some(Resync {
            gap,
            jumped: 0,
            is_whole: true,
        });
    }

    /// A quote of a snapshot: ground to build on, unless it shows that ticks before it never came.
    pub(crate) fn ground(&mut self, symbol: &str, n: u64) -> Findings {
        let last = self.replace(symbol, n);
        match (last, &mut self.resync) {
            // Another life of the tape counts from its own start.
            (_, Some(resync)) if resync.gap.reason == Reason::Unknowable => {}
            (Some(last), _) if n < last => {
                return Findings {
                    repeats: 1,
                    ..Findings::default()
                };
            }
            // The tick that a quote shows did not come as a tick, so it is one of the missed.
            (Some(last), Some(resync)) => resync.jumped += n - last,
            (Some(last), None) => self.jump(n.saturating_sub(last + 1)),
            (None, Some(resync)) => resync.is_whole = false,
            (None, None) => {}
        }
        Findings::default()
    }

    /// The end of a snapshot: whatever was announced before it is made good, and has its number.
    pub(crate) fn grounded(&mut self) -> Findings {
        let Some(resync) = self.resync.take() else {
            return Findings::default();
        };
        let is_unknown = resync.gap.reason == Reason::Unknowable;
        let told = resync.gap.missed.filter(|_| resync.is_whole && !is_unknown);
        Findings {
            announced_gaps: 1,
            unknown_gaps: u64::from(is_unknown),
            misstated_gaps: u64::from(told.is_some_and(|told| told != resync.jumped)),
            announced_missed: resync.jumped,
            ..Findings::default()
        }
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

    fn replay_window(missed: Option<u64>) -> Gap {
        Gap {
            missed,
            reason: Reason::ReplayWindow,
        }
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
        audit.gap(replay_window(None));
        audit.ground("AAPL", 48);
        assert_eq!(audit.grounded().announced_missed, 41);
        assert_eq!(audit.settle(), Findings::default());

        audit.ground("AAPL", 60);
        audit.grounded();
        assert_eq!(audit.settle().missing, 11, "nobody announced this one");
    }

    #[test]
    fn a_gap_costs_what_the_counters_of_all_symbols_jump_by() {
        let mut audit = grounded(7);
        audit.ground("MSFT", 3);
        audit.ground("IBM", 5);
        audit.gap(replay_window(Some(43)));
        for (symbol, n) in [("AAPL", 48), ("MSFT", 5), ("IBM", 5)] {
            assert_eq!(audit.ground(symbol, n), Findings::default());
        }
        let found = Findings {
            announced_gaps: 1,
            announced_missed: 43,
            ..Findings::default()
        };
        assert_eq!(audit.grounded(), found);
        assert_eq!(audit.grounded(), Findings::default(), "counted once");
    }

    #[test]
    fn a_gap_that_tells_another_number_is_noted_and_the_counters_trusted() {
        let mut audit = grounded(7);
        audit.gap(replay_window(Some(40)));
        audit.ground("AAPL", 48);
        let found = audit.grounded();
        assert_eq!((found.misstated_gaps, found.announced_missed), (1, 41));
    }

    #[test]
    fn a_gap_over_symbols_never_seen_before_can_not_be_held_to_its_number() {
        let mut audit = grounded(7);
        audit.gap(replay_window(Some(60)));
        audit.ground("AAPL", 48);
        audit.ground("MSFT", 19);
        let found = audit.grounded();
        assert_eq!((found.misstated_gaps, found.announced_missed), (0, 41));
    }

    #[test]
    fn within_one_life_of_the_tape_no_counter_goes_back() {
        let mut audit = grounded(7);
        audit.gap(replay_window(None));
        assert_eq!(audit.ground("AAPL", 6).repeats, 1);
    }

    #[test]
    fn a_recreated_tape_may_count_from_the_start_and_costs_nobody_knows_what() {
        let mut audit = grounded(700);
        audit.gap(Gap {
            missed: Some(9),
            reason: Reason::Unknowable,
        });
        assert_eq!(audit.ground("AAPL", 2), Findings::default());
        let found = Findings {
            announced_gaps: 1,
            unknown_gaps: 1,
            ..Findings::default()
        };
        assert_eq!(audit.grounded(), found);
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
