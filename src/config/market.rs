//! Flags of the simulated market.

use std::time::Duration;

use crate::feed::simulated::Burst;

use super::{MOST_TICK_RATE, duration};

const MOST: Duration = Duration::from_secs(24 * 3600);

/// How long a trading day takes.
pub(super) fn day(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1), MOST)
}

/// Halts a day for each symbol.
pub(super) fn halts(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(halts) if (0.0..=100.0).contains(&halts) => Ok(halts),
        _ => Err("it takes 0 to 100 halts a day".to_owned()),
    }
}

/// A factor, a length and an interval: `10x/2s/30s`.
pub(super) fn burst(text: &str) -> Result<Burst, String> {
    let parts = text.split_once("x/");
    let parts = parts.and_then(|(factor, times)| Some((factor, times.split_once('/')?)));
    let (factor, (length, every)) = parts.ok_or("it is like 10x/2s/30s")?;
    let time = |text| {
        duration(text, Duration::from_millis(10), MOST).map_err(|error| format!("{text}: {error}"))
    };
    let burst = Burst {
        factor: match factor.parse() {
            Ok(factor) if (0.0..=100.0).contains(&factor) => factor,
            _ => return Err(format!("{factor}: it takes 0 to 100 times the rate")),
        },
        length: time(length)?,
        every: time(every)?,
    };
    if burst.length < burst.every {
        Ok(burst)
    } else {
        Err(format!("{length} is no part of {every}"))
    }
}

/// The burst at a tick rate, no busier than a tick rate may be.
pub(super) fn within(burst: Burst, tick_rate: f64) -> Burst {
    Burst {
        factor: burst.factor.min(MOST_TICK_RATE / tick_rate),
        ..burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_in_minutes_or_hours() {
        assert_eq!(day("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(day("6.5h"), Ok(Duration::from_secs(23_400)));
    }

    #[test]
    fn a_burst_is_a_factor_a_length_and_an_interval() {
        let expected = Burst {
            factor: 10.0,
            length: Duration::from_secs(2),
            every: Duration::from_secs(30),
        };
        assert_eq!(burst("10x/2s/30s"), Ok(expected));
    }

    #[test]
    fn a_burst_is_no_busier_than_a_tick_rate_may_be() {
        let burst = burst("10x/2s/30s").unwrap();
        assert_eq!(within(burst, 1_000.0).factor, 10.0);
        assert_eq!(within(burst, 200_000.0).factor, 5.0);
    }

    #[test]
    fn a_burst_says_which_of_its_parts_is_wrong() {
        assert_eq!(burst("10"), Err("it is like 10x/2s/30s".into()));
        assert_eq!(
            burst("1e9x/2s/30s"),
            Err("1e9: it takes 0 to 100 times the rate".into())
        );
        assert_eq!(burst("10x/30s/30s"), Err("30s is no part of 30s".into()));
        assert!(burst("10x/2/30s").unwrap_err().starts_with("2: a number"));
    }
}
