//! The sink of every session: shared frames on their way to one client.
//!
//! A response body takes them from a bounded queue. Where the socket is ours, they are written to it at once, and queued
//! only while it is full.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::hub::Sink;
use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;

use super::Account;
use super::direct::{Bell, Socket};

/// Bytes that replies may add to what the hub has filled.
const REPLY_BYTES: usize = 4096;

/// The last frame of transports that have a word for the end.
type Farewell = fn(CloseReason) -> Frame;

/// Frames on their way to one client. What a send looks at comes first.
#[derive(Debug)]
#[repr(C)]
pub struct Outbox {
    queued: Cell<usize>,
    /// Where frames go, if actix does not fetch them.
    exit: OnceCell<Exit>,
    closed: Cell<Option<CloseReason>>,
    /// Whether it does not end when it is closed and empty: the transport still listens.
    held: Cell<bool>,
    account: Option<Account>,
    /// Takes a frame while fewer bytes than this are queued, and no socket is there.
    capacity: usize,
    /// Ticks in frames that were thrown away for a client that does not read.
    thrown: Cell<u64>,
    farewell: Option<Farewell>,
    frames: RefCell<VecDeque<Rc<Frame>>>,
    waiting: RefCell<Option<Box<Waiting>>>,
}

/// Where frames go.
#[derive(Debug)]
enum Exit {
    /// To a socket that is ours. The bell tells of the end.
    Socket(Socket, Bell),
    /// To one who fetches them when the bell rings.
    Bell(Bell),
}

/// Who waits for what.
#[derive(Debug, Default)]
struct Waiting {
    /// Who takes from it: for a frame.
    reader: Option<Waker>,
    /// For its being closed.
    closing: Option<Waker>,
    /// For its being empty enough for replies.
    replying: Option<Waker>,
}

