//! WebSocket sessions: the hub's shared frames go out, control messages come in.

mod connection;
mod control;
mod ear;
mod peer;
mod pulse;
mod rate;
mod talk;

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, web};

use crate::hub::Subscription;
use crate::metrics::Transport;
use crate::wire::SUBPROTOCOL;
use crate::wire::frame::{Encoding, Frame, Kind};

use super::{PIECE, Request, Session, Worker, heads};

use control::Control;

pub(super) use connection::Handshake;
pub(super) use ear::Ear;
pub use pulse::{Pulses, Silence};
pub(super) use talk::Listener;

/// Shakes hands and serves the session. Fails if this is no WebSocket handshake.
pub async fn accept(
    worker: &Rc<Worker>,
    http: &HttpRequest,
    payload: web::Payload,
    request: Request,
) -> actix_web::Result<HttpResponse> {
    let (sink, leased) = worker.sink(http);
    let way_out = || worker.way_out(Transport::WebSocket, sink);
    let handshake = Handshake::shake(worker, http, payload, &[SUBPROTOCOL], way_out).await?;
    let outbox = Rc::clone(&handshake.outbox);
    let heads = (request.inspect).then(|| heads::of(http, &handshake.response, false));
    let welcome = worker.welcome(worker.starting_cursor(request.start), heads.as_ref());
    outbox.push(&Rc::new(Frame::message(
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
    let session = Session::open(worker, &outbox, subscription);
    let control = Control::new(worker, session.id(), outbox, handshake.pulse());
    Ok(handshake.serve_session(worker, leased, session, control))
}
