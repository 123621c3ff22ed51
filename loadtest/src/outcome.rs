//! What a run measured, the figures that follow from it, and the verdict.

use crate::audit::Findings;
use crate::cli::Transport;
use crate::clock::Clock;
use crate::cost::Cost;
use crate::process::Unmeasured;
use crate::tally::Tally;
use crate::units::{count, counted};
use crate::warning::Warning;

/// One transport's run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) transport: Transport,
    pub(crate) asked: u32,
    pub(crate) connected: u32,
    pub(crate) failed: u32,
    pub(crate) dropped: u32,
    pub(crate) threads: u32,
    /// How long the window was open.
    pub(crate) seconds: f64,
    pub(crate) interrupted: bool,
    pub(crate) clock: Clock,
    pub(crate) tally: Tally,
    /// What it cost the server, or why that is not known.
    pub(crate) cost: Result<Cost, Unmeasured>,
}

impl Outcome {
    pub(crate) fn ticks_per_second(&self) -> f64 {
        self.per_second(self.tally.ticks)
    }

    pub(crate) fn bytes_per_second(&self) -> f64 {
        self.per_second(self.tally.bytes())
    }

    /// Nothing, if no tick came.
    pub(crate) fn bytes_per_tick(&self) -> Option<f64> {
        (self.tally.ticks > 0).then(|| self.tally.bytes() as f64 / self.tally.ticks as f64)
    }

    /// The age that this share of the ticks did not exceed, in microseconds; nothing if no tick came.
    pub(crate) fn age_us(&self, quantile: f64) -> Option<u64> {
        (self.tally.ticks > 0).then(|| self.tally.ages.value_at_quantile(quantile))
    }

    /// The server's CPU time for each live tick read, in microseconds: user, system. Nothing if it is not known.
    pub(crate) fn cpu_per_tick_us(&self) -> Option<(f64, f64)> {
        let cost = self.cost.as_ref().ok()?;
        let each = |us: u64| us as f64 / self.tally.ticks as f64;
        (self.tally.ticks > 0).then(|| (each(cost.user_us), each(cost.system_us)))
    }

    /// By how many bytes of resident memory the server has grown for each client. Nothing if it is not known.
    pub(crate) fn memory_per_client(&self) -> Option<f64> {
        self.cost.as_ref().ok()?.memory_per_client(self.connected)
    }

    fn per_second(&self, number: u64) -> f64 {
        if self.seconds > 0.0 {
            number as f64 / self.seconds
        } else {
            0.0
        }
    }

    /// Nothing was lost and nothing came twice without a word.
    pub(crate) fn is_audit_clean(&self) -> bool {
        self.tally.findings.missing == 0 && self.tally.findings.repeats == 0
    }

    /// Everything went as it should, and there was something to measure.
    pub(crate) fn is_good(&self) -> bool {
        self.is_audit_clean() && self.failed == 0 && self.dropped == 0 && self.tally.ticks > 0
    }

    /// The audit in a sentence.
    pub(crate) fn verdict(&self) -> String {
        let found = &self.tally.findings;
        let is_accounted = self.tally.ticks > 0 && self.is_audit_clean();
        let mut parts = Vec::new();
        if found.missing > 0 {
            parts.push(format!(
                "{} MISSING in {}",
                counted(found.missing, "tick"),
                counted(found.jumps, "gap")
            ));
        }
        if found.repeats > 0 {
            parts.push(format!("{} REPEATED", counted(found.repeats, "tick")));
        }
        if self.tally.ticks == 0 {
            parts.push("no live tick came inside the window".into());
        } else if is_accounted {
            parts.push(accounted(found));
        }
        if found.skipped > 0 {
            parts.push(format!(
                "{} superseded between two polls",
                count(found.skipped)
            ));
        }
        if found.lags > 0 {
            parts.push(format!(
                "{} left out and announced in {}",
                count(found.conflated),
                counted(found.lags, "lag")
            ));
        }
        if !is_accounted {
            parts.extend(announced(found));
        }
        if found.misstated_gaps > 0 {
            parts.push(format!(
                "{} told another number than the counters do",
                counted(found.misstated_gaps, "gap")
            ));
        }
        parts.join(", ")
    }

    /// Why clients failed, the most frequent first.
    pub(crate) fn troubles(&self) -> Vec<(&str, u64)> {
        let mut troubles: Vec<_> = self
            .tally
            .troubles
            .iter()
            .map(|(kind, count)| (kind.as_str(), *count))
            .collect();
        troubles.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        troubles
    }

    /// What the reader must know before believing the figures.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        Warning::about(self)
    }
}

/// A clean audit in words. What was told as missed was not delivered, so it is said in the same breath.
fn accounted(found: &Findings) -> String {
    let known_gaps = found.announced_gaps - found.unknown_gaps;
    let mut told = Vec::new();
    if known_gaps > 0 {
        told.push(format!(
            "{} told as missed in {}",
            count(found.announced_missed),
            counted(known_gaps, "gap")
        ));
    }
    if found.unknown_gaps > 0 {
        told.push(format!(
            "an unknown number told as missed in {}",
            counted(found.unknown_gaps, "gap")
        ));
    }
    let countable = if found.unknown_gaps > 0 {
        "countable "
    } else {
        ""
    };
    let colon = if told.is_empty() { "" } else { ": " };
    format!(
        "every {countable}tick accounted for{colon}{}",
        told.join(" and ")
    )
}

