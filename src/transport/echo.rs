//! A WebSocket that sends every message back as it came: for diagnosing a path, and for measuring round trips.

use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::{HttpRequest, HttpResponse, web};

use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;
use crate::wire::websocket as framing;

use super::body::Source;
use super::inbound::Event;
use super::websocket::{Handshake, Listener};
use super::{Outbox, Worker};

/// The next message is not read before the answer to the last one is on its way but for a page: a client has one
/// message in memory at a time.
const ROOM: usize = 1;

/// How much of an answer is handed over at once.
const PIECE: usize = 16 * 1024;

/// Shakes hands and echoes. Fails if this is no WebSocket handshake.
pub async fn accept(
    worker: &Rc<Worker>,
    http: &HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let handshake = Handshake::shake(worker, http, payload, &[], || Outbox::new(ROOM)).await?;
    worker.metrics.echo_opened();
    let outbox = Rc::clone(&handshake.outbox);
    let echo = Echo {
        worker: Rc::clone(worker),
        outbox: Rc::clone(&outbox),
    };
    Ok(handshake.serve(worker.manners.max_echo, echo, Answers(outbox)))
}

/// What the client is sent.
struct Echo {
    worker: Rc<Worker>,
    outbox: Rc<Outbox>,
}

impl Source for Echo {
    fn poll_frame(&self, cx: &Context<'_>) -> Poll<Option<Rc<Frame>>> {
        self.outbox.poll_frame(cx)
    }

    fn delivered(&self, _: &Rc<Frame>, _: usize) {}
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.outbox.close(CloseReason::Client);
        let reason = self.outbox.closed().unwrap_or(CloseReason::Client);
        self.worker.metrics.echo_closed(reason.slug());
    }
}

/// Answers with what it hears.
struct Answers(Rc<Outbox>);

impl Listener for Answers {
    fn hear(&mut self, event: Event) -> Result<(), CloseReason> {
        let (text, body) = match event {
            Event::Text(text) => (true, text.into_bytes()),
            Event::Binary(bytes) => (false, bytes),
            _ => return Ok(()),
        };
        for piece in framing::pieces(text, body.into(), PIECE) {
            self.0.push(&Rc::new(piece));
        }
        Ok(())
    }
}
