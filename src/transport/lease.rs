//! A connection's stream, which actix uses until somebody takes it.
//!
//! actix owns the connections that it serves. Ours own only a lease: what is asked of a stream that has been taken is
//! answered as if the client had hung up, and so actix forgets the connection, its buffers and its timers.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use super::body::Alive;
use super::capacity::Place;

/// How long a client has to read the end of its session.
const GRACE: Duration = Duration::from_secs(4);

/// A stream, and its place among all connections, which is left once the stream is closed.
pub type Taken = (TcpStream, Place);

/// What is done with a stream once it is ours.
pub type Taker = Box<dyn FnOnce(Taken)>;

/// Lets actix serve a lease from its first request on.
pub type Serve = Rc<dyn Fn(Lease)>;

/// How a head ends (RFC 9112, 2.1).
const HEAD_END: &[u8] = b"\r\n\r\n";

/// What actix serves. The stream is closed when this is dropped, unless it was taken.
pub struct Lease(Rc<Held>);

struct Held {
    stream: RefCell<Option<Taken>>,
    /// What was read already, and is read again first.
    read: RefCell<Vec<u8>>,
    taker: RefCell<Option<Taker>>,
    serve: Serve,
    /// Reads since the last answer.
    reads: Cell<u32>,
    /// Whether the last one brought one head, and nothing after it.
    brought_head: Cell<bool>,
}

impl Lease {
    /// Leases a connection's stream, of which some bytes have been read. `serve` is who gets a lease on it again.
    pub fn new(stream: Taken, read: Vec<u8>, serve: &Serve) -> Self {
        Self(Rc::new(Held {
            stream: RefCell::new(Some(stream)),
            read: RefCell::new(read),
            taker: RefCell::default(),
            serve: Rc::clone(serve),
            reads: Cell::new(0),
            brought_head: Cell::new(false),
        }))
    }

    /// Where the client's address can be asked for.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.stream.borrow().as_ref()?.0.peer_addr().ok()
    }

    /// Lets the connection's requests get at the stream.
    pub fn note(&self, data: &mut Extensions) {
        data.insert(Leased(Rc::clone(&self.0)));
    }

    /// Asks the stream, or answers for one that was taken.
    fn ask<T>(&self, gone: T, ask: impl FnOnce(Pin<&mut TcpStream>) -> T) -> T {
        match &mut *self.0.stream.borrow_mut() {
            Some((stream, _)) => ask(Pin::new(stream)),
            None => gone,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.stream.take();
    }
}

impl AsyncRead for Lease {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let held = &self.0;
        let before = buffer.filled().len();
        let read = &mut *held.read.borrow_mut();
        let polled = if read.is_empty() {
            // Nothing read is the end of a stream.
            self.ask(Poll::Ready(Ok(())), |stream| stream.poll_read(cx, buffer))
        } else {
            let fits = read.len().min(buffer.remaining());
            buffer.put_slice(&read[..fits]);
            read.drain(..fits);
            Poll::Ready(Ok(()))
        };
        let came = &buffer.filled()[before..];
        if !came.is_empty() {
            held.reads.set(held.reads.get() + 1);
            let mut ends = came.windows(HEAD_END.len()).filter(|end| *end == HEAD_END);
            let one = ends.next().is_some() && ends.next().is_none();
            held.brought_head
                .set(one && came.ends_with(HEAD_END) && read.is_empty());
        }
        polled
    }
}

impl AsyncWrite for Lease {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.reads.set(0);
        let gone = Poll::Ready(Ok(bytes.len()));
        self.ask(gone, |stream| stream.poll_write(cx, bytes))
    }

    /// actix flushes when it has written all that it had: the moment to take the stream.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.ask(Poll::Ready(Ok(())), |stream| stream.poll_flush(cx)))?;
        if let Some(taker) = self.0.taker.take()
            && let Some(stream) = self.0.stream.take()
        {
            taker(stream);
            // So that it looks again, and finds the stream gone.
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ask(Poll::Ready(Ok(())), |stream| stream.poll_shutdown(cx))
    }
}

/// The stream as a request of its connection knows it.
#[derive(Clone)]
pub struct Leased(Rc<Held>);

impl Leased {
    /// The stream that a request came on; `None` if it is not a plain one.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().cloned()
    }

    /// Whether there was no room for it when it came.
    pub fn is_over_capacity(&self) -> bool {
        let stream = self.0.stream.borrow();
        stream.as_ref().is_some_and(|(_, place)| place.is_over())
    }

    /// Takes the stream as soon as actix has written all that it has for it.
    pub fn take(&self, taker: Taker) {
        *self.0.taker.borrow_mut() = Some(taker);
    }

    /// Whether the client has sent its request and nothing after it, as far as has been read.
    pub fn has_one_request(&self) -> bool {
        self.0.reads.get() == 1 && self.0.brought_head.get()
    }

    /// Who serves the stream if it is given back.
    pub fn serve(&self) -> Serve {
        Rc::clone(&self.0.serve)
    }

    /// Resets the connection if its body, which has come to its end, is still there after a grace. actix does not ask a
    /// body for more while the socket is full, so neither a close frame nor an error can get past what a stuck client
    /// has not read.
    pub async fn reset_if_stuck(self, alive: Weak<Alive>) {
        sleep(GRACE).await;
        if alive.strong_count() > 0 {
            // An error says that it has just ended by itself.
            let _ = self.reset();
        }
    }

    /// Ends the connection at once: nothing unsent is waited for.
    fn reset(&self) -> io::Result<()> {
        let Some((stream, _)) = &*self.0.stream.borrow() else {
            return Ok(());
        };
        let socket = SockRef::from(stream);
        socket.set_linger(Some(Duration::ZERO))?;
        socket.shutdown(Shutdown::Both)
    }
}
