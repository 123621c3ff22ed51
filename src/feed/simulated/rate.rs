//! How many ticks a second are wanted, from moment to moment.

use std::time::Duration;

use super::hours::Hours;

/// Stretches of another rate, at intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// What the rate is multiplied by.
    pub factor: f64,
    /// How long it lasts.
    pub length: Duration,
    /// From one end to the next; longer than `length`. The first burst ends after the first interval.
    pub every: Duration,
}

/// The planned rate: constant in pieces.
#[derive(Debug)]
pub(super) struct Rate {
    mean: f64,
    /// Hours that make it another one each minute.
    hours: Option<Hours>,
    burst: Option<Burst>,
}

impl Rate {
    pub(super) fn new(mean: f64, hours: Option<Hours>, burst: Option<Burst>) -> Self {
        Self { mean, hours, burst }
    }

    /// The time after `now` by which `expected` ticks are to be expected. With exponential ones a Poisson process of
    /// this rate comes about (Çinlar 1975, *Introduction to Stochastic Processes*, ch. 4), with ones an even one.
    pub(super) fn after(&self, now: f64, mut expected: f64) -> f64 {
        let mut now = now;
        loop {
            let (rate, until) = self.at(now);
            let here = (until - now) * rate;
            if expected < here {
                return now + expected / rate;
            }
            expected -= here;
            now = until;
        }
    }

    /// The rate at a time, and until when it stays.
    fn at(&self, now: f64) -> (f64, f64) {
        let (busyness, minute_end) = match &self.hours {
            Some(hours) => {
                let minute = (now / hours.minute()).floor();
                (
                    hours.busyness(minute as u64),
                    (minute + 1.0) * hours.minute(),
                )
            }
            None => (1.0, f64::INFINITY),
        };
        let (factor, burst_end) = self.burst.map_or((1.0, f64::INFINITY), |b| b.at(now));
        // By rounding, an end can be where it begins; time must pass all the same.
        let until = minute_end.min(burst_end).max(now.next_up());
        (self.mean * busyness * factor, until)
    }
}

impl Burst {
    /// The factor at a time, and until when it stays.
    fn at(&self, now: f64) -> (f64, f64) {
        let every = self.every.as_secs_f64();
        let end = ((now / every).floor() + 1.0) * every;
        let begin = end - self.length.as_secs_f64();
        if now < begin {
            (1.0, begin)
        } else {
            (self.factor, end)
        }
    }
}
