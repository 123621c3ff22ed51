//! Small markets for tests.

use std::sync::Arc;

use super::{Instrument, Listing, Price, SymbolId, SymbolSet, Tick};

/// A listing of these symbols.
pub(crate) fn listing(symbols: &[&str]) -> Arc<Listing> {
    let instrument = |symbol: &&str| Instrument {
        symbol: (*symbol).to_owned(),
        name: format!("{symbol} Inc."),
        price_decimals: 2,
    };
    let instruments = symbols.iter().map(instrument).collect();
    Arc::new(Listing::new(instruments).expect("tests list well-formed symbols"))
}

/// The set of these symbols.
pub(crate) fn set(listing: &Listing, symbols: &[&str]) -> SymbolSet {
    SymbolSet::of(
        listing,
        symbols.iter().map(|symbol| listing.id(symbol).unwrap()),
    )
}

/// The `n`th tick of a symbol.
pub(crate) fn tick(symbol: SymbolId, n: u64) -> Tick {
    Tick {
        symbol,
        n,
        ts: 1_000 * n,
        last: Price::new(1_000_000 + 100 * n as i64),
        size: 100,
        bid: Price::new(999_900 + 100 * n as i64),
        ask: Price::new(1_000_100 + 100 * n as i64),
        volume: 100 * n,
        open: None,
        halted: false,
    }
}
