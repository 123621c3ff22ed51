//! Reasons to doubt the figures, as data: each says what happened, why it matters, and which flag helps.

use std::fmt;

use crate::outcome::Outcome;
use crate::units::{count, counted, fine_micros, micros};

/// A thread busy for more than this share of the window had no room to be punctual.
const BUSY_SHARE: f64 = 0.85;

/// More than one timer in a hundred late: the 99th percentile of ages is in doubt.
const LATE_SHARE: f64 = 0.01;

/// A single hold-up that shows in the maximum whatever the rest did.
const WORST_US: u64 = 50_000;

/// Below this, p99.9 is just the largest of few.
const FEW_TICKS: u64 = 1_000;

/// A CPU time that may be off by more than this share of itself compares with nothing.
const CPU_ERROR_SHARE: f64 = 0.05;

/// Something the reader must know before believing the figures.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Warning {
    /// Built without optimization.
    DebugBuild,
    /// The generator's threads used nearly all of their cores.
    Busy { share: f64, threads: u32 },
    /// The generator's timers fired late.
    Late {
        share: f64,
        worst_us: u64,
        waited_share: f64,
    },
    /// The window was cut short.
    Interrupted { seconds: f64 },
    /// Too few ticks for the tail.
    FewTicks { ticks: u64 },
    /// Connected clients that read no live tick.
    Silent { clients: u64 },
    /// Ticks seemed to come from the future.
    Early { ticks: u64 },
    /// The server used too little CPU time for the kernel's steps to tell.
    CoarseCpu {
        cpu_us: u64,
        error_us: u64,
        ticks: u64,
    },
    /// Another host's clock was estimated.
    RemoteClock { error_us: u64 },
}

impl Warning {
    /// All that apply.
    pub(crate) fn about(outcome: &Outcome) -> Vec<Self> {
        let tally = &outcome.tally;
        let strain = &tally.strain;
        let core_us = outcome.seconds * 1e6 * f64::from(outcome.threads);
        let share_of_cores = |us: u64| {
            if core_us > 0.0 {
                us as f64 / core_us
            } else {
                0.0
            }
        };
        let late_share = if strain.timers > 0 {
            strain.late as f64 / strain.timers as f64
        } else {
            0.0
        };
        let silent = u64::from(outcome.connected).saturating_sub(tally.heard);

        let mut warnings = Vec::new();
        let mut warn_if = |applies: bool, warning: Self| {
            if applies {
                warnings.push(warning);
            }
        };
        warn_if(cfg!(debug_assertions), Self::DebugBuild);
        let busy = share_of_cores(strain.busy_us);
        warn_if(
            busy > BUSY_SHARE,
            Self::Busy {
                share: busy,
                threads: outcome.threads,
            },
        );
        warn_if(
            late_share > LATE_SHARE || strain.worst_us > WORST_US,
            Self::Late {
                share: late_share,
                worst_us: strain.worst_us,
                waited_share: share_of_cores(strain.waited_us),
            },
        );
        warn_if(
            outcome.interrupted,
            Self::Interrupted {
                seconds: outcome.seconds,
            },
        );
        warn_if(
            (1..FEW_TICKS).contains(&tally.ticks),
            Self::FewTicks { ticks: tally.ticks },
        );
        warn_if(
            tally.ticks > 0 && silent > 0,
            Self::Silent { clients: silent },
        );
        warn_if(tally.early > 0, Self::Early { ticks: tally.early });
        if let Ok(cost) = &outcome.cost {
            let (cpu_us, error_us) = (cost.cpu_us(), cost.error_us());
            let is_coarse = error_us as f64 > CPU_ERROR_SHARE * cpu_us as f64;
            warn_if(
                is_coarse && tally.ticks > 0,
                Self::CoarseCpu {
                    cpu_us,
                    error_us,
                    ticks: tally.ticks,
                },
            );
        }
        let error_us = outcome.clock.error_us;
        warn_if(error_us > 0, Self::RemoteClock { error_us });
        warnings
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DebugBuild => write!(
                f,
                "this load test was built without optimization, so ages include its own slowness; \
                 run it as `cargo loadtest`"
            ),
            Self::Busy { share, threads } => write!(
                f,
                "the generator's {} used {:.0} % of what {threads} can give, so ages include its own waiting \
                 and the rate may be its own limit; use fewer --clients, or more --threads if there are idle cores",
                counted(u64::from(*threads), "thread"),
                share * 100.0
            ),
            Self::Late {
                share,
                worst_us,
                waited_share,
            } => write!(
                f,
                "the generator was kept waiting: {:.1} % of its timers fired more than 5 ms late, the worst by {}, \
                 and it stood in line for a CPU {:.0} % of the time, so the tail of ages is partly its own; \
                 use fewer --clients, or a server on other cores with --url",
                share * 100.0,
                micros(*worst_us),
                waited_share * 100.0
            ),
            Self::Interrupted { seconds } => {
                write!(
                    f,
                    "interrupted: figures are from {seconds:.1} s, not from all of --duration"
                )
            }
            Self::FewTicks { ticks } => write!(
                f,
                "only {} measured, so p99.9 is just the largest age; use more --clients or a longer --duration",
                counted(*ticks, "tick")
            ),
            Self::Silent { clients } => write!(
                f,
                "{} read no live tick inside the window while others did; \
                 their silence is in no percentile (a longer --duration or --warmup shows whether it lasts)",
                counted(*clients, "connected client")
            ),
            Self::Early { ticks } => write!(
                f,
                "{} ticks are younger than nothing: the two clocks disagree or one was set during the run, \
                 so ages are wrong by at least as much; measure on one host",
                count(*ticks)
            ),
            Self::CoarseCpu {
                cpu_us,
                error_us,
                ticks,
            } => write!(
                f,
                "the server used {} of CPU time, which the kernel tells to within {}, so CPU/tick is uncertain by ±{}; \
                 use more --clients or a longer --duration",
                micros(*cpu_us),
                micros(*error_us),
                fine_micros(*error_us as f64 / *ticks as f64)
            ),
            Self::RemoteClock { error_us } => write!(
                f,
                "the server's clock was estimated over the network: every age is uncertain by ±{}, \
                 and percentiles below that mean nothing",
                micros(*error_us)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::sample;

    fn about(change: impl FnOnce(&mut Outcome)) -> Vec<String> {
        let mut outcome = sample();
        outcome.tally.ticks = 5_000;
        change(&mut outcome);
        let not_the_build = |warning: &Warning| *warning != Warning::DebugBuild;
        Warning::about(&outcome)
            .iter()
            .filter(|w| not_the_build(w))
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_calm_run_warns_of_nothing() {
        assert_eq!(about(|_| {}), [""; 0]);
    }

    #[test]
    fn each_reason_is_given_with_the_flag_that_helps() {
        type Change = fn(&mut Outcome);
        let cases: [(Change, &str); 7] = [
            (|o| o.tally.strain.busy_us = 970_000, "more --threads"),
            (
                |o| (o.tally.strain.timers, o.tally.strain.late) = (100, 9),
                "9.0 % of its timers",
            ),
            (|o| o.tally.strain.worst_us = 80_000, "80.0 ms"),
            (|o| o.tally.ticks = 999, "longer --duration"),
            (|o| o.tally.heard = 7, "3 connected clients"),
            (|o| o.clock.error_us = 1_500, "±1.50 ms"),
            (|o| o.cost.as_mut().unwrap().grain_us = 100, "±0.04 µs"),
        ];
        for (change, words) in cases {
            let warnings = about(change);
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains(words), "{words}: {warnings:?}");
        }
    }
}
