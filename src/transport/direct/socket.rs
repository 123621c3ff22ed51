//! A socket that is ours.

use std::cell::Cell;
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use socket2::SockRef;

use crate::transport::capacity::Place;

/// Writes frames, one at a time, each in one `send()` where the socket takes it.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// Left once the stream is closed.
    place: Place,
    /// Bytes of the frame at hand that the socket has taken.
    sent: Cell<usize>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, place: Place) -> Self {
        Self {
            stream,
            place,
            sent: Cell::new(0),
        }
    }

    /// The stream, which nothing is on its way to.
    pub(super) fn into_stream(self) -> (TcpStream, Place) {
        (self.stream, self.place)
    }

    /// Writes what is left of a frame; whether all of it went. If not, the same one must be given again when the socket
    /// can take more. To one that is broken nothing can be written, as its reading side tells.
    pub(in crate::transport) fn write(&self, frame: &[u8]) -> bool {
        loop {
            let sent = self.sent.get();
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            let sent = match send(&self.stream, &frame[sent..], flags) {
                Ok(count) => sent + count,
                Err(Errno::INTR) => continue,
                Err(_) => return false,
            };
            if sent == frame.len() {
                self.sent.set(0);
                return true;
            }
            // What a socket did not take now, it would not take a moment later; it tells when it does.
            self.sent.set(sent);
        }
    }

    /// Reads what has come, as far as it fits; nothing is the end of the stream.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.stream).read(buffer)
    }

    /// Whether a frame is on its way in part.
    pub(in crate::transport) fn has_begun(&self) -> bool {
        self.sent.get() > 0
    }

    /// Tells the client that nothing follows. What it still sends can be read.
    pub(super) fn shut(&self) {
        // An error says that there is nobody any more.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Lets the end of the stream be a reset: nothing unsent is waited for.
    pub(super) fn give_up(&self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
