//! How often a client may speak.

use std::time::Duration;

use tokio::time::Instant;

/// A client may use so many seconds' worth of messages at once.
const BURST_SECONDS: u32 = 10;

/// Lets through a number of messages a second on average, and ten seconds' worth of them at once: the generic cell
/// rate algorithm (ITU-T I.371, annex A), which needs a single moment for its memory.
#[derive(Debug)]
pub(super) struct Rate {
    gap: Duration,
    slack: Duration,
    /// When the next message would come if all came evenly.
    even: Instant,
}

impl Rate {
    pub(super) fn new(a_second: u32, now: Instant) -> Self {
        let gap = Duration::from_secs(1) / a_second;
        Self {
            gap,
            slack: gap * (a_second * BURST_SECONDS - 1),
            even: now,
        }
    }

    /// Whether a message may come now.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        let even = self.even.max(now);
        if even - now > self.slack {
            return false;
        }
        self.even = even + self.gap;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_worth_may_come_at_once_and_no_more() {
        let now = Instant::now();
        let mut rate = Rate::new(10, now);
        let admitted = (0..200).filter(|_| rate.admits(now)).count();
        assert_eq!(admitted, 100);
    }

    #[test]
    fn what_was_used_comes_back_with_time() {
        let start = Instant::now();
        let mut rate = Rate::new(10, start);
        while rate.admits(start) {}
        let later = start + Duration::from_millis(500);
        let admitted = (0..200).filter(|_| rate.admits(later)).count();
        assert_eq!(admitted, 5);
    }

    #[test]
    fn silence_saves_up_no_more_than_a_burst() {
        let start = Instant::now();
        let mut rate = Rate::new(10, start);
        let later = start + Duration::from_secs(3600);
        let admitted = (0..200).filter(|_| rate.admits(later)).count();
        assert_eq!(admitted, 100);
    }
}
