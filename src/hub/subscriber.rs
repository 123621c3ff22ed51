//! One client as the hub sees it: where it stands on the tape and how it is brought to the head.

use std::rc::Rc;

use tokio::time::Instant;

use crate::market::Cursor;
use crate::tape::{Limit, Since, Tape};
use crate::wire::frame::{Encoding, Frame, Stretch};
use crate::wire::json::{Gap, GapReason};

use super::Facts;
use super::group::Group;
use super::sink::Sink;

/// Where a subscription begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// With a snapshot.
    Fresh,
    /// After this cursor, whatever tape it came from.
    After(Cursor),
    /// Somewhere, said a text that is no cursor: with a gap and a snapshot.
    Lost,
}

#[derive(Debug)]
pub(super) struct Subscriber<S> {
    pub(super) sink: S,
    pub(super) group: Rc<Group>,
    /// What it is given at once when it is not live.
    pub(super) limit: Limit,
    /// Where the tape stood when it came: ticks up to there are replayed to it, not live.
    pub(super) joined: u64,
    /// Everything due up to here has been taken by the sink.
    pub(super) at: Start,
    /// How many ticks its symbols had had there; `None` where that cannot be known.
    pub(super) seen: Option<u64>,
    /// Whether it stands at the worker's head and gets what is flushed; else it is served from the journal.
    pub(super) live: bool,
    /// When the sink last took something.
    pub(super) sent: Instant,
}

impl<S: Sink> Subscriber<S> {
    /// The cursor of everything sent so far; `None` before the first frame of a start without one.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        match self.at {
            Start::After(cursor) => Some(cursor),
            Start::Fresh | Start::Lost => None,
        }
    }

    /// Goes on from where the subscriber stands until it is at the head or its sink is full.
    pub(super) fn catch_up(&mut self, tape: &Tape, now: Instant, facts: &mut Facts) {
        self.live = false;
        while self.sink.has_room() {
            let Piece { frame, upto, more } = self.next_piece(tape, facts);
            self.at = Start::After(upto);
            // A poll ends with its first frame, and has been told if more waits.
            self.live = !more || (frame.is_some() && self.group.key.encoding == Encoding::Json);
            if let Some(frame) = frame {
                facts.encodes[self.group.key.encoding as usize] += 1;
                self.send(&Rc::new(frame), now);
            }
            if self.live {
                return;
            }
        }
    }

    /// Takes part in a flush of the batches after `first` and up to `last`.
    pub(super) fn flush(&mut self, first: Cursor, last: Cursor, now: Instant) -> Flushed {
        let Start::After(at) = self.at else {
            return Flushed::Done;
        };
        if !self.live || at.seq >= last.seq {
            return Flushed::Done;
        }
        let pending = self.group.pending.borrow().clone();
        let fits = pending
            .as_ref()
            .is_none_or(|frame| frame.ledger.delivered <= self.limit.ticks);
        if at.seq != first.seq || !fits {
            return Flushed::Apart;
        }
        if let Some(frame) = pending {
            if !self.sink.has_room() {
                self.live = false;
                return Flushed::Done;
            }
            self.send(&frame, now);
        }
        self.at = Start::After(last);
        Flushed::Done
    }

    pub(super) fn send(&mut self, frame: &Rc<Frame>, now: Instant) {
        self.sink.send(frame);
        self.seen = self.seen.map(|seen| seen + frame.ledger.due());
        self.sent = now;
    }

    /// How many ticks are due to it that were never offered to its sink.
    pub(super) fn owed(&self, tape: &Tape) -> u64 {
        match (self.group.key.encoding, self.seen) {
            // A poll ends where its answer does.
            (Encoding::Json, _) | (_, None) => 0,
            (_, Some(seen)) => tape.count(&self.group.key.set) - seen,
        }
    }

    fn next_piece(&mut self, tape: &Tape, facts: &mut Facts) -> Piece {
        let (encoding, set) = (self.group.key.encoding, &self.group.key.set);
        if set.is_empty() {
            return Piece {
                frame: None,
                upto: tape.head(),
                more: false,
            };
        }
        let (gap, board) = match self.at {
            Start::Fresh => (None, tape.snapshot(set)),
            Start::Lost => (Some(LOST), tape.snapshot(set)),
            Start::After(cursor) => match tape.since(cursor, set, self.limit) {
                Since::Gap(gap, board) => (Some(gap), board),
                Since::Batches {
                    batches,
                    upto,
                    more,
                } => {
                    // To a poll, whose sessions follow each other, the edge tells what is live.
                    let live_after = match encoding {
                        Encoding::Json => 0,
                        _ => self.joined,
                    };
                    let stretch = Stretch {
                        batches: &batches,
                        set,
                        upto,
                        more,
                        live_after,
                    };
                    let frame = Frame::ticks(encoding, &stretch);
                    return Piece { frame, upto, more };
                }
            },
        };
        // What was seen belongs to this tape, or is not known.
        let missed = self.seen.map(|seen| board.count - seen);
        let gap = gap.map(|gap| Gap { missed, ..gap });
        facts.gaps += u64::from(gap.is_some());
        self.seen = Some(board.count - missed.unwrap_or(0));
        Piece {
            frame: Some(Frame::snapshot(encoding, tape.listing(), &board, gap)),
            upto: board.cursor,
            more: false,
        }
    }
}

/// What comes next for a subscriber who is not at the head.
struct Piece {
    frame: Option<Frame>,
    upto: Cursor,
    more: bool,
}

/// What came of a flush.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    Done,
    /// The group's frame does not fit this subscriber, who has to be served alone.
    Apart,
}

const LOST: Gap = Gap {
    from: None,
    missed: None,
    reason: GapReason::UnknownCursor,
};
