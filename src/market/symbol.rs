//! Symbols: interned names, the listing that holds them, and sets of them.

use std::collections::HashMap;

/// A symbol's place in the [`Listing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolId(pub u16);

impl SymbolId {
    /// The place as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What is known of a symbol before its first tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Its symbol, as clients write it: `AAPL`.
    pub symbol: String,
    /// The name for people: `Apple Inc.`
    pub name: String,
    /// Digits after the point that its prices have.
    pub price_decimals: u8,
}

/// Why a listing could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// A symbol that clients could not write in a URL.
    #[error("{0:?} is not a symbol: 1 to 16 of A–Z, 0–9, '.' and '-'")]
    Malformed(String),
    /// The same symbol twice.
    #[error("the symbol {0} stands there twice")]
    Twice(String),
    /// No symbol at all, or more than a [`SymbolId`] can number.
    #[error("{0} symbols; it takes 1 to 65,535")]
    Count(usize),
}

/// All symbols of a tape, in the order of their ids. It does not change while the tape lives.
#[derive(Clone, Debug)]
pub struct Listing {
    instruments: Vec<Instrument>,
    ids: HashMap<String, SymbolId>,
}

impl Listing {
    /// A listing of these instruments, whose symbols must be well-formed and each its own.
    pub fn new(instruments: Vec<Instrument>) -> Result<Self, ListingError> {
        if instruments.is_empty() || instruments.len() > usize::from(u16::MAX) {
            return Err(ListingError::Count(instruments.len()));
        }
        let mut ids = HashMap::with_capacity(instruments.len());
        for (id, Instrument { symbol, .. }) in (0..).zip(&instruments) {
            if !well_formed(symbol) {
                return Err(ListingError::Malformed(symbol.clone()));
            }
            if ids.insert(symbol.clone(), SymbolId(id)).is_some() {
                return Err(ListingError::Twice(symbol.clone()));
            }
        }
        Ok(Self { instruments, ids })
    }

    /// How many symbols there are; at least one.
    #[allow(clippy::len_without_is_empty, reason = "a listing is never empty")]
    pub fn len(&self) -> usize {
        self.instruments.len()
    }

    /// The instruments in the order of their ids.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The symbol as clients write it.
    pub fn symbol(&self, id: SymbolId) -> &str {
        &self.instruments[id.index()].symbol
    }

    /// The id of a symbol, if it is listed.
    pub fn id(&self, symbol: &str) -> Option<SymbolId> {
        self.ids.get(symbol).copied()
    }
}

fn well_formed(symbol: &str) -> bool {
    (1..=16).contains(&symbol.len())
        && symbol
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
}

/// A set of symbols of one listing: one bit each. Equal sets are equal values, however they came about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SymbolSet {
    bits: Box<[u64]>,
    /// How many symbols the listing has.
    listed: usize,
    all: bool,
}

impl SymbolSet {
    /// Every symbol of the listing.
    pub fn all(listing: &Listing) -> Self {
        Self::of(listing, (0..=u16::MAX).take(listing.len()).map(SymbolId))
    }

    /// These symbols of the listing.
    pub fn of(listing: &Listing, symbols: impl IntoIterator<Item = SymbolId>) -> Self {
        let mut bits = vec![0u64; listing.len().div_ceil(64)].into_boxed_slice();
        for SymbolId(id) in symbols {
            bits[usize::from(id / 64)] |= 1 << (id % 64);
        }
        Self::from_bits(bits, listing.len())
    }

    /// The symbols of either set.
    pub fn with(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a | b)
    }

    /// The symbols that the other set does not hold.
    pub fn without(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & !b)
    }

    fn combine(&self, other: &Self, word: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.bits.iter().zip(&other.bits);
        Self::from_bits(words.map(|(a, b)| word(*a, *b)).collect(), self.listed)
    }

    fn from_bits(bits: Box<[u64]>, listed: usize) -> Self {
        let mut set = Self {
            bits,
            listed,
            all: false,
        };
        set.all = set.len() == listed;
        set
    }

    /// How many symbols it holds.
    pub fn len(&self) -> usize {
        self.bits
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether it holds every symbol of the listing.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Whether it holds no symbol.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// Whether it holds this symbol.
    pub fn contains(&self, SymbolId(id): SymbolId) -> bool {
        self.all || self.bits[usize::from(id / 64)] >> (id % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(symbols: &[&str]) -> Result<Listing, ListingError> {
        let instrument = |symbol: &&str| Instrument {
            symbol: (*symbol).to_owned(),
            name: String::new(),
            price_decimals: 2,
        };
        Listing::new(symbols.iter().map(instrument).collect())
    }

    #[test]
    fn a_listing_refuses_what_clients_could_not_write() {
        assert_eq!(
            listing(&["AAPL", "a b"]).unwrap_err(),
            ListingError::Malformed("a b".into())
        );
        assert_eq!(
            listing(&["A", "A"]).unwrap_err(),
            ListingError::Twice("A".into())
        );
        assert_eq!(listing(&[]).unwrap_err(), ListingError::Count(0));
    }

    #[test]
    fn a_set_of_every_symbol_is_the_set_of_all() {
        let listing = listing(&["A", "B", "C"]).unwrap();
        let named = SymbolSet::of(&listing, [SymbolId(2), SymbolId(0), SymbolId(1)]);
        assert_eq!(named, SymbolSet::all(&listing));
        assert!(named.is_all());
    }

    #[test]
    fn a_set_holds_what_it_was_given_and_nothing_else() {
        let listing = listing(&["A", "B", "C"]).unwrap();
        let set = SymbolSet::of(&listing, [SymbolId(1)]);
        assert!(set.contains(SymbolId(1)));
        assert!(!set.contains(SymbolId(0)) && !set.contains(SymbolId(2)));
    }
}
