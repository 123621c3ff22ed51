//! The messages of `ticker.v1` as JSON text, fields in the order that the protocol shows.
//!
//! Ticks are written by hand: they are the bulk of all bytes, and prices go from integer to text without ever
//! being a float. `docs/frames` holds one golden example of each message.

use serde::Serialize;

use crate::market::{Bar, Cursor, Listing, Micros, Price, Quote, Tick};

use super::inspect::Inspect;
#[cfg(test)]
use super::schema;

/// Why a client cannot be given every tick since its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The cursor lies before the oldest batch that is kept, and its symbols have changed since.
    ReplayWindow,
    /// The cursor belongs to another life of the tape.
    EpochChanged,
    /// The cursor lies ahead of this tape, or is none.
    UnknownCursor,
}

/// Ticks that a client will not get; a snapshot always follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = SnapshotGap))]
pub struct Gap {
    /// Where the client was, if what it sent was a cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Cursor))]
    pub from: Option<Cursor>,
    /// How many ticks it misses, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = u64))]
    pub missed: Option<u64>,
    /// Why.
    pub reason: GapReason,
}

/// What a session begins with.
#[derive(Clone, Copy, Debug)]
pub struct Welcome<'a> {
    /// The server's name.
    pub server: &'a str,
    /// The session's name, for logs on both sides.
    pub session: &'a str,
    /// Where the session starts: the client's own cursor if it resumes.
    pub cursor: Cursor,
    /// Silence after which a heartbeat comes.
    pub heartbeat_ms: u64,
    /// Symbols that one session may name.
    pub max_symbols: usize,
    /// The heads of the request and its answer, if the client wants to see them.
    pub inspect: Option<&'a Inspect>,
}

/// `{"type":"welcome",…}`
pub fn welcome(welcome: &Welcome<'_>) -> Vec<u8> {
    to_vec(&WelcomeJson {
        protocol: super::PROTOCOL,
        server: welcome.server,
        session: welcome.session,
        cursor: welcome.cursor,
        heartbeat_ms: welcome.heartbeat_ms,
        max_symbols: welcome.max_symbols,
        price_decimals: Price::DECIMALS,
        inspect: welcome.inspect,
    })
}

/// The first frame of every stream.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(tag = "type", rename = "welcome")]
pub(super) struct WelcomeJson<'a> {
    /// The protocol's name.
    #[cfg_attr(test, schema(value_type = schema::Protocol))]
    protocol: &'static str,
    /// The server's name.
    server: &'a str,
    /// The session's name, for logs on both sides.
    session: &'a str,
    /// Where the session starts: the client's own cursor if it resumes.
    cursor: Cursor,
    /// Silence after which a heartbeat comes.
    heartbeat_ms: u64,
    /// Symbols that one session may name.
    #[cfg_attr(test, schema(minimum = 1))]
    max_symbols: usize,
    /// Digits after the point that a price can have.
    price_decimals: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Inspect))]
    inspect: Option<&'a Inspect>,
}

/// `{"type":"heartbeat",…}`
pub fn heartbeat(cursor: Cursor, ts: Micros) -> Vec<u8> {
    let mut out = Vec::with_capacity(80);
    head("heartbeat", cursor, ts, &mut out);
    out.push(b'}');
    out
}

/// `{"type":"gap",…}`
pub fn gap(gap: Gap) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(tag = "type", rename = "gap")]
    struct Frame {
        #[serde(flatten)]
        gap: Gap,
    }
    to_vec(&Frame { gap })
}

/// `{"type":"lag",…}`: so many ticks were left out of the frame before.
pub fn lag(conflated: u64, cursor: Cursor) -> Vec<u8> {
    to_vec(&LagJson { conflated, cursor })
}

/// Follows the ticks that a slow session got in place of so many more.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(tag = "type", rename = "lag")]
pub(super) struct LagJson {
    /// How many ticks were left out.
    conflated: u64,
    cursor: Cursor,
}

/// `{"type":"snapshot",…}`; a `gap` is told inside where a client gets one frame only.
pub fn snapshot(
    listing: &Listing,
    cursor: Cursor,
    ts: Micros,
    gap: Option<Gap>,
    quotes: &[Quote],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + quotes.len() * 176);
    head("snapshot", cursor, ts, &mut out);
    if let Some(gap) = gap {
        out.extend_from_slice(b",\"gap\":");
        out.extend_from_slice(&to_vec(&gap));
    }
    out.extend_from_slice(b",\"data\":[");
    separated(quotes, &mut out, |quote, out| {
        let symbol = listing.symbol(quote.tick.symbol);
        tick_fields(symbol, &quote.tick, Some(quote.open), out);
    });
    out.extend_from_slice(b"]}");
    out
}

