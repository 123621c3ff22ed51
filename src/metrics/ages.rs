//! Histograms of ages in which many ticks of one age count at once.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use prometheus::core::{Atomic, AtomicF64, Collector, Desc};
use prometheus::proto::{Bucket, Histogram, LabelPair, Metric, MetricFamily, MetricType};

/// Upper bounds in seconds: from a quarter of a tenth of a millisecond, where loopback delivers, to where nobody would
/// wait.
const BOUNDS: [f64; 18] = [
    25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3,
    500e-3, 1.0, 2.5, 5.0, 10.0,
];

/// The same in microseconds.
const MICROS: [u32; BOUNDS.len()] = {
    let mut micros = [0; BOUNDS.len()];
    let mut at = 0;
    while at < BOUNDS.len() {
        micros[at] = (BOUNDS[at] * 1e6 + 0.5) as u32;
        at += 1;
    }
    micros
};

/// One for each bound and one for what lies above all of them.
const BUCKETS: usize = BOUNDS.len() + 1;

/// A histogram with one label value or set of values, shared by all threads.
#[derive(Debug, Default)]
pub(super) struct Ages {
    /// Not cumulative.
    counts: [AtomicU64; BUCKETS],
    /// Seconds.
    sum: AtomicSum,
}

#[derive(Debug)]
struct AtomicSum(AtomicF64);

impl Default for AtomicSum {
    fn default() -> Self {
        Self(AtomicF64::new(0.0))
    }
}

impl Ages {
    /// `ticks` ticks were `seconds` old.
    pub(super) fn observe(&self, seconds: f64, ticks: u64) {
        self.counts[bucket(seconds)].fetch_add(ticks, Relaxed);
        self.sum.0.inc_by(seconds * ticks as f64);
    }

    fn histogram(&self) -> Histogram {
        let [counts @ .., above] = &self.counts;
        let mut count = 0;
        let buckets = BOUNDS.iter().zip(counts).map(|(bound, own)| {
            count += own.load(Relaxed);
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(count);
            bucket
        });
        let buckets = buckets.collect();
        count += above.load(Relaxed);
        let mut histogram = Histogram::default();
        histogram.set_sample_count(count);
        histogram.set_sample_sum(self.sum.0.get());
        histogram.set_bucket(buckets);
        histogram
    }
}

/// A worker's own counts of the same, without atomics.
#[derive(Debug)]
pub(super) struct LocalAges {
    shared: Arc<Ages>,
    counts: [Cell<u64>; BUCKETS],
    /// Microseconds.
    sum: Cell<u64>,
}

impl LocalAges {
    pub(super) fn new(shared: &Arc<Ages>) -> Self {
        Self {
            shared: Arc::clone(shared),
            counts: Default::default(),
            sum: Cell::default(),
        }
    }

    /// `ticks` ticks were so many microseconds old.
    pub(super) fn observe(&self, micros: u64, ticks: u64) {
        // Without a branch that could be guessed wrong: it happens once for each client and tick.
        let capped = micros.min(u64::from(u32::MAX)) as u32;
        let bucket = MICROS.iter().filter(|bound| **bound < capped).count();
        let count = &self.counts[bucket];
        count.set(count.get() + ticks);
        self.sum
            .set((self.sum.get()).saturating_add(micros.saturating_mul(ticks)));
    }

    /// Adds everything to the shared counts.
    pub(super) fn flush(&self) {
        for (own, shared) in self.counts.iter().zip(&self.shared.counts) {
            let count = own.take();
            if count > 0 {
                shared.fetch_add(count, Relaxed);
            }
        }
        let sum = self.sum.take();
        if sum > 0 {
            self.shared.sum.0.inc_by(sum as f64 / 1e6);
        }
    }
}

fn bucket(seconds: f64) -> usize {
    BOUNDS.partition_point(|bound| *bound < seconds)
}

/// A metric of such histograms, whose label values are all known beforehand.
#[derive(Clone, Debug)]
pub(super) struct AgesVec {
    desc: Desc,
    series: Vec<(Vec<LabelPair>, Arc<Ages>)>,
}

impl AgesVec {
    /// One histogram for each row of label values. Fails if a name is not well-formed.
    pub(super) fn new<const N: usize>(
        name: String,
        help: &str,
        labels: [&str; N],
        rows: &[[&str; N]],
    ) -> prometheus::Result<Self> {
        let names = labels.map(str::to_owned).into();
        let pair = |(name, value): (&str, &str)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        };
        let series = rows.iter().map(|values| {
            let mut pairs: Vec<_> = labels.into_iter().zip(*values).map(pair).collect();
            // As the library orders the labels of its own metrics.
            pairs.sort_by(|a, b| a.name().cmp(b.name()));
            (pairs, Arc::default())
        });
        Ok(Self {
            desc: Desc::new(name, help.to_owned(), names, Default::default())?,
            series: series.collect(),
        })
    }

    /// The histogram of the row at this index.
    pub(super) fn at(&self, row: usize) -> &Arc<Ages> {
        &self.series[row].1
    }
}

impl Collector for AgesVec {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let metrics = self.series.iter().map(|(labels, ages)| {
            let mut metric = Metric::from_label(labels.clone());
            metric.set_histogram(ages.histogram());
            metric
        });
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(MetricType::HISTOGRAM);
        family.set_metric(metrics.collect());
        vec![family]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_at_a_bound_belongs_below_it() {
        assert_eq!(bucket(1e-3), bucket(0.9e-3));
        assert_eq!(bucket(1.1e-3), bucket(1e-3) + 1);
        assert_eq!((bucket(0.0), bucket(1e9)), (0, BUCKETS - 1));
    }

    #[test]
    fn a_worker_puts_ages_where_all_others_do() {
        for micros in [
            0,
            25,
            26,
            999,
            1_000,
            1_001,
            10_000_000,
            10_000_001,
            u64::MAX / 2,
        ] {
            let shared = Arc::new(Ages::default());
            let local = LocalAges::new(&shared);
            local.observe(micros, 1);
            let found = local.counts.iter().position(|count| count.get() == 1);
            assert_eq!(found, Some(bucket(micros as f64 / 1e6)), "{micros}");
        }
    }

    #[test]
    fn what_a_worker_counted_is_added_once() {
        let shared = Arc::new(Ages::default());
        let local = LocalAges::new(&shared);
        local.observe(2_000, 5);
        local.observe(20_000_000, 1);
        local.flush();
        local.flush();
        let histogram = shared.histogram();
        assert_eq!(histogram.get_sample_count(), 6);
        assert!((histogram.get_sample_sum() - 20.01).abs() < 1e-9);
        let last = histogram.get_bucket().last().map(Bucket::cumulative_count);
        assert_eq!(last, Some(5), "one lies above all bounds");
    }
}
