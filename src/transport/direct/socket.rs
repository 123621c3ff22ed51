//! A socket that is ours.

use std::cell::Cell;
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use socket2::SockRef;

use crate::transport::capacity::{Capacity, Place};

use super::Bell;

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

    /// One that nobody looks after, with its bell: who has it pumps when it can take more. For tests and benches.
    pub fn alone(stream: TcpStream) -> (Self, Bell) {
        let bell = Bell::new(0, &Rc::default());
        (Self::new(stream, Capacity::new(1).place()), bell)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::testing::Ends;

    #[test]
    fn a_frame_is_taken_up_where_a_full_tcp_socket_left_it() {
        let ends = Ends::tcp();
        let (socket, _) = Socket::alone(ends.ours);
        let frame: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        assert!(!socket.write(&frame) && socket.has_begun());
        ends.theirs.set_nonblocking(false).unwrap();
        let mut came = Vec::new();
        let mut buffer = [0; 777];
        while came.len() < frame.len() {
            let count = (&ends.theirs).read(&mut buffer).unwrap();
            came.extend_from_slice(&buffer[..count]);
            if socket.has_begun() {
                socket.write(&frame);
            }
        }
        assert!(came == frame && !socket.has_begun());
    }

    #[test]
    fn one_that_is_given_up_is_reset() {
        let ends = Ends::tcp();
        let (socket, _) = Socket::alone(ends.ours);
        assert!(!socket.write(&[0; 200_000]));
        socket.give_up();
        drop(socket);
        ends.theirs.set_nonblocking(false).unwrap();
        let mut came = Vec::new();
        let end = (&ends.theirs).read_to_end(&mut came).unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn one_that_is_shut_is_still_read() {
        let ends = Ends::paired();
        let (socket, _) = Socket::alone(ends.ours);
        socket.shut();
        io::Write::write_all(&mut &ends.theirs, b"last words").unwrap();
        assert_eq!((&ends.theirs).read(&mut [0; 1]).unwrap(), 0);
        let mut buffer = [0; 20];
        assert_eq!(socket.read(&mut buffer).unwrap(), 10);
    }
}
