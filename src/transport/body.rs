//! The body of a streamed response: actix takes from it what has been put into an outbox.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use crate::wire::frame::Frame;

/// Whether actix puts something around each piece of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// As in a WebSocket, or in HTTP/2, whose frames are not ours to count.
    Nothing,
    /// A chunk's size in hexadecimal and two line ends (RFC 9112, 7.1).
    Chunk,
}

/// Where a body's bytes come from; dropped when the connection ends.
pub trait Source {
    /// The next frame; `None` at the end.
    fn poll_frame(&self, cx: &Context<'_>) -> Poll<Option<Rc<Frame>>>;

    /// The client's connection has accepted a frame, with so many bytes around it.
    fn delivered(&self, frame: &Rc<Frame>, around: usize);
}

/// Lives as long as a body, and so as long as actix keeps the connection.
#[derive(Debug)]
pub struct Alive;

/// A source as a response body.
pub struct SourceBody<S> {
    source: S,
    around: Around,
    alive: Rc<Alive>,
}

impl<S: Source> SourceBody<S> {
    /// The frames of `source`.
    pub fn new(source: S, around: Around) -> Self {
        Self {
            source,
            around,
            alive: Rc::new(Alive),
        }
    }

    /// Can be asked whether the body still lives.
    pub fn alive(&self) -> Weak<Alive> {
        Rc::downgrade(&self.alive)
    }
}

// Nothing in it is ever pinned in place.
impl<S> Unpin for SourceBody<S> {}

impl<S: Source> MessageBody for SourceBody<S> {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let Some(frame) = ready!(self.source.poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let around = match self.around {
            Around::Nothing => 0,
            Around::Chunk => chunk_overhead(frame.bytes.len()),
        };
        self.source.delivered(&frame, around);
        Poll::Ready(Some(Ok(frame.bytes.clone())))
    }
}

fn chunk_overhead(len: usize) -> usize {
    len.max(1).ilog(16) as usize + 1 + "\r\n\r\n".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_costs_its_hexadecimal_size_and_two_line_ends() {
        for len in [1usize, 15, 16, 255, 256, 4095, 4096, 65536] {
            assert_eq!(
                chunk_overhead(len),
                format!("{len:X}\r\n\r\n").len(),
                "{len}"
            );
        }
    }
}
