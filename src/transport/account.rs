//! What becomes of a session's ticks and bytes, counted where its connection accepts them.

use std::cell::Cell;
use std::rc::Rc;

use tracing::debug;

use crate::clock;
use crate::metrics::{Sink, Transport};
use crate::wire::close::CloseReason;
use crate::wire::frame::{Frame, Ledger};

use super::Tally;

/// Ticks older than this, in microseconds, are replayed to a client that comes back, not late for one that polls without a pause.
const AWAY: u64 = 5_000_000;

/// One session's, open from its start to [`Account::close`].
#[derive(Debug)]
pub struct Account {
    tally: Rc<Tally>,
    transport: Transport,
    sink: Sink,
    /// What has become of its ticks so far.
    settled: Cell<Ledger>,
}

impl Account {
    /// A session begins.
    pub fn open(tally: &Rc<Tally>, transport: Transport, sink: Sink) -> Self {
        tally.opened(transport, sink);
        Self {
            tally: Rc::clone(tally),
            transport,
            sink,
            settled: Cell::default(),
        }
    }

    /// The client's connection has accepted a frame, with so many bytes around it.
    pub fn delivered(&self, frame: &Rc<Frame>, around: usize) {
        let transport = self.transport;
        self.tally.delivered(transport, frame, around);
        self.settled.set(self.settled().plus(frame.ledger));
        if frame.live.is_empty() {
            return;
        }
        let now = clock::now();
        // Ticks that waited for a client's next poll are part of what polling costs, but not those of a client
        // that was away: a poll says nothing of when the one before it ended, so silence draws the line.
        let away = match transport {
            Transport::LongPoll => AWAY,
            _ => u64::MAX,
        };
        for stamp in &frame.live {
            let age = now.saturating_sub(stamp.ts);
            if age <= away {
                self.tally.aged(transport, self.sink, age, stamp.ticks);
            }
        }
    }

    /// What has become of its ticks so far.
    pub(super) fn settled(&self) -> Ledger {
        self.settled.get()
    }

    /// The session ends with so many ticks that were due and not accepted.
    pub fn close(&self, reason: CloseReason, unsent: u64) {
        let reason = reason.slug();
        (self.tally).closed(self.transport, self.sink, reason, unsent);
        let settled = self.settled();
        debug!(
            transport = self.transport.label(),
            sink = self.sink.label(),
            reason,
            due = settled.due() + unsent,
            delivered = settled.delivered,
            conflated = settled.conflated,
            gapped = settled.gapped,
            unsent,
            "session ended"
        );
    }
}
