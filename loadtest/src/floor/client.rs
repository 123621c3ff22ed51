//! Those who are connected, and what each `send` to one of them came to.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::handshake::{self, Answer};

/// A WebSocket's close frame begins with this.
const CLOSE: u8 = 0x88;

/// What a client's `send` came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All went to the kernel.
    Whole,
    /// A part did; the rest goes before anything else does.
    Torn,
    /// The socket's buffer is full.
    Nothing,
    /// There is nobody any more.
    Gone,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    socket: OwnedFd,
    /// The head so far; nothing once the client is through its handshake.
    head: Option<Vec<u8>>,
    /// What is left of a frame that was cut: without it everything after would be unreadable.
    rest: Vec<u8>,
}

impl Client {
    /// A connection that has not asked for anything. The socket must not block.
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            head: Some(Vec::new()),
            rest: Vec::new(),
        }
    }

    /// Whether it is through its handshake.
    pub(super) fn follows(&self) -> bool {
        self.head.is_none()
    }

    /// One `send(2)`, or two after a torn one.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Sent {
        if !self.rest.is_empty() {
            match send(&self.socket, &self.rest, SendFlags::NOSIGNAL) {
                Ok(sent) => drop(self.rest.drain(..sent)),
                Err(Errno::AGAIN) => {}
                Err(_) => return Sent::Gone,
            }
            if !self.rest.is_empty() {
                return Sent::Nothing;
            }
        }
        match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => Sent::Whole,
            Ok(sent) => {
                self.rest.extend_from_slice(&bytes[sent..]);
                Sent::Torn
            }
            Err(Errno::AGAIN) => Sent::Nothing,
            Err(_) => Sent::Gone,
        }
    }

    /// Reads what it has sent and answers a request. False if it leaves or is no client for us.
    pub(super) fn listen(&mut self) -> bool {
        let mut bytes = [0; 2048];
        loop {
            let read = match recv(&self.socket, &mut bytes, RecvFlags::empty()) {
                Ok((0, _)) => return false,
                Ok((read, _)) => read,
                Err(Errno::AGAIN) => return true,
                Err(Errno::INTR) => continue,
                Err(_) => return false,
            };
            let goes_on = match &mut self.head {
                Some(head) => {
                    head.extend_from_slice(&bytes[..read]);
                    self.answer()
                }
                // Pongs and the like are nothing to us, but who closes is gone.
                None => bytes[0] != CLOSE,
            };
            if !goes_on {
                return false;
            }
        }
    }

    fn answer(&mut self) -> bool {
        let Some(head) = &mut self.head else {
            return true;
        };
        let answer = match handshake::answer(head) {
            Answer::Wait => return head.len() <= handshake::MAX_HEAD_BYTES,
            Answer::Plain(answer) => {
                head.clear();
                answer.to_vec()
            }
            Answer::Upgrade(answer) => {
                self.head = None;
                answer
            }
        };
        // Nothing was sent before, so a buffer that can't take this is no client's.
        self.push(&answer) == Sent::Whole
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// A client through its handshake, and the other end.
    fn follower() -> (Client, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let client = Client {
            head: None,
            ..Client::new(near.into())
        };
        (client, far)
    }

    #[test]
    fn a_torn_frame_is_finished_before_the_next_one() {
        let (mut client, mut far) = follower();
        client.rest = b"rest".to_vec();
        assert_eq!(client.push(b"next"), Sent::Whole);
        let mut read = [0; 8];
        far.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"restnext");
    }

    #[test]
    fn a_full_buffer_takes_nothing_and_is_no_end() {
        let (mut client, _far) = follower();
        let sent = (0..100_000).map(|_| client.push(&[0; 4096]));
        assert_eq!(sent.last(), Some(Sent::Nothing));
    }

    #[test]
    fn a_client_that_left_is_noticed_by_reading_and_by_sending() {
        let (mut client, far) = follower();
        drop(far);
        assert!(!client.listen());
        assert_eq!(client.push(b"tick"), Sent::Gone);
    }
}
