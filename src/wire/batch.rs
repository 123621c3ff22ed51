//! A published batch, encoded once for every transport and for every set of symbols to pick from.

use std::ops::Range;

use bytes::Bytes;

use crate::market::{Cursor, Listing, Micros, SymbolSet, Tick};

use super::frame::{Encoding, Frame, Kind, Ledger, dress};
use super::json;

/// Ticks that were generated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub ts: Micros,
    /// How many.
    pub ticks: u64,
}

/// Ticks published together under one seq.
#[derive(Debug)]
pub struct Batch {
    /// The batch's place on the tape.
    pub cursor: Cursor,
    /// When it was published.
    pub ts: Micros,
    /// When its ticks were generated: the oldest of them, where they differ.
    pub generated: Micros,
    ticks: Box<[Tick]>,
    /// Where each tick stands in the message.
    pieces: Box<[Range<u32>]>,
    /// One for each of [`Encoding::ALL`]; they share two buffers.
    encoded: [Bytes; 4],
}

impl Batch {
    /// Encodes a batch of at least one tick.
    pub fn new(listing: &Listing, cursor: Cursor, ts: Micros, ticks: Vec<Tick>) -> Self {
        let mut written = Vec::with_capacity(ticks.len() * 160);
        let ends: Vec<usize> = ticks
            .iter()
            .map(|tick| {
                json::tick(listing, tick, &mut written);
                written.len()
            })
            .collect();
        let starts = [0].into_iter().chain(ends.iter().copied());
        let each = starts.zip(&ends).map(|(start, end)| &written[start..*end]);
        let mut json = Vec::with_capacity(written.len() + ticks.len() + 80);
        json::ticks(cursor, ts, each, false, &mut json);

        // In the message the ticks follow each other with a comma between, and `]}` ends it.
        let first = json.len() - "]}".len() - (written.len() + ticks.len() - 1);
        let mut start = first as u32;
        let mut previous = 0;
        let pieces = ends
            .iter()
            .map(|end| {
                let piece = start..start + (end - previous) as u32;
                (start, previous) = (piece.end + 1, *end);
                piece
            })
            .collect();
        Self {
            cursor,
            ts,
            generated: ticks.iter().map(|tick| tick.ts).min().unwrap_or(ts),
            ticks: ticks.into(),
            pieces,
            encoded: encode(cursor, &json),
        }
    }

    /// The ticks, in the order in which they were generated.
    pub fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    /// How many of the ticks belong to the set.
    pub fn count_in(&self, set: &SymbolSet) -> u64 {
        if set.is_all() {
            return self.ticks.len() as u64;
        }
        self.ticks.iter().filter(|t| set.contains(t.symbol)).count() as u64
    }

    /// The JSON of the ticks that belong to the set.
    pub fn json_of<'a>(&'a self, set: &'a SymbolSet) -> impl Iterator<Item = &'a [u8]> {
        let json = self.bytes(Encoding::Json);
        let pieces = self.ticks.iter().zip(&self.pieces);
        pieces
            .filter(|(tick, _)| set.contains(tick.symbol))
            .map(|(_, piece)| &json[piece.start as usize..piece.end as usize])
    }

    /// The whole batch in an encoding.
    pub fn bytes(&self, encoding: Encoding) -> &Bytes {
        &self.encoded[encoding as usize]
    }

    /// The whole batch as a frame.
    pub fn frame(&self, encoding: Encoding) -> Frame {
        let ticks = self.ticks.len() as u64;
        Frame {
            bytes: self.bytes(encoding).clone(),
            payload: self.bytes(Encoding::Json).len(),
            head: 0,
            ledger: Ledger {
                delivered: ticks,
                ..Ledger::default()
            },
            live: Box::new([Stamp {
                ts: self.generated,
                ticks,
            }]),
        }
    }

    /// Bytes of memory that the batch holds.
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.ticks)
            + size_of_val(&*self.pieces)
            + self.bytes(Encoding::WebSocket).len()
            + 1
            + self.bytes(Encoding::Sse).len()
    }
}

/// The message in every encoding, in two buffers: `[header][json]\n` has three of them as slices.
fn encode(cursor: Cursor, json: &[u8]) -> [Bytes; 4] {
    let mut out = Vec::with_capacity(json.len() + 11);
    dress(
        Encoding::WebSocket,
        Kind::Ticks,
        Some(cursor),
        json,
        &mut out,
    );
    let framed = out.len();
    out.push(b'\n');
    let plain = Bytes::from(out);
    let mut event = Vec::with_capacity(json.len() + 64);
    dress(Encoding::Sse, Kind::Ticks, Some(cursor), json, &mut event);
    let start = framed - json.len();
    [
        plain.slice(..framed),
        event.into(),
        plain.slice(start..),
        plain.slice(start..framed),
    ]
}
