//! The handlers: read the request, ask the transport or the tape, answer.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, SEC_WEBSOCKET_PROTOCOL, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, web};

use crate::clock;
use crate::hub::Start;
use crate::metrics::{Metrics, Transport};
use crate::transport::poll::Patience;
use crate::transport::{
    Manners, Request, Worker, echo, poll as long_poll, stream, websocket as ws,
};
use crate::wire::error::ErrorCode;
use crate::wire::{SUBPROTOCOL, api, json, report};

use super::params::Params;
use super::{Problem, Readiness, body};

type Answer = actix_web::Result<HttpResponse>;

/// The worker thread that a request has landed on.
pub(super) struct Here(Rc<Worker>);

impl FromRequest for Here {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let worker = request.app_data::<Rc<Worker>>().cloned();
        ready(
            worker.map(Self).ok_or_else(|| {
                Problem::new(ErrorCode::Internal, "The route has no worker behind it")
            }),
        )
    }
}

impl Here {
    fn request(
        &self,
        params: &Params,
        start: Start,
        may_be_empty: bool,
    ) -> Result<Request, Problem> {
        request(&self.0, params, start, may_be_empty)
    }
}

fn request(
    worker: &Worker,
    params: &Params,
    start: Start,
    may_be_empty: bool,
) -> Result<Request, Problem> {
    let (listing, max) = (worker.hub.tape().listing(), worker.manners.max_symbols);
    let set = params.symbols(listing, max, may_be_empty)?;
    Ok(Request {
        set,
        terms: params.terms()?,
        start,
        inspect: params.inspect()?,
    })
}

/// What a poll asks for that needs no more than an answer.
pub(super) fn read_poll(worker: &Worker, query: &str) -> Option<(Request, Patience)> {
    let params = Params::read(query).ok()?;
    let request = request(worker, &params, params.since().ok()?, false).ok()?;
    let patience = params.patience(&HeaderMap::new()).ok()?;
    (!request.inspect).then_some((request, patience))
}

pub(super) async fn websocket(here: Here, http: HttpRequest, payload: web::Payload) -> Answer {
    speaks_ours(&http)?;
    let params = Params::of(&http)?;
    let request = here.request(&params, params.since()?, true)?;
    let accepted = ws::accept(&here.0, &http, payload, request).await;
    accepted.map_err(|_| no_handshake().into())
}

pub(super) async fn echo_websocket(here: Here, http: HttpRequest, payload: web::Payload) -> Answer {
    let accepted = echo::accept(&here.0, &http, payload).await;
    accepted.map_err(|_| no_handshake().into())
}

fn no_handshake() -> Problem {
    let detail = "This is no WebSocket handshake (RFC 6455, 4.2.1)";
    Problem::new(ErrorCode::BadRequest, detail)
}

pub(super) async fn echo(here: Here, http: HttpRequest, payload: web::Payload) -> Answer {
    let Manners {
        max_echo,
        body_timeout,
        ..
    } = here.0.manners;
    let body = body::read(&http, payload, max_echo, body_timeout).await?;
    // Never the type that it was sent as: a page of someone else's could make this origin serve a document.
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body))
}

/// A client that offers subprotocols must offer ours; a browser would fail the connection anyhow.
fn speaks_ours(http: &HttpRequest) -> Result<(), Problem> {
    let mut offers = (http.headers().get_all(SEC_WEBSOCKET_PROTOCOL))
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .peekable();
    if offers.peek().is_none() || offers.any(|offer| offer == SUBPROTOCOL) {
        return Ok(());
    }
    let detail =
        format!("Sec-WebSocket-Protocol offers nothing spoken here; that is {SUBPROTOCOL}");
    Err(Problem::new(ErrorCode::UnsupportedSubprotocol, detail))
}

