//! Frames: a message's bytes as one transport carries them, made once and shared by all who get them.

use std::sync::Arc;

use bytes::Bytes;

use crate::market::{Cursor, Latest, Listing, Micros, Snapshot, SymbolSet};

use super::batch::{Batch, Stamp};
use super::json::{self, Gap};
use super::websocket;

/// How a transport dresses a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// An unmasked text frame (RFC 6455, 5.2): the same bytes for every client.
    WebSocket,
    /// An event of an event stream (WHATWG HTML, 9.2.6).
    Sse,
    /// A line.
    Ndjson,
    /// The message alone, one to an answer: several batches are merged into one.
    Json,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Encoding; 4] = [Self::WebSocket, Self::Sse, Self::Ndjson, Self::Json];

    /// The name in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
        }
    }
}

/// The `type` of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a session begins with.
    Welcome,
    /// The symbols and terms that a session has.
    Subscribed,
    /// The board.
    Snapshot,
    /// Batches of the tape.
    Ticks,
    /// Ticks that a slow client will not get.
    Lag,
    /// A sign of life, with the cursor.
    Heartbeat,
    /// Ticks that will not come.
    Gap,
    /// What was wrong with a message.
    Error,
    /// The answer to a ping.
    Pong,
}

impl Kind {
    /// The name of the SSE event. An EventSource has an `error` event of its own, so ours is called `problem`.
    const fn event(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::Subscribed => "subscribed",
            Self::Snapshot => "snapshot",
            Self::Ticks => "ticks",
            Self::Lag => "lag",
            Self::Heartbeat => "heartbeat",
            Self::Gap => "gap",
            Self::Error => "problem",
            Self::Pong => "pong",
        }
    }
}

/// What became of ticks that were due to a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Sent.
    pub delivered: u64,
    /// Left out for a later tick of the same symbol.
    pub conflated: u64,
    /// Told to be missing, before a snapshot.
    pub gapped: u64,
}

impl Ledger {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            delivered: self.delivered + other.delivered,
            conflated: self.conflated + other.conflated,
            gapped: self.gapped + other.gapped,
        }
    }

    /// How many ticks were due.
    pub fn due(self) -> u64 {
        self.delivered + self.conflated + self.gapped
    }
}

/// Bytes for a client and what they hold.
#[derive(Debug)]
pub struct Frame {
    /// What goes on the wire.
    pub bytes: Bytes,
    /// How many of the bytes are messages.
    pub payload: usize,
    /// How many are the head of an HTTP answer; the rest is framing.
    pub head: usize,
    /// What becomes of the ticks that were due, once this is sent.
    pub ledger: Ledger,
    /// When these ticks were generated, if they are sent live; empty for snapshots and replays.
    pub live: Box<[Stamp]>,
}

