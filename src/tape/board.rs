//! The board: the latest quote of each symbol, and the seq that last changed it.

use crate::market::{Quote, SymbolId, SymbolSet, Tick};

#[derive(Debug)]
pub(super) struct Board {
    /// By symbol id; empty until the symbol's first tick.
    entries: Box<[Option<Entry>]>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    quote: Quote,
    /// The seq that last changed it.
    changed: u64,
    /// The seq that last told its opening price.
    opened: u64,
    /// How many ticks it has had.
    count: u64,
}

impl Entry {
    fn tick_since(&self, seq: u64) -> Tick {
        Tick {
            open: (self.opened > seq).then_some(self.quote.open),
            ..self.quote.tick
        }
    }
}

impl Board {
    pub(super) fn new(symbols: usize) -> Self {
        Self {
            entries: vec![None; symbols].into(),
        }
    }

    /// Takes a tick of batch `seq`. A symbol's first tick tells its opening price even if it does not say so.
    pub(super) fn apply(&mut self, tick: &Tick, seq: u64) {
        let entry = &mut self.entries[tick.symbol.index()];
        let (open, opened) = match (tick.open, *entry) {
            (Some(open), _) => (open, seq),
            (None, Some(before)) => (before.quote.open, before.opened),
            (None, None) => (tick.last, seq),
        };
        *entry = Some(Entry {
            quote: Quote { tick: *tick, open },
            changed: seq,
            opened,
            count: entry.map_or(0, |entry| entry.count) + 1,
        });
    }

    pub(super) fn quotes(&self, set: &SymbolSet) -> Vec<Quote> {
        self.of(set).map(|entry| entry.quote).collect()
    }

    /// The latest ticks of a set's symbols that changed after `seq`, in the order in which they changed. They tell
    /// the opening price where that is news since `seq`, even if the tick that told it is left out.
    pub(super) fn latest(&self, seq: u64, set: &SymbolSet) -> Vec<(Tick, u64)> {
        let changed = self.of(set).filter(|entry| entry.changed > seq);
        let mut ticks: Vec<_> = changed.map(|e| (e.tick_since(seq), e.changed)).collect();
        ticks.sort_by_key(|(_, changed)| *changed);
        ticks
    }

    /// How many ticks the symbols of a set have had.
    pub(super) fn count(&self, set: &SymbolSet) -> u64 {
        self.of(set).map(|entry| entry.count).sum()
    }

    pub(super) fn changed_since(&self, seq: u64, set: &SymbolSet) -> bool {
        self.of(set).any(|entry| entry.changed > seq)
    }

    fn of<'a>(&'a self, set: &'a SymbolSet) -> impl Iterator<Item = &'a Entry> {
        (0..)
            .map(SymbolId)
            .zip(&self.entries)
            .filter_map(|(id, entry)| entry.as_ref().filter(|_| set.contains(id)))
    }
}
