//! When ticks come, and of which symbol.

use rand::distr::weighted::WeightedIndex;
use rand::prelude::*;
use rand_distr::{Exp1, Poisson};

use super::Options;
use super::hours::Hours;
use super::rate::Rate;

/// When ticks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// In bursts: a tick draws more ticks of its symbol (a Hawkes process). What falls into the same millisecond is
    /// one batch.
    Bursty,
    /// At random: exponential times between, and batches likewise.
    Poisson,
    /// At equal distances, each tick a batch of its own: the shape for benchmarks.
    Steady,
}

/// How many ticks a tick draws after it, on average: below 1, or the bursts would never end. Of trading in real
/// markets well above a half is drawn by itself (Filimonov & Sornette 2012, *Quantifying reflexivity in financial
/// markets*).
pub(super) const BRANCHING: f64 = 0.7;

/// How soon they come: each after an exponential time with this rate, a second.
pub(super) const DECAY: f64 = 5.0;

/// A tick that is to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// When, in seconds of the plan.
    pub(super) at: f64,
    /// Which symbol, by its index.
    pub(super) symbol: usize,
}

/// Endless arrivals.
///
/// Bursty ones are a Hawkes process in its cluster form (Hawkes & Oakes 1974, *A cluster process representation of a
/// self-exciting process*): some come of themselves, as a Poisson process, and each, of whatever origin, draws a Poisson
/// number of others. With a mean of ν the whole is 1/(1 − ν) times as many as come of themselves.
#[derive(Debug)]
pub(super) struct Process {
    /// The planned rate of those that come of themselves.
    rate: Rate,
    symbols: WeightedIndex<f64>,
    is_even: bool,
    /// How many are drawn.
    draws: Option<Poisson<f64>>,
    now: f64,
    /// When the next one comes of itself.
    next: f64,
    /// The symbols of those that are drawn and have yet to come.
    drawn: Vec<usize>,
}

impl Process {
    pub(super) fn new(options: &Options, hours: &Hours, random: &mut impl Rng) -> Self {
        let is_even = options.arrivals == Arrivals::Steady;
        let is_bursty = options.arrivals == Arrivals::Bursty;
        let own_share = if is_bursty { 1.0 - BRANCHING } else { 1.0 };
        let hours = (options.day.is_some() && !is_even).then(|| hours.clone());
        let weights = options.shares.iter().map(|share| share.activity);
        let mut process = Self {
            rate: Rate::new(own_share * options.rate, hours, options.burst),
            symbols: WeightedIndex::new(weights).expect("shares are checked when they are read"),
            is_even,
            draws: is_bursty.then(|| Poisson::new(BRANCHING).expect("a mean above zero")),
            now: 0.0,
            next: 0.0,
            drawn: Vec::new(),
        };
        process.next = process.own(random);
        process
    }

    pub(super) fn next(&mut self, random: &mut impl Rng) -> Arrival {
        let symbol = match self.next_drawn(random) {
            Some(at) if at < self.next => {
                self.now = at;
                let index = random.random_range(0..self.drawn.len());
                self.drawn.swap_remove(index)
            }
            _ => {
                self.now = self.next;
                self.next = self.own(random);
                self.symbols.sample(random)
            }
        };
        if let Some(draws) = self.draws {
            let count: f64 = random.sample(draws);
            self.drawn.extend((0..count as usize).map(|_| symbol));
        }
        Arrival {
            at: self.now,
            symbol,
        }
    }

    /// When the next one after now comes of itself.
    fn own(&self, random: &mut impl Rng) -> f64 {
        let expected = if self.is_even {
            1.0
        } else {
            random.sample(Exp1)
        };
        self.rate.after(self.now, expected)
    }

    /// When the first of those that are drawn comes, if none comes of itself before. Exponential times have no memory,
    /// so all of them wait as if they had just begun to.
    fn next_drawn(&self, random: &mut impl Rng) -> Option<f64> {
        if self.drawn.is_empty() {
            return None;
        }
        let gap: f64 = random.sample(Exp1);
        Some(self.now + gap / (DECAY * self.drawn.len() as f64))
    }
}