pub(super) async fn latency(
    here: Here,
    http: HttpRequest,
    payload: web::Payload,
    metrics: web::Data<Metrics>,
) -> Answer {
    let Manners {
        max_message,
        body_timeout,
        ..
    } = here.0.manners;
    let report = body::read(&http, payload, max_message, body_timeout)
        .await
        .and_then(|body| {
            report::parse(&body).map_err(|detail| Problem::new(ErrorCode::BadRequest, detail))
        });
    metrics.report(report.is_ok());
    let report = report?;
    let seconds = |us: u64| us as f64 / 1e6;
    let ages_us = &report.ages_us;
    for (transport, ages) in [
        (Transport::WebSocket, &ages_us.websocket),
        (Transport::Sse, &ages_us.sse),
        (Transport::Ndjson, &ages_us.ndjson),
        (Transport::LongPoll, &ages_us.long_poll),
        (Transport::ShortPoll, &ages_us.short_poll),
    ] {
        let ages = ages.iter().map(|(age, ticks)| (seconds(*age), *ticks));
        metrics.reported(transport, seconds(report.clock_error_us), ages);
    }
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn sse(here: Here, http: HttpRequest) -> Answer {
    let params = Params::of(&http)?;
    let request = here.request(&params, params.last_event(http.headers()), false)?;
    Ok(stream::sse(&here.0, &http, request))
}

pub(super) async fn ndjson(here: Here, http: HttpRequest) -> Answer {
    let params = Params::of(&http)?;
    let request = here.request(&params, params.since()?, false)?;
    Ok(stream::ndjson(&here.0, &http, request))
}

pub(super) async fn poll(here: Here, http: HttpRequest) -> Answer {
    let params = Params::of(&http)?;
    let request = here.request(&params, params.since()?, false)?;
    let patience = params.patience(http.headers())?;
    Ok(long_poll::answer(&here.0, &http, request, patience).await)
}

pub(super) async fn quotes(here: Here, http: HttpRequest) -> Answer {
    let request = here.request(&Params::of(&http)?, Start::Fresh, false)?;
    let tape = here.0.hub.tape();
    let board = tape.snapshot(&request.set);
    let json = json::snapshot(tape.listing(), board.cursor, board.ts, None, &board.quotes);
    // The answer to HEAD has no body.
    if http.method() == Method::GET {
        here.0
            .metrics
            .sent(Transport::ShortPoll, json.len() as u64, 0);
    }
    Ok(plain_json(json))
}

pub(super) async fn symbols(here: Here) -> HttpResponse {
    plain_json(api::symbols(here.0.hub.tape().listing()))
}

pub(super) async fn bars(here: Here, http: HttpRequest) -> Answer {
    let tape = here.0.hub.tape();
    let params = Params::of(&http)?;
    let symbol = params.symbol(tape.listing())?;
    let (cursor, bars) = tape.bars(symbol, params.most_bars()?);
    let name = tape.listing().symbol(symbol);
    Ok(plain_json(json::bars(name, cursor, &bars)))
}

pub(super) async fn time() -> HttpResponse {
    plain_json(api::time(clock::now()))
}

pub(super) async fn metrics(here: Here, metrics: web::Data<Metrics>) -> impl Responder {
    here.0.flush_metrics();
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, Metrics::CONTENT_TYPE))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(metrics.expose())
}

pub(super) async fn stats(here: Here, metrics: web::Data<Metrics>) -> HttpResponse {
    here.0.flush_metrics();
    let rows: Vec<_> = (metrics.stats().iter())
        .map(|stats| api::TransportStats {
            transport: stats.transport,
            connections: stats.connections,
            opened: stats.opened,
            ledger: api::LedgerStats {
                due: stats.due,
                delivered: stats.delivered,
                conflated: stats.conflated,
                gapped: stats.gapped,
                unsent: stats.unsent,
            },
            bytes: api::BytesOut {
                payload: stats.payload_bytes,
                framing: stats.framing_bytes,
            },
        })
        .collect();
    plain_json(api::stats(clock::now(), here.0.hub.tape().head(), &rows))
}

pub(super) async fn livez() -> HttpResponse {
    plain_json(api::liveness())
}

pub(super) async fn readyz(here: Here, readiness: web::Data<Readiness>) -> HttpResponse {
    let checks = readiness.checks(&here.0.capacity);
    let mut response = plain_json(api::readiness(&checks));
    if checks.iter().any(|check| !check.ok) {
        *response.status_mut() = actix_web::http::StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

fn plain_json(json: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(json)
}
