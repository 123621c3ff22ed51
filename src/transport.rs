//! Transports: how a session of each kind is opened, served and ended.
//!
//! A [`Session`] is a hub's subscriber with a client at the other end. Its [`Outbox`] is the sink that the hub
//! fills. On plain connections it writes to the socket itself ([`direct`]), which actix has given up for it ([`lease`]);
//! else a streamed response body ([`body`]) takes from it, or a poll's answer ([`poll`]).

mod account;
pub mod body;
pub mod capacity;
pub mod direct;
pub mod echo;
mod heads;
pub mod inbound;
pub mod lease;
mod outbox;
pub mod poll;
#[cfg(test)]
mod property;
mod session;
pub mod stream;
mod tally;
#[cfg(test)]
mod testing;
pub mod websocket;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::Version;
use actix_web::http::header::CONNECTION;
use rand::RngExt;

use crate::hub::{Hub, Start};
use crate::market::{Cursor, SymbolSet};
use crate::metrics::{Local, Sink, Transport};
use crate::tape::Limit;
use crate::wire::frame::Encoding;
use crate::wire::inspect::Inspect;
use crate::wire::json::{self, Welcome};
use crate::wire::terms::Terms;

pub use account::Account;
pub use outbox::Outbox;
pub use session::Session;
pub use tally::Tally;
pub use websocket::{Pulses, Silence};

use capacity::Capacity;
use direct::Lines;
use lease::Leased;

/// The most that is queued for one client beyond the frame that crossed the line, and the most that a client
/// who is behind is given at once. Messages' bytes.
pub const OUTBOX_BYTES: usize = 64 * 1024;

/// The room of a sink that takes one frame.
const ONE_FRAME: usize = 1;

/// What a stream that is behind is given at once.
const PIECE: Limit = Limit {
    bytes: OUTBOX_BYTES,
    ticks: u64::MAX,
};

/// What the transports of one worker thread share.
#[derive(Debug)]
pub struct Worker {
    /// The worker's clients.
    pub hub: Rc<Hub<Rc<Outbox>>>,
    /// Its WebSocket clients, as far as they live.
    pub pulses: Rc<Pulses>,
    /// Its clients whose sockets are ours.
    pub lines: Rc<Lines>,
    /// The process's connections, and how many there may be.
    pub capacity: Arc<Capacity>,
    /// The worker's counters.
    pub metrics: Rc<Local>,
    /// What its clients accept.
    pub tally: Rc<Tally>,
    /// What clients are told of this server.
    pub manners: Manners,
    /// Who reads polls.
    pub read_poll: ReadPoll,
}

/// Reads the query of a poll; `None` if there is anything wrong with it, or it is not one that is answered without more.
pub type ReadPoll = fn(&Worker, &str) -> Option<(Request, poll::Patience)>;

/// What clients are told and held to.
#[derive(Clone, Debug)]
pub struct Manners {
    /// The server's name in `welcome`.
    pub server: String,
    /// Silence after which a stream gets a heartbeat.
    pub heartbeat: Duration,
    /// Symbols that one session may name.
    pub max_symbols: usize,
    /// Bytes that a client's message may have.
    pub max_message: usize,
    /// Messages that a WebSocket client may send a second, on average.
    pub message_rate: u32,
    /// Bad messages in a row after which a WebSocket client is not listened to any more.
    pub max_bad_messages: u32,
    /// Bytes that a message which is echoed may have.
    pub max_echo: usize,
    /// What writes to clients who stream, where there is a choice.
    pub sink: Sink,
    /// How long the body of a request may take to come.
    pub body_timeout: Duration,
}

/// What a client asked for in its URL.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its symbols.
    pub set: SymbolSet,
    /// Which ticks of theirs it wants, and what happens if it cannot keep up.
    pub terms: Terms,
    /// Where it begins.
    pub start: Start,
    /// Whether it wants to see the heads of its request and the answer.
    pub inspect: bool,
}

impl Worker {
    /// The sink that a request gets, and the stream that it came on, if that may be taken from actix.
    fn sink(&self, http: &HttpRequest) -> (Sink, Option<Leased>) {
        match Leased::of(http).filter(|_| self.manners.sink == Sink::Direct) {
            Some(leased) => (Sink::Direct, Some(leased)),
            None => (Sink::Body, None),
        }
    }

    /// The stream that a request came on, if the next ones on it may be read by us, too: it is the only one, it may be
    /// followed by others, and HTTP/1.1 says how.
    fn may_take_over(&self, http: &HttpRequest) -> Option<Leased> {
        let (_, leased) = self.sink(http);
        let leased = leased.filter(Leased::has_one_request)?;
        let goes_on =
            http.version() == Version::HTTP_11 && !http.headers().contains_key(CONNECTION);
        goes_on.then_some(leased)
    }

    /// The way out of a new session: through actix, or to a socket that will be ours.
    fn way_out(&self, transport: Transport, sink: Sink) -> Outbox {
        Outbox::new(OUTBOX_BYTES).of(Account::open(&self.tally, transport, sink))
    }

    /// Where a session that begins so starts: the client's own cursor, or the head for one that has none.
    fn starting_cursor(&self, start: Start) -> Cursor {
        match start {
            Start::After(cursor) => cursor,
            _ => self.hub.tape().head(),
        }
    }

    /// The `welcome` of a new session, with the heads if they are wanted.
    fn welcome(&self, cursor: Cursor, inspect: Option<&Inspect>) -> Vec<u8> {
        json::welcome(&Welcome {
            server: &self.manners.server,
            session: &format!("{:08x}", rand::rng().random::<u32>()),
            cursor,
            heartbeat_ms: self.manners.heartbeat.as_millis() as u64,
            max_symbols: self.manners.max_symbols,
            inspect,
        })
    }

    /// Adds the worker's counts to the shared metrics.
    pub fn flush_metrics(&self) {
        self.tally.settle();
        let facts = self.hub.take_facts();
        self.metrics.encoded(&facts.encodes);
        self.metrics.repaired(facts.gaps, facts.lagged);
        self.metrics.accepted(self.capacity.accepted());
        self.metrics.flush();
    }

    /// The names of [`crate::hub::Facts::encodes`].
    pub fn encodings() -> [&'static str; 4] {
        Encoding::ALL.map(Encoding::label)
    }
}