impl Outbox {
    /// An outbox that takes frames until `capacity` bytes are queued; one with 1 holds a single frame.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            queued: Cell::new(0),
            frames: RefCell::default(),
            closed: Cell::new(None),
            held: Cell::new(false),
            thrown: Cell::new(0),
            farewell: None,
            account: None,
            exit: OnceCell::new(),
            waiting: RefCell::default(),
        }
    }

    /// The same for a session whose ticks and bytes are counted.
    pub fn of(self, account: Account) -> Self {
        Self {
            account: Some(account),
            ..self
        }
    }

    /// The same with a last frame that tells why it was closed. It does not end before it is released.
    pub fn with_farewell(self, farewell: Farewell) -> Self {
        Self {
            farewell: Some(farewell),
            held: Cell::new(true),
            ..self
        }
    }

    /// From now on frames go to a socket. What is queued waits for [`Outbox::pump`]. The bell rings when it is closed.
    pub fn attach(&self, socket: Socket, bell: Bell) {
        self.exit(Exit::Socket(socket, bell));
    }

    /// From now on the bell rings when there is a frame, or it is closed.
    pub fn ring(&self, bell: Bell) {
        self.exit(Exit::Bell(bell));
    }

    fn exit(&self, exit: Exit) {
        let attached = self.exit.set(exit);
        debug_assert!(attached.is_ok(), "a session has one connection");
    }

    /// Queues a frame of the transport's own, whatever is queued already: a greeting, a pong, a close.
    pub fn push(&self, frame: &Rc<Frame>) {
        if self.queued.get() == 0
            && let Some(socket) = self.socket()
            && socket.write(&frame.bytes)
        {
            self.count(frame);
            return;
        }
        self.queued.set(self.queued.get() + frame.bytes.len());
        self.frames.borrow_mut().push_back(Rc::clone(frame));
        match self.exit.get() {
            Some(Exit::Bell(bell)) => bell.ring(),
            Some(Exit::Socket(..)) => {}
            None => self.wake(|waiting| &mut waiting.reader),
        }
    }

    /// Writes what is queued to the socket, as far as that takes it; whether all of it went.
    pub fn pump(&self) -> bool {
        let Some(socket) = self.socket() else {
            return false;
        };
        while let Some(frame) = self.first() {
            if !socket.write(&frame.bytes) {
                return false;
            }
            self.take_first();
            self.count(&frame);
        }
        true
    }

    /// The first frame, which stays there.
    pub fn first(&self) -> Option<Rc<Frame>> {
        self.frames.borrow().front().cloned()
    }

    /// Takes the first frame, if there is one.
    pub fn take_first(&self) -> Option<Rc<Frame>> {
        let frame = self.frames.borrow_mut().pop_front()?;
        self.queued.set(self.queued.get() - frame.bytes.len());
        Some(frame)
    }

    fn count(&self, frame: &Rc<Frame>) {
        if let Some(account) = &self.account {
            account.delivered(frame, 0);
        }
    }

    /// Closes it with what its transport says at the end, unless it is closed already.
    pub fn close(&self, reason: CloseReason) {
        self.finish(reason, self.farewell.map(|farewell| farewell(reason)));
    }

    /// Closes it after a last frame, unless it is closed already.
    pub fn finish(&self, reason: CloseReason, last: Option<Frame>) {
        if self.closed.get().is_some() {
            return;
        }
        if reason == CloseReason::SlowConsumer {
            self.throw();
        }
        if let Some(frame) = last {
            self.push(&Rc::new(frame));
        }
        self.closed.set(Some(reason));
        if let Some(Exit::Socket(_, bell) | Exit::Bell(bell)) = self.exit.get() {
            bell.ring();
        }
        self.wake(|waiting| &mut waiting.reader);
        self.wake(|waiting| &mut waiting.closing);
    }

    /// What the client has not read until now shall not stand between it and the close; but a frame that it has in
    /// part is sent to its end.
    fn throw(&self) {
        let begun = self.socket().is_some_and(Socket::has_begun);
        let mut frames = self.frames.borrow_mut();
        let kept = usize::from(begun).min(frames.len());
        let thrown = frames.drain(kept..);
        self.thrown
            .set(thrown.map(|frame| frame.ledger.due()).sum());
        self.queued
            .set(frames.iter().map(|frame| frame.bytes.len()).sum());
    }

    /// Once it is closed and empty, it ends.
    pub fn release(&self) {
        self.held.set(false);
        self.wake(|waiting| &mut waiting.reader);
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
        if let Some(frame) = self.take_first() {
            self.wake(|waiting| &mut waiting.replying);
            return Poll::Ready(Some(frame));
        }
        if self.closed.get().is_some() && !self.held.get() {
            return Poll::Ready(None);
        }
        self.wait(cx, |waiting| &mut waiting.reader);
        Poll::Pending
    }

    /// The kernel's buffer is queue enough for a socket of our own: beside it, one frame waits at most.
    fn capacity(&self) -> usize {
        match self.socket() {
            Some(_) => 1,
            None => self.capacity,
        }
    }

    /// Whether a reply would find room, or nothing matters any more.
    pub fn has_room_for_replies(&self) -> bool {
        self.queued.get() < self.capacity() + REPLY_BYTES || self.closed.get().is_some()
    }

    /// Resolves when it has.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if self.has_room_for_replies() {
            return Poll::Ready(());
        }
        self.wait(cx, |waiting| &mut waiting.replying);
        Poll::Pending
    }

    /// Resolves when it is closed, and says why.
    pub fn poll_closed(&self, cx: &Context<'_>) -> Poll<CloseReason> {
        if let Some(reason) = self.closed.get() {
            return Poll::Ready(reason);
        }
        self.wait(cx, |waiting| &mut waiting.closing);
        Poll::Pending
    }

    fn wait(&self, cx: &Context<'_>, which: fn(&mut Waiting) -> &mut Option<Waker>) {
        let waiting = &mut *self.waiting.borrow_mut();
        *which(waiting.get_or_insert_default()) = Some(cx.waker().clone());
    }

    fn wake(&self, which: fn(&mut Waiting) -> &mut Option<Waker>) {
        let waiting = &mut *self.waiting.borrow_mut();
        if let Some(waker) = waiting.as_mut().and_then(|waiting| which(waiting).take()) {
            waker.wake();
        }
    }

    /// Why it was closed, if it was.
    pub fn closed(&self) -> Option<CloseReason> {
        self.closed.get()
    }

    /// The socket, where it is ours.
    pub fn socket(&self) -> Option<&Socket> {
        match self.exit.get() {
            Some(Exit::Socket(socket, _)) => Some(socket),
            _ => None,
        }
    }

    /// Whom its frames count for.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }
}

