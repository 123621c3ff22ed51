//! Halts: how often, how long, and what is told of them.

use rand::rngs::Xoshiro256PlusPlus;

use super::super::halts::{HALT_MINUTES, Halts, Turn};
use super::super::hours::DAY;
use super::super::hours::YEAR;
use super::super::stock::NEWS;
use super::*;

/// A market that is always open, with so many halts of each symbol in 390 minutes.
fn halting(halts: f64) -> Options {
    Options {
        halts,
        ..options(2.0, Arrivals::Poisson, 31)
    }
}

/// Each halt: when it begins, its last tick before, and the first one after it with its time.
fn halts(options: Options, end: f64) -> Vec<(f64, Tick, f64, Tick)> {
    let mut latest: Vec<Option<(f64, Tick)>> = vec![None; options.shares.len()];
    let mut halts = Vec::new();
    for Emission { at, ticks } in before(options, end) {
        for tick in ticks {
            let next = (at.as_secs_f64(), tick);
            if let Some((began, halt)) = latest[tick.symbol.index()].replace(next)
                && halt.halted
            {
                halts.push((began, halt, next.0, tick));
            }
        }
    }
    halts
}

/// Halts are a Poisson process: over 20 days of 50 symbols 1,000 are to be expected, with a standard deviation of 32. Of
/// two that would fall on the same symbol, one is left out: fewer than 1 %.
#[test]
fn halts_come_as_often_as_they_should() {
    let seen = halts(halting(1.0), 20.0 * DAY).len();
    assert_near(seen as f64, 1_000.0, 0.1, "halts");
}

/// A halt ends with the first tick that is due after its time: half a second later, on average, and another halt's
/// begin or end takes that turn now and then.
#[test]
fn a_halt_takes_five_minutes() {
    for (began, _, ended, _) in halts(halting(1.0), 5.0 * DAY) {
        let late = ended - began - HALT_MINUTES * 60.0;
        assert!((0.0..10.0).contains(&late), "{late} s");
    }
}

#[test]
fn a_halt_is_a_tick_without_a_trade_and_ends_with_one() {
    let mut latest: Vec<Option<Tick>> = vec![None; 50];
    let mut seen = 0;
    for tick in ticks(halting(5.0)).take(50_000) {
        let before = latest[tick.symbol.index()].replace(tick);
        let Some(before) = before else { continue };
        assert!(!(before.halted && tick.halted), "{tick:?}");
        assert_eq!(tick.halted, tick.size == 0, "{tick:?}");
        if tick.halted {
            let told = |tick: &Tick| (tick.last, tick.bid, tick.ask, tick.volume);
            assert_eq!(told(&tick), told(&before));
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

/// The news of a halt moves a price by itself as far as so many days do. A thousand halts give its standard deviation with
/// an error of 2 %.
#[test]
fn the_price_jumps_over_a_halt() {
    let options = Options {
        shares: vec![share(0.3, 0.0), share(0.3, 0.0), share(0.3, 0.0)],
        rate: 0.5,
        ..halting(10.0)
    };
    let jumps: Vec<_> = halts(options, 40.0 * DAY)
        .iter()
        .map(|(_, halt, _, resume)| (resume.last.to_f64() / halt.last.to_f64()).ln())
        .collect();
    let expected = 0.3 * ((NEWS * DAY + HALT_MINUTES * 60.0) / YEAR).sqrt();
    assert_near(covariance(&jumps, &jumps).sqrt(), expected, 0.08, "jump");
}

#[test]
fn no_more_than_half_of_the_symbols_are_halted_together() {
    let mut halted = [false; 50];
    for tick in ticks(halting(100.0)).take(50_000) {
        halted[tick.symbol.index()] = tick.halted;
        assert!(halted.iter().filter(|halted| **halted).count() <= 25);
    }
}

#[test]
fn a_lone_symbol_is_never_halted() {
    let options = Options {
        shares: Share::built_in(1),
        ..halting(100.0)
    };
    assert!(ticks(options).take(20_000).all(|tick| !tick.halted));
}

#[test]
fn a_new_day_ends_all_halts() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(32);
    let mut halts = Halts::new(1.0, 50, &Hours::new(None), &mut random);
    let began = (1..)
        .map(f64::from)
        .find(|now| halts.turn(*now, &mut random) != Turn::Trade)
        .unwrap();
    halts.clear();
    let after = began + HALT_MINUTES * 60.0;
    assert!(!matches!(halts.turn(after, &mut random), Turn::Resume(_)));
}

#[test]
fn no_symbol_opens_halted() {
    let options = Options {
        halts: 50.0,
        ..lively(32)
    };
    let openings = ticks(options)
        .take(50_000)
        .filter(|tick| tick.open.is_some());
    assert!(openings.filter(|tick| tick.halted).count() == 0);
}

#[test]
fn a_market_can_be_without_halts() {
    assert!(ticks(halting(0.0)).take(50_000).all(|tick| !tick.halted));
}
