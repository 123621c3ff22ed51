//! Prices of one's own, as a table: `time,symbol,last,size,bid,ask,volume`.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::Emission;
use super::file::Flaw;
use super::table::Table;
use crate::market::{Instrument, Listing, Price, SymbolId, Tick};

pub(super) const COLUMNS: [&str; 7] = ["time", "symbol", "last", "size", "bid", "ask", "volume"];

/// Ticks in a batch, if so many rows have the same time.
const MOST_TICKS: usize = 10_000;

#[derive(Deserialize)]
struct Row {
    time: String,
    symbol: String,
    last: String,
    size: u32,
    bid: String,
    ask: String,
    volume: Option<u64>,
}

/// Reads such a table: rows in the order of their times; those of the same time are one batch. An empty bid or ask is
/// the last price, an empty volume the sum of the sizes. A volume that falls begins a new day.
pub(super) struct Reader<R> {
    table: Table<R>,
    symbols: Vec<Symbol>,
    ids: HashMap<String, SymbolId>,
    /// The time of the first row, in microseconds.
    began: Option<i64>,
    /// The time of the last row.
    at: Duration,
    /// Read already, but not part of the last batch.
    ahead: Option<Tick>,
}

struct Symbol {
    name: String,
    /// Whether all of its prices are whole cents.
    in_cents: bool,
    n: u64,
    volume: u64,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the header.
    pub(super) fn open(source: R) -> Result<Self, Flaw> {
        Ok(Self {
            table: Table::open(source, &COLUMNS)?,
            symbols: Vec::new(),
            ids: HashMap::new(),
            began: None,
            at: Duration::ZERO,
            ahead: None,
        })
    }

    /// The symbols that have been read, in the order of their ids: that of their first rows.
    pub(super) fn instruments(&self) -> Vec<Instrument> {
        let instruments = self.symbols.iter().map(|symbol| Instrument {
            symbol: symbol.name.clone(),
            name: symbol.name.clone(),
            price_decimals: if symbol.in_cents { 2 } else { Price::DECIMALS },
        });
        instruments.collect()
    }

    /// The next batch, with the time since the first row.
    pub(super) fn next(&mut self) -> Result<Option<Emission>, Flaw> {
        let mut ticks: Vec<Tick> = self.ahead.take().into_iter().collect();
        let at = self.at;
        while ticks.len() < MOST_TICKS {
            let Some(row) = self.table.next::<Row>()? else {
                break;
            };
            let tick = self.take(&row).map_err(|reason| self.table.wrong(reason))?;
            if self.at > at && !ticks.is_empty() {
                self.ahead = Some(tick);
                break;
            }
            ticks.push(tick);
        }
        Ok((!ticks.is_empty()).then_some(Emission { at, ticks }))
    }

    fn take(&mut self, row: &Row) -> Result<Tick, String> {
        let time = time(&row.time).map_err(|reason| format!("time: {} {reason}", row.time))?;
        let began = *self.began.get_or_insert(time);
        let at = u64::try_from(time - began).map(Duration::from_micros);
        match at {
            Ok(at) if at >= self.at => self.at = at,
            _ => return Err(format!("time: {} is before the row above", row.time)),
        }
        let last = price("last", &row.last)?;
        let or_last = |column, text: &str| match text {
            "" => Ok(last),
            text => price(column, text),
        };
        let (bid, ask) = (or_last("bid", &row.bid)?, or_last("ask", &row.ask)?);
        if bid > ask {
            return Err(format!("bid: {} is above the ask, {}", row.bid, row.ask));
        }
        let id = self.id(&row.symbol)?;
        let symbol = &mut self.symbols[id.index()];
        symbol.in_cents &= [last, bid, ask].iter().all(|price| price.is_in_cents());
        symbol.n += 1;
        let volume = row.volume.unwrap_or(symbol.volume + u64::from(row.size));
        let opens = symbol.n == 1 || volume < symbol.volume;
        symbol.volume = volume;
        Ok(Tick {
            symbol: id,
            n: symbol.n,
            ts: 0,
            last,
            size: row.size,
            bid,
            ask,
            volume,
            open: opens.then_some(last),
            halted: false,
        })
    }

    fn id(&mut self, name: &str) -> Result<SymbolId, String> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let id = u16::try_from(self.symbols.len()).map_err(|_| "too many symbols")?;
        let instrument = Instrument {
            symbol: name.to_owned(),
            name: name.to_owned(),
            price_decimals: Price::DECIMALS,
        };
        Listing::new(vec![instrument]).map_err(|error| format!("symbol: {error}"))?;
        self.ids.insert(name.to_owned(), SymbolId(id));
        self.symbols.push(Symbol {
            name: name.to_owned(),
            in_cents: true,
            n: 0,
            volume: 0,
        });
        Ok(SymbolId(id))
    }
}

fn price(column: &str, text: &str) -> Result<Price, String> {
    let price: Price = (text.parse()).map_err(|error| format!("{column}: {text} {error}"))?;
    if price > Price::default() {
        return Ok(price);
    }
    Err(format!("{column}: {text} is not above zero"))
}

/// Microseconds of a time: seconds with decimals, from whenever; or a date and time (RFC 3339), in UTC if it names no
/// zone. What it is told in does not matter to a replay, as long as it is the same in each row.
fn time(text: &str) -> Result<i64, &'static str> {
    const LATEST: i64 = 253_402_300_799;
    if text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let seconds: SignedDuration = format!("{text}s").parse().map_err(|_| "is no number")?;
        if seconds.as_secs() > LATEST {
            return Err("seconds are beyond the year 9999; are they something smaller?");
        }
        return Ok(seconds.as_micros() as i64);
    }
    let zoned = text.parse::<Timestamp>();
    let civil = || {
        TimeZone::UTC
            .to_timestamp(text.parse::<DateTime>().ok()?)
            .ok()
    };
    match zoned.ok().or_else(civil) {
        Some(time) => Ok(time.as_microsecond()),
        None => Err("is neither seconds nor a date and time like 2026-11-27T14:30:00.250Z"),
    }
}

#[cfg(test)]
mod tests;