impl Sink for Rc<Outbox> {
    fn has_room(&self) -> bool {
        self.queued.get() < self.capacity() && self.closed.get().is_none()
    }

    fn send(&self, frame: &Rc<Frame>) {
        self.push(frame);
    }

    fn close(&self, reason: CloseReason) {
        Outbox::close(self, reason);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpStream;

    use super::*;
    use crate::metrics;
    use crate::transport::testing::{Ends, account, tally};
    use crate::wire::frame::Ledger;
    use crate::wire::websocket as framing;

    fn frame() -> Rc<Frame> {
        Rc::new(framing::pong(&[0; 8]))
    }

    fn take(outbox: &Outbox) -> Poll<Option<Rc<Frame>>> {
        outbox.poll_frame(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn there_is_room_until_the_capacity_is_reached() {
        let outbox = Rc::new(Outbox::new(20));
        for _ in 0..2 {
            assert!(outbox.has_room());
            outbox.send(&frame());
        }
        assert!(!outbox.has_room());
        assert_eq!(outbox.queued(), 20);
    }

    #[test]
    fn an_outbox_of_one_byte_holds_a_single_frame() {
        let outbox = Rc::new(Outbox::new(1));
        outbox.send(&frame());
        assert!(!outbox.has_room());
        assert!(matches!(take(&outbox), Poll::Ready(Some(_))));
        assert!(outbox.has_room());
    }

    #[test]
    fn what_was_queued_before_the_close_still_goes_out() {
        let outbox = Rc::new(Outbox::new(20));
        outbox.push(&frame());
        outbox.close(CloseReason::GoingAway);
        assert!(matches!(take(&outbox), Poll::Ready(Some(_))));
        assert!(matches!(take(&outbox), Poll::Ready(None)));
        assert!(!outbox.has_room());
    }

    #[test]
    fn one_that_is_held_does_not_end_before_it_is_released() {
        let farewell = |reason: CloseReason| framing::close(Some(reason.code()), "");
        let outbox = Outbox::new(20).with_farewell(farewell);
        outbox.close(CloseReason::GoingAway);
        assert!(matches!(take(&outbox), Poll::Ready(Some(_))));
        assert!(take(&outbox).is_pending());
        outbox.release();
        assert!(matches!(take(&outbox), Poll::Ready(None)));
    }

    /// An outbox whose socket is soon full, and the client's end.
    fn with_socket(outbox: Outbox) -> (Rc<Outbox>, TcpStream) {
        let ends = Ends::paired();
        let (socket, bell) = Socket::alone(ends.ours);
        outbox.attach(socket, bell);
        (Rc::new(outbox), ends.theirs)
    }

    /// A frame of many bytes, all the same, that stands for one tick.
    fn long(byte: u8) -> Rc<Frame> {
        Rc::new(Frame {
            ledger: Ledger {
                delivered: 1,
                ..Ledger::default()
            },
            ..Frame::bare(vec![byte; LONG])
        })
    }

    const LONG: usize = 100_000;

    /// Reads what has come.
    fn read(mut end: &TcpStream) -> Vec<u8> {
        let mut came = Vec::new();
        // The error is that there is no more.
        let _ = end.read_to_end(&mut came);
        came
    }

    /// Reads and pumps until nothing is left.
    fn read_all(outbox: &Outbox, end: &TcpStream) -> Vec<u8> {
        let mut came = read(end);
        while !outbox.pump() {
            came.extend(read(end));
        }
        came.extend(read(end));
        came
    }

    #[test]
    fn a_socket_gets_frames_at_once_and_nothing_is_queued() {
        let (outbox, end) = with_socket(Outbox::new(20));
        for _ in 0..3 {
            outbox.send(&frame());
            assert!(outbox.has_room());
        }
        assert_eq!(read(&end).len(), 30);
        assert_eq!(outbox.queued(), 0);
    }

    #[test]
    fn what_was_queued_before_the_socket_came_goes_out_first() {
        let outbox = Outbox::new(20);
        outbox.push(&Rc::new(Frame::bare("first ")));
        let (outbox, end) = with_socket(outbox);
        outbox.push(&Rc::new(Frame::bare("second")));
        assert!(outbox.pump());
        assert_eq!(read(&end), b"first second");
    }

    #[test]
    fn a_full_socket_has_no_room_until_the_whole_frame_is_on_its_way() {
        let (outbox, end) = with_socket(Outbox::new(LONG));
        outbox.send(&long(1));
        assert!(!outbox.has_room());
        let some = read(&end);
        assert!(!some.is_empty() && some.len() < LONG);
        assert!(!outbox.pump() && !outbox.has_room());
        let rest = read_all(&outbox, &end);
        assert!(outbox.has_room());
        assert_eq!([some, rest].concat(), vec![1; LONG]);
    }

    #[test]
    fn a_frame_counts_when_its_last_byte_is_on_its_way() {
        let account = account(&tally(), metrics::Sink::Direct);
        let (outbox, end) = with_socket(Outbox::new(20).of(account));
        let counted = || {
            let account = outbox.account().unwrap();
            (account.settled().due(), outbox.unsent())
        };
        outbox.send(&long(1));
        assert_eq!(counted(), (0, 1));
        read_all(&outbox, &end);
        assert_eq!(counted(), (1, 0));
    }

    #[test]
    fn a_reply_waits_for_the_rest_of_a_frame_that_has_begun() {
        let (outbox, end) = with_socket(Outbox::new(20));
        outbox.send(&long(1));
        let mut came = read(&end);
        // There would be room for it now.
        outbox.push(&Rc::new(Frame::bare("?")));
        came.extend(read_all(&outbox, &end));
        assert_eq!(came, [vec![1; LONG], b"?".to_vec()].concat());
    }

    #[test]
    fn a_slow_consumer_gets_the_rest_of_a_frame_that_has_begun_and_the_farewell() {
        let farewell = |_| Frame::bare("bye");
        let (outbox, end) = with_socket(Outbox::new(20).with_farewell(farewell));
        outbox.send(&long(1));
        outbox.push(&long(2));
        outbox.close(CloseReason::SlowConsumer);
        assert_eq!(outbox.queued(), LONG + 3);
        assert_eq!(outbox.unsent(), 2);
        let came = read_all(&outbox, &end);
        assert_eq!(came, [vec![1; LONG], b"bye".to_vec()].concat());
        assert_eq!(outbox.unsent(), 1);
    }

    #[test]
    fn a_slow_consumer_that_has_no_part_of_what_is_queued_gets_the_farewell_alone() {
        let farewell = |_| Frame::bare("bye");
        let (outbox, end) = with_socket(Outbox::new(20).with_farewell(farewell));
        // Until one does not fit at all.
        while outbox.queued() == 0 || outbox.socket().unwrap().has_begun() {
            read_all(&outbox, &end);
            while outbox.queued() == 0 {
                outbox.push(&frame());
            }
        }
        outbox.close(CloseReason::SlowConsumer);
        assert_eq!(outbox.queued(), 3);
        let came = read_all(&outbox, &end);
        assert_eq!(came.len() % 10, 3);
        assert!(came.ends_with(b"bye"));
    }

    #[test]
    fn a_client_that_is_gone_gets_nothing_more_and_has_not_been_served() {
        let account = account(&tally(), metrics::Sink::Direct);
        let (outbox, end) = with_socket(Outbox::new(20).of(account));
        drop(end);
        outbox.send(&long(1));
        assert!(!outbox.pump());
        assert_eq!(outbox.unsent(), 1);
        assert_eq!(outbox.account().unwrap().settled().due(), 0);
    }
}
