//! The client of a WebSocket whose bytes come through actix.

use std::future::poll_fn;
use std::time::Duration;

use actix_web::web;
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::transport::Outbox;

use super::talk::{End, Listener, Talk};

/// How long a client has to answer a close before its connection is ended. What it still sends is thrown away: ending
/// a connection with unread bytes resets it, and the close could be lost on the way.
const LINGER: Duration = Duration::from_secs(1);

/// Silence after which a client that cannot be made out is taken to have read the close.
const QUIET: Duration = Duration::from_millis(200);

/// The client, as far as it can be heard.
pub(super) struct Peer<L> {
    payload: web::Payload,
    talk: Talk<L>,
    /// Bytes that have not been looked at.
    bytes: Bytes,
}

impl<L: Listener> Peer<L> {
    pub(super) fn new(payload: web::Payload, talk: Talk<L>) -> Self {
        Self {
            payload,
            talk,
            bytes: Bytes::new(),
        }
    }

    /// Listens until one side closes, and closes the other one.
    pub(super) async fn attend(mut self, outbox: &Outbox) {
        let end = tokio::select! {
            end = self.listen(outbox) => end,
            reason = poll_fn(|cx| outbox.poll_closed(cx)) => End::Ours { reason, clear: true },
        };
        end.close(outbox);
        if let End::Ours { clear, .. } = end {
            self.linger(clear).await;
        }
    }

    async fn listen(&mut self, outbox: &Outbox) -> End {
        loop {
            poll_fn(|cx| outbox.poll_room(cx)).await;
            let mut rest = &self.bytes[..];
            let heard = self.talk.hear(&mut rest, outbox);
            let taken = self.bytes.len() - rest.len();
            self.bytes.advance(taken);
            if let Err(end) = heard {
                return end;
            }
            if !outbox.has_room_for_replies() {
                continue;
            }
            match self.read().await {
                Some(bytes) => self.bytes = bytes,
                None => return End::Gone,
            }
            self.talk.came();
        }
    }

    async fn read(&mut self) -> Option<Bytes> {
        self.payload.next().await?.ok()
    }

    /// Waits until the client has closed, too, or has had the time for it. `clear` says whether it can still be made
    /// out.
    async fn linger(mut self, clear: bool) {
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
            match self.talk.closes(&mut &self.bytes[..]) {
                Ok(true) => return true,
                Ok(false) => {}
                Err(_) => return false,
            }
            match self.read().await {
                Some(bytes) => self.bytes = bytes,
                None => return true,
            }
        }
    }
}
