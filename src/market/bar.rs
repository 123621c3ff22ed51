//! What a price did in a stretch of time.

use super::{Micros, Price, Tick};

/// Open, high, low and close of a symbol over one second in which it ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// When the second began.
    pub ts: Micros,
    /// Its first price.
    pub open: Price,
    /// Its highest price.
    pub high: Price,
    /// Its lowest price.
    pub low: Price,
    /// Its last price.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
    /// Ticks.
    pub ticks: u32,
}

impl Bar {
    /// A bar that begins at `ts` with this tick.
    pub fn of(ts: Micros, tick: &Tick) -> Self {
        Self {
            ts,
            open: tick.last,
            high: tick.last,
            low: tick.last,
            close: tick.last,
            volume: u64::from(tick.size),
            ticks: 1,
        }
    }

    /// Takes the next tick.
    pub fn take(&mut self, tick: &Tick) {
        self.high = self.high.max(tick.last);
        self.low = self.low.min(tick.last);
        self.close = tick.last;
        self.volume += u64::from(tick.size);
        self.ticks += 1;
    }
}
