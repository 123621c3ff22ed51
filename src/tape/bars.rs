//! Bars: what each symbol's price did in each second, for charts.

use std::collections::VecDeque;

use crate::market::{Bar, SymbolId, Tick};

/// Microseconds in a bar.
const SECOND: u64 = 1_000_000;

/// The latest bars of each symbol, in a ring each.
#[derive(Debug)]
pub(super) struct Bars {
    /// By symbol id, oldest first. The last one is still being made.
    rings: Box<[VecDeque<Bar>]>,
    most: usize,
}

impl Bars {
    /// Keeps at most `most` bars of each symbol.
    pub(super) fn new(symbols: usize, most: usize) -> Self {
        Self {
            rings: vec![VecDeque::new(); symbols].into(),
            most,
        }
    }

    /// Takes a trade into the bar of its second; a tick that tells of a halt is none. One that is older than the last bar counts there: a bar that is closed
    /// does not change.
    pub(super) fn apply(&mut self, tick: &Tick) {
        if tick.halted {
            return;
        }
        let ring = &mut self.rings[tick.symbol.index()];
        let ts = tick.ts - tick.ts % SECOND;
        match ring.back_mut() {
            Some(bar) if ts <= bar.ts => bar.take(tick),
            _ => {
                if ring.len() == self.most {
                    ring.pop_front();
                }
                ring.push_back(Bar::of(ts, tick));
            }
        }
    }

    /// The latest bars of a symbol, at most so many, oldest first.
    pub(super) fn latest(&self, symbol: SymbolId, most: usize) -> Vec<Bar> {
        let ring = &self.rings[symbol.index()];
        ring.range(ring.len().saturating_sub(most)..)
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Price;
    use crate::market::testing::tick;

    const A: SymbolId = SymbolId(0);

    /// A trade of 100 shares at a time in milliseconds.
    fn trade(ms: u64, steps: i64) -> Tick {
        Tick {
            ts: ms * 1_000,
            last: Price::new(steps),
            ..tick(A, 1)
        }
    }

    fn bars(most: usize, trades: &[(u64, i64)]) -> Bars {
        let mut bars = Bars::new(2, most);
        for (ms, steps) in trades {
            bars.apply(&trade(*ms, *steps));
        }
        bars
    }

    fn seconds(bars: &[Bar]) -> Vec<u64> {
        bars.iter().map(|bar| bar.ts / SECOND).collect()
    }

    #[test]
    fn a_bar_holds_the_trades_of_its_second() {
        let trades = [
            (1_000, 50),
            (1_300, 70),
            (1_600, 40),
            (1_999, 60),
            (2_000, 80),
        ];
        let bars = bars(9, &trades).latest(A, 9);
        let prices = [bars[0].open, bars[0].high, bars[0].low, bars[0].close];
        assert_eq!(prices.map(Price::steps), [50, 70, 40, 60]);
        assert_eq!((bars[0].volume, bars[0].ticks), (400, 4));
        assert_eq!(seconds(&bars), [1, 2]);
    }

    #[test]
    fn a_second_without_trades_has_no_bar() {
        let bars = bars(9, &[(1_000, 50), (5_000, 50)]).latest(A, 9);
        assert_eq!(seconds(&bars), [1, 5]);
    }

    #[test]
    fn a_halt_is_no_trade() {
        let mut bars = bars(9, &[(1_000, 50)]);
        bars.apply(&Tick {
            halted: true,
            ..trade(2_000, 50)
        });
        assert_eq!(seconds(&bars.latest(A, 9)), [1]);
    }

    #[test]
    fn a_trade_that_comes_late_counts_in_the_last_bar() {
        let bars = bars(9, &[(1_000, 50), (2_000, 60), (1_500, 90)]).latest(A, 9);
        assert_eq!([bars[0].high, bars[1].high].map(Price::steps), [50, 90]);
    }

    #[test]
    fn the_oldest_bars_make_room() {
        let trades: Vec<_> = (1..=9).map(|second| (second * 1_000, 50)).collect();
        assert_eq!(seconds(&bars(3, &trades).latest(A, 9)), [7, 8, 9]);
    }

    #[test]
    fn fewer_bars_are_the_latest_ones() {
        let trades: Vec<_> = (1..=5).map(|second| (second * 1_000, 50)).collect();
        assert_eq!(seconds(&bars(9, &trades).latest(A, 2)), [4, 5]);
    }
}
