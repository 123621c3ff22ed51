//! A worker's clients: one hub in each worker thread brings the tape to all of them.
//!
//! The hub has the worker's only receiver of the tape. It gathers what is ready, encodes it once for each group
//! of subscribers that want the same, and offers the shared bytes to each one's [`Sink`]. A subscriber whose
//! sink is full keeps nothing but its cursor; when the sink drains it goes on from the tape's journal. Joining,
//! resuming, falling behind and a worker's own lag are all that same catching up.
//!
//! State is plain `Rc` and `RefCell`: no locks, no wakes across threads, no borrow held over an `await`.

mod group;
#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod property;
mod replays;
mod run;
mod sink;
mod subscriber;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use slab::Slab;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use crate::market::{Cursor, SymbolSet};
use crate::tape::{Limit, Tape};
use crate::wire::close::CloseReason;
use crate::wire::frame::Encoding;
use crate::wire::terms::Terms;

pub use sink::Sink;
pub use subscriber::Start;

use group::{Groups, Key, Pace};
use subscriber::Subscriber;

/// What a hub is told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Silence after which a stream gets a heartbeat.
    pub heartbeat: Duration,
    /// The least time between two flushes; zero flushes as soon as something is there.
    pub flush_interval: Duration,
    /// When a subscriber who gets every tick is too slow for that.
    pub patience: Patience,
}

/// How far a subscriber may fall behind before its policy applies.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Batches behind the head.
    pub max_behind: u64,
    /// How long its sink may be full.
    pub slow_after: Duration,
}

/// What a subscriber wants.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// How its transport carries messages.
    pub encoding: Encoding,
    /// Its symbols.
    pub set: SymbolSet,
    /// Which ticks of theirs it wants, and what happens if it cannot keep up.
    pub terms: Terms,
    /// Where it begins.
    pub start: Start,
    /// What it is given at once when it is behind.
    pub limit: Limit,
}

/// What happened since it was last asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Encodings made, by [`Encoding`]: they grow with batches, groups and joins, not with clients.
    pub encodes: [u64; 4],
    /// Gaps told to subscribers.
    pub gaps: u64,
    /// Batches that this worker was too late for and fetched from the journal.
    pub lagged: u64,
}

/// Names a subscriber of one hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriberId(usize);

/// The clients of one worker thread.
#[derive(Debug)]
pub struct Hub<S> {
    tape: Arc<Tape>,
    options: Options,
    state: RefCell<State<S>>,
    /// The last batch that was brought to the clients.
    at: Cell<Cursor>,
    /// Told when a group has someone to wait for.
    waiting: Notify,
    closed: Cell<bool>,
    /// Which turn is the first in the next flush.
    turn: Cell<usize>,
}

#[derive(Debug)]
struct State<S> {
    subscribers: Slab<Subscriber<S>>,
    groups: Groups,
    facts: Facts,
}

