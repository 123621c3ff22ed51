//! Pure values of the market: what a price, a tick, a quote and a place on the tape are.
//!
//! Nothing here reads a clock, does I/O or knows how it is written on the wire.

mod bar;
mod cursor;
mod price;
mod symbol;
#[cfg(test)]
pub mod testing;

pub use bar::Bar;
pub use cursor::{Cursor, Epoch};
pub use price::{NoPrice, Price};
pub use symbol::{Instrument, Listing, ListingError, SymbolId, SymbolSet};

/// Microseconds since the Unix epoch.
pub type Micros = u64;

/// One change of one symbol, as the feed emitted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Which symbol changed.
    pub symbol: SymbolId,
    /// Counter of this symbol's ticks: the first is 1 and each next one is greater by one.
    pub n: u64,
    /// When the tick was generated.
    pub ts: Micros,
    /// Price of the last trade.
    pub last: Price,
    /// Shares in the trade; 0 if it tells of no trade but of a halt.
    pub size: u32,
    /// Highest price somebody offers to pay.
    pub bid: Price,
    /// Lowest price somebody offers to sell at.
    pub ask: Price,
    /// Shares traded since the open.
    pub volume: u64,
    /// The opening price, where it is news: on the first tick of a symbol's day.
    pub open: Option<Price>,
    /// Whether trading of the symbol is halted from this tick on, until its next one.
    pub halted: bool,
}

/// The full state of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The latest tick.
    pub tick: Tick,
    /// The opening price of the symbol's day.
    pub open: Price,
}

/// The quotes of some symbols at one place on the tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The place.
    pub cursor: Cursor,
    /// When the batch at that place was published.
    pub ts: Micros,
    /// The quotes, in the order of their symbols' ids.
    pub quotes: Vec<Quote>,
    /// How many ticks these symbols have had up to there, since the tape began.
    pub count: u64,
}

/// The latest ticks of some symbols at one place on the tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The place.
    pub cursor: Cursor,
    /// When the batch at that place was published.
    pub ts: Micros,
    /// Each tick with the seq of its batch, in the order in which they were published.
    pub ticks: Vec<(Tick, u64)>,
    /// How many ticks these symbols have had up to there, since the tape began.
    pub count: u64,
}
