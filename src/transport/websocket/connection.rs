//! One WebSocket connection from its handshake to its end, whatever it serves.

use std::future::poll_fn;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};
use tokio::time::Instant;

use crate::transport::body::{Around, Source, SourceBody};
use crate::transport::inbound::Event;
use crate::transport::lease::Socket;
use crate::transport::{Outbox, Worker};
use crate::wire::close::CloseReason;
use crate::wire::websocket as framing;

use super::peer::{End, Peer};
use super::pulse::{Pulse, Watched};

/// What a connection serves. Pings are answered and closes followed without it.
pub(in crate::transport) trait Listener {
    /// Whether the client may say something now.
    fn admits(&mut self, _now: Instant) -> bool {
        true
    }

    /// Follows what the client says, or says why it is not listened to any more.
    fn hear(&mut self, event: Event) -> Result<(), CloseReason>;
}

/// A connection whose handshake is fine.
pub(in crate::transport) struct Handshake {
    /// What the client is answered, with nothing behind it yet.
    pub(in crate::transport) response: HttpResponse,
    /// The way out.
    pub(in crate::transport) outbox: Rc<Outbox>,
    payload: web::Payload,
    socket: Option<Socket>,
    watched: Watched,
}

impl Handshake {
    /// Shakes hands. actix-ws checks the request and chooses the subprotocol; its own streams are left unused, since
    /// what goes out is shared and what comes in is judged before it is kept.
    pub(in crate::transport) async fn shake(
        worker: &Worker,
        http: &HttpRequest,
        payload: web::Payload,
        protocols: &[&str],
        room: usize,
    ) -> actix_web::Result<Self> {
        let nothing = web::Payload::from_request(http, &mut dev::Payload::None).await?;
        let (response, _, _) = actix_ws::handle_with_protocols(http, nothing, protocols)?;
        let outbox = Outbox::with_farewell(room, |reason| {
            framing::close(Some(reason.code()), reason.slug())
        });
        Ok(Self {
            watched: worker.pulses.watch(&outbox),
            response,
            outbox,
            payload,
            socket: Socket::of(http),
        })
    }

    /// The client's signs of life.
    pub(super) fn pulse(&self) -> &Rc<Pulse> {
        &self.watched.pulse
    }

    /// Serves `source` until one side closes; messages of more than `limit` bytes are refused.
    pub(in crate::transport) fn serve(
        self,
        limit: usize,
        source: impl Source + 'static,
        listener: impl Listener + 'static,
    ) -> HttpResponse {
        let body = SourceBody::new(source, Around::Nothing);
        let (outbox, alive) = (self.outbox, body.alive());
        let peer = Peer::new(self.payload, limit, Rc::clone(&self.watched.pulse));
        let (socket, watched) = (self.socket, self.watched);
        actix_web::rt::spawn(async move {
            attend(peer, listener, &outbox).await;
            drop(watched);
            outbox.release();
            if let Some(socket) = socket {
                socket.reset_if_stuck(alive).await;
            }
        });
        self.response.map_body(|_, _| BoxBody::new(body))
    }
}

/// Listens until one side closes, and closes the other one.
async fn attend(mut peer: Peer, mut listener: impl Listener, outbox: &Outbox) {
    let (end, clear) = tokio::select! {
        end = listen(&mut peer, &mut listener, outbox) => end,
        reason = poll_fn(|cx| outbox.poll_closed(cx)) => (End::Ours(reason), true),
    };
    match end {
        End::Gone => outbox.finish(CloseReason::Client, None),
        End::Said(code) => outbox.finish(CloseReason::Client, Some(framing::close(code, ""))),
        End::Ours(reason) => {
            outbox.close(reason);
            peer.linger(clear).await;
        }
    }
}

/// Answers what the client says until it closes, is gone, or has to be closed; and says whether it can still be made
/// out.
async fn listen(peer: &mut Peer, listener: &mut impl Listener, outbox: &Outbox) -> (End, bool) {
    loop {
        // A client that asks without reading the answers is not read either.
        poll_fn(|cx| outbox.poll_room(cx)).await;
        let event = match peer.next().await {
            Ok(event) => event,
            Err(end) => return (end, false),
        };
        if let Event::Close(code) = event {
            return (End::Said(code), false);
        }
        // The hub may have closed it meanwhile, and forgotten the subscriber.
        if let Some(reason) = outbox.closed() {
            return (End::Ours(reason), true);
        }
        if !listener.admits(Instant::now()) {
            return (End::Ours(CloseReason::RateLimited), true);
        }
        if let Event::Ping(body) = &event {
            outbox.push(Rc::new(framing::pong(body)));
        }
        if let Err(reason) = listener.hear(event) {
            return (End::Ours(reason), true);
        }
    }
}
