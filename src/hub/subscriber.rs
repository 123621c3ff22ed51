//! One client as the hub sees it: where it stands on the tape and how it is brought to the head.

use std::cmp::Ordering;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use crate::market::{Cursor, Latest, SymbolSet};
use crate::tape::{Limit, Since, Tape};
use crate::wire::close::CloseReason;
use crate::wire::frame::{Encoding, Frame, Span, Stretch};
use crate::wire::json::{Gap, GapReason};
use crate::wire::terms::{Policy, Terms};

use super::group::{Group, Groups, Key, Pace};
use super::replays::Replays;
use super::sink::Sink;
use super::{Facts, Patience};

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

/// What a flush looks at comes first and lies together: between two clients the kernel's work on a `send()` has thrown
/// everything out of the nearest cache.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Subscriber<S> {
    pub(super) sink: S,
    pub(super) group: Rc<Group>,
    /// Everything due up to here has been taken by the sink.
    pub(super) at: Start,
    /// Whether it takes part in flushes; else it is served alone as soon as its sink has room.
    pub(super) live: bool,
    /// Whether it has missed ticks that `seen` does not know of.
    pub(super) vague: bool,
    /// When the sink last took something.
    pub(super) sent: Instant,
    /// How many ticks its symbols had had at `at`; `None` where that cannot be known.
    pub(super) seen: Option<u64>,
    /// What it is given at once when it is not live.
    pub(super) limit: Limit,
    /// Where the tape stood when it came: ticks up to there are replayed to it, not live.
    pub(super) joined: u64,
    pub(super) terms: Terms,
    /// When its sink became full while it was live. Catching up after a resume does not count.
    pub(super) blocked: Option<Instant>,
    /// Symbols that it wants besides its group's, and gets once it stands at the head.
    pub(super) added: Option<Box<SymbolSet>>,
    /// Ticks that were due to it when it gave up their symbols.
    pub(super) forgone: u64,
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
    pub(super) fn catch_up(
        &mut self,
        tape: &Tape,
        patience: Patience,
        groups: &mut Groups,
        facts: &mut Facts,
    ) {
        let now = Instant::now();
        if self.live && !self.sink.has_room() {
            self.blocked.get_or_insert(now);
        }
        self.live = false;
        while self.sink.has_room() {
            if self.is_slow(tape, patience, now) && self.terms.policy == Policy::Disconnect {
                return self.sink.close(CloseReason::SlowConsumer);
            }
            let Piece { frame, upto, more } =
                self.next_piece(tape, patience, now, &groups.replays, facts);
            self.at = Start::After(upto);
            // A poll ends with its first frame, and has been told if more waits.
            let done = !more || (frame.is_some() && self.encoding() == Encoding::Json);
            if let Some(frame) = frame {
                self.send(&frame, now);
            }
            if done && self.take_added(tape, upto, now, groups, facts) {
                self.live = true;
                self.blocked = None;
                self.vague = false;
                return;
            }
        }
    }

    /// Shows the board of the symbols that it wants besides and takes them in, if board and subscriber stand at
    /// the same place; `false` if they do not, or the sink is full.
    fn take_added(
        &mut self,
        tape: &Tape,
        at: Cursor,
        now: Instant,
        groups: &mut Groups,
        facts: &mut Facts,
    ) -> bool {
        let Some(added) = &self.added else {
            return true;
        };
        let board = tape.snapshot(added);
        if board.cursor != at || !self.sink.has_room() {
            return false;
        }
        let frame = Frame::snapshot(self.encoding(), tape.listing(), &board, None);
        facts.encodes[self.encoding() as usize] += 1;
        let set = self.group.key.set.with(added);
        self.send(&Rc::new(frame), now);
        self.seen = Some(self.seen.unwrap_or(0) + board.count);
        self.added = None;
        self.move_to(set, groups, tape, now);
        true
    }

    /// Joins the group of another set, or of other terms.
    pub(super) fn move_to(
        &mut self,
        set: SymbolSet,
        groups: &mut Groups,
        tape: &Tape,
        now: Instant,
    ) {
        let key = Key {
            encoding: self.encoding(),
            set,
            pace: Pace::of(self.terms),
        };
        let left = std::mem::replace(&mut self.group, groups.join(key, tape, now));
        groups.leave(left);
    }

    /// Wants this set from now on. Symbols that it gives up end here; those that are new wait for the head.
    pub(super) fn want(&mut self, set: &SymbolSet, groups: &mut Groups, tape: &Tape, now: Instant) {
        let present = &self.group.key.set;
        let given_up = present.without(set);
        let kept = present.without(&given_up);
        let added = set.without(&kept);
        self.added = (!added.is_empty()).then(|| Box::new(added));
        if given_up.is_empty() {
            return;
        }
        let (Some(at), Some(seen)) = (self.cursor(), self.seen) else {
            return self.move_to(kept, groups, tape, now);
        };
        let exactly = (tape.count_at(at, &kept)).zip(tape.count_since(at, &given_up));
        if let Some((kept_seen, forgone)) = exactly {
            self.forgone += forgone;
            self.seen = Some(kept_seen);
        } else {
            // So far behind that nothing tells how many of the ticks since belong to which symbol. Each symbol that
            // it keeps has one for certain; the rest is given up, and a gap cannot be told in numbers.
            let now_had = tape.part(at, present, &kept);
            self.seen = Some(now_had.part - now_had.changed);
            self.forgone += now_had.whole - seen - now_had.changed;
            self.vague = true;
        }
        self.move_to(kept, groups, tape, now);
    }

    /// Whether a frame could be sent to it now.
    pub(super) fn is_ready(&self) -> bool {
        self.live && self.sink.has_room()
    }

    /// Takes part in its group's flush.
    pub(super) fn flush(&mut self, tape: &Tape, now: Instant, facts: &mut Facts) -> Flushed {
        let group = Rc::clone(&self.group);
        let flush = group.flush.borrow();
        let (Some(flush), Start::After(at)) = (&*flush, self.at) else {
            return Flushed::Done;
        };
        if !self.live || at.seq >= flush.last.seq {
            return Flushed::Done;
        }
        let rest;
        let frame = match at.seq.cmp(&flush.first.seq) {
            Ordering::Equal => &flush.frame,
            Ordering::Less => return Flushed::Apart,
            Ordering::Greater => {
                let span = |latest: &Latest| self.span(latest, at);
                rest = flush.rest(&group.key, at, span, tape, &mut facts.encodes);
                &rest
            }
        };
        if let Some(frame) = frame {
            if frame.ledger.delivered > self.limit.ticks {
                return Flushed::Apart;
            }
            if !self.sink.has_room() {
                self.live = false;
                self.blocked = Some(now);
                return Flushed::Done;
            }
            self.send(frame, now);
        }
        self.at = Start::After(flush.last);
        Flushed::Done
    }

    pub(super) fn send(&mut self, frame: &Rc<Frame>, now: Instant) {
        self.sink.send(frame);
        self.seen = self.seen.map(|seen| seen + frame.ledger.due());
        self.sent = now;
    }

    /// How many ticks are due to it that were never offered to its sink.
    pub(super) fn owed(&self, tape: &Tape) -> u64 {
        match (self.encoding(), self.seen) {
            // A poll ends where its answer does.
            (Encoding::Json, _) => 0,
            (_, None) => self.forgone,
            (_, Some(seen)) => self.forgone + tape.mark(&self.group.key.set).count - seen,
        }
    }

    /// Whether it was live and has been too slow for that.
    pub(super) fn is_slow(&self, tape: &Tape, patience: Patience, now: Instant) -> bool {
        let (Some(since), Start::After(at)) = (self.blocked, self.at) else {
            return false;
        };
        let behind = tape.head().seq.saturating_sub(at.seq);
        now.duration_since(since) > patience.slow_after || behind > patience.max_behind
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.group.key.encoding
    }

    /// Whether no tick is left out for it.
    pub(super) fn gets_every_tick(&self) -> bool {
        self.group.key.pace == Pace::Every
    }

    /// Whether it waits for its group's time rather than being served at once.
    pub(super) fn is_rated(&self) -> bool {
        matches!(self.group.key.pace, Pace::Conflate(gap) if gap > Duration::ZERO)
    }

    fn next_piece(
        &mut self,
        tape: &Tape,
        patience: Patience,
        now: Instant,
        replays: &Replays,
        facts: &mut Facts,
    ) -> Piece {
        let set = &self.group.key.set;
        if set.is_empty() {
            self.seen = Some(0);
            return Piece::nothing(tape.head());
        }
        let (gap, board) = match self.at {
            Start::Fresh => (None, tape.snapshot(set)),
            Start::Lost => (Some(LOST), tape.snapshot(set)),
            Start::After(cursor) => {
                let slow = self.is_slow(tape, patience, now);
                let piece = if slow || !self.gets_every_tick() {
                    self.latest_piece(tape, cursor, slow, facts)
                } else {
                    self.replayed_piece(tape, cursor, replays, facts)
                };
                match piece {
                    Ok(piece) => return piece,
                    Err((gap, board)) => (Some(gap), board),
                }
            }
        };
        // What was seen belongs to this tape, or is not known.
        let missed = self.seen.map(|seen| board.count - seen);
        let gap = gap.map(|gap| Gap {
            missed: missed.filter(|_| !self.vague),
            ..gap
        });
        facts.gaps += u64::from(gap.is_some());
        let mut frame = Frame::snapshot(self.encoding(), tape.listing(), &board, gap);
        frame.ledger.gapped = missed.unwrap_or(0);
        self.seen = Some(board.count - frame.ledger.gapped);
        self.vague = false;
        facts.encodes[self.encoding() as usize] += 1;
        Piece {
            frame: Some(Rc::new(frame)),
            upto: board.cursor,
            more: false,
        }
    }

    /// Each tick since the cursor, as many as go at once. Many who come back together want the same: it is encoded once.
    fn replayed_piece(
        &self,
        tape: &Tape,
        cursor: Cursor,
        replays: &Replays,
        facts: &mut Facts,
    ) -> Result<Piece, Missing> {
        let (encoding, set) = (self.encoding(), &self.group.key.set);
        let is_replay = |upto: Cursor| upto.seq <= self.joined && encoding != Encoding::Json;
        if let Some((upto, frame)) = replays.of(&self.group.key, cursor)
            && is_replay(upto)
        {
            return Ok(Piece {
                frame: Some(frame),
                upto,
                more: true,
            });
        }
        match tape.since(cursor, set, self.limit) {
            Since::Gap(gap, board) => Err((gap, board)),
            Since::Batches {
                batches,
                upto,
                more,
            } => {
                let stretch = Stretch {
                    batches: &batches,
                    set,
                    upto,
                    more,
                    live_after: self.live_after(),
                };
                let frame = Frame::ticks(encoding, &stretch).map(Rc::new);
                facts.encodes[encoding as usize] += u64::from(frame.is_some());
                if let (Some(frame), true) = (&frame, more && is_replay(upto)) {
                    replays.keep(&self.group.key, cursor, upto, frame);
                }
                Ok(Piece { frame, upto, more })
            }
        }
    }

    /// The latest tick of each symbol since the cursor; one who was slow is told what it does not get.
    fn latest_piece(
        &mut self,
        tape: &Tape,
        cursor: Cursor,
        slow: bool,
        facts: &mut Facts,
    ) -> Result<Piece, Missing> {
        let latest = tape.latest(cursor, &self.group.key.set)?;
        let span = self.span(&latest, cursor);
        let told = slow && self.gets_every_tick();
        let frame = Frame::latest(self.encoding(), tape.listing(), &latest, span, told);
        // Sending adds what was due; if that is not known, from here on it is.
        let due = frame.as_ref().map_or(0, |frame| frame.ledger.due());
        self.seen = Some(latest.count - due);
        facts.encodes[self.encoding() as usize] += u64::from(frame.is_some());
        Ok(Piece {
            frame: frame.map(Rc::new),
            upto: latest.cursor,
            more: false,
        })
    }

    fn span(&self, latest: &Latest, at: Cursor) -> Span {
        Span {
            after: at.seq,
            owed: self.seen.map(|seen| latest.count - seen),
            live_after: self.live_after(),
        }
    }

    /// To a poll, whose sessions follow each other, the edge tells what is live.
    fn live_after(&self) -> u64 {
        match self.encoding() {
            Encoding::Json => 0,
            _ => self.joined,
        }
    }
}

/// Why ticks cannot be had, and the board in their place.
type Missing = (Gap, crate::market::Snapshot);

/// What comes next for a subscriber who is served alone.
struct Piece {
    frame: Option<Rc<Frame>>,
    upto: Cursor,
    more: bool,
}

impl Piece {
    fn nothing(upto: Cursor) -> Self {
        Self {
            frame: None,
            upto,
            more: false,
        }
    }
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
