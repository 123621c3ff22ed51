//! The tape as a list.

use serde_json::Value;

/// The symbols of the model's market, by their ids.
pub(super) const SYMBOLS: [&str; 3] = ["A", "B", "C"];

/// For each symbol, the seqs of its ticks.
#[derive(Default)]
pub(super) struct History {
    seqs: [Vec<u64>; SYMBOLS.len()],
    pub(super) head: u64,
}

impl History {
    /// A batch of one tick for each symbol of the mask; the symbols and the `n` of each.
    pub(super) fn publish(&mut self, mask: u8) -> Vec<(usize, u64)> {
        self.head += 1;
        let ticking = (0..SYMBOLS.len()).filter(|id| mask >> id & 1 == 1);
        let tick = |symbol: usize| {
            self.seqs[symbol].push(self.head);
            (symbol, self.seqs[symbol].len() as u64)
        };
        ticking.map(tick).collect()
    }

    /// How many ticks a symbol has had up to a seq; that is the `n` of the last of them, too.
    pub(super) fn count(&self, symbol: usize, seq: u64) -> u64 {
        self.seqs[symbol].partition_point(|each| *each <= seq) as u64
    }

    /// How many it has had from there to another.
    pub(super) fn between(&self, symbol: usize, from: u64, upto: u64) -> u64 {
        self.count(symbol, upto) - self.count(symbol, from)
    }
}

/// Which symbol a tick or a quote is of.
pub(super) fn symbol_of(entry: &Value) -> usize {
    let known = SYMBOLS.iter().position(|name| entry["symbol"] == *name);
    known.expect("only listed symbols come")
}
