//! A plain model of the tape and of the clients that follow it, against which the hub is held over any kind of sink:
//! whatever clients want, however they stall, cut and come back, each frame means what it says and every tick that was
//! due is accounted for.

mod decoder;
mod history;
mod op;
mod reader;
mod tap;
mod way;

use std::time::Duration;

use tokio::task::yield_now;

use super::tests::{Fixture, story};
use super::{Patience, Start, Subscription};
use crate::market::testing::tick;
use crate::market::{SymbolId, SymbolSet};
use crate::tape::Limit;
use crate::wire::terms::{Mode, Terms};

pub(crate) use decoder::Decoder;
pub(crate) use op::{Op, ops};
pub(crate) use way::{Room, Way};

use history::{History, SYMBOLS};
use reader::{Reader, Session};
use tap::Tap;

const CLIENTS: usize = 3;

/// How long, on a real clock, a client may take to read what the kernel has for it.
const PROMPT: Duration = Duration::from_secs(10);

/// Tells a story to clients whose ways `open` makes, for the client of this number, or for a poll of it.
pub(crate) fn hold<W: Way>(ops: Vec<Op>, open: impl Fn(usize, bool) -> W) {
    story(async || {
        let mut world = World::new(&open);
        for op in ops {
            world.apply(op).await;
        }
        world.finish().await;
    });
}

struct World<'a, W: Way> {
    f: Fixture<Tap<W::Sink>>,
    history: History,
    readers: [Reader<W>; CLIENTS],
    way: &'a dyn Fn(usize, bool) -> W,
}

impl<'a, W: Way> World<'a, W> {
    fn new(way: &'a dyn Fn(usize, bool) -> W) -> Self {
        Self {
            f: Fixture::of(
                &SYMBOLS,
                1,
                Patience {
                    max_behind: 30,
                    slow_after: Duration::from_millis(150),
                },
            ),
            history: History::default(),
            readers: std::array::from_fn(|_| Reader::new()),
            way,
        }
    }

    fn set(&self, mask: u8) -> SymbolSet {
        let ids = (0..3).filter(|id| mask >> id & 1 == 1).map(SymbolId);
        SymbolSet::of(self.f.tape.listing(), ids)
    }

    fn publish(&mut self, mask: u8) {
        let ticks = self.history.publish(mask).into_iter();
        let ticks = ticks.map(|(symbol, n)| tick(SymbolId(symbol as u16), n));
        let ticks = ticks.collect();
        self.f.publisher.publish(ticks, self.history.head);
    }

    async fn apply(&mut self, op: Op) {
        match op {
            Op::Publish(mask) => self.publish(mask),
            Op::Burst(symbol, count) => (0..count).for_each(|_| self.publish(1 << symbol)),
            Op::Pass(ms) => {
                self.settle().await;
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.settle().await;
                // Clients read when time passes; what comes in between is on its way until then.
                for client in 0..CLIENTS {
                    self.read(client);
                }
            }
            Op::Open {
                client,
                set,
                terms,
                resume,
            } => self.open(client, false, set, terms, resume),
            Op::Poll { client, set, mode } => {
                let terms = Terms {
                    mode,
                    ..Terms::default()
                };
                self.open(client, true, set, terms, true);
                self.settle().await;
                self.end_poll(client);
            }
            Op::Take(client, room) => self.admit(client, room),
            Op::Read(client) => self.admit(client, Room::ENDLESS),
            Op::Cut(client, room) => self.cut(client, room),
            Op::Change(client, mask) => self.change(client, mask),
            Op::Renegotiate(client, terms) => {
                if let Some(session) = &mut self.readers[client].session {
                    session.may_skip |= terms.mode == Mode::Conflate;
                    self.f.hub.set_terms(session.id, terms);
                }
            }
            Op::Reply(client) => {
                if let Some(session) = &self.readers[client].session {
                    session.way.reply();
                }
            }
        }
    }

    /// Lets the hub and what lies between it and the clients do what they can do without time passing.
    async fn settle(&self) {
        for _ in 0..100 {
            yield_now().await;
            (0..CLIENTS).for_each(|client| self.advance(client));
        }
    }

