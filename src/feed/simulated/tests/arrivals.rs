//! When ticks come, against the formulas of the processes.

use rand::rngs::Xoshiro256PlusPlus;

use super::super::arrivals::{BRANCHING, DECAY, Process};
use super::*;

/// The times of arrivals before an end.
fn times(options: &Options, end: f64) -> Vec<f64> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(options.seed);
    let mut process = Process::new(options, &Hours::new(options.day), &mut random);
    std::iter::from_fn(|| Some(process.next(&mut random).at))
        .take_while(|at| *at < end)
        .collect()
}

/// How many arrivals there are in each window.
fn counts(times: &[f64], window: f64, windows: usize) -> Vec<f64> {
    let mut counts = vec![0.0; windows];
    for at in times {
        counts[(at / window) as usize] += 1.0;
    }
    counts
}

/// Variance over mean.
fn dispersion(counts: &[f64]) -> f64 {
    covariance(counts, counts) / mean(counts)
}

/// In a Poisson process of rate λ the count over T has mean and variance λT: here 200,000, so that three
/// standard deviations are 0.7 %.
#[test]
fn poisson_arrivals_keep_the_rate() {
    let count = times(&options(2_000.0, Arrivals::Poisson, 6), 100.0).len();
    assert_near(count as f64, 200_000.0, 0.007, "ticks");
}

/// A Poisson process has an index of dispersion of 1; over m windows its standard error is √(2/m): 2.2 %.
#[test]
fn poisson_arrivals_are_not_dispersed() {
    let times = times(&options(50.0, Arrivals::Poisson, 7), 4_000.0);
    assert_near(
        dispersion(&counts(&times, 1.0, 4_000)),
        1.0,
        0.07,
        "Poisson",
    );
}

/// The mean intensity of a Hawkes process is μ/(1−n) (Hawkes 1971, *Spectra of some self-exciting and mutually exciting
/// point processes*), and μ is chosen so that this is the rate λ. The count over T has variance λT/(1−n)²: here its
/// standard deviation is 0.75 % of its mean.
#[test]
fn bursty_arrivals_keep_the_rate() {
    let count = times(&options(2_000.0, Arrivals::Bursty, 6), 100.0).len();
    assert_near(count as f64, 200_000.0, 0.022, "ticks");
}

/// The variance of the counts of a Hawkes process with kernel nβe^{−βt} over windows of T, against their mean
/// (Hawkes 1971): 1/(1−n)² + (1 − 1/(1−n)²)(1 − e^{−κT})/κT with κ = β(1−n), which is 1 for the shortest windows and
/// 1/(1−n)² for the longest.
fn hawkes_dispersion(window: f64) -> f64 {
    let longest = (1.0 - BRANCHING).powi(-2);
    let memory = DECAY * (1.0 - BRANCHING) * window;
    longest + (1.0 - longest) * (1.0 - (-memory).exp()) / memory
}

/// The index of dispersion of 4,000 windows has a standard error of about √(2/4,000) = 2.2 %.
#[test]
fn bursty_arrivals_are_dispersed_as_a_hawkes_process_is() {
    let times = times(&options(10.0, Arrivals::Bursty, 8), 80_000.0);
    for window in [0.1, 1.0, 20.0] {
        let counts = counts(&times[..], window, (80_000.0 / window) as usize);
        let expected = hawkes_dispersion(window);
        assert_near(dispersion(&counts), expected, 0.07, "dispersion");
    }
    assert_near(
        hawkes_dispersion(1e4),
        1.0 / (1.0 - BRANCHING).powi(2),
        1e-3,
        "limit",
    );
}

#[test]
fn steady_arrivals_are_single_ticks_at_equal_distances() {
    let market = Simulated::new(options(500.0, Arrivals::Steady, 1));
    for (index, emission) in (1..).zip(market.skip(1).take(1_000)) {
        assert_eq!(emission.ticks.len(), 1);
        let planned = f64::from(index) / 500.0;
        assert!((emission.at.as_secs_f64() - planned).abs() < 1e-6);
    }
}

#[test]
fn steady_arrivals_stay_even_through_halts_and_days() {
    let options = Options {
        arrivals: Arrivals::Steady,
        ..lively(2)
    };
    let singles = Simulated::new(options).filter(|emission| emission.ticks.len() == 1);
    for (index, emission) in (1..).zip(singles.take(5_000)) {
        let planned = f64::from(index) / 1_000.0;
        assert!((emission.at.as_secs_f64() - planned).abs() < 1e-6);
    }
}

/// A share of p of N ticks has a standard error of √(Np) among Np, here 1 % for the busiest symbol; bursts dilate it
/// by 1/(1−n).
#[test]
fn symbols_tick_as_often_as_they_are_active() {
    let shares = Share::built_in(50);
    let activity: f64 = shares.iter().map(|share| share.activity).sum();
    let mut seen = [0.0; 50];
    for tick in ticks(options(1_000.0, Arrivals::Bursty, 9)).take(200_000) {
        seen[tick.symbol.index()] += 1.0;
    }
    for index in [0, 2, 6] {
        let expected = 200_000.0 * shares[index].activity / activity;
        assert_near(seen[index], expected, 0.1, &shares[index].symbol);
    }
}

fn with_burst(factor: f64, arrivals: Arrivals) -> Vec<f64> {
    let burst = Burst {
        factor,
        length: Duration::from_secs(2),
        every: Duration::from_secs(10),
    };
    let options = Options {
        burst: Some(burst),
        ..options(100.0, arrivals, 10)
    };
    counts(&times(&options, 1_000.0), 2.0, 500)
}

/// 100 bursts of 2,000 ticks; 3.3 standard deviations are 0.7 %.
#[test]
fn a_burst_multiplies_the_rate_at_the_end_of_each_interval() {
    let counts = with_burst(10.0, Arrivals::Poisson);
    let of = |phase| counts.iter().skip(phase).step_by(5).sum::<f64>();
    assert_near(of(4), 200_000.0, 0.007, "in bursts");
    assert_near((0..4).map(of).sum(), 80_000.0, 0.012, "between them");
}

#[test]
fn a_burst_of_nothing_is_silence() {
    let counts = with_burst(0.0, Arrivals::Steady);
    for interval in counts.chunks(5) {
        assert!(
            interval[..4]
                .iter()
                .all(|count| (199.0..=201.0).contains(count))
        );
        assert_eq!(interval[4], 0.0);
    }
}
