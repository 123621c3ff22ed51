//! The measuring window: set by the run, read by every thread for every socket read.

use std::sync::atomic::{AtomicU64, Ordering};

/// A span of time by the server's clock, in microseconds. Never open until it is set.
#[derive(Debug)]
pub(crate) struct Window {
    opens: AtomicU64,
    closes: AtomicU64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            opens: AtomicU64::new(u64::MAX),
            closes: AtomicU64::new(u64::MAX),
        }
    }
}

impl Window {
    /// Fixes the window, `closes` first: a reader between the two stores must not see it open.
    pub(crate) fn set(&self, opens: u64, closes: u64) {
        self.closes.store(closes, Ordering::Release);
        self.opens.store(opens, Ordering::Release);
    }

    /// Ends the window early.
    pub(crate) fn close(&self, at: u64) {
        self.closes.fetch_min(at, Ordering::AcqRel);
    }

    /// Whether `at` lies inside.
    pub(crate) fn contains(&self, at: u64) -> bool {
        at >= self.opens.load(Ordering::Acquire) && at < self.closes.load(Ordering::Acquire)
    }

    /// How long it was open, in seconds; 0 if it never was.
    pub(crate) fn seconds(&self) -> f64 {
        let (opens, closes) = (
            self.opens.load(Ordering::Acquire),
            self.closes.load(Ordering::Acquire),
        );
        closes.saturating_sub(opens) as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_closed_until_set_and_after_its_end() {
        let window = Window::default();
        assert!(!window.contains(5));
        window.set(10, 20);
        assert_eq!(
            [9, 10, 19, 20].map(|at| window.contains(at)),
            [false, true, true, false]
        );
    }

    #[test]
    fn an_early_end_shortens_it_and_a_late_one_does_not_extend_it() {
        let window = Window::default();
        window.set(1_000_000, 3_000_000);
        window.close(9_000_000);
        assert_eq!(window.seconds(), 2.0);
        window.close(1_500_000);
        assert_eq!(window.seconds(), 0.5);
        window.close(500_000);
        assert_eq!(window.seconds(), 0.0, "interrupted before it opened");
    }
}
