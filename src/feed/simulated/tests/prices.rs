//! How prices move and how wide they are quoted, against the formulas of the model.

use super::super::business::{MARKET_VOLATILITY, MOOD_MINUTES, MOOD_VARIANCE};
use super::super::hours::YEAR;
use super::super::stock::{DEPTH, REFILL};
use super::*;

/// The log returns of a share over minutes. A tick a minute is an exact sample of the model: each return has the mood
/// of its minute.
fn minute_returns(share: Share, minutes: usize) -> Vec<f64> {
    let options = Options {
        shares: vec![share],
        ..options(1.0 / 60.0, Arrivals::Steady, 7)
    };
    let prices: Vec<_> = ticks(options)
        .take(minutes + 1)
        .map(|tick| tick.last.to_f64().ln())
        .collect();
    prices.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    correlation(&values[lag..], &values[..values.len() - lag])
}

fn each(values: &[f64], of: impl Fn(f64) -> f64) -> Vec<f64> {
    values.iter().map(|value| of(*value)).collect()
}

/// The correlation of the moods of two minutes.
fn mood_correlation(lag: usize) -> f64 {
    (-(lag as f64) / MOOD_MINUTES).exp()
}

/// Over N minutes of mood memory M the sample variance is that of about N/2M independent stretches: 5,000 here, whose
/// variances have a relative standard deviation of √(e^s² − 1) = 0.9. So three standard errors are 4 %, and half of
/// that for the volatility. The price is high, so that rounding to cents adds nothing.
#[test]
fn returns_have_the_volatility_of_their_symbol() {
    for (volatility, beta) in [(0.3, 1.0), (0.6, 0.0)] {
        let returns = minute_returns(share(volatility, beta), 200_000);
        let seen = (covariance(&returns, &returns) * YEAR / 60.0).sqrt();
        assert_near(seen, volatility, 0.03, "volatility");
    }
}

/// Cont 2001, *Empirical properties of asset returns: stylized facts and statistical issues*, §3.1: no linear
/// autocorrelation. Over N independent returns it has a standard error of 1/√N = 0.0022; that clustering triples at
/// the first lags.
#[test]
fn returns_are_not_correlated_with_earlier_ones() {
    let returns = minute_returns(share(0.3, 1.0), 200_000);
    for lag in [1, 2, 5, 20, 60] {
        let seen = autocorrelation(&returns, lag);
        assert!(seen.abs() < 0.015, "{seen} at lag {lag}");
    }
}

/// Volatility clusters: the autocorrelation of squared returns is (e^{s²φ^k} − 1)/(3e^{s²} − 1) where the log variance
/// is a first-order autoregression with variance s² and coefficient φ (Taylor 1986, *Modelling Financial Time Series*,
/// §3.5). That it is positive and decays slowly is what Cont 2001, §5, finds in every market.
#[test]
fn squared_returns_are_correlated_as_the_formula_says() {
    let squares = each(&minute_returns(share(0.3, 1.0), 200_000), |r| r * r);
    for lag in [1, 5, 20, 60] {
        let common = (MOOD_VARIANCE * mood_correlation(lag)).exp() - 1.0;
        let expected = common / (3.0 * MOOD_VARIANCE.exp() - 1.0);
        let seen = autocorrelation(&squares, lag);
        assert!(
            (seen - expected).abs() < 0.03,
            "{seen} at lag {lag}, not {expected}"
        );
    }
}

/// The same of absolute returns: (e^{s²φ^k/4} − 1)/(π/2 · e^{s²/4} − 1), with a smaller error, as they have lighter
/// tails (Taylor 1986, §3.5).
#[test]
fn absolute_returns_are_correlated_as_the_formula_says() {
    let sizes = each(&minute_returns(share(0.3, 1.0), 200_000), f64::abs);
    let mut last = 1.0;
    for lag in [1, 5, 20, 60] {
        let common = (MOOD_VARIANCE / 4.0 * mood_correlation(lag)).exp() - 1.0;
        let whole = std::f64::consts::FRAC_PI_2 * (MOOD_VARIANCE / 4.0).exp() - 1.0;
        let seen = autocorrelation(&sizes, lag);
        assert!((seen - common / whole).abs() < 0.015, "{seen} at lag {lag}");
        assert!(0.0 < seen && seen < last, "{seen} at lag {lag}");
        last = seen;
    }
}

/// A normal distribution has a kurtosis of 3; with a lognormal variance it is 3e^{s²} = 5.5 (Taylor 1986, §3.5), and the
/// skewness stays 0. Fat tails make the sample's kurtosis uncertain by some per cent.
#[test]
fn returns_have_fat_tails_on_both_sides() {
    let returns = minute_returns(share(0.3, 1.0), 200_000);
    let (mean, deviation) = (mean(&returns), covariance(&returns, &returns).sqrt());
    let moment = |k| super::mean(&each(&returns, |r| ((r - mean) / deviation).powi(k)));
    assert_near(moment(4), 3.0 * MOOD_VARIANCE.exp(), 0.1, "kurtosis");
    assert!(moment(3).abs() < 0.1, "skewness {}", moment(3));
}

