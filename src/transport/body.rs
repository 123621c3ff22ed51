//! The body of a streamed response: actix takes from it what the hub has put into the session's outbox.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::Session;

/// Whether actix puts something around each piece of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// As in a WebSocket, or in HTTP/2, whose frames are not ours to count.
    Nothing,
    /// A chunk's size in hexadecimal and two line ends (RFC 9112, 7.1).
    Chunk,
}

/// A session as a response body; when it is dropped, the session ends.
pub struct SessionBody {
    session: Session,
    around: Around,
    /// What has to live as long as the body.
    _keep: Option<BoxBody>,
}

impl SessionBody {
    /// The frames of `session`.
    pub fn new(session: Session, around: Around, keep: Option<BoxBody>) -> Self {
        Self {
            session,
            around,
            _keep: keep,
        }
    }
}

impl MessageBody for SessionBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let Some(frame) = ready!(self.session.poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let around = match self.around {
            Around::Nothing => 0,
            Around::Chunk => chunk_overhead(frame.bytes.len()),
        };
        self.session.delivered(&frame, around);
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
