//! The tape: the one ordered truth that every transport reads.
//!
//! A single [`Publisher`] gives each batch its seq, writes board and journal first and sends second; a reader
//! takes its receiver first and asks [`Tape::since`] second. So it may see a batch twice, which the seq tells,
//! but never miss one.

mod bars;
mod board;
mod journal;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::broadcast;

use crate::market::{
    Bar, Cursor, Epoch, Latest, Listing, Micros, Snapshot, SymbolId, SymbolSet, Tick,
};
use crate::wire::batch::Batch;
use crate::wire::json::{Gap, GapReason};

use bars::Bars;
use board::Board;
use journal::Journal;

/// Batches that a worker may lie behind before it has to go back to the journal.
pub const CHANNEL_BATCHES: usize = 1024;

/// Batches that one call of [`Tape::since`] looks through, so that a reader holds up the publisher for a few
/// milliseconds at most.
const BATCHES_PER_LOOK: usize = 4096;

/// Board, journal and channel, shared by all who read.
#[derive(Debug)]
pub struct Tape {
    listing: Arc<Listing>,
    /// Written by the publisher alone. Board and journal always stand at the same seq.
    state: RwLock<State>,
    sender: broadcast::Sender<Arc<Batch>>,
}

#[derive(Debug)]
struct State {
    head: Cursor,
    /// When the batch at the head was published.
    ts: Micros,
    board: Board,
    journal: Journal,
    bars: Bars,
}

/// How much of the past a tape keeps.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Bytes of recent batches in the journal.
    pub journal: usize,
    /// Bars of each symbol.
    pub bars: usize,
}

/// The tape's only writer.
#[derive(Debug)]
pub struct Publisher {
    tape: Arc<Tape>,
    head: Cursor,
}

/// A place on the tape as a set of symbols knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The place.
    pub cursor: Cursor,
    /// How many ticks the symbols have had up to there, since the tape began.
    pub count: u64,
}

/// What [`Tape::part`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Ticks of the whole set.
    pub whole: u64,
    /// Ticks of its part.
    pub part: u64,
    /// Symbols of the part that have changed.
    pub changed: u64,
}

/// What a reader gets in one piece, at most.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Bytes of messages.
    pub bytes: usize,
    /// Ticks.
    pub ticks: u64,
}

/// The answer to "what came since?".
#[derive(Debug)]
pub enum Since {
    /// The batches after the cursor that hold something for the set, oldest first; perhaps none.
    Batches {
        /// The batches.
        batches: Vec<Arc<Batch>>,
        /// Everything due up to here is in `batches`.
        upto: Cursor,
        /// Whether the tape goes on after `upto`.
        more: bool,
    },
    /// The ticks after the cursor cannot be had; the board has to do.
    Gap(Gap, Snapshot),
}

impl Tape {
    /// A new tape and its only writer.
    pub fn new(listing: Arc<Listing>, epoch: Epoch, keep: Keep) -> (Arc<Self>, Publisher) {
        let head = Cursor { epoch, seq: 0 };
        let tape = Arc::new(Self {
            state: RwLock::new(State {
                head,
                ts: 0,
                board: Board::new(listing.len()),
                journal: Journal::new(keep.journal, CHANNEL_BATCHES),
                bars: Bars::new(listing.len(), keep.bars),
            }),
            listing,
            sender: broadcast::channel(CHANNEL_BATCHES).0,
        });
        let publisher = Publisher {
            tape: Arc::clone(&tape),
            head,
        };
        (tape, publisher)
    }

    /// The symbols that the tape carries.
    pub fn listing(&self) -> &Arc<Listing> {
        &self.listing
    }

    /// The latest place.
    pub fn head(&self) -> Cursor {
        self.read().head
    }

    /// Every batch from now on. Lagging behind it is mended by [`Tape::since`].
    pub fn receiver(&self) -> broadcast::Receiver<Arc<Batch>> {
        self.sender.subscribe()
    }

    /// The present quotes of a set.
    pub fn snapshot(&self, set: &SymbolSet) -> Snapshot {
        self.read().snapshot(set)
    }

    /// The latest bars of a symbol, at most so many, oldest first, and the place up to which they hold every tick.
    pub fn bars(&self, symbol: SymbolId, most: usize) -> (Cursor, Vec<Bar>) {
        let state = self.read();
        (state.head, state.bars.latest(symbol, most))
    }

    /// The head, and how many ticks a set of symbols has had up to there.
    pub fn mark(&self, set: &SymbolSet) -> Mark {
        let state = self.read();
        Mark {
            cursor: state.head,
            count: state.board.count(set),
        }
    }

    /// How many ticks a set and a part of it have had, and how many symbols of the part have changed since a place:
    /// all at one and the same head.
    pub fn part(&self, at: Cursor, whole: &SymbolSet, part: &SymbolSet) -> Part {
        let state = self.read();
        Part {
            whole: state.board.count(whole),
            part: state.board.count(part),
            changed: state.board.latest(at.seq, part).len() as u64,
        }
    }

