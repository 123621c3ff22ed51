//! What a WebSocket client says, and what follows from it, wherever its bytes come from.

use std::rc::Rc;

use tokio::time::Instant;

use crate::transport::Outbox;
use crate::transport::inbound::{Event, Inbound};
use crate::wire::close::CloseReason;
use crate::wire::websocket as framing;

use super::pulse::Pulse;

/// What a connection serves. Pings are answered and closes followed without it.
pub(in crate::transport) trait Listener {
    /// Whether the client may say something now.
    fn admits(&mut self, _now: Instant) -> bool {
        true
    }

    /// Follows what the client says, or says why it is not listened to any more.
    fn hear(&mut self, event: Event) -> Result<(), CloseReason>;
}

/// How hearing ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The client is gone.
    Gone,
    /// The client closed with this code, which it is sent back.
    Said(Option<u16>),
    /// We close; `clear` says whether the client can still be made out.
    Ours { reason: CloseReason, clear: bool },
}

impl End {
    /// Closes the way out accordingly.
    pub(super) fn close(self, outbox: &Outbox) {
        match self {
            Self::Gone => outbox.finish(CloseReason::Client, None),
            Self::Said(code) => outbox.finish(CloseReason::Client, Some(framing::close(code, ""))),
            Self::Ours { reason, .. } => outbox.close(reason),
        }
    }
}

/// The side of a connection that listens.
pub(super) struct Talk<L> {
    inbound: Inbound,
    listener: L,
    pulse: Rc<Pulse>,
}

impl<L: Listener> Talk<L> {
    /// Refuses messages of more than `limit` bytes.
    pub(super) fn new(limit: usize, listener: L, pulse: Rc<Pulse>) -> Self {
        Self {
            inbound: Inbound::new(limit),
            listener,
            pulse,
        }
    }

    /// Bytes of the client's came.
    pub(super) fn came(&self) {
        self.pulse.heard(Instant::now());
    }

    /// Follows what the client says, from the front of `input`, as long as there is room for replies: a client that asks
    /// without reading the answers is not heard either. Says when the talk is over.
    pub(super) fn hear(&mut self, input: &mut &[u8], outbox: &Outbox) -> Result<(), End> {
        while outbox.has_room_for_replies() {
            let ours = |clear| move |reason| End::Ours { reason, clear };
            let event = match self.inbound.next(input) {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Close(code))) => return Err(End::Said(code)),
                Ok(Some(event)) => event,
                Err(reason) => return Err(ours(false)(reason)),
            };
            // The hub may have closed it meanwhile, and forgotten the subscriber.
            if let Some(reason) = outbox.closed() {
                return Err(ours(true)(reason));
            }
            if !self.listener.admits(Instant::now()) {
                return Err(ours(true)(CloseReason::RateLimited));
            }
            if let Event::Ping(body) = &event {
                outbox.push(&Rc::new(framing::pong(body)));
            }
            self.listener.hear(event).map_err(ours(true))?;
        }
        Ok(())
    }

    /// Listens for nothing but the client's close; whether it came. Fails when it cannot be made out any more.
    pub(super) fn closes(&mut self, input: &mut &[u8]) -> Result<bool, CloseReason> {
        while let Some(event) = self.inbound.next(input)? {
            if let Event::Close(_) = event {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
