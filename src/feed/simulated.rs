//! A simulated market: stocks that move together, trade in bursts, are halted, open and close.
//!
//! It is made of parts that can each be held against a formula: `hours` says how busy a minute is, `rate` how many
//! ticks are wanted, `arrivals` when they come, `business` how much prices move meanwhile, `stock` what a tick says,
//! and `halts` who does not trade.
//!
//! The generator is [`GENERATOR`]: the same seed and the same options give the same ticks, to the last digit, in
//! every build that carries that name.

mod arrivals;
mod business;
mod halts;
mod hours;
mod rate;
mod stock;

use std::time::Duration;

use rand::prelude::*;
use rand::rngs::Xoshiro256PlusPlus;

use crate::market::{SymbolId, Tick};

use super::{Emission, Share};

use arrivals::{Arrival, Process};
use business::Business;
use halts::{Halts, Turn};
use hours::Hours;
use stock::Stock;

pub use arrivals::Arrivals;
pub use rate::Burst;

/// The generator's name and version. Anything that changes a tape of the same seed changes the version.
pub const GENERATOR: &str = "market-xoshiro256++/2";

/// Random arrivals within one such span are one batch, as an exchange's packet holds several messages.
const BATCH_SPAN: f64 = 1e-3;

/// What a simulated market is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is traded.
    pub shares: Vec<Share>,
    /// Ticks a second over all symbols; above zero. It is the mean of a day without `burst`.
    pub rate: f64,
    /// When they come.
    pub arrivals: Arrivals,
    /// How long a day takes, from open to close; the next one follows at once. Without it the market is always open.
    pub day: Option<Duration>,
    /// Stretches of another rate.
    pub burst: Option<Burst>,
    /// How often a symbol is halted in a day, on average. The news that ends a halt moves its price beyond its
    /// volatility.
    pub halts: f64,
    /// Chooses one of the many possible tapes.
    pub seed: u64,
}

/// An endless market. Its first emission opens every symbol; so does the first one of each further day.
#[derive(Debug)]
pub struct Simulated {
    random: Xoshiro256PlusPlus,
    stocks: Vec<Stock>,
    hours: Hours,
    process: Process,
    business: Business,
    halts: Halts,
    /// Whether each tick is a batch of its own.
    is_single: bool,
    /// How many days have begun.
    days: u64,
    /// Drawn already, but not part of the last emission.
    ahead: Option<Arrival>,
}

impl Simulated {
    /// A market that opens at its shares' prices.
    pub fn new(options: Options) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(options.seed);
        let hours = Hours::new(options.day);
        let process = Process::new(&options, &hours, &mut random);
        let shares = options.shares;
        let activity: f64 = shares.iter().map(|share| share.activity).sum();
        let rate_of = |share: &Share| options.rate * share.activity / activity;
        Self {
            stocks: (0..)
                .zip(&shares)
                .map(|(id, share)| Stock::new(SymbolId(id), share, rate_of(share)))
                .collect(),
            process,
            business: Business::new(hours.clone(), &mut random),
            halts: Halts::new(options.halts, shares.len(), &hours, &mut random),
            hours,
            random,
            is_single: options.arrivals == Arrivals::Steady,
            days: 0,
            ahead: None,
        }
    }

    /// Opens every symbol, at the price that the night has left it with. Halts end with their day.
    fn open(&mut self, at: f64) -> Emission {
        self.business.go_to(at, &mut self.random);
        if self.days > 0 {
            self.business.night(&mut self.random);
        }
        self.days += 1;
        self.halts.clear();
        let open = |stock: &mut Stock| stock.open(&self.business, &mut self.random);
        emission(at, self.stocks.iter_mut().map(open).collect())
    }

    fn tick(&mut self, arrival: Arrival) -> Tick {
        self.business.go_to(arrival.at, &mut self.random);
        match self.halts.turn(arrival.at, &mut self.random) {
            Turn::Halt(symbol) => self.stocks[symbol].halt(),
            Turn::Resume(symbol) => self.stocks[symbol].resume(&self.business, &mut self.random),
            Turn::Trade => {
                let symbol = self.trading(arrival.symbol);
                self.stocks[symbol].trade(&self.business, &mut self.random)
            }
        }
    }

    /// The symbol, or any other one if it is halted.
    fn trading(&mut self, symbol: usize) -> usize {
        if !self.stocks[symbol].is_halted() {
            return symbol;
        }
        let count = self.stocks.len();
        let start = self.random.random_range(0..count);
        (start..count)
            .chain(0..start)
            .find(|symbol| !self.stocks[*symbol].is_halted())
            .expect("half of the symbols are never halted")
    }

    fn next_arrival(&mut self) -> Arrival {
        let drawn = self.ahead.take();
        drawn.unwrap_or_else(|| self.process.next(&mut self.random))
    }
}

impl Iterator for Simulated {
    type Item = Emission;

    fn next(&mut self) -> Option<Emission> {
        let first = self.next_arrival();
        let opening = self.hours.opening(self.days);
        if first.at >= opening {
            self.ahead = Some(first);
            return Some(self.open(opening));
        }
        let mut ticks = vec![self.tick(first)];
        if self.is_single {
            return Some(emission(first.at, ticks));
        }
        let end = ((first.at / BATCH_SPAN).floor() + 1.0) * BATCH_SPAN;
        let end = end.min(opening);
        loop {
            let next = self.next_arrival();
            if next.at >= end {
                self.ahead = Some(next);
                return Some(emission(end, ticks));
            }
            ticks.push(self.tick(next));
        }
    }
}

fn emission(at: f64, ticks: Vec<Tick>) -> Emission {
    Emission {
        at: Duration::from_secs_f64(at),
        ticks,
    }
}

#[cfg(test)]
mod tests;
