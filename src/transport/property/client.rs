//! A client of the model with an outbox between it and the hub.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde_json::Value;

use crate::hub::model::{Decoder, Room, Way};
use crate::metrics::Sink;
use crate::transport::direct::Socket;
use crate::transport::testing::{Ends, account};
use crate::transport::{ONE_FRAME, Outbox, Tally};
use crate::wire::close::CloseReason;
use crate::wire::frame::Encoding;
use crate::wire::websocket as framing;

/// What an outbox without a socket holds; less than the model's bursts.
const OUTBOX_BYTES: usize = 3_000;

/// Bytes that are read at once.
const READ_BYTES: usize = 4096;

pub(super) struct Client {
    outbox: Rc<Outbox>,
    encoding: Encoding,
    /// The client's end, where there is a socket; else a body takes from the outbox.
    end: Option<TcpStream>,
    room: Cell<Room>,
    /// What has come and has not been looked at.
    came: RefCell<Vec<u8>>,
    decoder: RefCell<Decoder>,
}

impl Client {
    /// One whose body takes frames.
    pub(super) fn taking(tally: &Rc<Tally>, encoding: Encoding) -> Self {
        let outbox = outbox(tally, Sink::Body, OUTBOX_BYTES, encoding);
        Self::new(outbox, encoding, None, Room::ENDLESS)
    }

    /// One whose body takes one frame, which is its answer.
    pub(super) fn polling(tally: &Rc<Tally>) -> Self {
        let outbox = outbox(tally, Sink::Body, ONE_FRAME, Encoding::Json);
        let room = Room {
            frames: 1,
            bytes: 0,
        };
        Self::new(outbox, Encoding::Json, None, room)
    }

    /// One who reads from a socket.
    pub(super) fn reading(tally: &Rc<Tally>, encoding: Encoding, ends: Ends) -> Self {
        let outbox = outbox(tally, Sink::Direct, OUTBOX_BYTES, encoding);
        let (socket, bell) = Socket::alone(ends.ours);
        outbox.attach(socket, bell);
        Self::new(outbox, encoding, Some(ends.theirs), Room::ENDLESS)
    }

    fn new(outbox: Outbox, encoding: Encoding, end: Option<TcpStream>, room: Room) -> Self {
        Self {
            outbox: Rc::new(outbox),
            encoding,
            end,
            room: Cell::new(room),
            came: RefCell::default(),
            decoder: RefCell::new(Decoder::new(encoding)),
        }
    }

    /// A body takes frames, as a session's does.
    fn take(&self) -> bool {
        let cx = Context::from_waker(Waker::noop());
        let mut room = self.room.get();
        while room.frames > 0
            && let Poll::Ready(Some(frame)) = self.outbox.poll_frame(&cx)
        {
            room.frames -= 1;
            self.room.set(room);
            self.came.borrow_mut().extend_from_slice(&frame.bytes);
            if let Some(account) = self.outbox.account() {
                account.delivered(&frame, 0);
            }
            if self.outbox.queued() == 0 && self.encoding != Encoding::Json {
                return true;
            }
        }
        false
    }

    /// The client reads bytes, and the socket is written to as soon as it can be.
    fn exchange(&self, mut end: &TcpStream) -> bool {
        let mut buffer = [0; READ_BYTES];
        let mut room = self.room.get();
        loop {
            let most = room.bytes.min(READ_BYTES);
            let count = match end.read(&mut buffer[..most]) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => panic!("{error}"),
            };
            room.bytes -= count;
            self.room.set(room);
            self.came.borrow_mut().extend_from_slice(&buffer[..count]);
            let was_full = self.outbox.queued() > 0;
            if was_full && self.outbox.pump() && self.outbox.closed().is_none() {
                return true;
            }
            if count == 0 {
                return false;
            }
        }
    }
}

/// An outbox as a session of this encoding has it.
fn outbox(tally: &Rc<Tally>, sink: Sink, capacity: usize, encoding: Encoding) -> Outbox {
    let outbox = Outbox::new(capacity).of(account(tally, sink));
    let farewell = |reason: CloseReason| framing::close(Some(reason.code()), reason.slug());
    match encoding {
        Encoding::WebSocket => outbox.with_farewell(farewell),
        _ => outbox,
    }
}

impl Way for Client {
    type Sink = Rc<Outbox>;

    fn sink(&self) -> Rc<Outbox> {
        Rc::clone(&self.outbox)
    }

    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn admit(&self, room: Room) {
        self.room.set(room);
    }

    fn advance(&self) -> bool {
        match &self.end {
            Some(end) => self.exchange(end),
            None => self.take(),
        }
    }

    fn read(&self, most: Room) -> Vec<Value> {
        let came = &mut *self.came.borrow_mut();
        let read = came.len().min(most.bytes);
        (self.decoder.borrow_mut()).read(&came.drain(..read).collect::<Vec<_>>())
    }

    fn reply(&self) {
        let is_open = self.outbox.closed().is_none() && self.outbox.has_room_for_replies();
        if is_open && self.encoding == Encoding::WebSocket {
            self.outbox.push(&Rc::new(framing::pong(b"?")));
        }
    }

    fn settled(&self) -> u64 {
        let account = self.outbox.account();
        account.map_or(0, |account| account.settled().due())
    }

    fn unsent(&self) -> u64 {
        self.outbox.unsent()
    }

    fn is_between_frames(&self) -> bool {
        self.came.borrow().is_empty() && self.decoder.borrow().is_between_frames()
    }

    fn is_closed(&self) -> bool {
        self.outbox.closed().is_some()
    }
}