impl<S: Sink + 'static> Hub<S> {
    /// Starts a hub on this thread's `LocalSet`. It closes its subscribers and ends when `stop` is cancelled.
    pub fn start(tape: Arc<Tape>, options: Options, stop: CancellationToken) -> Rc<Self> {
        // Before anyone can subscribe: what is published later is then in the journal or in the channel.
        let batches = BroadcastStream::new(tape.receiver());
        let hub = Rc::new(Self {
            at: Cell::new(tape.head()),
            tape,
            options,
            state: RefCell::new(State {
                subscribers: Slab::new(),
                groups: Groups::default(),
                facts: Facts::default(),
            }),
            waiting: Notify::new(),
            closed: Cell::new(false),
            turn: Cell::new(0),
        });
        tokio::task::spawn_local(Rc::clone(&hub).run(batches, stop));
        hub
    }

    fn catch_up(&self, state: &mut State<S>, id: usize) {
        let State {
            subscribers,
            groups,
            facts,
        } = state;
        subscribers[id].catch_up(&self.tape, self.options.patience, groups, facts);
    }

    /// Adds a subscriber and offers it what is there for it now. After the hub's end it is closed at once.
    pub fn subscribe(&self, sink: S, subscription: Subscription) -> SubscriberId {
        let state = &mut *self.state.borrow_mut();
        let Subscription {
            encoding,
            set,
            terms,
            start,
            limit,
        } = subscription;
        if self.closed.get() {
            sink.close(CloseReason::GoingAway);
        }
        let seen = seen_at(&self.tape, start, &set);
        let now = Instant::now();
        let key = Key {
            encoding,
            set,
            pace: Pace::of(terms),
        };
        let id = state.subscribers.insert(Subscriber {
            sink,
            group: state.groups.join(key, &self.tape, now),
            terms,
            added: None,
            forgone: 0,
            limit,
            joined: self.tape.head().seq,
            at: start,
            seen,
            vague: false,
            live: false,
            blocked: None,
            sent: now,
        });
        self.catch_up(state, id);
        SubscriberId(id)
    }

    /// Forgets a subscriber, whose id may be given to another one, and returns how many ticks that were due to it
    /// its sink was never given.
    pub fn unsubscribe(&self, id: SubscriberId) -> u64 {
        let state = &mut *self.state.borrow_mut();
        let subscriber = state.subscribers.remove(id.0);
        let owed = subscriber.owed(&self.tape);
        state.groups.leave(subscriber.group);
        owed
    }

    /// The sink has room again.
    pub fn drained(&self, id: SubscriberId) {
        let state = &mut *self.state.borrow_mut();
        let subscriber = &mut state.subscribers[id.0];
        if subscriber.live {
            return;
        }
        if subscriber.blocked.is_some() && subscriber.is_rated() {
            // Another frame now could be one too many: it takes part in its group's next one.
            subscriber.live = true;
            subscriber.blocked = None;
            subscriber.group.wait_for_next();
            self.waiting.notify_one();
        } else {
            self.catch_up(state, id.0);
        }
    }

    /// The symbols and the terms that a subscriber has, or will have once it is at the head.
    pub fn subscription(&self, id: SubscriberId) -> (SymbolSet, Terms) {
        let subscriber = &self.state.borrow().subscribers[id.0];
        let set = &subscriber.group.key.set;
        let set = subscriber
            .added
            .as_ref()
            .map_or_else(|| set.clone(), |added| set.with(added));
        (set, subscriber.terms)
    }

    /// Serves a subscriber on other terms from now on.
    pub fn set_terms(&self, id: SubscriberId, terms: Terms) {
        let state = &mut *self.state.borrow_mut();
        let subscriber = &mut state.subscribers[id.0];
        if subscriber.terms != terms {
            subscriber.terms = terms;
            let set = subscriber.group.key.set.clone();
            subscriber.move_to(set, &mut state.groups, &self.tape, Instant::now());
            // Its new group may stand further on than the one that it has left.
            if subscriber.is_rated() {
                subscriber.group.wait_for_next();
                self.waiting.notify_one();
            } else {
                self.catch_up(state, id.0);
            }
        }
    }

    /// Serves a subscriber with another set from now on. New symbols begin with a snapshot of theirs; `start`
    /// begins anew with the whole set somewhere else.
    pub fn set_symbols(&self, id: SubscriberId, set: SymbolSet, start: Option<Start>) {
        let state = &mut *self.state.borrow_mut();
        let subscriber = &mut state.subscribers[id.0];
        let now = Instant::now();
        if let Some(start) = start {
            subscriber.at = start;
            subscriber.seen = seen_at(&self.tape, start, &set);
            subscriber.joined = self.tape.head().seq;
            subscriber.move_to(set, &mut state.groups, &self.tape, now);
        } else {
            subscriber.want(&set, &mut state.groups, &self.tape, now);
        }
        self.catch_up(state, id.0);
    }

    /// Everything due to the subscriber up to here has been taken by its sink; `None` before its first frame.
    pub fn cursor(&self, id: SubscriberId) -> Option<Cursor> {
        self.state.borrow().subscribers[id.0].cursor()
    }

    /// The tape that the hub brings.
    pub fn tape(&self) -> &Arc<Tape> {
        &self.tape
    }

    /// What happened since the last call.
    pub fn take_facts(&self) -> Facts {
        std::mem::take(&mut self.state.borrow_mut().facts)
    }
}

/// How many ticks a set of symbols had had where a subscription begins, as far as that is known.
fn seen_at(tape: &Tape, start: Start, set: &SymbolSet) -> Option<u64> {
    match start {
        Start::After(cursor) => tape.count_at(cursor, set),
        Start::Fresh | Start::Lost => None,
    }
}
