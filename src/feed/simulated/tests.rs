//! The market as a whole; each part of it has a file of its own.

mod arrivals;
mod days;
mod halts;
mod prices;

use super::*;
use crate::market::Price;

fn options(rate: f64, arrivals: Arrivals, seed: u64) -> Options {
    Options {
        shares: Share::built_in(50),
        rate,
        arrivals,
        day: None,
        burst: None,
        halts: 0.0,
        seed,
    }
}

/// All at once: bursts, many halts, days of a second that end within a batch.
fn lively(seed: u64) -> Options {
    Options {
        day: Some(Duration::from_micros(1_000_300)),
        halts: 2.0,
        ..options(1_000.0, Arrivals::Bursty, seed)
    }
}

fn share(volatility: f64, beta: f64) -> Share {
    Share {
        symbol: "A".into(),
        name: String::new(),
        price: 10_000.0,
        volatility,
        beta,
        activity: 1.0,
    }
}

fn ticks(options: Options) -> impl Iterator<Item = Tick> {
    Simulated::new(options).flat_map(|emission| emission.ticks)
}

/// What is emitted before a time, in seconds.
fn before(options: Options, end: f64) -> impl Iterator<Item = Emission> {
    Simulated::new(options).take_while(move |emission| emission.at.as_secs_f64() < end)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products: Vec<f64> = (a.iter().zip(b))
        .map(|(a, b)| (a - mean_a) * (b - mean_b))
        .collect();
    mean(&products)
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    covariance(a, b) / (covariance(a, a) * covariance(b, b)).sqrt()
}

/// Whether a figure is what a formula says, but for a share.
fn assert_near(seen: f64, expected: f64, tolerance: f64, what: &str) {
    let off = (seen / expected - 1.0).abs();
    assert!(off < tolerance, "{what}: {seen} instead of {expected}");
}

#[test]
fn the_same_seed_gives_the_same_tape() {
    let tape = |seed| Simulated::new(lively(seed)).take(2_000).collect::<Vec<_>>();
    assert_eq!(tape(1), tape(1));
    assert_ne!(tape(1), tape(2));
}

#[test]
fn the_generator_still_makes_the_tape_that_its_version_names() {
    let seen = [options(200.0, Arrivals::Bursty, 1), lively(1)].map(|options| {
        let tick = ticks(options).nth(9_999).unwrap();
        let prices = (tick.last.steps(), tick.ask.steps());
        (tick.symbol.0, tick.n, prices, tick.volume)
    });
    assert_eq!(
        seen, PINNED,
        "{GENERATOR} makes another tape: give it a new version"
    );
}

/// The ten-thousandth ticks of seed 1: in a market that is always open, and in one with all its flags.
const PINNED: [(u16, u64, (i64, i64), u64); 2] = [
    (5, 314, (5_642_700, 5_643_200), 46_704),
    (7, 249, (1_884_600, 1_885_000), 522),
];

#[test]
fn the_first_emission_opens_every_symbol_at_its_price() {
    let open = Simulated::new(lively(3)).next().unwrap();
    assert_eq!((open.at, open.ticks.len()), (Duration::ZERO, 50));
    for (tick, share) in open.ticks.iter().zip(Share::built_in(50)) {
        assert_eq!((tick.n, tick.last.to_f64()), (1, share.price));
        assert_eq!(tick.open, Some(tick.last));
    }
}

#[test]
fn last_lies_between_bid_and_ask_on_the_grid() {
    for tick in ticks(lively(4)).take(50_000) {
        assert!(tick.bid <= tick.last && tick.last <= tick.ask, "{tick:?}");
        assert!(tick.bid > Price::new(0) && tick.bid < tick.ask, "{tick:?}");
        for price in [tick.bid, tick.last, tick.ask] {
            assert_eq!(price.steps() % 100, 0, "{tick:?}");
        }
    }
}

#[test]
fn each_symbol_counts_its_ticks_without_a_hole() {
    let mut counts = [0; 50];
    for tick in ticks(lively(5)).take(20_000) {
        let n = &mut counts[tick.symbol.index()];
        assert_eq!(tick.n, *n + 1);
        *n = tick.n;
    }
}

#[test]
fn emissions_are_in_order_and_hold_ticks() {
    let mut last = Duration::ZERO;
    for emission in Simulated::new(lively(6)).take(20_000) {
        assert!(emission.at >= last && !emission.ticks.is_empty());
        last = emission.at;
    }
}
