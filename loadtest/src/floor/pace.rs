//! When to send: the kernel's interval timer keeps the intended times, so lateness never adds up.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// Ticks sent at once after a hold-up. Older ones are not made up for.
const MOST_AT_ONCE: u64 = 5;

/// A timer that fires once for each `send`.
#[derive(Debug)]
pub(super) struct Pace {
    timer: OwnedFd,
    /// Ticks in each `send`.
    batch: u64,
}

/// What has fallen due since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// How often to send now.
    pub(super) sends: u64,
    /// Ticks that are too late to be made.
    pub(super) put_off: u64,
}

impl Pace {
    /// Starts now: `tick_rate` ticks a second, `batch` of them at once.
    pub(super) fn start(tick_rate: u32, batch: u32) -> io::Result<Self> {
        let step = timespec(Duration::from_secs(u64::from(batch)) / tick_rate);
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        let every = Itimerspec {
            it_interval: step,
            it_value: step,
        };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &every)?;
        Ok(Self {
            timer,
            batch: u64::from(batch),
        })
    }

    /// What is due since the last call.
    pub(super) fn due(&self) -> io::Result<Due> {
        let mut expired = [0; 8];
        match rustix::io::read(&self.timer, &mut expired) {
            Ok(_) => Ok(due(u64::from_ne_bytes(expired), self.batch)),
            Err(rustix::io::Errno::AGAIN) => Ok(due(0, self.batch)),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Pace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

fn due(expired: u64, batch: u64) -> Due {
    let sends = expired.min((MOST_AT_ONCE / batch).max(1));
    Due {
        sends,
        put_off: (expired - sends) * batch,
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().cast_signed(),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_sent_and_a_hold_up_is_answered_by_five_ticks_at_most() {
        let sends_and_put_off = |expired, batch| {
            let due = due(expired, batch);
            (due.sends, due.put_off)
        };
        assert_eq!(sends_and_put_off(0, 1), (0, 0));
        assert_eq!(sends_and_put_off(3, 1), (3, 0));
        assert_eq!(sends_and_put_off(100, 1), (5, 95));
        assert_eq!(sends_and_put_off(3, 2), (2, 2));
        assert_eq!(sends_and_put_off(3, 10), (1, 20), "a batch is never split");
    }
}
