//! A client that polls: requests and answers in turn, on a connection that is ours.
//!
//! Its first poll came through actix. What is a poll like that one is read and answered here, without a task or buffers
//! of its own; whatever else the client asks for, it is given back to actix together with what it has said.

use std::rc::Rc;

use httparse::{EMPTY_HEADER, Status};

use crate::metrics::Sink;
use crate::transport::lease::Serve;
use crate::transport::poll::{self, Patience};
use crate::transport::{Request, Session, Worker};
use crate::wire::frame::Frame;

use super::Socket;

/// Bytes that the head of a poll has at most; actix is asked what to do about a longer one.
const MOST_HEAD: usize = 8 * 1024;

/// Headers that it has at most.
const MOST_HEADERS: usize = 64;

/// Headers that may change what a poll means, or how it is framed.
const TELLING: [&str; 6] = [
    "connection",
    "content-length",
    "expect",
    "prefer",
    "transfer-encoding",
    "upgrade",
];

/// The path of what is understood here.
const PATH: &str = "/v1/poll";

/// The connection of a client that polls.
pub(super) struct Poller {
    pub(super) socket: Socket,
    serve: Serve,
    /// The poll that waits, or whose answer is on its way.
    session: Option<Session>,
    /// What is on its way.
    answer: Option<Rc<Frame>>,
    /// What the client has said of its next request.
    said: Vec<u8>,
    /// Whether there may be more to read.
    pub(super) readable: bool,
    /// Whether the client has closed its side or is gone, read or not.
    pub(super) has_hung_up: bool,
    /// Whether the connection ends with the answer on its way.
    last: bool,
}

/// What the client wants next.
enum Wish {
    /// Not to be known before more has come.
    Unknown,
    Poll(Request, Patience),
    /// Something that actix is better asked for.
    Other,
}

/// What comes next.
pub(super) enum Next {
    /// Nothing, until it is looked at again: the poll waits, or its answer for room, or its client for a request.
    Wait,
    /// A poll with so much patience has begun.
    Parked(Patience),
    /// The client may ask again.
    Answered,
    /// The client has begun to ask.
    Begun,
    /// The last answer is on its way.
    Last,
    /// Actix is to serve the client.
    GiveBack,
    Gone,
}

impl Poller {
    /// Goes on with a session whose request actix has read.
    pub(super) fn new(socket: Socket, serve: Serve, session: Session) -> Self {
        Self {
            socket,
            serve,
            session: Some(session),
            answer: None,
            said: Vec::new(),
            readable: false,
            has_hung_up: false,
            last: false,
        }
    }

    /// The poll that waits.
    pub(super) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// What the client has said, for actix to begin with.
    pub(super) fn give_back(self) -> (Socket, Vec<u8>, Serve) {
        (self.socket, self.said, self.serve)
    }

    /// Whether neither a request nor an answer is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.session.is_none() && self.said.is_empty()
    }

    /// Answers with what there is, or with where the client stands if `late`. `dress` makes a whole answer of a message.
    pub(super) fn answer(&mut self, late: bool, dress: impl FnOnce(&Rc<Frame>, bool) -> Rc<Frame>) {
        let (Some(session), None) = (&self.session, &self.answer) else {
            return;
        };
        let outbox = session.outbox();
        let frame = outbox.first();
        self.last = outbox.closed().is_some();
        let none = || Rc::new(poll::no_news(session));
        let frame = frame.or_else(|| (late || self.last).then(none));
        self.answer = frame.map(|frame| dress(&frame, self.last));
    }

    /// Brings the answer on its way; what comes next once all of it went.
    pub(super) fn write(&mut self) -> Option<Next> {
        let answer = self.answer.as_ref()?;
        if !self.socket.write(&answer.bytes) {
            return Some(Next::Wait);
        }
        if let Some(session) = self.session.take() {
            session.outbox().take_first();
            session.delivered(answer);
        }
        self.answer = None;
        Some(if self.last {
            Next::Last
        } else {
            Next::Answered
        })
    }

    /// Follows what the client has said; what comes next.
    pub(super) fn follow(&mut self, worker: &Rc<Worker>) -> Next {
        match self.wish(worker) {
            Wish::Poll(request, patience) => {
                self.session = Some(poll::open(worker, request, &patience, Sink::Direct));
                Next::Parked(patience)
            }
            Wish::Other => Next::GiveBack,
            Wish::Unknown => Next::Wait,
        }
    }

    fn wish(&mut self, worker: &Worker) -> Wish {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(&self.said) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if self.said.len() < MOST_HEAD => return Wish::Unknown,
            Ok(Status::Partial) | Err(_) => return Wish::Other,
        };
        let is_plain = request.method == Some("GET") && request.version == Some(1);
        let tells = |header: &httparse::Header<'_>| {
            (TELLING.iter()).any(|name| header.name.eq_ignore_ascii_case(name))
                && !(header.name.eq_ignore_ascii_case("connection")
                    && header.value.eq_ignore_ascii_case(b"keep-alive"))
        };
        let query = (request.path)
            .and_then(|target| target.strip_prefix(PATH))
            .and_then(|rest| match rest {
                "" => Some(""),
                rest => rest.strip_prefix('?'),
            });
        let (Some(query), true) = (query, is_plain && !request.headers.iter().any(tells)) else {
            return Wish::Other;
        };
        match (worker.read_poll)(worker, query) {
            Some((request, patience)) => {
                self.said.drain(..length);
                Wish::Poll(request, patience)
            }
            None => Wish::Other,
        }
    }

    /// Takes what was read.
    pub(super) fn said(&mut self, bytes: &[u8]) {
        self.said.extend_from_slice(bytes);
    }

    /// Whether more is to be read: of one who does not wait for answers, no more than a head is kept.
    pub(super) fn may_say(&self) -> bool {
        self.readable && self.said.len() < MOST_HEAD
    }
}