/// The announced gaps in words, beside an audit that is not clean.
fn announced(found: &Findings) -> Vec<String> {
    let known_gaps = found.announced_gaps - found.unknown_gaps;
    let mut parts = Vec::new();
    if known_gaps > 0 {
        parts.push(format!(
            "{} announced, {} missed",
            counted(known_gaps, "gap"),
            counted(found.announced_missed, "tick")
        ));
    }
    if found.unknown_gaps > 0 {
        parts.push(format!(
            "{} announced, ticks missed unknown",
            counted(found.unknown_gaps, "gap")
        ));
    }
    parts
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A clean run of one second with 100 ticks.
    pub(crate) fn sample() -> Outcome {
        let mut tally = Tally {
            bytes_in: 24_000,
            bytes_out: 1_000,
            heard: 10,
            ..Tally::default()
        };
        for age in 1..=100 {
            tally.tick(0, age * 10);
        }
        Outcome {
            transport: Transport::Sse,
            asked: 10,
            connected: 10,
            failed: 0,
            dropped: 0,
            threads: 1,
            seconds: 1.0,
            interrupted: false,
            clock: Clock::default(),
            tally,
            cost: Ok(Cost {
                pid: 4242,
                user_us: 300,
                system_us: 700,
                grain_us: 10,
                resident_before: 10_240_000,
                resident_after: 10_342_400,
            }),
        }
    }

    #[test]
    fn figures_follow_from_the_counts() {
        let outcome = sample();
        assert_eq!(
            (outcome.ticks_per_second(), outcome.bytes_per_second()),
            (100.0, 25_000.0)
        );
        assert_eq!(
            (outcome.bytes_per_tick(), outcome.age_us(0.5)),
            (Some(250.0), Some(500))
        );
        assert_eq!(outcome.cpu_per_tick_us(), Some((3.0, 7.0)));
        assert_eq!(outcome.memory_per_client(), Some(10_240.0));
        assert!(outcome.is_good());
        assert_eq!(outcome.verdict(), "every tick accounted for");
    }

    #[test]
    fn losses_repeats_drops_and_silence_are_not_good() {
        let mut lossy = sample();
        lossy.tally.findings.missing = 3;
        lossy.tally.findings.jumps = 1;
        lossy.tally.findings.repeats = 1;
        assert_eq!(lossy.verdict(), "3 ticks MISSING in 1 gap, 1 tick REPEATED");
        assert!(!lossy.is_good());

        assert!(
            !Outcome {
                dropped: 1,
                ..sample()
            }
            .is_good()
        );
        let silent = Outcome {
            tally: Tally::default(),
            ..sample()
        };
        assert!(
            !silent.is_good() && silent.bytes_per_tick().is_none() && silent.age_us(0.5).is_none()
        );
    }

    #[test]
    fn what_was_announced_is_accounted_for() {
        let mut slow = sample();
        slow.tally.findings.lags = 2;
        slow.tally.findings.conflated = 412;
        assert!(slow.is_good());
        assert_eq!(
            slow.verdict(),
            "every tick accounted for, 412 left out and announced in 2 lags"
        );
    }

    #[test]
    fn announced_gaps_are_told_with_their_exact_number_and_are_no_failure() {
        let mut behind = sample();
        behind.tally.findings.announced_gaps = 2;
        behind.tally.findings.announced_missed = 1_234;
        assert!(behind.is_good());
        assert_eq!(
            behind.verdict(),
            "every tick accounted for: 1,234 told as missed in 2 gaps"
        );

        behind.tally.findings.misstated_gaps = 1;
        assert!(behind.is_good());
        assert_eq!(
            behind.verdict(),
            "every tick accounted for: 1,234 told as missed in 2 gaps, \
             1 gap told another number than the counters do"
        );
    }

    #[test]
    fn beside_a_loss_announced_gaps_account_for_nothing() {
        let mut lossy = sample();
        lossy.tally.findings.missing = 3;
        lossy.tally.findings.jumps = 1;
        lossy.tally.findings.announced_gaps = 2;
        lossy.tally.findings.announced_missed = 1_234;
        assert!(!lossy.is_good());
        assert_eq!(
            lossy.verdict(),
            "3 ticks MISSING in 1 gap, 2 gaps announced, 1,234 ticks missed"
        );
    }

    #[test]
    fn what_no_counter_can_tell_is_called_unknown() {
        let mut recreated = sample();
        recreated.tally.findings.announced_gaps = 1;
        recreated.tally.findings.unknown_gaps = 1;
        assert!(recreated.is_good());
        assert_eq!(
            recreated.verdict(),
            "every countable tick accounted for: an unknown number told as missed in 1 gap"
        );

        recreated.tally.findings.announced_gaps = 3;
        recreated.tally.findings.announced_missed = 1_234;
        assert_eq!(
            recreated.verdict(),
            "every countable tick accounted for: 1,234 told as missed in 2 gaps \
             and an unknown number told as missed in 1 gap"
        );

        recreated.tally.findings.repeats = 1;
        assert_eq!(
            recreated.verdict(),
            "1 tick REPEATED, 2 gaps announced, 1,234 ticks missed, 1 gap announced, ticks missed unknown"
        );
    }
}
