//! Halts: a symbol stops trading for some minutes while there is news of it.

use std::collections::VecDeque;

use rand::prelude::*;
use rand_distr::Exp1;

use super::hours::{Hours, MINUTES};

/// How long a halt takes, in minutes of the market: as a trading pause does under the Limit Up–Limit Down plan of US
/// exchanges.
pub(super) const HALT_MINUTES: f64 = 5.0;

/// What the next tick does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is a trade.
    Trade,
    /// It halts this symbol.
    Halt(usize),
    /// It is the first trade of this symbol after its halt.
    Resume(usize),
}

/// Halts at random, each of any symbol. They add no ticks: one begins and ends with the next tick that is due.
#[derive(Debug)]
pub(super) struct Halts {
    /// Halts a second of the plan, over all symbols.
    rate: f64,
    next: f64,
    length: f64,
    /// Who is halted, and until when, in this order.
    halted: VecDeque<(f64, usize)>,
    symbols: usize,
}

impl Halts {
    /// As many halts a day for each symbol, on average.
    pub(super) fn new(a_day: f64, symbols: usize, hours: &Hours, random: &mut impl Rng) -> Self {
        let mut halts = Self {
            rate: a_day * symbols as f64 / (MINUTES as f64 * hours.minute()),
            next: 0.0,
            length: HALT_MINUTES * hours.minute(),
            halted: VecDeque::new(),
            symbols,
        };
        halts.draw(random);
        halts
    }

    /// What the tick at this time does. No more than half of the symbols are halted together, so that there is always
    /// something to trade.
    pub(super) fn turn(&mut self, now: f64, random: &mut impl Rng) -> Turn {
        if let Some((_, symbol)) = self.halted.pop_front_if(|(end, _)| *end <= now) {
            return Turn::Resume(symbol);
        }
        let is_due = self.next <= now;
        if !is_due {
            return Turn::Trade;
        }
        self.draw(random);
        let symbol = random.random_range(0..self.symbols);
        let is_halted = self.halted.iter().any(|(_, halted)| *halted == symbol);
        if is_halted || 2 * (self.halted.len() + 1) > self.symbols {
            return Turn::Trade;
        }
        self.halted.push_back((now + self.length, symbol));
        Turn::Halt(symbol)
    }

    /// Ends all halts.
    pub(super) fn clear(&mut self) {
        self.halted.clear();
    }

    fn draw(&mut self, random: &mut impl Rng) {
        let gap: f64 = random.sample(Exp1);
        self.next += gap / self.rate;
    }
}
