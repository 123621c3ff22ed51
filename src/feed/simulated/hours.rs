//! The hours of trade: how long a day takes, and how busy each of its minutes is.

use std::time::Duration;

/// Minutes of trading in a day: from half past nine to four.
pub(super) const MINUTES: usize = 390;

/// Seconds of trading in a day.
pub(super) const DAY: f64 = 60.0 * MINUTES as f64;

/// Seconds of trading in a year.
pub(super) const YEAR: f64 = 252.0 * DAY;

/// When the market is open.
#[derive(Clone, Debug)]
pub(super) struct Hours {
    /// Seconds of the plan that a minute of the market takes.
    minute: f64,
    /// How busy each minute of a day is, against the average.
    shape: Vec<f64>,
}

impl Hours {
    /// Days that follow each other at once, each of the given length; without one, a market that is always open and
    /// equally busy.
    pub(super) fn new(day: Option<Duration>) -> Self {
        match day {
            None => Self {
                minute: 60.0,
                shape: vec![1.0],
            },
            Some(day) => Self {
                minute: day.as_secs_f64() / MINUTES as f64,
                shape: shape(),
            },
        }
    }

    /// Seconds of the plan that a minute of the market takes.
    pub(super) fn minute(&self) -> f64 {
        self.minute
    }

    /// How busy a minute is, counted from the start of the plan; the average over a day is 1.
    pub(super) fn busyness(&self, minute: u64) -> f64 {
        self.shape[(minute % self.shape.len() as u64) as usize]
    }

    /// When a day begins, counted from 0, in seconds of the plan. A market that is always open opens once.
    pub(super) fn opening(&self, day: u64) -> f64 {
        match day {
            0 => 0.0,
            _ if self.shape.len() == 1 => f64::INFINITY,
            _ => day as f64 * MINUTES as f64 * self.minute,
        }
    }
}

/// Busy at the open and busier at the close, quiet at noon, as trading is (Jain & Joh 1988, *The dependence between
/// hourly prices and trading volume*) since those who may choose their time choose the time of the others (Admati &
/// Pfleiderer 1988, *A theory of intraday patterns*). The first and the last of the thirteen half-hours have twice the
/// average, noon has two thirds.
fn shape() -> Vec<f64> {
    let at = |minute: usize| {
        let passed = (minute as f64 + 0.5) / MINUTES as f64;
        0.65 + 2.2 * (-passed / 0.08).exp() + 2.9 * (-(1.0 - passed) / 0.06).exp()
    };
    let mean = (0..MINUTES).map(at).sum::<f64>() / MINUTES as f64;
    (0..MINUTES).map(|minute| at(minute) / mean).collect()
}
