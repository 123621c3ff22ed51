//! WebSocket sessions. actix-ws shakes hands and reads; what goes out are the hub's shared frames.

use std::future::poll_fn;
use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{Message, MessageStream, ProtocolError};

use crate::hub::Subscription;
use crate::metrics::Transport;
use crate::wire::SUBPROTOCOL;
use crate::wire::close::CloseReason;
use crate::wire::frame::{Encoding, Frame, Kind};
use crate::wire::websocket as framing;

use super::body::{Around, SessionBody};
use super::control::Control;
use super::reset::{Connection, reset_if_stuck};
use super::{OUTBOX_BYTES, Outbox, PIECE, Request, Session, Worker};

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
        Some(framing::close(Some(reason.code()), reason.slug()))
    });
    let welcome = worker.welcome(worker.starting_cursor(request.start));
    outbox.push(Rc::new(Frame::message(
        Encoding::WebSocket,
        Kind::Welcome,
        None,
        &welcome,
    )));
    let subscription = Subscription {
        encoding: Encoding::WebSocket,
        set: request.set,
        terms: request.terms,
        start: request.start,
        limit: PIECE,
    };
    let session = Session::open(
        worker,
        Transport::WebSocket,
        Rc::clone(&outbox),
        subscription,
    );
    let control = Control::new(worker, session.id(), &outbox);
    let (alive, connection) = (session.alive(), Connection::of(http));
    actix_web::rt::spawn(async move {
        let closed = reset_if_stuck(&outbox, alive, connection);
        serve(messages, control, &outbox, closed).await;
    });
    // actix-ws would write what its session sends; nothing does, but its body must live or reading ends.
    Ok(response.map_body(|_, keep| {
        let body = SessionBody::new(session, Around::Nothing, Some(keep));
        actix_web::body::BoxBody::new(body)
    }))
}

/// Reads until one side ends the session, and says why.
async fn serve(
    messages: MessageStream,
    control: Control,
    outbox: &Outbox,
    closed: impl Future<Output = ()>,
) {
    tokio::select! {
        end = read(messages, control, outbox) => match end {
            End::Said(code) => outbox.finish(CloseReason::Client, Some(framing::close(code, ""))),
            End::Ours(reason) => outbox.close(reason),
        },
        () = closed => {}
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
async fn read(mut messages: MessageStream, mut control: Control, outbox: &Outbox) -> End {
    loop {
        // A client that asks without reading the answers is not read either.
        poll_fn(|cx| outbox.poll_room(cx)).await;
        let message = messages.recv().await;
        if let Some(reason) = outbox.closed() {
            return End::Ours(reason);
        }
        match message {
            Some(Ok(Message::Ping(body))) => outbox.push(Rc::new(framing::pong(&body))),
            Some(Ok(Message::Text(text))) => {
                if let Err(reason) = control.handle(&text) {
                    return End::Ours(reason);
                }
            }
            Some(Ok(Message::Pong(_) | Message::Nop)) => {}
            Some(Ok(Message::Binary(_) | Message::Continuation(_))) => {
                return End::Ours(CloseReason::UnsupportedData);
            }
            Some(Ok(Message::Close(said))) => return End::Said(said.map(|said| said.code.into())),
            Some(Err(ProtocolError::Overflow)) => return End::Ours(CloseReason::MessageTooBig),
            Some(Err(ProtocolError::Io(_))) | None => return End::Ours(CloseReason::Client),
            Some(Err(_)) => return End::Ours(CloseReason::ProtocolError),
        }
    }
}