/// ρ = β₁ β₂ σ_M² / (σ₁ σ₂); the mood is that of all. Two ticks that are at most seconds apart in a minute take little
/// from it.
#[test]
fn symbols_move_together_as_far_as_their_betas_say() {
    let shares = vec![share(0.3, 1.5), share(0.3, 1.5), share(0.3, 0.0)];
    let options = Options {
        shares,
        ..options(1.0, Arrivals::Poisson, 7)
    };
    let (mut latest, mut paths, mut minutes) = ([0.0; 3], [(); 3].map(|()| Vec::new()), 0.0);
    for emission in before(options, 4_000.0 * 60.0) {
        while emission.at.as_secs_f64() > minutes * 60.0 {
            for (path, price) in paths.iter_mut().zip(&latest) {
                path.push(f64::ln(*price));
            }
            minutes += 1.0;
        }
        for tick in emission.ticks {
            latest[tick.symbol.index()] = tick.last.to_f64();
        }
    }
    let returns = paths.map(|path| path.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>());
    let expected = (1.5 * MARKET_VOLATILITY / 0.3f64).powi(2);
    let seen = correlation(&returns[0], &returns[1]);
    assert!((seen - expected).abs() < 0.06, "{seen} for {expected}");
    assert!(correlation(&returns[0], &returns[2]).abs() < 0.06);
}

/// An Ornstein–Uhlenbeck process with a memory of a year has a variance of σ²/2 (Schwartz 1997, model 1). Days of a second
/// bring 4,000 of them: sixteen years. The bound is more than four standard deviations.
#[test]
fn prices_stay_near_where_they_were_listed_for_years() {
    let options = Options {
        day: Some(Duration::from_secs(1)),
        ..options(1.0, Arrivals::Poisson, 11)
    };
    let shares = Share::built_in(50);
    for tick in before(options, 4_000.0).flat_map(|emission| emission.ticks) {
        let share = &shares[tick.symbol.index()];
        let off = (tick.last.to_f64() / share.price).ln();
        assert!(off.abs() < 3.0 * share.volatility, "{tick:?} of {share:?}");
    }
}

/// The wildest shares that a file may list, over more than thirty years.
#[test]
fn absurd_shares_have_prices_that_can_be_written() {
    let wild = |price, beta| Share {
        price,
        ..share(5.0, beta)
    };
    let options = Options {
        shares: vec![wild(1e6, 5.0), wild(0.01, 5.0), wild(1e6, -5.0)],
        rate: 0.5,
        halts: 100.0,
        ..lively(14)
    };
    for tick in ticks(options).take(30_000) {
        assert!(
            tick.bid.steps() > 0 && tick.ask.steps() < 1 << 53,
            "{tick:?}"
        );
        assert!(tick.bid <= tick.last && tick.last <= tick.ask, "{tick:?}");
    }
}

/// When a share ticks, and its spread against its price.
fn spreads(options: Options, end: f64) -> Vec<(f64, f64)> {
    let spread = |tick: &Tick| (tick.ask.to_f64() - tick.bid.to_f64()) / tick.last.to_f64();
    before(options, end)
        .skip(1)
        .flat_map(|emission| {
            let at = emission.at.as_secs_f64();
            emission
                .ticks
                .iter()
                .map(|tick| (at, spread(tick)))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// After seconds at k times the rate λ, the book has lost kλτ orders instead of λτ, and the spread is
/// √((d + kλτ)/(d + λτ)) times as wide. The mean over the moods is the same in both.
#[test]
fn the_spread_is_wider_in_a_burst() {
    let burst = Burst {
        factor: 10.0,
        length: Duration::from_secs(20),
        every: Duration::from_secs(40),
    };
    let options = Options {
        shares: vec![share(0.5, 1.0)],
        burst: Some(burst),
        ..options(4.0, Arrivals::Steady, 12)
    };
    let spreads = spreads(options, 40_000.0);
    let between = |from: f64, to: f64| {
        let chosen = spreads
            .iter()
            .filter(|(at, _)| (from..to).contains(&(at % 40.0)));
        mean(&chosen.map(|(_, spread)| *spread).collect::<Vec<_>>())
    };
    let taken = |rate: f64| DEPTH + rate * REFILL;
    let expected = (taken(40.0) / taken(4.0)).sqrt();
    assert_near(
        between(30.0, 40.0) / between(10.0, 20.0),
        expected,
        0.05,
        "ratio",
    );
}

/// The spread goes with the root of the minute's pace: so does the size of returns.
#[test]
fn the_spread_is_wider_when_prices_move_more() {
    let options = Options {
        shares: vec![share(0.5, 1.0)],
        ..options(1.0 / 60.0, Arrivals::Steady, 13)
    };
    let spreads: Vec<f64> = spreads(options, 60.0 * 20_000.0)
        .iter()
        .map(|s| s.1)
        .collect();
    let logs = each(&spreads, f64::ln);
    assert_near(
        covariance(&logs, &logs),
        MOOD_VARIANCE / 4.0,
        0.1,
        "variance of its logarithm",
    );
}