/// `{"type":"ticks",…}` of ticks that [`tick`] wrote; `more` tells a poll that it was cut short.
pub fn ticks<'a>(
    cursor: Cursor,
    ts: Micros,
    ticks: impl IntoIterator<Item = &'a [u8]>,
    more: bool,
    out: &mut Vec<u8>,
) {
    head("ticks", cursor, ts, out);
    out.extend_from_slice(b",\"data\":[");
    separated(ticks, out, |tick, out| out.extend_from_slice(tick));
    out.extend_from_slice(if more { b"],\"more\":true}" } else { b"]}" });
}

/// One tick, an element of `data`.
pub fn tick(listing: &Listing, tick: &Tick, out: &mut Vec<u8>) {
    tick_fields(listing.symbol(tick.symbol), tick, tick.open, out);
}

/// `{"symbol":"AAPL","cursor":"…","interval_ms":1000,"bars":[{"ts":…,"open":…},…]}`: the last bar is still being made.
pub fn bars(symbol: &str, cursor: Cursor, bars: &[Bar]) -> Vec<u8> {
    let mut out = Vec::with_capacity(80 + bars.len() * 120);
    out.extend_from_slice(b"{\"symbol\":\"");
    out.extend_from_slice(symbol.as_bytes());
    out.extend_from_slice(b"\",\"cursor\":\"");
    super::cursor::write(cursor, &mut out);
    out.extend_from_slice(b"\",\"interval_ms\":1000,\"bars\":[");
    separated(bars, &mut out, |bar, out| {
        out.extend_from_slice(b"{\"ts\":");
        out.extend_from_slice(itoa::Buffer::new().format(bar.ts).as_bytes());
        price("open", bar.open, out);
        price("high", bar.high, out);
        price("low", bar.low, out);
        price("close", bar.close, out);
        integer("volume", bar.volume, out);
        integer("ticks", u64::from(bar.ticks), out);
        out.push(b'}');
    });
    out.extend_from_slice(b"]}");
    out
}

fn head(kind: &str, cursor: Cursor, ts: Micros, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"cursor\":\"");
    super::cursor::write(cursor, out);
    out.push(b'"');
    integer("ts", ts, out);
}

fn tick_fields(symbol: &str, tick: &Tick, open: Option<Price>, out: &mut Vec<u8>) {
    // Symbols are A–Z, 0–9, '.' and '-': nothing that JSON would escape.
    out.extend_from_slice(b"{\"symbol\":\"");
    out.extend_from_slice(symbol.as_bytes());
    out.push(b'"');
    integer("n", tick.n, out);
    integer("ts", tick.ts, out);
    price("last", tick.last, out);
    integer("size", u64::from(tick.size), out);
    price("bid", tick.bid, out);
    price("ask", tick.ask, out);
    integer("volume", tick.volume, out);
    if let Some(open) = open {
        price("open", open, out);
    }
    out.extend_from_slice(if tick.halted {
        b",\"halted\":true}"
    } else {
        b"}"
    });
}

fn key(key: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn integer(name: &str, value: u64, out: &mut Vec<u8>) {
    key(name, out);
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// At least two digits after the point, four only where the last two are not zero: 190.10, 0.1234.
fn price(name: &str, value: Price, out: &mut Vec<u8>) {
    key(name, out);
    let steps = value.steps();
    if steps < 0 {
        out.push(b'-');
    }
    let (whole, part) = (
        steps.unsigned_abs() / 10_000,
        (steps.unsigned_abs() % 10_000) as u16,
    );
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    let digits = [part / 1000, part / 100 % 10, part / 10 % 10, part % 10].map(|d| b'0' + d as u8);
    let shown = if part.is_multiple_of(100) { 2 } else { 4 };
    out.push(b'.');
    out.extend_from_slice(&digits[..shown]);
}

fn separated<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

pub(super) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain structs with string keys always serialize")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(steps: i64) -> String {
        let mut out = Vec::new();
        price("p", Price::new(steps), &mut out);
        String::from_utf8(out).unwrap().split_off(",\"p\":".len())
    }

    #[test]
    fn prices_show_two_digits_or_four() {
        let shown = [1_901_000, 1_901_200, 1_901_234, 5, 0, -12_300].map(text);
        assert_eq!(
            shown,
            ["190.10", "190.12", "190.1234", "0.0005", "0.00", "-1.23"]
        );
    }

    proptest! {
        #[test]
        fn a_price_says_its_steps_and_is_a_json_number(steps in -(1i64 << 53)..(1 << 53)) {
            let text = text(steps);
            prop_assert!(serde_json::from_str::<serde_json::Number>(&text).is_ok());
            let (whole, part) = text.trim_start_matches('-').split_once('.').unwrap();
            let part: i64 = format!("{part:0<4}").parse().unwrap();
            let value = whole.parse::<i64>().unwrap() * 10_000 + part;
            prop_assert_eq!(if text.starts_with('-') { -value } else { value }, steps);
        }
    }
}
