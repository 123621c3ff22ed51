//! A session: a subscriber of the hub with a client at the other end, counted as long as it lives.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tracing::debug;

use crate::clock;
use crate::hub::{Sink, SubscriberId, Subscription};
use crate::market::Cursor;
use crate::metrics::Transport;
use crate::wire::close::CloseReason;
use crate::wire::frame::{Frame, Ledger};

use super::body::Source;
use super::{Outbox, Worker};

/// Ticks older than this are replayed to a client that comes back, not late for one that polls without a pause.
const AWAY: Duration = Duration::from_secs(5);

/// Leaves the hub and the gauges when it is dropped.
#[derive(Debug)]
pub struct Session {
    worker: Rc<Worker>,
    transport: Transport,
    outbox: Rc<Outbox>,
    id: SubscriberId,
    /// What has become of its ticks so far.
    settled: Cell<Ledger>,
}

impl Session {
    /// Subscribes what comes out of `outbox`.
    pub fn open(
        worker: &Rc<Worker>,
        transport: Transport,
        outbox: Rc<Outbox>,
        subscription: Subscription,
    ) -> Self {
        worker.metrics.opened(transport);
        Self {
            id: worker.hub.subscribe(Rc::clone(&outbox), subscription),
            worker: Rc::clone(worker),
            transport,
            outbox,
            settled: Cell::default(),
        }
    }

    /// Everything due up to here has been handed over; `None` before the first frame.
    pub fn cursor(&self) -> Option<Cursor> {
        self.worker.hub.cursor(self.id)
    }

    /// Its name in the hub, as long as it lives.
    pub fn id(&self) -> SubscriberId {
        self.id
    }

    /// The session's way out.
    pub fn outbox(&self) -> &Rc<Outbox> {
        &self.outbox
    }
}

impl Source for Session {
    /// What the hub still has for the client is fetched when it has read everything else.
    fn poll_frame(&self, cx: &Context<'_>) -> Poll<Option<Rc<Frame>>> {
        let frame = ready!(self.outbox.poll_frame(cx));
        if self.outbox.queued() == 0 && frame.is_some() {
            self.worker.hub.drained(self.id);
        }
        Poll::Ready(frame)
    }

    fn delivered(&self, frame: &Frame, around: usize) {
        let (metrics, transport) = (&self.worker.metrics, self.transport);
        let framing = frame.bytes.len() - frame.payload + around;
        metrics.sent(transport, frame.payload, framing);
        let Ledger {
            delivered,
            conflated,
            gapped,
        } = frame.ledger;
        metrics.settled(transport, delivered, conflated, gapped);
        self.settled.set(self.settled.get().plus(frame.ledger));
        if frame.live.is_empty() {
            return;
        }
        let now = clock::now();
        // Ticks that waited for a client's next poll are part of what polling costs, but not those of a client
        // that was away: a poll says nothing of when the one before it ended, so silence draws the line.
        let away = match transport {
            Transport::LongPoll => AWAY,
            _ => Duration::MAX,
        };
        for stamp in &frame.live {
            let age = Duration::from_micros(now.saturating_sub(stamp.ts));
            if age <= away {
                metrics.aged(transport, age.as_secs_f64(), stamp.ticks);
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let owed = self.worker.hub.unsubscribe(self.id);
        let unsent = owed + self.outbox.unsent();
        self.worker.metrics.unsent(self.transport, unsent);
        // Whoever else holds the outbox learns that nobody reads it any more.
        self.outbox.close(CloseReason::Client);
        let reason = self.outbox.closed().unwrap_or(CloseReason::Client);
        self.worker.metrics.closed(self.transport, reason.slug());
        let settled = self.settled.get();
        debug!(
            transport = self.transport.label(),
            reason = reason.slug(),
            due = settled.due() + unsent,
            delivered = settled.delivered,
            conflated = settled.conflated,
            gapped = settled.gapped,
            unsent,
            "session ended"
        );
    }
}
