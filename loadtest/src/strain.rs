//! Watches the generator itself: a load test that is out of breath measures its own waiting.

use std::ops::AddAssign;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::group::Group;

/// How often each thread looks at its own punctuality.
const PERIOD: Duration = Duration::from_millis(10);

/// A timer later than this was kept waiting. Timers have a grain of 1 ms, so less says nothing.
const LATE: Duration = Duration::from_millis(5);

/// How punctual the generator's threads were, and what they cost, inside the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strain {
    /// Timers watched.
    pub(crate) timers: u64,
    /// Timers that fired more than 5 ms late.
    pub(crate) late: u64,
    /// The worst of all, in microseconds.
    pub(crate) worst_us: u64,
    /// Time on a CPU, all threads together.
    pub(crate) busy_us: u64,
    /// Time ready to run but without a CPU.
    pub(crate) waited_us: u64,
}

impl AddAssign for Strain {
    fn add_assign(&mut self, other: Self) {
        self.timers += other.timers;
        self.late += other.late;
        self.worst_us = self.worst_us.max(other.worst_us);
        self.busy_us += other.busy_us;
        self.waited_us += other.waited_us;
    }
}

/// What the kernel says of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    busy_us: u64,
    waited_us: u64,
}

impl Usage {
    /// The calling thread's; nothing where the kernel keeps no such record.
    fn of_this_thread() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
    }

    /// `schedstat` holds nanoseconds on a CPU, nanoseconds in a run queue, and a number of turns.
    fn parse(schedstat: &str) -> Option<Self> {
        let mut fields = schedstat.split_whitespace().map(str::parse::<u64>);
        let busy = fields.next()?.ok()?;
        let waited = fields.next()?.ok()?;
        Some(Self {
            busy_us: busy / 1_000,
            waited_us: waited / 1_000,
        })
    }
}

/// Runs on each generator thread until it is dropped.
pub(crate) async fn watch(group: Rc<Group>) {
    let mut timer = interval_at(Instant::now() + PERIOD, PERIOD);
    // A late timer moves the following ones, so that one hold-up is counted once.
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before: Option<Usage> = None;
    loop {
        let due = timer.tick().await;
        let open = group.is_open(group.now());
        if open || before.is_some() {
            let usage = Usage::of_this_thread();
            if let (Some(before), Some(usage)) = (before, usage) {
                group.count(|tally| {
                    tally.strain.busy_us += usage.busy_us - before.busy_us;
                    tally.strain.waited_us += usage.waited_us - before.waited_us;
                });
            }
            before = usage.filter(|_| open);
        }
        if open {
            let late = due.elapsed();
            group.count(|tally| {
                tally.strain.timers += 1;
                tally.strain.late += u64::from(late > LATE);
                let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
                tally.strain.worst_us = tally.strain.worst_us.max(late_us);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let usage = Usage::parse("720989000 5000 2\n");
        assert_eq!(
            usage,
            Some(Usage {
                busy_us: 720_989,
                waited_us: 5
            })
        );
        assert_eq!(Usage::parse(""), None);
    }

    #[test]
    fn the_worst_of_all_threads_stands_and_the_rest_adds_up() {
        let mut sum = Strain {
            timers: 10,
            late: 1,
            worst_us: 900,
            busy_us: 5,
            waited_us: 1,
        };
        sum += Strain {
            timers: 10,
            late: 2,
            worst_us: 700,
            busy_us: 5,
            waited_us: 1,
        };
        assert_eq!(
            sum,
            Strain {
                timers: 20,
                late: 3,
                worst_us: 900,
                busy_us: 10,
                waited_us: 2
            }
        );
    }
}
