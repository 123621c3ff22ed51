//! JSON of the plain HTTP answers, problems (RFC 9457) among them.

use serde::Serialize;

use crate::market::{Cursor, Listing, Micros};

use super::error::ErrorCode;
use super::json::to_vec;

/// `{"symbols":[{"symbol":"AAPL","name":"Apple Inc.","price_decimals":2},…]}`
pub fn symbols(listing: &Listing) -> Vec<u8> {
    #[derive(Serialize)]
    struct Row<'a> {
        symbol: &'a str,
        name: &'a str,
        price_decimals: u8,
    }
    #[derive(Serialize)]
    struct Json<'a> {
        symbols: Vec<Row<'a>>,
    }
    let rows = listing.instruments().iter().map(|instrument| Row {
        symbol: &instrument.symbol,
        name: &instrument.name,
        price_decimals: instrument.price_decimals,
    });
    to_vec(&Json {
        symbols: rows.collect(),
    })
}

/// `{"ts":1795231558123456}`
pub fn time(ts: Micros) -> Vec<u8> {
    #[derive(Serialize)]
    struct Json {
        ts: Micros,
    }
    to_vec(&Json { ts })
}

/// What a transport has carried: connections, the ledger of its ticks, bytes to clients.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TransportStats {
    /// Its name, as in metrics.
    pub transport: &'static str,
    /// Sessions: open now, and opened in all.
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
pub struct BytesOut {
    /// Messages.
    pub payload: u64,
    /// What is around them.
    pub framing: u64,
}

/// `{"ts":…,"cursor":"…","transports":[{"transport":"websocket","connections":1,…},…]}`
pub fn stats(ts: Micros, head: Cursor, transports: &[TransportStats]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Json<'a> {
        ts: Micros,
        cursor: String,
        transports: &'a [TransportStats],
    }
    to_vec(&Json {
        ts,
        cursor: super::cursor::format(head),
        transports,
    })
}

/// `{"live":true}`
pub fn liveness() -> Vec<u8> {
    #[derive(Serialize)]
    struct Json {
        live: bool,
    }
    to_vec(&Json { live: true })
}

/// One of the things that must hold before the server takes traffic.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
}

/// `{"ready":true,"checks":[{"name":"feed","ok":true},…]}`
pub fn readiness(checks: &[Check]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Json<'a> {
        ready: bool,
        checks: &'a [Check],
    }
    to_vec(&Json {
        ready: checks.iter().all(|check| check.ok),
        checks,
    })
}

/// `{"type":"/problems/bad_request","title":…,"status":400,"detail":…,"symbols":[…]}`
pub fn problem(code: ErrorCode, detail: &str, symbols: &[String]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Json<'a> {
        r#type: String,
        title: &'static str,
        status: u16,
        detail: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        symbols: &'a [String],
    }
    to_vec(&Json {
        r#type: format!("/problems/{}", code.slug()),
        title: code.title(),
        status: code.status(),
        detail,
        symbols,
    })
}
