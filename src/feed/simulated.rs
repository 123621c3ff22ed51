//! A simulated market: correlated geometric Brownian motion, quoted on the tick grid.
//!
//! The generator is [`GENERATOR`]: the same seed and the same shares give the same ticks, to the last digit, in
//! every build that carries that name.

use std::time::Duration;

use rand::distr::weighted::WeightedIndex;
use rand::prelude::*;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Exp1, StandardNormal};

use crate::market::{Price, SymbolId, Tick};

use super::{Emission, Share};

/// The generator's name and version. Anything that changes a tape of the same seed changes the version.
pub const GENERATOR: &str = "gbm-xoshiro256++/1";

/// Seconds of trading in a year: 252 days of six and a half hours.
const YEAR: f64 = 252.0 * 6.5 * 3600.0;

/// Standard deviation of a year's log return of the market as a whole.
const MARKET_VOLATILITY: f64 = 0.16;

/// Poisson arrivals within one such span are one batch, as an exchange's packet holds several messages.
const BATCH_SPAN: Duration = Duration::from_millis(1);

/// When ticks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// At random: exponential times between, and what falls into the same millisecond is one batch.
    Poisson,
    /// At equal distances, each tick a batch of its own: the shape for benchmarks.
    Steady,
}

/// What a simulated market is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is traded.
    pub shares: Vec<Share>,
    /// Ticks a second over all symbols; above zero.
    pub rate: f64,
    /// When they come.
    pub arrivals: Arrivals,
    /// Chooses one of the many possible tapes.
    pub seed: u64,
}

/// An endless market. Its first emission opens every symbol.
#[derive(Debug)]
pub struct Simulated {
    random: Xoshiro256PlusPlus,
    stocks: Vec<Stock>,
    choice: WeightedIndex<f64>,
    /// The market's log return since the open.
    market: f64,
    /// Seconds since the open.
    now: f64,
    rate: f64,
    arrivals: Arrivals,
    /// Drawn already, but not part of the last emission: its time and symbol.
    ahead: Option<f64>,
}

#[derive(Debug)]
struct Stock {
    id: SymbolId,
    grid: Price,
    /// Log of the fair price.
    fair: f64,
    /// Standard deviation of the log return of its own in a second.
    own: f64,
    beta: f64,
    /// Variance of the whole log return in a second.
    variance: f64,
    /// Half the distance of bid and ask, as a share of the price.
    half_spread: f64,
    /// Where market and time stood at the last tick.
    market: f64,
    time: f64,
    n: u64,
    volume: u64,
}

impl Simulated {
    /// A market that opens at its shares' prices.
    pub fn new(options: Options) -> Self {
        let Options {
            shares,
            rate,
            arrivals,
            seed,
        } = options;
        let weights = shares.iter().map(|share| share.activity);
        Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            choice: WeightedIndex::new(weights).expect("shares are checked when they are read"),
            stocks: (0..)
                .zip(&shares)
                .map(|(id, share)| Stock::new(SymbolId(id), share))
                .collect(),
            market: 0.0,
            now: 0.0,
            rate,
            arrivals,
            ahead: None,
        }
    }

    fn open(&mut self) -> Emission {
        let ticks = (0..self.stocks.len())
            .map(|index| self.tick(index))
            .collect();
        Emission {
            at: Duration::ZERO,
            ticks,
        }
    }

    /// When the next tick comes, in seconds since the open.
    fn next_arrival(&mut self) -> f64 {
        let gap: f64 = match self.arrivals {
            Arrivals::Poisson => self.random.sample(Exp1),
            Arrivals::Steady => 1.0,
        };
        self.now + gap / self.rate
    }

    /// Moves the market on to a time and lets one symbol tick.
    fn advance(&mut self, to: f64) -> Tick {
        let step: f64 = self.random.sample(StandardNormal);
        self.market += MARKET_VOLATILITY * ((to - self.now) / YEAR).sqrt() * step;
        self.now = to;
        let index = self.choice.sample(&mut self.random);
        self.tick(index)
    }

    fn tick(&mut self, index: usize) -> Tick {
        self.stocks[index].tick(self.market, self.now, &mut self.random)
    }
}

impl Iterator for Simulated {
    type Item = Emission;

    fn next(&mut self) -> Option<Emission> {
        if self.stocks.iter().all(|stock| stock.n == 0) {
            return Some(self.open());
        }
        let first = self.ahead.take().unwrap_or_else(|| self.next_arrival());
        let mut ticks = vec![self.advance(first)];
        if self.arrivals == Arrivals::Steady {
            return Some(Emission {
                at: Duration::from_secs_f64(first),
                ticks,
            });
        }
        let span = BATCH_SPAN.as_secs_f64();
        let end = (first / span).floor() * span + span;
        loop {
            let next = self.next_arrival();
            if next >= end {
                self.ahead = Some(next);
                return Some(Emission {
                    at: Duration::from_secs_f64(end),
                    ticks,
                });
            }
            ticks.push(self.advance(next));
        }
    }
}

impl Stock {
    fn new(id: SymbolId, share: &Share) -> Self {
        let total = share.volatility.powi(2);
        let from_market = (share.beta * MARKET_VOLATILITY).powi(2);
        Self {
            id,
            // The minimum price variation of US markets (Regulation NMS, rule 612).
            grid: Price::new(if share.price < 1.0 { 1 } else { 100 }),
            fair: share.price.ln(),
            own: ((total - from_market).max(0.0) / YEAR).sqrt(),
            beta: share.beta,
            variance: total.max(from_market) / YEAR,
            // Wilder shares have wider spreads; a basis point for a volatility of a fifth.
            half_spread: share.volatility * 5e-4 / 2.0,
            market: 0.0,
            time: 0.0,
            n: 0,
            volume: 0,
        }
    }

    /// The exact solution of geometric Brownian motion over the time since the last tick:
    /// ln S(t+Δ) = ln S(t) − σ²Δ/2 + β ΔM + σ_own √Δ Z (Hull, *Options, Futures, and Other Derivatives*, ch. 15).
    fn tick(&mut self, market: f64, time: f64, random: &mut impl Rng) -> Tick {
        let elapsed = time - self.time;
        let own: f64 = random.sample(StandardNormal);
        self.fair += -self.variance * elapsed / 2.0
            + self.beta * (market - self.market)
            + self.own * elapsed.sqrt() * own;
        (self.market, self.time) = (market, time);
        let fair = self.fair.exp();
        let half = fair * self.half_spread;
        let lowest = self.grid;
        let last = Price::nearest(fair, self.grid).max(lowest);
        let size = shares(random);
        self.n += 1;
        self.volume += u64::from(size);
        Tick {
            symbol: self.id,
            n: self.n,
            ts: 0,
            last,
            size,
            bid: Price::below(fair - half, self.grid).clamp(lowest, last),
            ask: Price::above(fair + half, self.grid).max(last),
            volume: self.volume,
            open: None,
            halted: false,
        }
    }
}

/// Shares in one trade: a third are odd lots, the rest round lots of a hundred with a geometric tail.
fn shares(random: &mut impl Rng) -> u32 {
    if random.random_bool(1.0 / 3.0) {
        return random.random_range(1..100);
    }
    let lots: f64 = random.sample(Exp1);
    100 * (1 + (lots * 1.5) as u32)
}

#[cfg(test)]
mod tests;
