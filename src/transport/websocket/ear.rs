//! Who listens to the client of a WebSocket whose socket is ours.

use crate::transport::Outbox;

use super::control::Control;
use super::pulse::Watched;
use super::talk::Talk;

/// Follows what comes, and keeps what there is no room to answer now.
pub(in crate::transport) struct Ear {
    talk: Talk<Control>,
    /// Bytes that have not been looked at: never more than are read at once.
    rest: Vec<u8>,
    _watched: Watched,
}

impl Ear {
    pub(super) fn new(talk: Talk<Control>, watched: Watched) -> Self {
        Self {
            talk,
            rest: Vec::new(),
            _watched: watched,
        }
    }

    /// Keeps what came before there was anyone to hear it.
    pub(in crate::transport) fn note(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// Goes on with what was kept; whether nothing is left of it.
    pub(in crate::transport) fn has_heard_all(&mut self, outbox: &Outbox) -> bool {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            self.follow(&rest, outbox);
        }
        self.rest.is_empty() && outbox.has_room_for_replies()
    }

    /// Follows what the client says; nothing that it says after a close counts.
    pub(in crate::transport) fn hear(&mut self, bytes: &[u8], outbox: &Outbox) {
        self.talk.came();
        self.follow(bytes, outbox);
    }

    fn follow(&mut self, mut bytes: &[u8], outbox: &Outbox) {
        if outbox.closed().is_some() {
            return;
        }
        match self.talk.hear(&mut bytes, outbox) {
            Ok(()) => self.rest.extend_from_slice(bytes),
            Err(end) => end.close(outbox),
        }
    }
}
