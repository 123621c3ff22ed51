//! One WebSocket connection from its handshake to its end, whatever it serves.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};

use crate::transport::body::{Around, Source, SourceBody};
use crate::transport::direct::hand_over;
use crate::transport::lease::Leased;
use crate::transport::{Outbox, Session, Worker};
use crate::wire::close::CloseReason;
use crate::wire::websocket as framing;

use super::control::Control;
use super::ear::Ear;
use super::peer::Peer;
use super::pulse::{Pulse, Watched};
use super::talk::{Listener, Talk};

/// A connection whose handshake is fine.
pub(in crate::transport) struct Handshake {
    /// What the client is answered, with nothing behind it yet.
    pub(in crate::transport) response: HttpResponse,
    /// The way out.
    pub(in crate::transport) outbox: Rc<Outbox>,
    payload: web::Payload,
    leased: Option<Leased>,
    watched: Watched,
}

impl Handshake {
    /// Shakes hands; a session begins with its `way_out`, and only if that succeeds. actix-ws checks the request and
    /// chooses the subprotocol; its own streams are left unused, since what goes out is shared and what comes in is judged
    /// before it is kept.
    pub(in crate::transport) async fn shake(
        worker: &Worker,
        http: &HttpRequest,
        payload: web::Payload,
        protocols: &[&str],
        way_out: impl FnOnce() -> Outbox,
    ) -> actix_web::Result<Self> {
        let nothing = web::Payload::from_request(http, &mut dev::Payload::None).await?;
        let (response, _, _) = actix_ws::handle_with_protocols(http, nothing, protocols)?;
        let farewell = |reason: CloseReason| framing::close(Some(reason.code()), reason.slug());
        let outbox = Rc::new(way_out().with_farewell(farewell));
        Ok(Self {
            watched: worker.pulses.watch(&outbox),
            response,
            outbox,
            payload,
            leased: Leased::of(http),
        })
    }

    /// The client's signs of life.
    pub(super) fn pulse(&self) -> &Rc<Pulse> {
        &self.watched.pulse
    }

    /// Serves a session until one side closes, on the socket itself where that can be had; messages of more than `limit`
    /// bytes are refused.
    pub(super) fn serve_session(
        self,
        worker: &Rc<Worker>,
        leased: Option<Leased>,
        session: Session,
        control: Control,
    ) -> HttpResponse {
        let limit = worker.manners.max_message;
        let Some(leased) = leased else {
            return self.serve(limit, session, control);
        };
        let talk = Talk::new(limit, control, Rc::clone(&self.watched.pulse));
        let ear = Ear::new(talk, self.watched);
        let response = self.response.map_body(|_, _| BoxBody::new(()));
        hand_over(worker, leased, response, session, Some((ear, self.payload)))
    }

    /// Serves `source` through actix until one side closes; messages of more than `limit` bytes are refused.
    pub(in crate::transport) fn serve(
        self,
        limit: usize,
        source: impl Source + 'static,
        listener: impl Listener + 'static,
    ) -> HttpResponse {
        let body = SourceBody::new(source, Around::Nothing);
        let (outbox, alive) = (self.outbox, body.alive());
        let talk = Talk::new(limit, listener, Rc::clone(&self.watched.pulse));
        let peer = Peer::new(self.payload, talk);
        let (leased, watched) = (self.leased, self.watched);
        actix_web::rt::spawn(async move {
            peer.attend(&outbox).await;
            drop(watched);
            outbox.release();
            if let Some(leased) = leased {
                leased.reset_if_stuck(alive).await;
            }
        });
        self.response.map_body(|_, _| BoxBody::new(body))
    }
}
