//! JSON of the plain HTTP answers, problems (RFC 9457) among them.

use serde::Serialize;

use crate::market::{Listing, Micros};

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
