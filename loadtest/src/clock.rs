//! The server's clock as seen from here. On one host it is our own; to a remote one the offset is estimated.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch by this host's clock.
pub(crate) fn wall_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Tells the time by the server's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// What to add to our own clock to get the server's.
    pub(crate) offset_us: i64,
    /// How far off that can be; 0 where both are the same clock.
    pub(crate) error_us: u64,
}

/// One question for the server's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) asked_us: u64,
    pub(crate) server_us: u64,
    pub(crate) answered_us: u64,
}

impl Clock {
    /// Microseconds since the Unix epoch by the server's clock.
    pub(crate) fn now(self) -> u64 {
        wall_micros().saturating_add_signed(self.offset_us)
    }

    /// The estimate from the quickest exchange: the server read its clock somewhere between question and
    /// answer, so the middle is off by at most half the round trip, and the shortest trip bounds it best.
    pub(crate) fn from_exchanges(exchanges: &[Exchange]) -> Option<Self> {
        let best = exchanges
            .iter()
            .min_by_key(|one| one.answered_us.saturating_sub(one.asked_us))?;
        let trip = best.answered_us.saturating_sub(best.asked_us);
        let middle = best.asked_us + trip / 2;
        Some(Self {
            offset_us: best.server_us.cast_signed() - middle.cast_signed(),
            error_us: trip.div_ceil(2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_exchange_decides() {
        let exchange = |asked_us, server_us, answered_us| Exchange {
            asked_us,
            server_us,
            answered_us,
        };
        let slow = exchange(1_000, 9_999, 5_000);
        let quick = exchange(10_000, 12_550, 10_101);
        let clock = Clock::from_exchanges(&[slow, quick]).unwrap();
        assert_eq!(
            clock,
            Clock {
                offset_us: 2_500,
                error_us: 51
            }
        );
    }

    #[test]
    fn no_exchange_no_clock() {
        assert_eq!(Clock::from_exchanges(&[]), None);
    }
}
