//! Long-polls: a subscriber that ends with its first frame. Nothing is kept between two polls.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse};
use rand::RngExt;
use tokio::time::timeout;

use crate::clock;
use crate::hub::Subscription;
use crate::metrics::{Sink, Transport};
use crate::tape::Limit;
use crate::wire::frame::{Encoding, Frame};
use crate::wire::inspect;

use super::body::Source;
use super::{Account, ONE_FRAME, Outbox, Request, Session, Worker, heads};

/// How a poll is answered.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long to wait for news.
    pub wait: Duration,
    /// Ticks in the answer, rounded up to whole batches.
    pub limit: u64,
}

/// Answers with what came since the client's cursor, as soon as there is something.
pub async fn answer(
    worker: &Rc<Worker>,
    http: &HttpRequest,
    request: Request,
    patience: Patience,
) -> HttpResponse {
    let subscription = Subscription {
        encoding: Encoding::Json,
        set: request.set,
        terms: request.terms,
        start: request.start,
        limit: Limit {
            bytes: usize::MAX,
            ticks: patience.limit,
        },
    };
    let account = Account::open(&worker.tally, Transport::LongPoll, Sink::Body);
    let outbox = Rc::new(Outbox::new(ONE_FRAME).of(account));
    let session = Session::open(worker, &outbox, subscription);
    let first = poll_fn(|cx| session.outbox().poll_frame(cx));
    // Jitter, so that polls which began together do not all end together.
    let wait = patience.wait + rand::rng().random_range(Duration::ZERO..=patience.wait / 16);
    let frame = match timeout(wait, first).await {
        Ok(Some(frame)) => frame,
        // Nothing came in time, or the server goes away: both are told where the client stands now.
        Ok(None) | Err(_) => {
            let cursor = session.cursor().unwrap_or_else(|| worker.hub.tape().head());
            Rc::new(Frame::no_ticks(cursor, clock::now()))
        }
    };
    session.delivered(&frame, 0);
    let mut response = HttpResponse::Ok();
    let response = response
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish();
    let bytes = if request.inspect {
        inspect::append(&frame.bytes, &heads::of(http, &response, false)).into()
    } else {
        frame.bytes.clone()
    };
    response.set_body(BoxBody::new(bytes))
}
