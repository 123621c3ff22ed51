use super::*;

fn market(rate: f64, arrivals: Arrivals, seed: u64) -> Simulated {
    Simulated::new(Options {
        shares: Share::built_in(50),
        rate,
        arrivals,
        seed,
    })
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

/// Log returns over steps of a minute, by symbol, from `last` alone.
fn minute_returns(shares: Vec<Share>, minutes: usize) -> Vec<Vec<f64>> {
    let symbols = shares.len();
    let feed = Simulated::new(Options {
        shares,
        rate: symbols as f64 * 4.0,
        arrivals: Arrivals::Poisson,
        seed: 7,
    });
    let mut latest = vec![0.0; symbols];
    let mut at_minute = vec![Vec::new(); symbols];
    let mut next = 0;
    for emission in feed {
        while emission.at.as_secs_f64() > next as f64 * 60.0 {
            for (path, price) in at_minute.iter_mut().zip(&latest) {
                path.push(f64::ln(*price));
            }
            next += 1;
        }
        for tick in emission.ticks {
            latest[tick.symbol.index()] = tick.last.to_f64();
        }
        if next > minutes {
            break;
        }
    }
    (at_minute.iter())
        .map(|path| path.windows(2).map(|w| w[1] - w[0]).collect())
        .collect()
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

#[test]
fn the_same_seed_gives_the_same_tape() {
    let one: Vec<_> = market(200.0, Arrivals::Poisson, 1).take(2_000).collect();
    let again: Vec<_> = market(200.0, Arrivals::Poisson, 1).take(2_000).collect();
    let other: Vec<_> = market(200.0, Arrivals::Poisson, 2).take(2_000).collect();
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn the_generator_still_makes_the_tape_that_its_version_names() {
    let mut ticks = market(200.0, Arrivals::Poisson, 1).flat_map(|e| e.ticks);
    let tick = ticks.nth(9_999).unwrap();
    let seen = (
        tick.symbol.0,
        tick.n,
        tick.last.steps(),
        tick.size,
        tick.volume,
    );
    assert_eq!(
        seen, PINNED,
        "{GENERATOR} makes another tape: give it a new version"
    );
}

/// The ten-thousandth tick of seed 1.
const PINNED: (u16, u64, i64, u32, u64) = (19, 93, 1_664_800, 100, 15_055);

#[test]
fn the_first_emission_opens_every_symbol_at_its_price() {
    let open = market(1.0, Arrivals::Poisson, 3).next().unwrap();
    assert_eq!((open.at, open.ticks.len()), (Duration::ZERO, 50));
    for (tick, share) in open.ticks.iter().zip(Share::built_in(50)) {
        assert_eq!((tick.n, tick.last.to_f64()), (1, share.price));
    }
}

#[test]
fn last_lies_between_bid_and_ask_on_the_grid() {
    for tick in market(1000.0, Arrivals::Poisson, 4)
        .take(50_000)
        .flat_map(|e| e.ticks)
    {
        assert!(tick.bid <= tick.last && tick.last <= tick.ask, "{tick:?}");
        assert!(tick.bid > Price::new(0) && tick.bid < tick.ask, "{tick:?}");
        for price in [tick.bid, tick.last, tick.ask] {
            assert_eq!(price.steps() % 100, 0, "{tick:?}");
        }
    }
}

#[test]
fn each_symbol_counts_its_ticks_and_its_volume_grows() {
    let mut seen = vec![(0, 0); 50];
    for tick in market(1000.0, Arrivals::Poisson, 5)
        .take(20_000)
        .flat_map(|e| e.ticks)
    {
        let (n, volume) = &mut seen[tick.symbol.index()];
        assert_eq!(tick.n, *n + 1);
        assert_eq!(tick.volume, *volume + u64::from(tick.size));
        (*n, *volume) = (tick.n, tick.volume);
    }
}

/// In a Poisson process of rate λ the count over T has mean and variance λT: here 200,000, so that three
/// standard deviations are 0.7 %.
#[test]
fn poisson_arrivals_keep_the_rate() {
    let (mut ticks, mut end) = (0, 0.0);
    for emission in market(2_000.0, Arrivals::Poisson, 6).skip(1) {
        end = emission.at.as_secs_f64();
        if end > 100.0 {
            break;
        }
        ticks += emission.ticks.len();
    }
    assert!(
        (ticks as f64 / end / 2_000.0 - 1.0).abs() < 0.007,
        "{ticks} in {end} s"
    );
}

#[test]
fn steady_arrivals_are_single_ticks_at_equal_distances() {
    let emissions: Vec<_> = market(500.0, Arrivals::Steady, 1)
        .skip(1)
        .take(1_000)
        .collect();
    for (index, emission) in (1..).zip(&emissions) {
        assert_eq!(emission.ticks.len(), 1);
        let planned = f64::from(index) / 500.0;
        assert!((emission.at.as_secs_f64() - planned).abs() < 1e-6);
    }
}

/// Over n returns the sample variance has a relative standard error of √(2/n): 2.2 % for 4,000 of them. The
/// price is high, so that rounding to cents adds nothing, and a tick every quarter of a second makes the error
/// in time at most 1 % of a minute.
#[test]
fn returns_have_the_volatility_of_their_symbol() {
    let returns = minute_returns(vec![share(0.3, 1.0), share(0.6, 0.0)], 4_000);
    for (returns, volatility) in returns.iter().zip([0.3f64, 0.6]) {
        let seen = (covariance(returns, returns) * YEAR / 60.0).sqrt();
        assert!(
            (seen / volatility - 1.0).abs() < 0.06,
            "{seen} for {volatility}"
        );
    }
}

/// A normal distribution has skewness 0 and kurtosis 3, with standard errors √(6/n) and √(24/n).
#[test]
fn returns_are_normal() {
    let returns = &minute_returns(vec![share(0.3, 1.0)], 4_000)[0];
    let (mean, deviation) = (mean(returns), covariance(returns, returns).sqrt());
    let moment = |k| {
        let powers: Vec<f64> = returns
            .iter()
            .map(|r| ((r - mean) / deviation).powi(k))
            .collect();
        super::tests::mean(&powers)
    };
    assert!(
        moment(3).abs() < 4.0 * (6.0f64 / 4_000.0).sqrt(),
        "skewness {}",
        moment(3)
    );
    assert!(
        (moment(4) - 3.0).abs() < 4.0 * (24.0f64 / 4_000.0).sqrt(),
        "kurtosis {}",
        moment(4)
    );
}

/// ρ = β₁ β₂ σ_M² / (σ₁ σ₂).
#[test]
fn symbols_move_together_as_far_as_their_betas_say() {
    let returns = minute_returns(
        vec![share(0.3, 1.5), share(0.3, 1.5), share(0.3, 0.0)],
        4_000,
    );
    let correlation =
        |a: &[f64], b: &[f64]| covariance(a, b) / (covariance(a, a) * covariance(b, b)).sqrt();
    let expected = (1.5 * MARKET_VOLATILITY / 0.3f64).powi(2);
    let seen = correlation(&returns[0], &returns[1]);
    assert!((seen - expected).abs() < 0.06, "{seen} for {expected}");
    assert!(correlation(&returns[0], &returns[2]).abs() < 0.06);
}
