//! What is counted: one tally for each generator thread, poured into the run's twice a second.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::audit::Findings;
use crate::strain::Strain;

/// Ages above this are counted as this. An hour: nothing live is older.
const MAX_AGE_US: u64 = 3_600_000_000;

/// Counters and ages. Ticks, ages, bytes and requests are those inside the window; findings and troubles of all time.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Live ticks read.
    pub(crate) ticks: u64,
    /// Their ages in microseconds.
    pub(crate) ages: Histogram<u64>,
    /// Ticks that seemed to come from the future: the clocks disagree.
    pub(crate) early: u64,
    /// Bytes read from sockets.
    pub(crate) bytes_in: u64,
    /// Bytes written to sockets.
    pub(crate) bytes_out: u64,
    /// HTTP requests sent.
    pub(crate) requests: u64,
    /// Connections opened anew because the server had closed an idle one between two polls.
    pub(crate) reopened: u64,
    /// Clients that read at least one live tick.
    pub(crate) heard: u64,
    /// What the audit found.
    pub(crate) findings: Findings,
    /// Why clients failed, and how many.
    pub(crate) troubles: BTreeMap<String, u64>,
    /// How the generator itself fared.
    pub(crate) strain: Strain,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            ticks: 0,
            // Three digits: a figure is off by 0.1 % at most, in 180 kB whatever the number of ticks.
            ages: Histogram::new_with_bounds(1, MAX_AGE_US, 3).expect("the bounds are valid"),
            early: 0,
            bytes_in: 0,
            bytes_out: 0,
            requests: 0,
            reopened: 0,
            heard: 0,
            findings: Findings::default(),
            troubles: BTreeMap::new(),
            strain: Strain::default(),
        }
    }
}

impl Tally {
    /// One live tick, generated at `ts` and read at `read_us`, both by the server's clock.
    pub(crate) fn tick(&mut self, ts: u64, read_us: u64) {
        self.ticks += 1;
        self.early += u64::from(ts > read_us);
        self.ages.saturating_record(read_us.saturating_sub(ts));
    }

    /// One client's end.
    pub(crate) fn trouble(&mut self, kind: String) {
        *self.troubles.entry(kind).or_default() += 1;
    }

    /// Bytes in both directions.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes_in + self.bytes_out
    }

    /// Adds all of another tally.
    pub(crate) fn add(&mut self, other: &Self) {
        self.ticks += other.ticks;
        self.ages
            .add(&other.ages)
            .expect("all tallies have the same bounds");
        self.early += other.early;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.requests += other.requests;
        self.reopened += other.reopened;
        self.heard += other.heard;
        self.findings += other.findings;
        for (kind, count) in &other.troubles {
            *self.troubles.entry(kind.clone()).or_default() += count;
        }
        self.strain += other.strain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_known_spread() {
        let mut tally = Tally::default();
        for age in 1..=1_000 {
            tally.tick(5_000, 5_000 + age);
        }
        let at = |quantile| tally.ages.value_at_quantile(quantile);
        assert_eq!(
            (at(0.5), at(0.9), at(0.99), at(0.999), tally.ages.max()),
            (500, 900, 990, 999, 1_000)
        );
    }

    #[test]
    fn parts_add_up() {
        let mut whole = Tally::default();
        for age in [100, 300] {
            let mut part = Tally {
                bytes_in: 10,
                bytes_out: 1,
                requests: 2,
                ..Tally::default()
            };
            part.tick(0, age);
            part.trouble("the server ended the stream".into());
            whole.add(&part);
        }
        assert_eq!((whole.ticks, whole.bytes(), whole.requests), (2, 22, 4));
        assert_eq!((whole.ages.min(), whole.ages.max()), (100, 300));
        assert_eq!(whole.troubles["the server ended the stream"], 2);
    }

    #[test]
    fn a_tick_from_the_future_has_age_zero_and_is_noted() {
        let mut tally = Tally::default();
        tally.tick(900, 800);
        assert_eq!((tally.early, tally.ages.max()), (1, 0));
    }

    #[test]
    fn an_absurd_age_does_not_panic() {
        let mut tally = Tally::default();
        tally.tick(0, u64::MAX);
        assert_eq!(tally.ticks, 1);
    }
}
