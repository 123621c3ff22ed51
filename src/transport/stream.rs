//! One-way streams over a plain HTTP response: Server-Sent Events and NDJSON.

use std::future::poll_fn;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::http::Version;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use rand::RngExt;

use crate::hub::{Start, Subscription};
use crate::market::Cursor;
use crate::metrics::Transport;
use crate::wire::frame::{self, Encoding, Frame, Kind};
use crate::wire::terms::Policy;

use super::body::{Around, SourceBody};
use super::direct::hand_over;
use super::lease::Leased;
use super::{PIECE, Request, Session, Worker, heads};

/// Milliseconds after which an EventSource comes back, chosen anew for each, so that a restart does not bring
/// all of them back at once.
const RETRY_MS: std::ops::RangeInclusive<u64> = 1_000..=3_000;

/// nginx would otherwise collect the stream before it passes anything on.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Serves an event stream.
pub fn sse(worker: &Rc<Worker>, http: &HttpRequest, request: Request) -> HttpResponse {
    let retry = rand::rng().random_range(RETRY_MS);
    let prelude = frame::sse_prelude(retry, own(request.start));
    serve(worker, http, &Kinds::SSE, Some(prelude), request)
}

/// Serves a stream of lines.
pub fn ndjson(worker: &Rc<Worker>, http: &HttpRequest, request: Request) -> HttpResponse {
    serve(worker, http, &Kinds::NDJSON, None, request)
}

/// The client's own cursor. Only that may be an event's `id` before the first snapshot: an EventSource that is cut
/// off comes back with the last `id`, and one of ours would say that it has seen a board which it has not.
fn own(start: Start) -> Option<Cursor> {
    match start {
        Start::After(cursor) => Some(cursor),
        Start::Fresh | Start::Lost => None,
    }
}

struct Kinds {
    transport: Transport,
    encoding: Encoding,
    content_type: &'static str,
}

impl Kinds {
    const SSE: Self = Self {
        transport: Transport::Sse,
        encoding: Encoding::Sse,
        content_type: "text/event-stream",
    };
    const NDJSON: Self = Self {
        transport: Transport::Ndjson,
        encoding: Encoding::Ndjson,
        content_type: "application/x-ndjson",
    };
}

fn serve(
    worker: &Rc<Worker>,
    http: &HttpRequest,
    kinds: &Kinds,
    prelude: Option<Frame>,
    request: Request,
) -> HttpResponse {
    let (sink, leased) = worker.sink(http);
    let end = match http.version() {
        Version::HTTP_10 => End::OfConnection,
        Version::HTTP_11 if leased.is_some() => End::OfConnection,
        Version::HTTP_11 => End::Chunk,
        _ => End::OfBody,
    };
    let response = head(kinds.content_type, end);
    let heads = (request.inspect).then(|| heads::of(http, &response, end == End::Chunk));
    let welcome = worker.welcome(worker.starting_cursor(request.start), heads.as_ref());
    let id = own(request.start);
    let welcome = Frame::message(kinds.encoding, Kind::Welcome, id, &welcome);
    let outbox = Rc::new(worker.way_out(kinds.transport, sink));
    for frame in prelude.into_iter().chain([welcome]) {
        outbox.push(&Rc::new(frame));
    }
    let subscription = Subscription {
        encoding: kinds.encoding,
        set: request.set,
        terms: request.terms,
        start: request.start,
        limit: PIECE,
    };
    let session = Session::open(worker, &outbox, subscription);
    if let Some(leased) = leased {
        return hand_over(worker, leased, response, session, None);
    }
    let around = if end == End::Chunk {
        Around::Chunk
    } else {
        Around::Nothing
    };
    let body = SourceBody::new(session, around);
    if let (Policy::Disconnect, Some(leased)) = (request.terms.policy, Leased::of(http)) {
        let alive = body.alive();
        actix_web::rt::spawn(async move {
            poll_fn(|cx| outbox.poll_closed(cx)).await;
            leased.reset_if_stuck(alive).await;
        });
    }
    response.set_body(BoxBody::new(body))
}

/// How a client sees where a stream ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// By a last chunk (RFC 9112, 7.1).
    Chunk,
    /// By the end of the connection (RFC 9112, 6.3): no bytes around each event. HTTP/1.0 knows no other.
    OfConnection,
    /// By HTTP/2's own frames.
    OfBody,
}

fn head(content_type: &'static str, end: End) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CACHE_CONTROL, "no-store, no-transform"))
        .insert_header((X_ACCEL_BUFFERING, "no"));
    if end == End::OfConnection {
        response.force_close();
    }
    let mut response = response.finish();
    response.head_mut().no_chunking(end != End::Chunk);
    response
}