    /// How many ticks a set of symbols has had since a place; `None` where that can no longer be known.
    pub fn count_since(&self, cursor: Cursor, set: &SymbolSet) -> Option<u64> {
        self.read().count_since(cursor, set)
    }

    /// How many ticks a set of symbols had had at an earlier place; `None` where that can no longer be known.
    pub fn count_at(&self, cursor: Cursor, set: &SymbolSet) -> Option<u64> {
        let state = self.read();
        Some(state.board.count(set) - state.count_since(cursor, set)?)
    }

    /// What a set of symbols has seen since a cursor: the one question behind resuming, polling, falling behind
    /// and repairing a lag.
    pub fn since(&self, cursor: Cursor, set: &SymbolSet, limit: Limit) -> Since {
        let state = self.read();
        if let Some(gap) = state.misplaced(cursor) {
            return Since::Gap(gap, state.snapshot(set));
        }
        if !state.board.changed_since(cursor.seq, set) {
            return Since::Batches {
                batches: Vec::new(),
                upto: state.head,
                more: false,
            };
        }
        match state.journal.after(cursor.seq) {
            Some(batches) => pick(batches, cursor, set, limit, state.head),
            None => Since::Gap(gap(cursor, GapReason::ReplayWindow), state.snapshot(set)),
        }
    }

    /// The latest ticks of a set since a cursor, however old; a gap if the cursor is not of this tape.
    pub fn latest(&self, cursor: Cursor, set: &SymbolSet) -> Result<Latest, (Gap, Snapshot)> {
        let state = self.read();
        match state.misplaced(cursor) {
            Some(gap) => Err((gap, state.snapshot(set))),
            None => Ok(Latest {
                cursor: state.head,
                ts: state.ts,
                ticks: state.board.latest(cursor.seq, set),
                count: state.board.count(set),
            }),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // The publisher cannot panic half-way: it swaps in values that are made already.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The gap of a cursor that does not belong to this tape.
    fn misplaced(&self, cursor: Cursor) -> Option<Gap> {
        if cursor.epoch != self.head.epoch {
            return Some(gap(cursor, GapReason::EpochChanged));
        }
        (cursor.seq > self.head.seq).then(|| gap(cursor, GapReason::UnknownCursor))
    }

    fn count_since(&self, cursor: Cursor, set: &SymbolSet) -> Option<u64> {
        if self.misplaced(cursor).is_some() {
            return None;
        }
        if !self.board.changed_since(cursor.seq, set) {
            return Some(0);
        }
        let since = self.journal.after(cursor.seq)?;
        Some(since.map(|batch| batch.count_in(set)).sum())
    }

    fn snapshot(&self, set: &SymbolSet) -> Snapshot {
        Snapshot {
            cursor: self.head,
            ts: self.ts,
            quotes: self.board.quotes(set),
            count: self.board.count(set),
        }
    }
}

fn gap(from: Cursor, reason: GapReason) -> Gap {
    Gap {
        from: Some(from),
        missed: None,
        reason,
    }
}

fn pick<'a>(
    journal: impl Iterator<Item = &'a Arc<Batch>>,
    cursor: Cursor,
    set: &SymbolSet,
    limit: Limit,
    head: Cursor,
) -> Since {
    let (mut batches, mut upto) = (Vec::new(), cursor);
    let (mut bytes, mut ticks) = (0, 0);
    for batch in journal.take(BATCHES_PER_LOOK) {
        upto = batch.cursor;
        let due = batch.count_in(set);
        if due > 0 {
            bytes += batch.json_of(set).map(<[u8]>::len).sum::<usize>();
            ticks += due;
            batches.push(Arc::clone(batch));
        }
        if bytes >= limit.bytes || ticks >= limit.ticks {
            break;
        }
    }
    Since::Batches {
        batches,
        upto,
        more: upto != head,
    }
}

impl Publisher {
    /// Publishes ticks as one batch, in the order given, and returns it. `now` is the time of publishing;
    /// there must be at least one tick.
    pub fn publish(&mut self, ticks: Vec<Tick>, now: Micros) -> Arc<Batch> {
        self.head.seq += 1;
        let batch = Arc::new(Batch::new(&self.tape.listing, self.head, now, ticks));
        {
            let mut state = (self.tape.state.write()).unwrap_or_else(PoisonError::into_inner);
            for tick in batch.ticks() {
                state.board.apply(tick, self.head.seq);
                state.bars.apply(tick);
            }
            state.journal.push(Arc::clone(&batch));
            state.head = self.head;
            state.ts = now;
        }
        // An error says that nobody listens, which is no error.
        let _ = self.tape.sender.send(Arc::clone(&batch));
        batch
    }
}

#[cfg(test)]
mod tests;