impl Frame {
    /// Bytes without a message of the protocol in them.
    pub fn bare(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            payload: 0,
            head: 0,
            ledger: Ledger::default(),
            live: Box::default(),
        }
    }

    /// The same as a whole answer to an HTTP request.
    pub fn answer(&self, head: &str) -> Self {
        let mut out = Vec::with_capacity(head.len() + self.bytes.len());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&self.bytes);
        Self {
            bytes: out.into(),
            payload: self.payload,
            head: head.len(),
            ledger: self.ledger,
            live: self.live.clone(),
        }
    }

    /// One message without ticks, with the cursor that its SSE event carries as `id`.
    pub fn message(encoding: Encoding, kind: Kind, cursor: Option<Cursor>, json: &[u8]) -> Self {
        let mut out = Vec::with_capacity(json.len() + 64);
        dress(encoding, kind, cursor, json, &mut out);
        Self {
            bytes: out.into(),
            payload: json.len(),
            head: 0,
            ledger: Ledger::default(),
            live: Box::default(),
        }
    }

    /// The board, after the gap that made it necessary.
    pub fn snapshot(
        encoding: Encoding,
        listing: &Listing,
        board: &Snapshot,
        gap: Option<Gap>,
    ) -> Self {
        let inside = gap.filter(|_| encoding == Encoding::Json);
        let before = gap.filter(|_| encoding != Encoding::Json).map(json::gap);
        let json = json::snapshot(listing, board.cursor, board.ts, inside, &board.quotes);
        let mut out = Vec::with_capacity(json.len() + 256);
        if let Some(gap) = &before {
            dress(encoding, Kind::Gap, None, gap, &mut out);
        }
        dress(
            encoding,
            Kind::Snapshot,
            Some(board.cursor),
            &json,
            &mut out,
        );
        Self {
            bytes: out.into(),
            payload: json.len() + before.map_or(0, |gap| gap.len()),
            head: 0,
            ledger: Ledger::default(),
            live: Box::default(),
        }
    }

    /// What a stretch of the tape holds for a set of symbols; `None` if nothing. Each batch is a message of its
    /// own, but in [`Encoding::Json`] they are one.
    pub fn ticks(encoding: Encoding, stretch: &Stretch<'_>) -> Option<Self> {
        if let Some(batch) = stretch.as_published() {
            return Some(batch.frame(encoding));
        }
        let mut joined = Joined::default();
        match encoding {
            Encoding::Json => joined.merge(stretch),
            _ => joined.string_together(encoding, stretch),
        }
        (joined.ticks > 0).then(|| Self {
            bytes: joined.out.into(),
            payload: joined.payload,
            head: 0,
            ledger: Ledger {
                delivered: joined.ticks,
                ..Ledger::default()
            },
            live: joined.live.into(),
        })
    }

    /// The latest tick of each symbol that changed after `seq`; `None` if none did. `owed` is how many ticks were
    /// due, where that is known. With `lag`, the client is told how many of them it does not get.
    pub fn latest(
        encoding: Encoding,
        listing: &Listing,
        latest: &Latest,
        span: Span,
        lag: bool,
    ) -> Option<Self> {
        let mut live: Vec<Stamp> = Vec::new();
        let (mut written, mut ends) = (Vec::new(), Vec::new());
        for (tick, changed) in latest.ticks.iter().filter(|(_, seq)| *seq > span.after) {
            json::tick(listing, tick, &mut written);
            ends.push(written.len());
            match live.last_mut() {
                _ if *changed <= span.live_after => {}
                Some(stamp) if stamp.ts == tick.ts => stamp.ticks += 1,
                _ => live.push(Stamp {
                    ts: tick.ts,
                    ticks: 1,
                }),
            }
        }
        let delivered = ends.len() as u64;
        if delivered == 0 {
            return None;
        }
        let conflated = span.owed.map_or(0, |owed| owed - delivered);
        let starts = [0].into_iter().chain(ends.iter().copied());
        let each = starts.zip(&ends).map(|(start, end)| &written[start..*end]);
        let mut json = Vec::with_capacity(written.len() + 128);
        json::ticks(latest.cursor, latest.ts, each, false, &mut json);
        let cursor = Some(latest.cursor);
        let mut out = Vec::with_capacity(json.len() + 192);
        dress(encoding, Kind::Ticks, cursor, &json, &mut out);
        let mut payload = json.len();
        if lag {
            let json = json::lag(conflated, latest.cursor);
            dress(encoding, Kind::Lag, cursor, &json, &mut out);
            payload += json.len();
        }
        Some(Self {
            bytes: out.into(),
            payload,
            head: 0,
            ledger: Ledger {
                delivered,
                conflated,
                gapped: 0,
            },
            live: live.into(),
        })
    }

    /// An answer without news: `ticks` with no data and the cursor moved on.
    pub fn no_ticks(cursor: Cursor, ts: Micros) -> Self {
        let mut json = Vec::with_capacity(80);
        json::ticks(cursor, ts, [], false, &mut json);
        Self::message(Encoding::Json, Kind::Ticks, Some(cursor), &json)
    }
}

/// Which part of the latest ticks a client is given.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Those after this seq.
    pub after: u64,
    /// How many ticks were due to it since; `None` where that is not known.
    pub owed: Option<u64>,
    /// Those after this seq are live.
    pub live_after: u64,
}

