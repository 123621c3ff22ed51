//! A session: a subscriber of the hub with a client at the other end, counted as long as it lives.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::hub::{SubscriberId, Subscription};
use crate::market::Cursor;
use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;

use super::body::Source;
use super::{Outbox, Worker};

/// Leaves the hub and the gauges when it is dropped.
#[derive(Debug)]
pub struct Session {
    worker: Rc<Worker>,
    outbox: Rc<Outbox>,
    id: SubscriberId,
}

impl Session {
    /// Subscribes what comes out of `outbox`, which has an account of it.
    pub fn open(worker: &Rc<Worker>, outbox: &Rc<Outbox>, subscription: Subscription) -> Self {
        Self {
            id: worker.hub.subscribe(Rc::clone(outbox), subscription),
            worker: Rc::clone(worker),
            outbox: Rc::clone(outbox),
        }
    }

    /// Everything due up to here has been handed over; `None` before the first frame.
    pub fn cursor(&self) -> Option<Cursor> {
        self.worker.hub.cursor(self.id)
    }

    /// The same, or the tape's head.
    pub fn cursor_or_head(&self) -> Cursor {
        self.cursor()
            .unwrap_or_else(|| self.worker.hub.tape().head())
    }

    /// The client's connection has accepted a frame, and nothing is around it.
    pub fn delivered(&self, frame: &Rc<Frame>) {
        Source::delivered(self, frame, 0);
    }

    /// Its name in the hub, as long as it lives.
    pub fn id(&self) -> SubscriberId {
        self.id
    }

    /// The session's way out.
    pub fn outbox(&self) -> &Rc<Outbox> {
        &self.outbox
    }

    /// Its client has read everything: what the hub still has for it is fetched.
    pub fn drained(&self) {
        self.worker.hub.drained(self.id);
    }
}

impl Source for Session {
    fn poll_frame(&self, cx: &Context<'_>) -> Poll<Option<Rc<Frame>>> {
        let frame = ready!(self.outbox.poll_frame(cx));
        if self.outbox.queued() == 0 && frame.is_some() {
            self.drained();
        }
        Poll::Ready(frame)
    }

    fn delivered(&self, frame: &Rc<Frame>, around: usize) {
        if let Some(account) = self.outbox.account() {
            account.delivered(frame, around);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let owed = self.worker.hub.unsubscribe(self.id);
        let unsent = owed + self.outbox.unsent();
        // Whoever else holds the outbox learns that nobody reads it any more.
        self.outbox.close(CloseReason::Client);
        let reason = self.outbox.closed().unwrap_or(CloseReason::Client);
        if let Some(account) = self.outbox.account() {
            account.close(reason, unsent);
        }
    }
}
