//! WebSocket sessions. actix-ws shakes hands and reads; what goes out are the hub's shared frames.

use std::future::poll_fn;
use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{Message, MessageStream, ProtocolError};

use crate::hub::{Sink, Wish};
use crate::metrics::Transport;
use crate::wire::SUBPROTOCOL;
use crate::wire::close::CloseReason;
use crate::wire::error::ErrorCode;
use crate::wire::frame::{self, Encoding, Frame, Kind};
use crate::wire::json;

use super::body::{Around, SessionBody};
use super::{OUTBOX_BYTES, Outbox, PIECE, Request, Session, Worker};

/// Bytes of pongs and errors that may wait behind a full outbox, for a client that asks and does not read.
const REPLY_BYTES: usize = 4096;

/// Shakes hands and serves the session. Fails if this is no WebSocket handshake.
pub fn accept(
    worker: &Rc<Worker>,
    http: &HttpRequest,
    payload: web::Payload,
    request: Request,
) -> actix_web::Result<HttpResponse> {
    let (response, _, messages) = actix_ws::handle_with_protocols(http, payload, &[SUBPROTOCOL])?;
    let messages = messages.max_frame_size(worker.manners.max_message);
    let outbox = Outbox::with_farewell(OUTBOX_BYTES, |reason| {
        Some(frame::close(Some(reason.code()), reason.slug()))
    });
    let welcome = worker.welcome(worker.starting_cursor(request.start));
    outbox.push(Rc::new(Frame::message(
        Encoding::WebSocket,
        Kind::Welcome,
        None,
        &welcome,
    )));
    let wish = Wish {
        encoding: Encoding::WebSocket,
        set: request.set,
        terms: request.terms,
        start: request.start,
        limit: PIECE,
    };
    let session = Session::open(worker, Transport::WebSocket, Rc::clone(&outbox), wish);
    actix_web::rt::spawn(serve(messages, outbox));
    // actix-ws would write what its session sends; nothing does, but its body must live or reading ends.
    Ok(response.map_body(|_, keep| {
        let body = SessionBody::new(session, Around::Nothing, Some(keep));
        actix_web::body::BoxBody::new(body)
    }))
}

/// Reads until one side ends the session, and says why.
async fn serve(messages: MessageStream, outbox: Rc<Outbox>) {
    tokio::select! {
        end = read(messages, &outbox) => match end {
            End::Said(code) => outbox.finish(CloseReason::Client, Some(frame::close(code, ""))),
            End::Ours(reason) => outbox.close(reason),
        },
        _ = poll_fn(|cx| outbox.poll_closed(cx)) => {}
    }
}

/// How reading ends.
enum End {
    /// The client closed with this code, which it is sent back (RFC 6455, 5.5.1).
    Said(Option<u16>),
    /// We close.
    Ours(CloseReason),
}

/// Answers what the client sends until it closes or is gone.
async fn read(mut messages: MessageStream, outbox: &Outbox) -> End {
    loop {
        let reply = match messages.recv().await {
            Some(Ok(Message::Ping(body))) => frame::pong(&body),
            Some(Ok(Message::Text(_))) => unknown_message(),
            Some(Ok(Message::Pong(_) | Message::Nop)) => continue,
            Some(Ok(Message::Binary(_) | Message::Continuation(_))) => {
                return End::Ours(CloseReason::UnsupportedData);
            }
            Some(Ok(Message::Close(said))) => return End::Said(said.map(|said| said.code.into())),
            Some(Err(ProtocolError::Overflow)) => return End::Ours(CloseReason::MessageTooBig),
            Some(Err(ProtocolError::Io(_))) | None => return End::Ours(CloseReason::Client),
            Some(Err(_)) => return End::Ours(CloseReason::ProtocolError),
        };
        // A client that asks without reading gets no more answers than this.
        if outbox.queued() < OUTBOX_BYTES + REPLY_BYTES {
            outbox.push(Rc::new(reply));
        }
    }
}

fn unknown_message() -> Frame {
    let json = json::error(
        ErrorCode::BadRequest,
        "No such message: this connection only sends",
    );
    Frame::message(Encoding::WebSocket, Kind::Error, None, &json)
}
