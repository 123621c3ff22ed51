//! A stock: its price in business time, its quotes on the tick grid.

use rand::prelude::*;
use rand_distr::{Exp1, StandardNormal};

use crate::feed::Share;
use crate::market::{Price, SymbolId, Tick};

use super::business::{Business, MARKET_VOLATILITY};
use super::hours::{DAY, YEAR};

/// Seconds of the plan in which the orders that trades have taken are replaced to a share of 1/e.
pub(super) const REFILL: f64 = 1.0;

/// Trades that an untouched order book is good for.
pub(super) const DEPTH: f64 = 4.0;

/// How far the log of a price may go from that of the listed one: even the dearest share stays below 2^53 steps.
const FURTHEST: f64 = 10.0;

/// What a stock's own news moves it by in a halt, in days of trading.
pub(super) const NEWS: f64 = 3.0;

#[derive(Debug)]
pub(super) struct Stock {
    grid: Price,
    /// Log of the price in the list of symbols.
    listed: f64,
    /// Log of the fair price.
    fair: f64,
    /// Standard deviation of the log return of its own in a second of business.
    own: f64,
    beta: f64,
    /// Half the distance of bid and ask, as a share of the price, on average.
    half_spread: f64,
    /// Trades that the order book has not replaced yet, and how many these are on average.
    taken: f64,
    usually_taken: f64,
    /// Where time, business and the market stood at the last trade.
    time: f64,
    business: f64,
    market: f64,
    latest: Tick,
}

impl Stock {
    /// A stock at its listed price; `rate` is how many ticks it has in a second of the plan, on average.
    pub(super) fn new(id: SymbolId, share: &Share, rate: f64) -> Self {
        let total = share.volatility.powi(2);
        let from_market = (share.beta * MARKET_VOLATILITY).powi(2);
        // The minimum price variation of US markets (Regulation NMS, rule 612).
        let grid = Price::new(if share.price < 1.0 { 1 } else { 100 });
        let price = Price::nearest(share.price, grid);
        Self {
            grid,
            listed: share.price.ln(),
            fair: share.price.ln(),
            own: ((total - from_market).max(0.0) / YEAR).sqrt(),
            beta: share.beta,
            // Wilder shares have wider spreads; a basis point for a volatility of a fifth.
            half_spread: share.volatility * 5e-4 / 2.0,
            taken: 0.0,
            usually_taken: rate * REFILL,
            time: 0.0,
            business: 0.0,
            market: 0.0,
            latest: Tick {
                symbol: id,
                n: 0,
                ts: 0,
                last: price,
                size: 0,
                bid: price,
                ask: price,
                volume: 0,
                open: None,
                halted: false,
            },
        }
    }

    pub(super) fn is_halted(&self) -> bool {
        self.latest.halted
    }

    /// The first trade of a day.
    pub(super) fn open(&mut self, business: &Business, random: &mut impl Rng) -> Tick {
        self.latest.volume = 0;
        self.trade(business, random);
        self.latest.open = Some(self.latest.last);
        self.latest
    }

    /// Halts trading: prices stay, nothing is traded.
    pub(super) fn halt(&mut self) -> Tick {
        self.latest = Tick {
            n: self.latest.n + 1,
            size: 0,
            open: None,
            halted: true,
            ..self.latest
        };
        self.latest
    }

    /// The first trade after a halt, in which there was news.
    pub(super) fn resume(&mut self, business: &Business, random: &mut impl Rng) -> Tick {
        self.business -= NEWS * DAY;
        self.trade(business, random)
    }

    /// A trade at the fair price, as near as the grid allows, and the quotes around it.
    pub(super) fn trade(&mut self, business: &Business, random: &mut impl Rng) -> Tick {
        self.move_price(business, random);
        let fair = self.fair.exp();
        let half = fair * self.half_spread * self.widening(business);
        let lowest = self.grid;
        let last = Price::nearest(fair, self.grid).max(lowest);
        let size = shares(random);
        self.latest = Tick {
            n: self.latest.n + 1,
            last,
            size,
            bid: Price::below(fair - half, self.grid).clamp(lowest, last),
            ask: Price::above(fair + half, self.grid).max(last),
            volume: self.latest.volume + u64::from(size),
            open: None,
            halted: false,
            ..self.latest
        };
        self.latest
    }

    /// Geometric Brownian motion over the business Δ since the last trade: ln S(t+Δ) = ln S(t) + β ΔM + σ_own √Δ Z
    /// (Hull, *Options, Futures, and Other Derivatives*, ch. 15). Its drift draws it back to the listed price, in a year
    /// to a share of 1/e (Schwartz 1997, *The stochastic behavior of commodity prices*, model 1): no day shows it, but
    /// without it a market of many short days would end with all prices at nothing.
    fn move_price(&mut self, business: &Business, random: &mut impl Rng) {
        let elapsed = business.elapsed() - self.business;
        let own: f64 = random.sample(StandardNormal);
        self.fair = self.listed
            + (self.fair - self.listed) * (-elapsed / YEAR).exp()
            + self.beta * (business.market() - self.market)
            + self.own * elapsed.sqrt() * own;
        self.fair = (self.fair).clamp(self.listed - FURTHEST, self.listed + FURTHEST);
        (self.business, self.market) = (business.elapsed(), business.market());
    }

    /// How wide the spread is against the average: it goes with the volatility of the hour (Wyart et al. 2008, *Relation
    /// between bid–ask spread, impact and volatility*), and with the trades that have just taken orders from the book
    /// (Biais, Hillion & Spatt 1995, *An empirical analysis of the limit order book*).
    fn widening(&mut self, business: &Business) -> f64 {
        self.taken *= ((self.time - business.now()) / REFILL).exp();
        self.time = business.now();
        let depletion = (DEPTH + self.taken) / (DEPTH + self.usually_taken);
        self.taken += 1.0;
        (business.pace() * depletion).sqrt()
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
