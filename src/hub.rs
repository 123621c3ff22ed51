//! A worker's clients: one hub in each worker thread brings the tape to all of them.
//!
//! The hub has the worker's only receiver of the tape. It gathers what is ready, encodes it once for each group
//! of subscribers that want the same, and offers the shared bytes to each one's [`Sink`]. A subscriber whose
//! sink is full keeps nothing but its cursor; when the sink drains it goes on from the tape's journal. Joining,
//! resuming, falling behind and a worker's own lag are all that same catching up.
//!
//! State is plain `Rc` and `RefCell`: no locks, no wakes across threads, no borrow held over an `await`.

mod group;
mod sink;
mod subscriber;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use slab::Slab;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::market::{Cursor, SymbolSet};
use crate::tape::{Limit, Tape};
use crate::wire::batch::Batch;
use crate::wire::close::CloseReason;
use crate::wire::frame::{Encoding, Frame, Kind};
use crate::wire::json;

pub use sink::Sink;
pub use subscriber::Start;

use group::{Groups, Key};
use subscriber::{Flushed, Subscriber};

/// Batches that leave together at most.
const BATCHES_PER_FLUSH: usize = 256;

/// Subscribers served between two yields, so that new connections and polls stay prompt.
const SUBSCRIBERS_PER_TURN: usize = 256;

/// What a hub is told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Silence after which a stream gets a heartbeat.
    pub heartbeat: Duration,
    /// The least time between two flushes; zero flushes as soon as something is there.
    pub flush_interval: Duration,
}

/// What a subscriber wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How its transport carries messages.
    pub encoding: Encoding,
    /// Its symbols.
    pub set: SymbolSet,
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
    closed: Cell<bool>,
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
            tape,
            options,
            state: RefCell::new(State {
                subscribers: Slab::new(),
                groups: Groups::default(),
                facts: Facts::default(),
            }),
            closed: Cell::new(false),
        });
        tokio::task::spawn_local(Rc::clone(&hub).run(batches, stop));
        hub
    }

    async fn run(self: Rc<Self>, batches: BroadcastStream<Arc<Batch>>, stop: CancellationToken) {
        let mut batches = batches.ready_chunks(BATCHES_PER_FLUSH);
        let mut heartbeat = interval(self.options.heartbeat / 4);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = heartbeat.tick() => self.send_heartbeats(),
                Some(received) = batches.next() => {
                    self.take(received).await;
                    if !self.options.flush_interval.is_zero() {
                        sleep(self.options.flush_interval).await;
                    }
                }
            }
        }
        self.close();
    }

    async fn take(&self, received: Vec<Result<Arc<Batch>, BroadcastStreamRecvError>>) {
        let mut batches = Vec::with_capacity(received.len());
        let mut lagged = 0;
        for each in received {
            match each {
                Ok(batch) => batches.push(batch),
                Err(BroadcastStreamRecvError::Lagged(missed)) => lagged += missed,
            }
        }
        if lagged > 0 {
            self.state.borrow_mut().facts.lagged += lagged;
            self.each_in_turns(|state, id| state.catch_up(id, &self.tape))
                .await;
        } else {
            self.flush(&batches).await;
        }
    }

    /// Brings batches without a hole between them to all who are live.
    async fn flush(&self, batches: &[Arc<Batch>]) {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return;
        };
        let first = first.cursor.at(first.cursor.seq - 1);
        {
            let State { groups, facts, .. } = &mut *self.state.borrow_mut();
            groups.prepare(batches, last.cursor, &mut facts.encodes);
        }
        self.each_in_turns(|state, id| {
            let now = Instant::now();
            let flushed = (state.subscribers.get_mut(id))
                .map(|subscriber| subscriber.flush(first, last.cursor, now));
            if flushed == Some(Flushed::Apart) {
                state.catch_up(id, &self.tape);
            }
        })
        .await;
    }

    /// Visits every live subscriber, and yields after each turn. Who comes meanwhile is at the head already.
    async fn each_in_turns(&self, mut visit: impl FnMut(&mut State<S>, usize)) {
        let mut next = 0;
        loop {
            {
                let state = &mut *self.state.borrow_mut();
                let end = state
                    .subscribers
                    .capacity()
                    .min(next + SUBSCRIBERS_PER_TURN);
                for id in next..end {
                    if state.subscribers.get(id).is_some_and(|s| s.live) {
                        visit(state, id);
                    }
                }
                next = end;
                if next == state.subscribers.capacity() {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    }

    fn send_heartbeats(&self) {
        let now = Instant::now();
        let ts = clock::now();
        for (_, subscriber) in &mut self.state.borrow_mut().subscribers {
            let encoding = subscriber.group.key.encoding;
            let due = now.duration_since(subscriber.sent) >= self.options.heartbeat
                && subscriber.live
                && subscriber.sink.has_room();
            if let (true, Start::After(cursor)) = (due, subscriber.at)
                && encoding != Encoding::Json
            {
                let json = json::heartbeat(cursor, ts);
                let frame = Frame::message(encoding, Kind::Heartbeat, Some(cursor), &json);
                subscriber.send(&Rc::new(frame), now);
            }
        }
    }

    fn close(&self) {
        self.closed.set(true);
        for (_, subscriber) in &self.state.borrow().subscribers {
            subscriber.sink.close(CloseReason::GoingAway);
        }
    }

    /// Adds a subscriber and offers it what is there for it now. After the hub's end it is closed at once.
    pub fn subscribe(&self, sink: S, wish: Wish) -> SubscriberId {
        let state = &mut *self.state.borrow_mut();
        let Wish {
            encoding,
            set,
            start,
            limit,
        } = wish;
        if self.closed.get() {
            sink.close(CloseReason::GoingAway);
        }
        let seen = match start {
            Start::After(cursor) => self.tape.count_at(cursor, &set),
            Start::Fresh | Start::Lost => None,
        };
        let id = state.subscribers.insert(Subscriber {
            sink,
            group: state.groups.join(Key { encoding, set }),
            limit,
            joined: self.tape.head().seq,
            at: start,
            seen,
            live: false,
            sent: Instant::now(),
        });
        state.catch_up(id, &self.tape);
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
        if !state.subscribers[id.0].live {
            state.catch_up(id.0, &self.tape);
        }
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

impl<S: Sink> State<S> {
    fn catch_up(&mut self, id: usize, tape: &Tape) {
        self.subscribers[id].catch_up(tape, Instant::now(), &mut self.facts);
    }
}
