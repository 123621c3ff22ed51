//! What is written by hand, or has no fields to derive a schema from.

#![expect(dead_code, reason = "these are described, never made")]

use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::market::{Cursor, Price};
use crate::wire::inspect::Inspect;
use crate::wire::json::Gap;

use super::object;
use super::parts::{Micros, Symbol, True};

/// One change of a symbol.
#[derive(ToSchema)]
struct Tick {
    symbol: Symbol,
    /// Counts the symbol's ticks: +1 for each.
    #[schema(minimum = 1)]
    n: u64,
    /// When it was generated.
    ts: Micros,
    last: Price,
    /// Shares; 0 while trading is halted.
    size: u32,
    bid: Price,
    ask: Price,
    /// Shares traded this day.
    volume: u64,
    /// Stands here where it is news: in the first tick of the symbol's day, or in the one that takes its place.
    #[schema(required = false)]
    open: Price,
    /// Trading of the symbol is halted; its next tick ends that.
    #[schema(required = false)]
    halted: True,
}

/// A tick that always has its `open`.
struct Quote;

impl PartialSchema for Quote {
    fn schema() -> RefOr<Schema> {
        let mut tick = object::<Tick>();
        let open = Ref::builder()
            .ref_location_from_schema_name(Price::name())
            .description(Some("The first price of the symbol's day."));
        tick.properties
            .insert("open".to_owned(), open.build().into());
        tick.required.push("open".to_owned());
        tick.description = Some(
            "The full state of one symbol: its latest tick, and always the day's `open`."
                .to_owned(),
        );
        tick.into()
    }
}

impl ToSchema for Quote {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Tick::schemas(schemas);
    }
}

/// The board: at the start, after a gap, for added symbols.
#[derive(ToSchema)]
pub(super) struct Snapshot {
    cursor: Cursor,
    /// When it was published.
    ts: Micros,
    /// In the answer to a poll: what made the snapshot necessary.
    #[schema(required = false)]
    gap: Gap,
    data: Vec<Quote>,
    /// In the answer to a poll that asked for it.
    #[schema(required = false)]
    inspect: Inspect,
}

/// A batch of the tape; with `mode=conflate` the latest tick of each symbol that changed.
#[derive(ToSchema)]
pub(super) struct Ticks {
    cursor: Cursor,
    /// When it was published.
    ts: Micros,
    data: Vec<Tick>,
    /// In the answer to a poll that `limit` cut short: the tape goes on.
    #[schema(required = false)]
    more: True,
    /// In the answer to a poll that asked for it.
    #[schema(required = false)]
    inspect: Inspect,
}

/// A sign of life after silence.
#[derive(ToSchema)]
pub(super) struct Heartbeat {
    cursor: Cursor,
    ts: Micros,
}

/// The session's symbols and terms are asked for.
#[derive(ToSchema)]
pub(super) struct List {}

/// A sign of life is asked for, with the server's time.
#[derive(ToSchema)]
pub(super) struct Ping {}

/// Bars of one symbol. A second without a trade has none, the last one is still being made, and together they hold
/// every trade up to the cursor.
#[derive(ToSchema)]
pub(super) struct Bars {
    symbol: Symbol,
    cursor: Cursor,
    #[schema(minimum = 1)]
    interval_ms: u64,
    bars: Vec<Bar>,
}

/// What a price did in one second.
#[derive(ToSchema)]
struct Bar {
    /// When the second began.
    ts: Micros,
    open: Price,
    high: Price,
    low: Price,
    close: Price,
    /// Shares traded.
    volume: u64,
    #[schema(minimum = 1)]
    ticks: u32,
}
