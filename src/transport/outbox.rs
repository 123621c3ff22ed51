//! The sink of sessions whose bytes actix writes: a bounded queue of shared frames.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::hub::Sink;
use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;

/// Bytes that replies may add to what the hub has filled.
const REPLY_BYTES: usize = 4096;

/// Frames on their way to one client.
#[derive(Debug)]
pub struct Outbox {
    /// Takes a frame while fewer bytes than this are queued.
    capacity: usize,
    queued: Cell<usize>,
    frames: RefCell<VecDeque<Rc<Frame>>>,
    closed: Cell<Option<CloseReason>>,
    /// Whether it does not end when it is closed and empty: the transport still listens.
    held: Cell<bool>,
    /// Ticks in frames that were thrown away for a client that does not read.
    thrown: Cell<u64>,
    /// The last frame, for transports that have a word for the end.
    farewell: Option<fn(CloseReason) -> Frame>,
    /// Who takes from it, if it waits.
    reader: RefCell<Option<Waker>>,
    /// Who waits for it to be closed.
    closing: RefCell<Option<Waker>>,
    /// Who waits for it to be empty enough for replies.
    replying: RefCell<Option<Waker>>,
}

impl Outbox {
    /// An outbox that takes frames until `capacity` bytes are queued; one with 1 holds a single frame.
    pub fn new(capacity: usize) -> Rc<Self> {
        Self::build(capacity, None)
    }

    /// The same with a last frame that tells why it was closed. It does not end before it is released.
    pub fn with_farewell(capacity: usize, farewell: fn(CloseReason) -> Frame) -> Rc<Self> {
        Self::build(capacity, Some(farewell))
    }

    fn build(capacity: usize, farewell: Option<fn(CloseReason) -> Frame>) -> Rc<Self> {
        Rc::new(Self {
            capacity,
            farewell,
            queued: Cell::new(0),
            frames: RefCell::default(),
            closed: Cell::new(None),
            held: Cell::new(farewell.is_some()),
            thrown: Cell::new(0),
            reader: RefCell::default(),
            closing: RefCell::default(),
            replying: RefCell::default(),
        })
    }

    /// Queues a frame of the transport's own, whatever is queued already: a greeting, a pong, a close.
    pub fn push(&self, frame: Rc<Frame>) {
        self.queued.set(self.queued.get() + frame.bytes.len());
        self.frames.borrow_mut().push_back(frame);
        wake(&self.reader);
    }

    /// Closes it with what its transport says at the end, unless it is closed already.
    pub fn close(&self, reason: CloseReason) {
        self.finish(reason, self.farewell.map(|farewell| farewell(reason)));
    }

    /// Closes it after a last frame, unless it is closed already.
    pub fn finish(&self, reason: CloseReason, last: Option<Frame>) {
        if self.closed.get().is_none() {
            if reason == CloseReason::SlowConsumer {
                // What it has not read until now shall not stand between it and the close.
                self.thrown.set(self.unsent());
                self.frames.borrow_mut().clear();
                self.queued.set(0);
            }
            if let Some(frame) = last {
                self.push(Rc::new(frame));
            }
            self.closed.set(Some(reason));
            wake(&self.reader);
            wake(&self.closing);
        }
    }

    /// Once it is closed and empty, it ends.
    pub fn release(&self) {
        self.held.set(false);
        wake(&self.reader);
    }

    /// How many bytes are queued.
    pub fn queued(&self) -> usize {
        self.queued.get()
    }

    /// How many ticks that were due lie in it.
    pub fn unsent(&self) -> u64 {
        let frames = self.frames.borrow();
        let queued: u64 = frames.iter().map(|frame| frame.ledger.due()).sum();
        self.thrown.get() + queued
    }

    /// The next frame; `None` when it is closed, empty, and not held.
    pub fn poll_frame(&self, cx: &Context<'_>) -> Poll<Option<Rc<Frame>>> {
        if let Some(frame) = self.frames.borrow_mut().pop_front() {
            self.queued.set(self.queued.get() - frame.bytes.len());
            wake(&self.replying);
            return Poll::Ready(Some(frame));
        }
        if self.closed.get().is_some() && !self.held.get() {
            return Poll::Ready(None);
        }
        *self.reader.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Resolves when a reply would find room, or nothing matters any more.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if self.queued.get() < self.capacity + REPLY_BYTES || self.closed.get().is_some() {
            return Poll::Ready(());
        }
        *self.replying.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Resolves when it is closed, and says why.
    pub fn poll_closed(&self, cx: &Context<'_>) -> Poll<CloseReason> {
        if let Some(reason) = self.closed.get() {
            return Poll::Ready(reason);
        }
        *self.closing.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Why it was closed, if it was.
    pub fn closed(&self) -> Option<CloseReason> {
        self.closed.get()
    }
}

impl Sink for Rc<Outbox> {
    fn has_room(&self) -> bool {
        self.queued.get() < self.capacity && self.closed.get().is_none()
    }

    fn send(&self, frame: &Rc<Frame>) {
        self.push(Rc::clone(frame));
    }

    fn close(&self, reason: CloseReason) {
        Outbox::close(self, reason);
    }
}

fn wake(waker: &RefCell<Option<Waker>>) {
    let waker = waker.take();
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::websocket as framing;

    fn frame() -> Rc<Frame> {
        Rc::new(framing::pong(&[0; 8]))
    }

    fn take(outbox: &Outbox) -> Poll<Option<Rc<Frame>>> {
        outbox.poll_frame(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn there_is_room_until_the_capacity_is_reached() {
        let outbox = Outbox::new(20);
        for _ in 0..2 {
            assert!(outbox.has_room());
            outbox.send(&frame());
        }
        assert!(!outbox.has_room());
        assert_eq!(outbox.queued(), 20);
    }

    #[test]
    fn an_outbox_of_one_byte_holds_a_single_frame() {
        let outbox = Outbox::new(1);
        outbox.send(&frame());
        assert!(!outbox.has_room());
        assert!(matches!(take(&outbox), Poll::Ready(Some(_))));
        assert!(outbox.has_room());
    }

    #[test]
    fn what_was_queued_before_the_close_still_goes_out() {
        let outbox = Outbox::new(20);
        outbox.push(frame());
        outbox.close(CloseReason::GoingAway);
        assert!(matches!(take(&outbox), Poll::Ready(Some(_))));
        assert!(matches!(take(&outbox), Poll::Ready(None)));
        assert!(!outbox.has_room());
    }

    #[test]
    fn one_that_is_held_does_not_end_before_it_is_released() {
        let outbox = Outbox::with_farewell(20, |reason| framing::close(Some(reason.code()), ""));
        outbox.close(CloseReason::GoingAway);
        assert!(matches!(take(&outbox), Poll::Ready(Some(_))));
        assert!(take(&outbox).is_pending());
        outbox.release();
        assert!(matches!(take(&outbox), Poll::Ready(None)));
    }
}