/// A stretch of the tape as one set of symbols sees it.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// The batches, oldest first; those without a tick of the set may be left out.
    pub batches: &'a [Arc<Batch>],
    /// The symbols.
    pub set: &'a SymbolSet,
    /// Where the stretch ends: at the last batch or later.
    pub upto: Cursor,
    /// Whether a message that stands for the whole stretch should say that the tape goes on.
    pub more: bool,
    /// Ticks after this seq are live, those up to it replayed.
    pub live_after: u64,
}

impl Stretch<'_> {
    /// The batch, if the stretch is one batch exactly as it was published.
    pub fn as_published(&self) -> Option<&Batch> {
        match self.batches {
            [batch] if self.set.is_all() && !self.more && batch.cursor.seq > self.live_after => {
                Some(batch)
            }
            _ => None,
        }
    }
}

#[derive(Default)]
struct Joined {
    out: Vec<u8>,
    payload: usize,
    ticks: u64,
    live: Vec<Stamp>,
}

impl Joined {
    fn string_together(&mut self, encoding: Encoding, stretch: &Stretch<'_>) {
        let mut json = Vec::new();
        for batch in stretch.batches {
            if !self.count(batch, stretch) {
                continue;
            }
            if stretch.set.is_all() {
                self.payload += batch.bytes(Encoding::Json).len();
                self.out.extend_from_slice(batch.bytes(encoding));
            } else {
                json.clear();
                let ticks = batch.json_of(stretch.set);
                json::ticks(batch.cursor, batch.ts, ticks, false, &mut json);
                self.payload += json.len();
                let cursor = Some(batch.cursor);
                dress(encoding, Kind::Ticks, cursor, &json, &mut self.out);
            }
        }
    }

    fn merge(&mut self, stretch: &Stretch<'_>) {
        let mut published = 0;
        for batch in stretch.batches {
            if self.count(batch, stretch) {
                published = batch.ts;
            }
        }
        let ticks = (stretch.batches.iter()).flat_map(|batch| batch.json_of(stretch.set));
        json::ticks(stretch.upto, published, ticks, stretch.more, &mut self.out);
        self.payload = self.out.len();
    }

    /// Counts a batch; `false` if it has nothing for the set.
    fn count(&mut self, batch: &Batch, stretch: &Stretch<'_>) -> bool {
        let ticks = batch.count_in(stretch.set);
        self.ticks += ticks;
        if ticks > 0 && batch.cursor.seq > stretch.live_after {
            let ts = batch.generated;
            self.live.push(Stamp { ts, ticks });
        }
        ticks > 0
    }
}

/// Appends a message as `encoding` carries it.
pub(super) fn dress(
    encoding: Encoding,
    kind: Kind,
    cursor: Option<Cursor>,
    json: &[u8],
    out: &mut Vec<u8>,
) {
    match encoding {
        Encoding::WebSocket => {
            websocket::header(websocket::TEXT, json.len(), out);
            out.extend_from_slice(json);
        }
        Encoding::Sse => {
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(kind.event().as_bytes());
            if let Some(cursor) = cursor {
                out.extend_from_slice(b"\nid: ");
                super::cursor::write(cursor, out);
            }
            out.extend_from_slice(b"\ndata: ");
            out.extend_from_slice(json);
            out.extend_from_slice(b"\n\n");
        }
        Encoding::Ndjson => {
            out.extend_from_slice(json);
            out.push(b'\n');
        }
        Encoding::Json => out.extend_from_slice(json),
    }
}

/// How an event stream begins: when to come back after a cut, and the cursor to come back with.
/// A block with an `id` alone sets Last-Event-ID and dispatches nothing.
pub fn sse_prelude(retry_ms: u64, cursor: Option<Cursor>) -> Frame {
    let mut text = format!("retry: {retry_ms}\n");
    if let Some(cursor) = cursor {
        text += &format!("id: {}\n", super::cursor::format(cursor));
    }
    text.push('\n');
    Frame::bare(text)
}
