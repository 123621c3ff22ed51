//! The reading side of a WebSocket connection.

use std::rc::Rc;
use std::time::Duration;

use actix_web::web;
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout};

use crate::transport::inbound::{Event, Inbound};
use crate::wire::close::CloseReason;

use super::pulse::Pulse;

/// How long a client has to answer a close before its connection is ended. What it still sends is thrown away: ending
/// a connection with unread bytes resets it, and the close could be lost on the way.
const LINGER: Duration = Duration::from_secs(1);

/// Silence after which a client that cannot be made out is taken to have read the close.
const QUIET: Duration = Duration::from_millis(200);

/// The client, as far as it can be heard.
pub(super) struct Peer {
    payload: web::Payload,
    inbound: Inbound,
    /// Bytes that have not been looked at.
    bytes: Bytes,
    pulse: Rc<Pulse>,
}

/// How hearing ends.
pub(super) enum End {
    /// The client is gone.
    Gone,
    /// The client closed with this code, which it is sent back.
    Said(Option<u16>),
    /// We close.
    Ours(CloseReason),
}

impl Peer {
    pub(super) fn new(payload: web::Payload, limit: usize, pulse: Rc<Pulse>) -> Self {
        Self {
            payload,
            inbound: Inbound::new(limit),
            bytes: Bytes::new(),
            pulse,
        }
    }

    /// What the client says next. After an error nothing it says can be made out.
    pub(super) async fn next(&mut self) -> Result<Event, End> {
        loop {
            let mut rest = &self.bytes[..];
            let event = self.inbound.next(&mut rest).map_err(End::Ours)?;
            let taken = self.bytes.len() - rest.len();
            self.bytes.advance(taken);
            if let Some(event) = event {
                return Ok(event);
            }
            self.bytes = self.read().await.ok_or(End::Gone)?;
            self.pulse.heard(Instant::now());
        }
    }

    async fn read(&mut self) -> Option<Bytes> {
        self.payload.next().await?.ok()
    }

    /// Waits until the client has closed, too, or has had the time for it. `clear` says whether it can still be made
    /// out.
    pub(super) async fn linger(mut self, clear: bool) {
        let closed = async {
            if clear && self.closes().await {
                return;
            }
            while let Ok(Some(_)) = timeout(QUIET, self.read()).await {}
        };
        // Whoever does not answer in time is not waited for.
        let _ = timeout(LINGER, closed).await;
    }

    /// Whether it closes or goes before it cannot be made out any more.
    async fn closes(&mut self) -> bool {
        loop {
            match self.next().await {
                Ok(Event::Close(_)) | Err(End::Gone) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }
}
