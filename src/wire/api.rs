//! JSON of the plain HTTP answers, problems (RFC 9457) among them.

use serde::Serialize;

use crate::market::{Cursor, Listing, Micros};

use super::error::ErrorCode;
use super::json::to_vec;
#[cfg(test)]
use super::schema;

/// `{"symbols":[{"symbol":"AAPL","name":"Apple Inc.","price_decimals":2},…]}`
pub fn symbols(listing: &Listing) -> Vec<u8> {
    let rows = listing
        .instruments()
        .iter()
        .map(|instrument| InstrumentJson {
            symbol: &instrument.symbol,
            name: &instrument.name,
            price_decimals: instrument.price_decimals,
        });
    to_vec(&Symbols {
        symbols: rows.collect(),
    })
}

/// What is traded.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct Symbols<'a> {
    symbols: Vec<InstrumentJson<'a>>,
}

/// A symbol and what is known of it before its first tick.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Instrument))]
struct InstrumentJson<'a> {
    #[cfg_attr(test, schema(value_type = schema::Symbol))]
    symbol: &'a str,
    /// Its name for people.
    name: &'a str,
    /// Digits after the point that its prices have.
    price_decimals: u8,
}

/// `{"ts":1795231558123456}`
pub fn time(ts: Micros) -> Vec<u8> {
    to_vec(&Time { ts })
}

/// The server's clock.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct Time {
    #[cfg_attr(test, schema(value_type = schema::Micros))]
    ts: Micros,
}

/// What a transport has carried: connections, the ledger of its ticks, bytes to clients.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct TransportStats {
    /// Its name, as in metrics.
    pub transport: &'static str,
    /// Sessions that are open now.
    pub connections: i64,
    /// Sessions opened in all.
    pub opened: u64,
    /// What became of the ticks that were due.
    pub ledger: LedgerStats,
    /// Bytes to clients.
    pub bytes: BytesOut,
}

/// `due` is the sum of the others.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct LedgerStats {
    /// Ticks that were due and are settled.
    pub due: u64,
    /// Accepted by clients' connections.
    pub delivered: u64,
    /// Left out for later ones of the same symbol.
    pub conflated: u64,
    /// Told as missing.
    pub gapped: u64,
    /// Not sent when their sessions ended.
    pub unsent: u64,
}

/// Bytes to clients, by layer.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct BytesOut {
    /// Messages.
    pub payload: u64,
    /// What is around them.
    pub framing: u64,
}

/// `{"ts":…,"cursor":"…","transports":[{"transport":"websocket","connections":1,…},…]}`
pub fn stats(ts: Micros, head: Cursor, transports: &[TransportStats]) -> Vec<u8> {
    to_vec(&Stats {
        ts,
        cursor: head,
        transports,
    })
}

/// What each transport has carried, and where the tape stands.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct Stats<'a> {
    #[cfg_attr(test, schema(value_type = schema::Micros))]
    ts: Micros,
    cursor: Cursor,
    transports: &'a [TransportStats],
}

/// `{"live":true}`
pub fn liveness() -> Vec<u8> {
    to_vec(&Liveness { live: true })
}

/// The process lives.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct Liveness {
    #[cfg_attr(test, schema(value_type = schema::True))]
    live: bool,
}

/// One of the things that must hold before the server takes traffic.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Check {
    /// What must hold.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
}

/// `{"ready":true,"checks":[{"name":"feed","ok":true},…]}`
pub fn readiness(checks: &[Check]) -> Vec<u8> {
    to_vec(&Ready {
        ready: checks.iter().all(|check| check.ok),
        checks,
    })
}

/// Whether the server takes traffic.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Readiness))]
pub(super) struct Ready<'a> {
    /// Whether all checks hold.
    ready: bool,
    checks: &'a [Check],
}

/// `{"type":"/problems/bad_request","title":…,"status":400,"detail":…,"symbols":[…]}`
pub fn problem(code: ErrorCode, detail: &str, symbols: &[String]) -> Vec<u8> {
    to_vec(&Problem {
        r#type: code.problem_type(),
        title: code.title(),
        status: code.status(),
        detail,
        symbols,
    })
}

/// An error (RFC 9457).
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct Problem<'a> {
    #[cfg_attr(test, schema(value_type = schema::ProblemType))]
    r#type: String,
    /// For people; the same for every occurrence.
    title: &'static str,
    /// The HTTP status.
    #[cfg_attr(test, schema(minimum = 400, maximum = 599))]
    status: u16,
    /// What to mend, for people.
    detail: &'a str,
    /// The symbols that it is about.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    symbols: &'a [String],
}
