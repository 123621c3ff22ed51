//! Days: how busy their hours are, and what changes from one to the next.

use super::super::business::NIGHT;
use super::super::hours::{DAY, MINUTES, YEAR};
use super::*;

const HALF_HOURS: usize = 13;

/// A market with days of so many seconds.
fn daily(seconds: u64, arrivals: Arrivals) -> Options {
    Options {
        day: Some(Duration::from_secs(seconds)),
        ..options(1_000.0, arrivals, 21)
    }
}

/// How busy each half-hour of a day is.
fn busyness() -> Vec<f64> {
    let hours = Hours::new(Some(Duration::from_secs(1)));
    let minutes: Vec<_> = (0..MINUTES as u64)
        .map(|minute| hours.busyness(minute))
        .collect();
    minutes.chunks(MINUTES / HALF_HOURS).map(mean).collect()
}

/// Jain & Joh 1988, *The dependence between hourly prices and trading volume*: most at the close, then at the open,
/// least at noon.
#[test]
fn a_day_is_busiest_at_its_ends() {
    let busy = busyness();
    assert!((mean(&busy) - 1.0).abs() < 1e-9);
    assert!(busy[12] > busy[0] && busy[0] > 1.9, "{busy:?}");
    assert!(busy[..6].is_sorted_by(|a, b| a > b), "{busy:?}");
    assert!(busy[7..].is_sorted(), "{busy:?}");
    assert!((0.6..0.75).contains(&busy[6]), "{busy:?}");
}

/// A quiet half-hour of ten days has 10,000 ticks, whose sizes vary by 0.9 of their mean: a standard error of 1.4 %.
#[test]
fn the_volume_of_a_day_is_u_shaped() {
    let mut volumes = [0.0; HALF_HOURS];
    for emission in before(daily(20, Arrivals::Poisson), 200.0) {
        let half_hour = emission.at.as_secs_f64() % 20.0 / 20.0 * HALF_HOURS as f64;
        for tick in emission.ticks {
            volumes[half_hour as usize] += f64::from(tick.size);
        }
    }
    let average = mean(&volumes);
    for (volume, busy) in volumes.iter().zip(busyness()) {
        assert_near(volume / average, busy, 0.05, "volume");
    }
}

/// A day of 20,000 ticks at n = 0.7 has a standard deviation of √20,000/(1−n): 2.4 %, and ten of them 0.75 %. The
/// openings come on top.
#[test]
fn the_mean_rate_of_a_day_is_the_rate() {
    let emissions = before(daily(20, Arrivals::Bursty), 200.0);
    let ticks = emissions.flat_map(|emission| emission.ticks);
    let count = ticks.filter(|tick| tick.open.is_none()).count();
    assert_near(count as f64, 200_000.0, 0.022, "ticks");
}

#[test]
fn each_day_begins_with_an_emission_that_opens_every_symbol() {
    let openings = before(daily(2, Arrivals::Bursty), 9.0)
        .filter(|emission| emission.ticks.iter().any(|tick| tick.open.is_some()));
    let openings: Vec<_> = openings.collect();
    assert_eq!(openings.len(), 5);
    for (day, opening) in (0..).zip(&openings) {
        assert_eq!(opening.at, Duration::from_secs(2 * day));
        let symbols: Vec<_> = opening.ticks.iter().map(|tick| tick.symbol.0).collect();
        assert_eq!(symbols, (0..50).collect::<Vec<_>>());
        assert!(
            opening
                .ticks
                .iter()
                .all(|tick| tick.open == Some(tick.last))
        );
    }
}

#[test]
fn volume_begins_again_each_day_and_grows_by_what_is_traded() {
    let mut volumes = [0; 50];
    for tick in ticks(lively(22)).take(20_000) {
        let volume = &mut volumes[tick.symbol.index()];
        let before = if tick.open.is_some() { 0 } else { *volume };
        assert_eq!(tick.volume, before + u64::from(tick.size), "{tick:?}");
        *volume = tick.volume;
    }
}

#[test]
fn a_market_without_days_opens_once() {
    let later = ticks(options(1_000.0, Arrivals::Bursty, 23)).skip(50);
    assert!(later.take(20_000).all(|tick| tick.open.is_none()));
}

/// The gap from the close to the next open has the variance of so much of a day. Few ticks fall into the day, so the last
/// is far from the close: the variance of what lies between is counted, too. 1,500 nights have a standard error of 3.7 %
/// for one symbol; the market is common to all.
#[test]
fn a_night_moves_prices_by_a_part_of_a_day() {
    let options = Options {
        shares: vec![share(0.3, 1.0)],
        rate: 390.0,
        ..daily(1, Arrivals::Steady)
    };
    let (mut last, mut gaps) = (0.0, Vec::new());
    for tick in ticks(options).take(391 * 1_500) {
        let price = tick.last.to_f64().ln();
        if tick.open.is_some() && tick.n > 1 {
            gaps.push(price - last);
        }
        last = price;
    }
    // The last minute of a day is its busiest.
    let minute = Hours::new(Some(Duration::from_secs(1))).busyness(389) * 60.0;
    let expected = 0.3 * ((NIGHT * DAY + minute) / YEAR).sqrt();
    assert_near(covariance(&gaps, &gaps).sqrt(), expected, 0.08, "gap");
}
