//! How a stream comes to be ours: by a response body that takes it as soon as the head has been written.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;
use tokio::time::Instant;
use tracing::debug;

use crate::transport::lease::{Leased, Taker};
use crate::transport::poll::Patience;
use crate::transport::websocket::Ear;
use crate::transport::{Session, Worker};

/// Hands the stream behind `leased` over to the worker once the head of `response` is on its way, with what serves it:
/// the session, and on a WebSocket who listens, and the payload, which may hold what the client said already.
pub(in crate::transport) fn hand_over(
    worker: &Rc<Worker>,
    leased: Leased,
    response: HttpResponse,
    session: Session,
    listening: Option<(Ear, Payload)>,
) -> HttpResponse {
    let lines = Rc::clone(&worker.lines);
    let taker: Taker = Box::new(move |taken| {
        let ear = listening.map(|(mut ear, payload)| {
            ear.note(&said(payload));
            ear
        });
        if let Err(error) = lines.adopt(taken, session, ear) {
            debug!(%error, "a connection could not be taken over");
        }
    });
    let body = HandOver(Some((leased, taker)));
    response.map_body(|_, _| BoxBody::new(body))
}

/// Hands the stream of a poll that waits over to the worker: nothing of its answer is written yet.
pub(in crate::transport) fn hand_over_poll(
    worker: &Rc<Worker>,
    leased: &Leased,
    session: Session,
    patience: Patience,
) {
    let (lines, serve) = (Rc::clone(&worker.lines), leased.serve());
    let until = Instant::now() + patience.jittered();
    leased.take(Box::new(move |taken| {
        if let Err(error) = lines.adopt_poll(taken, serve, session, until) {
            debug!(%error, "a connection could not be taken over");
        }
    }));
}

/// What of the client's was read before the stream was ours.
fn said(mut payload: Payload) -> Vec<u8> {
    let mut said = Vec::new();
    let cx = &mut Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(bytes))) = payload.poll_next_unpin(cx) {
        said.extend_from_slice(&bytes);
    }
    said
}

/// A body without an end of its own: actix drops it when it finds the stream gone.
struct HandOver(Option<(Leased, Taker)>);

impl MessageBody for HandOver {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    /// actix asks for the body when it has encoded the head, and flushes when the body has nothing for it.
    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if let Some((leased, taker)) = self.0.take() {
            leased.take(taker);
        }
        Poll::Pending
    }
}
