//! A client that streams: a session whose frames are written as they come, and on a WebSocket who listens to it.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;

use rustix::event::epoll::EventFlags;
use tokio::time::Instant;

use crate::transport::Session;
use crate::transport::websocket::Ear;
use crate::wire::close::CloseReason;

use super::{Fate, GRACE, HUNG_UP, LINGER, Lines};

/// Reads of one line before the others have their turn.
const READS: usize = 4;

pub(super) struct Stream {
    session: Session,
    /// Who listens to the client; nobody on one-way streams.
    ear: Option<Box<RefCell<Ear>>>,
    /// Whether the client has closed its side or is gone, read or not.
    has_hung_up: Cell<bool>,
    /// Whether the client has been told that nothing follows.
    is_shut: Cell<bool>,
}

impl Stream {
    pub(super) fn new(session: Session, ear: Option<Ear>) -> Self {
        Self {
            session,
            ear: ear.map(|ear| Box::new(RefCell::new(ear))),
            has_hung_up: Cell::new(false),
            is_shut: Cell::new(false),
        }
    }

    /// Writes, reads, ends, as far as each can be done now.
    pub(super) fn look(&self, key: usize, flags: EventFlags, lines: &Lines) -> Fate {
        if flags.intersects(HUNG_UP) {
            self.has_hung_up.set(true);
        }
        self.write();
        if !self.read(key, lines) {
            return Fate::Ends;
        }
        self.end(key, lines);
        Fate::Stays
    }

    /// Its time is over: a client that has not even read the end gets a reset.
    pub(super) fn give_up(&self) -> Fate {
        if let (Some(socket), false) = (self.session.outbox().socket(), self.is_shut.get()) {
            socket.give_up();
        }
        Fate::Ends
    }

    /// Goes on where the socket was full.
    fn write(&self) {
        let outbox = self.session.outbox();
        if outbox.queued() > 0 && outbox.pump() && outbox.closed().is_none() {
            self.session.drained();
        }
    }

    /// Reads what has come; whether the client is still there.
    fn read(&self, key: usize, lines: &Lines) -> bool {
        let outbox = self.session.outbox();
        let Some(socket) = outbox.socket() else {
            return false;
        };
        let buffer = &mut *lines.buffer.borrow_mut();
        for _ in 0..READS {
            let mut ear = self.ear.as_ref().map(|ear| ear.borrow_mut());
            if let Some(ear) = &mut ear
                && !ear.has_heard_all(outbox)
            {
                // It is not read until it reads, so how it ends is not read either.
                return !self.has_hung_up.get() || self.gone();
            }
            match socket.read(buffer) {
                Ok(0) => return self.gone(),
                Ok(count) => {
                    if let Some(ear) = &mut ear {
                        ear.hear(&buffer[..count], outbox);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.gone(),
            }
        }
        lines.todo.add(key);
        true
    }

    fn gone(&self) -> bool {
        self.session.outbox().finish(CloseReason::Client, None);
        false
    }

    /// Brings a session that was closed nearer to its end.
    fn end(&self, key: usize, lines: &Lines) {
        let outbox = self.session.outbox();
        if outbox.closed().is_none() || self.is_shut.get() {
            return;
        }
        if outbox.queued() == 0 {
            if let Some(socket) = outbox.socket() {
                socket.shut();
            }
            self.is_shut.set(true);
            lines.deadlines.set(key, Instant::now() + LINGER);
        } else if !lines.deadlines.has(key) {
            lines.deadlines.set(key, Instant::now() + GRACE);
        }
    }
}
