//! What every client does with a frame, whatever brought it: audit it, and count what is live.

use std::rc::Rc;

use crate::audit::Audit;
use crate::group::Group;
use crate::trouble::Trouble;
use crate::wire::{Frame, Kind};

/// One client's eyes.
#[derive(Debug)]
pub(crate) struct Observer {
    group: Rc<Group>,
    audit: Audit,
    /// Has read a live tick inside the window.
    heard: bool,
}

impl Observer {
    pub(crate) fn new(group: &Rc<Group>) -> Self {
        Self {
            group: Rc::clone(group),
            audit: Audit::default(),
            heard: false,
        }
    }

    /// A frame of a stream or a long poll's answer. Fails if it ends the session.
    pub(crate) fn see(&mut self, frame: &Frame<'_>, read_us: u64) -> Result<(), Trouble> {
        let found = match frame.kind {
            Kind::Lag => self.audit.lag(frame.conflated.unwrap_or(0)),
            _ => self.audit.settle(),
        };
        self.group.count(|tally| tally.findings += found);
        match frame.kind {
            Kind::Ticks => self.ticks(frame, read_us),
            Kind::Snapshot => self.snapshot(frame),
            Kind::Error => {
                return Err(Trouble::Reported(
                    frame.code.as_deref().unwrap_or("an error").to_owned(),
                ));
            }
            Kind::Shutdown => return Err(Trouble::Shutdown),
            Kind::Gap => self.audit.gap(frame.as_gap()),
            Kind::Welcome | Kind::Heartbeat | Kind::Lag | Kind::Unknown => {}
        }
        Ok(())
    }

    /// The whole board, as a short poll reads it: quotes that changed since the last time are its ticks.
    pub(crate) fn board(&mut self, frame: &Frame<'_>, read_us: u64) {
        let open = self.group.is_open(read_us);
        let Self {
            group,
            audit,
            heard,
        } = self;
        group.count(|tally| {
            for quote in &frame.data {
                let Some(found) = audit.quote(quote.symbol, quote.n) else {
                    continue;
                };
                // Only what the window saw skipped compares with what the window saw delivered.
                if open || found.repeats > 0 {
                    tally.findings += found;
                }
                if open && found.repeats == 0 {
                    tally.tick(quote.ts, read_us);
                    tally.heard += u64::from(!std::mem::replace(heard, true));
                }
            }
        });
    }

    fn ticks(&mut self, frame: &Frame<'_>, read_us: u64) {
        let open = self.group.is_open(read_us);
        let Self {
            group,
            audit,
            heard,
        } = self;
        group.count(|tally| {
            for tick in &frame.data {
                if audit.tick(tick.symbol, tick.n) && open {
                    tally.tick(tick.ts, read_us);
                    tally.heard += u64::from(!std::mem::replace(heard, true));
                }
            }
        });
    }

    fn snapshot(&mut self, frame: &Frame<'_>) {
        let Self { group, audit, .. } = self;
        group.count(|tally| {
            if let Some(gap) = frame.gap {
                audit.gap(gap);
            }
            for quote in &frame.data {
                tally.findings += audit.ground(quote.symbol, quote.n);
            }
            tally.findings += audit.grounded();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Findings;
    use crate::group::Course;

    fn observer() -> (Rc<Group>, Observer) {
        let group = Rc::new(Group::new(Course::for_tests().into()));
        group.course.window.set(1_000, 2_000);
        let observer = Observer::new(&group);
        (group, observer)
    }

    fn see(observer: &mut Observer, json: &str, read_us: u64) -> Result<(), Trouble> {
        observer.see(&Frame::parse(json.as_bytes()).unwrap(), read_us)
    }

    const SNAPSHOT: &str =
        r#"{"type":"snapshot","cursor":"e-1","ts":1,"data":[{"symbol":"A","n":4,"ts":900}]}"#;

    fn ticks(n: u64, ts: u64) -> String {
        format!(
            r#"{{"type":"ticks","cursor":"e-2","ts":1,"data":[{{"symbol":"A","n":{n},"ts":{ts}}}]}}"#
        )
    }

    #[test]
    fn live_ticks_count_inside_the_window_and_snapshots_never() {
        let (group, mut observer) = observer();
        see(&mut observer, SNAPSHOT, 1_100).unwrap();
        see(&mut observer, &ticks(5, 1_150), 1_200).unwrap();
        see(&mut observer, &ticks(6, 1_950), 2_000).unwrap();
        group.count(|tally| {
            assert_eq!((tally.ticks, tally.heard, tally.ages.max()), (1, 1, 50));
            assert_eq!(tally.findings, Findings::default());
        });
    }

    #[test]
    fn a_loss_counts_outside_the_window_too_and_a_repeat_has_no_age() {
        let (group, mut observer) = observer();
        see(&mut observer, SNAPSHOT, 10).unwrap();
        see(&mut observer, &ticks(7, 15), 20).unwrap();
        see(&mut observer, &ticks(7, 15), 1_500).unwrap();
        see(&mut observer, r#"{"type":"heartbeat"}"#, 1_600).unwrap();
        group.count(|tally| {
            assert_eq!(tally.ticks, 0);
            let found = Findings {
                missing: 2,
                jumps: 1,
                repeats: 1,
                ..Findings::default()
            };
            assert_eq!(tally.findings, found);
        });
    }

    #[test]
    fn a_gap_is_told_in_a_frame_of_its_own_or_in_a_poll_s_answer() {
        let quotes = r#""data":[{"symbol":"A","n":14,"ts":1}]"#;
        let gap = r#""missed":10,"reason":"replay_window"}"#;
        let apart = [
            format!(r#"{{"type":"gap",{gap}"#),
            format!(r#"{{"type":"snapshot",{quotes}}}"#),
        ];
        let inside = [format!(r#"{{"type":"snapshot","gap":{{{gap},{quotes}}}"#)];
        for frames in [&apart[..], &inside[..]] {
            let (group, mut observer) = observer();
            see(&mut observer, SNAPSHOT, 10).unwrap();
            for frame in frames {
                see(&mut observer, frame, 1_500).unwrap();
            }
            let found = Findings {
                announced_gaps: 1,
                announced_missed: 10,
                ..Findings::default()
            };
            group.count(|tally| assert_eq!((tally.findings, tally.ticks), (found, 0)));
        }
    }

    #[test]
    fn a_gap_before_the_run_ended_without_its_snapshot_is_not_judged() {
        let (group, mut observer) = observer();
        see(&mut observer, SNAPSHOT, 10).unwrap();
        let gap = r#"{"type":"gap","reason":"replay_window"}"#;
        see(&mut observer, gap, 1_500).unwrap();
        group.count(|tally| assert_eq!(tally.findings, Findings::default()));
    }

    #[test]
    fn errors_and_shutdowns_end_the_session() {
        let (_, mut observer) = observer();
        let error = see(
            &mut observer,
            r#"{"type":"error","code":"over_capacity"}"#,
            10,
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "the server reported over_capacity");
        assert!(see(&mut observer, r#"{"type":"shutdown"}"#, 10).is_err());
    }
}
