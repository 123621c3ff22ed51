//! One-way streams over a plain HTTP response: Server-Sent Events and NDJSON.

use std::rc::Rc;

use actix_web::http::Version;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use rand::RngExt;

use crate::hub::{Start, Wish};
use crate::metrics::Transport;
use crate::wire::frame::{self, Encoding, Frame, Kind};

use super::body::{Around, SessionBody};
use super::{OUTBOX_BYTES, Outbox, PIECE, Request, Session, Worker};

/// Milliseconds after which an EventSource comes back, chosen anew for each, so that a restart does not bring
/// all of them back at once.
const RETRY_MS: std::ops::RangeInclusive<u64> = 1_000..=3_000;

/// nginx would otherwise collect the stream before it passes anything on.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Serves an event stream.
pub fn sse(worker: &Rc<Worker>, http: &HttpRequest, request: Request) -> HttpResponse {
    let outbox = Outbox::new(OUTBOX_BYTES);
    // What was no cursor is not handed back as one: the client's place is where the snapshot will put it.
    let cursor = match request.start {
        Start::Lost => None,
        start => Some(worker.starting_cursor(start)),
    };
    let retry = rand::rng().random_range(RETRY_MS);
    outbox.push(Rc::new(frame::sse_prelude(retry, cursor)));
    serve(worker, http, &Kinds::SSE, outbox, request)
}

/// Serves a stream of lines.
pub fn ndjson(worker: &Rc<Worker>, http: &HttpRequest, request: Request) -> HttpResponse {
    serve(
        worker,
        http,
        &Kinds::NDJSON,
        Outbox::new(OUTBOX_BYTES),
        request,
    )
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
    outbox: Rc<Outbox>,
    request: Request,
) -> HttpResponse {
    let cursor = worker.starting_cursor(request.start);
    let welcome = worker.welcome(cursor);
    let id = (!matches!(request.start, Start::Lost)).then_some(cursor);
    let welcome = Frame::message(kinds.encoding, Kind::Welcome, id, &welcome);
    outbox.push(Rc::new(welcome));
    let wish = Wish {
        encoding: kinds.encoding,
        set: request.set,
        terms: request.terms,
        start: request.start,
        limit: PIECE,
    };
    let session = Session::open(worker, kinds.transport, outbox, wish);
    let around = match http.version() {
        Version::HTTP_11 => Around::Chunk,
        _ => Around::Nothing,
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kinds.content_type))
        .insert_header((CACHE_CONTROL, "no-store, no-transform"))
        .insert_header((X_ACCEL_BUFFERING, "no"))
        .body(SessionBody::new(session, around, None))
}