    fn advance(&self, client: usize) {
        if let Some(session) = &self.readers[client].session {
            while session.way.advance() {
                self.f.hub.drained(session.id);
            }
        }
    }

    fn open(&mut self, client: usize, polls: bool, mask: u8, terms: Terms, resume: bool) {
        self.cut(client, Room::ENDLESS);
        let set = self.set(mask);
        let reader = &mut self.readers[client];
        let after = reader.knows.cursor.filter(|_| resume);
        reader.follow(&set, after.is_some());
        let way = (self.way)(client, polls);
        let (tap, offered) = Tap::on(way.sink(), way.encoding());
        let subscription = Subscription {
            encoding: way.encoding(),
            set: set.clone(),
            terms,
            start: after.map_or(Start::Fresh, Start::After),
            // A poll takes a few ticks.
            limit: Limit {
                bytes: 2_000,
                ticks: if polls { 7 } else { u64::MAX },
            },
        };
        let known = after.map(|cursor| self.f.tape.count_at(cursor, &set));
        let id = self.f.hub.subscribe(tap, subscription);
        let mut session = Session::begin(way, id, offered, set, after);
        session.exact = known.is_none_or(|count| count.is_some());
        session.may_skip = terms.mode == Mode::Conflate;
        reader.session = Some(session);
    }

    fn admit(&self, client: usize, room: Room) {
        if let Some(session) = &self.readers[client].session {
            session.way.admit(room);
            self.advance(client);
        }
    }

    fn read(&mut self, client: usize) {
        self.readers[client].read(&self.history, Room::ENDLESS);
    }

    fn change(&mut self, client: usize, mask: u8) {
        let set = self.set(mask);
        if let Some(session) = &mut self.readers[client].session {
            session.change(&set, &self.history);
            self.f.hub.set_symbols(session.id, set, None);
        }
    }

    /// Ends a poll, answered or not, and holds its ledger against the model: it ends where its answer does.
    fn end_poll(&mut self, client: usize) {
        self.read(client);
        let Some(session) = self.readers[client].session.take() else {
            return;
        };
        assert_eq!(self.f.hub.unsubscribe(session.id), 0);
        let offered = session.offered.borrow();
        let answer = offered.first().filter(|answer| answer["type"] == "ticks");
        if let (Some(_), Some(cursor), true) =
            (answer, self.readers[client].knows.cursor, session.exact)
        {
            let due = session.due(&self.history, cursor.seq);
            assert_eq!(session.way.settled(), due, "the ledger of a poll");
        }
    }

    /// Ends the session when the client has read so much more, and holds its ledger against the model.
    fn cut(&mut self, client: usize, most: Room) {
        self.readers[client].read(&self.history, most);
        let Some(session) = self.readers[client].session.take() else {
            return;
        };
        let owed = self.f.hub.unsubscribe(session.id);
        if session.exact {
            let accounted = session.way.settled() + session.way.unsent() + owed;
            let due = session.due(&self.history, self.history.head);
            assert_eq!(accounted, due, "the ledger");
        }
    }

    /// All read whatever comes, and each of them gets to the head, or to the end of a frame if it was closed.
    async fn finish(&mut self) {
        for client in 0..CLIENTS {
            self.admit(client, Room::ENDLESS);
        }
        let deadline = std::time::Instant::now() + PROMPT;
        while !(0..CLIENTS).all(|client| self.is_at_the_head(client)) {
            assert!(
                std::time::Instant::now() < deadline,
                "a client is forgotten"
            );
            self.apply(Op::Pass(100)).await;
        }
        for client in 0..CLIENTS {
            self.cut(client, Room::ENDLESS);
        }
    }

    fn is_at_the_head(&self, client: usize) -> bool {
        let Some(session) = &self.readers[client].session else {
            return true;
        };
        let has_read_all = session.read == session.offered.borrow().len();
        let stands_there = self.f.hub.cursor(session.id) == Some(self.f.tape.head());
        let is_whole = session.way.is_between_frames();
        is_whole && (session.way.is_closed() || (has_read_all && stands_there))
    }
}
