//! Groups: subscribers who want the same share what is encoded for them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::market::{Cursor, Latest, SymbolSet};
use crate::tape::{Mark, Tape};
use crate::wire::batch::Batch;
use crate::wire::frame::{Encoding, Frame, Span, Stretch};
use crate::wire::terms::{Mode, Terms};

use super::replays::Replays;

/// What the subscribers of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) encoding: Encoding,
    pub(super) set: SymbolSet,
    pub(super) pace: Pace,
}

/// Which ticks a group gets, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pace {
    /// Each one, as they come.
    Every,
    /// The latest ones, with at least this time between two frames.
    Conflate(Duration),
}

impl Pace {
    /// The pace that terms ask for.
    pub(super) fn of(terms: Terms) -> Self {
        match (terms.mode, terms.max_rate) {
            (Mode::Every, _) => Self::Every,
            (Mode::Conflate, 0) => Self::Conflate(Duration::ZERO),
            (Mode::Conflate, rate) => Self::Conflate(Duration::from_secs(1) / rate),
        }
    }
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) key: Rc<Key>,
    /// What the flush that runs now has for the group; `None` if the group takes no part in it.
    pub(super) flush: RefCell<Option<Flush>>,
    /// Where a conflating group stood after its last flush.
    at: Cell<Mark>,
    /// When a conflating group may be flushed again.
    due: Cell<Instant>,
    /// Whether a conflating group waits for that.
    waits: Cell<bool>,
}

/// A group's part in a flush: what came after `first` and up to `last`.
#[derive(Debug)]
pub(super) struct Flush {
    pub(super) first: Cursor,
    pub(super) last: Cursor,
    /// For those who stand at `first`; `None` if there is nothing for the group's symbols.
    pub(super) frame: Option<Rc<Frame>>,
    /// For those who stand further on.
    rest: Rest,
}

/// What a flush is made of.
#[derive(Debug)]
enum Rest {
    Every {
        batches: Rc<[Arc<Batch>]>,
        /// What has been encoded already, by where it begins.
        frames: RefCell<Vec<(u64, Option<Rc<Frame>>)>>,
    },
    Latest(Latest),
}

impl Flush {
    /// For one who stands further on than `first`, since it was served alone meanwhile: after this it stands with the
    /// others. `span` tells of a conflating one. Counts by encoding what had to be encoded.
    pub(super) fn rest(
        &self,
        key: &Key,
        at: Cursor,
        span: impl FnOnce(&Latest) -> Span,
        tape: &Tape,
        encodes: &mut [u64; 4],
    ) -> Option<Rc<Frame>> {
        let encode = |frame: Option<Frame>, encodes: &mut [u64; 4]| {
            encodes[key.encoding as usize] += u64::from(frame.is_some());
            frame.map(Rc::new)
        };
        match &self.rest {
            Rest::Latest(latest) => {
                let span = span(latest);
                let frame = Frame::latest(key.encoding, tape.listing(), latest, span, false);
                encode(frame, encodes)
            }
            Rest::Every { batches, frames } => {
                let frames = &mut *frames.borrow_mut();
                if let Some((_, frame)) = frames.iter().find(|(seq, _)| *seq == at.seq) {
                    return frame.clone();
                }
                let seen = batches.partition_point(|batch| batch.cursor.seq <= at.seq);
                let stretch = Stretch {
                    batches: &batches[seen..],
                    set: &key.set,
                    upto: self.last,
                    more: false,
                    live_after: 0,
                };
                let frame = encode(Frame::ticks(key.encoding, &stretch), encodes);
                frames.push((at.seq, frame.clone()));
                frame
            }
        }
    }
}

impl Group {
    /// A member of a conflating group has missed a flush and is able to take part again.
    pub(super) fn wait_for_next(&self) {
        self.waits.set(true);
    }

    fn is_due(&self, now: Instant) -> bool {
        now >= self.due.get()
    }
}

/// The groups of a worker, each there as long as it has a subscriber.
#[derive(Debug, Default)]
pub(super) struct Groups {
    all: HashMap<Rc<Key>, Rc<Group>>,
    /// What was encoded for those who came back.
    pub(super) replays: Replays,
}

impl Groups {
    /// The group of this key; a new one stands at the tape's head.
    pub(super) fn join(&mut self, key: Key, tape: &Tape, now: Instant) -> Rc<Group> {
        let key = Rc::new(key);
        let group = self.all.entry(Rc::clone(&key)).or_insert_with(|| {
            Rc::new(Group {
                at: Cell::new(tape.mark(&key.set)),
                key,
                flush: RefCell::default(),
                due: Cell::new(now),
                waits: Cell::new(false),
            })
        });
        Rc::clone(group)
    }

    /// Takes back what [`Groups::join`] gave; the last one to leave takes the group with it.
    pub(super) fn leave(&mut self, group: Rc<Group>) {
        let key = Rc::clone(&group.key);
        drop(group);
        if self.all.get(&key).is_some_and(|g| Rc::strong_count(g) == 1) {
            self.all.remove(&key);
        }
    }

    /// Encodes a flush of these batches, of which there may be none, once for each group that takes part, and
    /// counts, by encoding, what had to be encoded anew.
    pub(super) fn prepare(
        &self,
        batches: &Rc<[Arc<Batch>]>,
        tape: &Tape,
        now: Instant,
        encodes: &mut [u64; 4],
    ) {
        for group in self.all.values() {
            let (flush, anew) = match group.key.pace {
                Pace::Every => every(&group.key, batches),
                Pace::Conflate(_) if !group.is_due(now) => {
                    group.waits.set(true);
                    (None, false)
                }
                Pace::Conflate(gap) => conflate(group, tape, gap, now),
            };
            encodes[group.key.encoding as usize] += u64::from(anew);
            *group.flush.borrow_mut() = flush;
        }
    }

    /// When the next group that waits for its time may be flushed.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waiting = self.all.values().filter(|group| group.waits.get());
        waiting.map(|group| group.due.get()).min()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

fn every(key: &Key, batches: &Rc<[Arc<Batch>]>) -> (Option<Flush>, bool) {
    let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
        return (None, false);
    };
    let stretch = Stretch {
        batches,
        set: &key.set,
        upto: last.cursor,
        more: false,
        live_after: 0,
    };
    let frame = Frame::ticks(key.encoding, &stretch).map(Rc::new);
    let anew = frame.is_some() && stretch.as_published().is_none();
    let flush = Flush {
        first: first.cursor.at(first.cursor.seq - 1),
        last: last.cursor,
        frame,
        rest: Rest::Every {
            batches: Rc::clone(batches),
            frames: RefCell::default(),
        },
    };
    (Some(flush), anew)
}

fn conflate(group: &Group, tape: &Tape, gap: Duration, now: Instant) -> (Option<Flush>, bool) {
    let Mark {
        cursor: first,
        count,
    } = group.at.get();
    let Key { encoding, set, .. } = &*group.key;
    let Ok(latest) = tape.latest(first, set) else {
        // A group stands where its own tape has stood.
        return (None, false);
    };
    let span = Span {
        after: first.seq,
        owed: Some(latest.count - count),
        live_after: 0,
    };
    let frame = Frame::latest(*encoding, tape.listing(), &latest, span, false).map(Rc::new);
    group.at.set(Mark {
        cursor: latest.cursor,
        count: latest.count,
    });
    group.waits.set(false);
    let anew = frame.is_some();
    if anew {
        group.due.set(now + gap);
    }
    let flush = Flush {
        first,
        last: latest.cursor,
        frame,
        rest: Rest::Latest(latest),
    };
    (Some(flush), anew)
}
