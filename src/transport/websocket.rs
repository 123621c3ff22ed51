//! WebSocket sessions: the hub's shared frames go out, control messages come in.

mod connection;
mod control;
mod peer;
mod pulse;
mod rate;

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, web};

use crate::hub::Subscription;
use crate::metrics::Transport;
use crate::wire::SUBPROTOCOL;
use crate::wire::frame::{Encoding, Frame, Kind};

use super::{OUTBOX_BYTES, PIECE, Request, Session, Worker, heads};

use control::Control;

pub(super) use connection::{Handshake, Listener};
pub use pulse::{Pulses, Silence};

/// Shakes hands and serves the session. Fails if this is no WebSocket handshake.
pub async fn accept(
    worker: &Rc<Worker>,
    http: &HttpRequest,
    payload: web::Payload,
    request: Request,
) -> actix_web::Result<HttpResponse> {
    let handshake = Handshake::shake(worker, http, payload, &[SUBPROTOCOL], OUTBOX_BYTES).await?;
    let outbox = Rc::clone(&handshake.outbox);
    let heads = (request.inspect).then(|| heads::of(http, &handshake.response, false));
    let welcome = worker.welcome(worker.starting_cursor(request.start), heads.as_ref());
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
    let transport = Transport::WebSocket;
    let session = Session::open(worker, transport, Rc::clone(&outbox), subscription);
    let control = Control::new(worker, session.id(), outbox, handshake.pulse());
    Ok(handshake.serve(worker.manners.max_message, session, control))
}
