//! Liveness: clients who are not heard of are pinged, and closed when they do not answer.
//!
//! One task of a worker looks after all of its WebSocket clients, so that none needs a timer of its own.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use slab::Slab;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::transport::Outbox;
use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;
use crate::wire::websocket as framing;

/// Pings that a client may leave unanswered; where the next one would be due, it is closed.
const MOST_UNANSWERED: u8 = 2;

/// How often all clients are looked at in the shortest time that matters.
const LOOKS: u32 = 8;

/// When silence means something.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// After this long a client is pinged.
    pub ping: Duration,
    /// After this long a client that asks for nothing is closed.
    pub idle: Duration,
}

/// One client's signs of life.
#[derive(Debug)]
pub(super) struct Pulse {
    outbox: Rc<Outbox>,
    /// When it was heard of or pinged.
    last: Cell<Instant>,
    /// Pings since it was heard of.
    unanswered: Cell<u8>,
    /// Since when it asks for nothing.
    idle: Cell<Option<Instant>>,
}

/// The clients of one worker.
#[derive(Debug)]
pub struct Pulses {
    all: RefCell<Slab<Weak<Pulse>>>,
    silence: Silence,
}

/// Keeps a client among those who are looked after.
#[derive(Debug)]
pub(in crate::transport) struct Watched {
    pulses: Rc<Pulses>,
    key: usize,
    pub(super) pulse: Rc<Pulse>,
}

impl Pulse {
    /// Bytes of the client's came.
    pub(super) fn heard(&self, now: Instant) {
        self.last.set(now);
        self.unanswered.set(0);
    }

    /// Whether the client asks for something.
    pub(super) fn asks(&self, asks: bool, now: Instant) {
        let since = self.idle.get().unwrap_or(now);
        self.idle.set((!asks).then_some(since));
    }

    /// What silence calls for.
    fn beat(&self, silence: Silence, ping: &Rc<Frame>, now: Instant) {
        let idle = self.idle.get();
        if idle.is_some_and(|since| now - since >= silence.idle) {
            self.outbox.close(CloseReason::IdleTimeout);
        }
        if self.outbox.closed().is_some() || now - self.last.get() < silence.ping {
            return;
        }
        if self.unanswered.get() == MOST_UNANSWERED {
            self.outbox.close(CloseReason::IdleTimeout);
            return;
        }
        self.unanswered.set(self.unanswered.get() + 1);
        self.last.set(now);
        self.outbox.push(ping);
    }
}

impl Pulses {
    /// Looks after clients on this thread's `LocalSet` until `stop` is cancelled; then it closes them.
    pub fn start(silence: Silence, stop: CancellationToken) -> Rc<Self> {
        let pulses = Rc::new(Self {
            all: RefCell::default(),
            silence,
        });
        tokio::task::spawn_local(Rc::clone(&pulses).run(stop));
        pulses
    }

    /// Looks after the client behind `outbox`, too.
    pub(super) fn watch(self: &Rc<Self>, outbox: &Rc<Outbox>) -> Watched {
        let pulse = Rc::new(Pulse {
            outbox: Rc::clone(outbox),
            last: Cell::new(Instant::now()),
            unanswered: Cell::new(0),
            idle: Cell::new(None),
        });
        Watched {
            key: self.all.borrow_mut().insert(Rc::downgrade(&pulse)),
            pulses: Rc::clone(self),
            pulse,
        }
    }

    async fn run(self: Rc<Self>, stop: CancellationToken) {
        let ping = Rc::new(framing::ping());
        let mut look = interval(self.silence.ping.min(self.silence.idle) / LOOKS);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while let Some(now) = stop.run_until_cancelled(look.tick()).await {
            self.each(|pulse| pulse.beat(self.silence, &ping, now));
        }
        self.each(|pulse| pulse.outbox.close(CloseReason::GoingAway));
    }

    fn each(&self, visit: impl Fn(&Pulse)) {
        let all = self.all.borrow();
        all.iter()
            .filter_map(|(_, pulse)| pulse.upgrade())
            .for_each(|pulse| visit(&pulse));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.pulses.all.borrow_mut().remove(self.key);
    }
}
