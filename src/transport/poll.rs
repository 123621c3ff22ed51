//! Long-polls: a subscriber that ends with its first frame. Nothing is kept between two polls.

use std::future::{pending, poll_fn};
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

use super::direct::hand_over_poll;
use super::{Account, ONE_FRAME, Outbox, Request, Session, Worker, heads};

/// How a poll is answered.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long to wait for news.
    pub wait: Duration,
    /// Ticks in the answer, rounded up to whole batches.
    pub limit: u64,
}

/// Subscribes a poll.
pub(super) fn open(
    worker: &Rc<Worker>,
    request: Request,
    patience: &Patience,
    sink: Sink,
) -> Session {
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
    let account = Account::open(&worker.tally, Transport::LongPoll, sink);
    let outbox = Rc::new(Outbox::new(ONE_FRAME).of(account));
    Session::open(worker, &outbox, subscription)
}

/// What is answered when nothing came in time, or the server goes away: where the client stands now.
pub(super) fn no_news(session: &Session) -> Frame {
    Frame::no_ticks(session.cursor_or_head(), clock::now())
}

impl Patience {
    /// How long to wait, with jitter, so that polls which began together do not all end together.
    pub(super) fn jittered(&self) -> Duration {
        self.wait + rand::rng().random_range(Duration::ZERO..=self.wait / 16)
    }
}

/// Answers with what came since the client's cursor, as soon as there is something.
pub async fn answer(
    worker: &Rc<Worker>,
    http: &HttpRequest,
    request: Request,
    patience: Patience,
) -> HttpResponse {
    let inspect = request.inspect;
    if let (Some(leased), false) = (worker.may_take_over(http), inspect) {
        let session = open(worker, request, &patience, Sink::Direct);
        hand_over_poll(worker, &leased, session, patience);
        // actix forgets the request when it finds the stream gone.
        return pending().await;
    }
    let session = open(worker, request, &patience, Sink::Body);
    let first = poll_fn(|cx| session.outbox().poll_frame(cx));
    let frame = match timeout(patience.jittered(), first).await {
        Ok(Some(frame)) => frame,
        Ok(None) | Err(_) => Rc::new(no_news(&session)),
    };
    session.delivered(&frame);
    let mut response = HttpResponse::Ok();
    let response = response
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish();
    let bytes = if inspect {
        inspect::append(&frame.bytes, &heads::of(http, &response, false)).into()
    } else {
        frame.bytes.clone()
    };
    response.set_body(BoxBody::new(bytes))
}
