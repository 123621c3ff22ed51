//! Control messages: what a WebSocket client changes about its session while it runs.

use std::rc::Rc;

use tokio::time::Instant;

use crate::clock;
use crate::hub::{Start, SubscriberId};
use crate::market::SymbolSet;
use crate::transport::inbound::Event;
use crate::transport::{Outbox, Worker};
use crate::wire::close::CloseReason;
use crate::wire::cursor;
use crate::wire::error::ErrorCode;
use crate::wire::frame::{Encoding, Frame, Kind};
use crate::wire::message::{self, Id, Refusal, Request, Subscribe, Unsubscribe};

use super::pulse::Pulse;
use super::rate::Rate;
use super::talk::Listener;

/// The side of a session that listens.
pub(super) struct Control {
    worker: Rc<Worker>,
    id: SubscriberId,
    outbox: Rc<Outbox>,
    pulse: Rc<Pulse>,
    rate: Rate,
    /// Whether a subscribe may still say where to begin.
    may_begin: bool,
    /// Bad messages in a row.
    bad: u32,
}

impl Control {
    /// Listens for the subscriber whose sink is `outbox`.
    pub(super) fn new(
        worker: &Rc<Worker>,
        id: SubscriberId,
        outbox: Rc<Outbox>,
        pulse: &Rc<Pulse>,
    ) -> Self {
        let (set, _) = worker.hub.subscription(id);
        let now = Instant::now();
        pulse.asks(!set.is_empty(), now);
        Self {
            worker: Rc::clone(worker),
            id,
            outbox,
            pulse: Rc::clone(pulse),
            rate: Rate::new(worker.manners.message_rate, now),
            may_begin: set.is_empty(),
            bad: 0,
        }
    }

    /// Follows a message, or says why not. Fails when there were too many bad ones.
    fn handle(&mut self, text: &str) -> Result<(), CloseReason> {
        let (id, outcome) = match message::parse(text) {
            Ok(message) => {
                let outcome = self.follow(message.id.as_ref(), message.request);
                (message.id, outcome)
            }
            Err((id, refusal)) => (id, Err(refusal)),
        };
        self.worker.metrics.message(outcome.is_ok());
        match outcome {
            Ok(()) => self.bad = 0,
            Err(refusal) => {
                self.bad += 1;
                self.refuse(id.as_ref(), &refusal);
            }
        }
        if self.bad < self.worker.manners.max_bad_messages {
            return Ok(());
        }
        Err(CloseReason::BadMessages)
    }

    fn follow(&mut self, id: Option<&Id>, request: Request) -> Result<(), Refusal> {
        match request {
            Request::Subscribe(subscribe) => self.subscribe(id, &subscribe),
            Request::Unsubscribe(Unsubscribe { symbols }) => {
                let (fewer, unknown) = message::resolve(self.listing(), &symbols);
                let (present, _) = self.worker.hub.subscription(self.id);
                self.change(id, present.without(&fewer), None);
                self.refuse_unknown(id, unknown);
                Ok(())
            }
            Request::List => {
                let (set, _) = self.worker.hub.subscription(self.id);
                self.confirm(id, &set);
                Ok(())
            }
            Request::Ping => {
                self.reply(Kind::Pong, &message::pong(id, clock::now()));
                Ok(())
            }
        }
    }

    /// Takes the good part and reports the bad one.
    fn subscribe(&mut self, id: Option<&Id>, subscribe: &Subscribe) -> Result<(), Refusal> {
        let (present, terms) = self.worker.hub.subscription(self.id);
        let terms = subscribe.terms(terms)?;
        let start = match subscribe.since.as_deref().filter(|_| self.may_begin) {
            None => None,
            Some(text) => Some(Start::After(cursor::parse(text).map_err(|error| {
                Refusal::new(ErrorCode::BadCursor, format!("since is {error}"))
            })?)),
        };
        let (more, unknown) = message::resolve(self.listing(), &subscribe.symbols);
        let set = present.with(&more);
        let most = self.worker.manners.max_symbols;
        if set.len() > most && set != present && !more.is_all() {
            let message = format!("{} symbols; at most {most} go in one session", set.len());
            return Err(Refusal::new(ErrorCode::TooManySymbols, message));
        }
        self.may_begin &= set.is_empty();
        self.worker.hub.set_terms(self.id, terms);
        self.change(id, set, start);
        self.refuse_unknown(id, unknown);
        Ok(())
    }

    /// Confirms first, so that the client knows what the snapshot after it is for.
    fn change(&self, id: Option<&Id>, set: SymbolSet, start: Option<Start>) {
        self.confirm(id, &set);
        self.pulse.asks(!set.is_empty(), Instant::now());
        self.worker.hub.set_symbols(self.id, set, start);
    }

    fn confirm(&self, id: Option<&Id>, set: &SymbolSet) {
        let (_, terms) = self.worker.hub.subscription(self.id);
        let json = message::subscribed(id, self.listing(), set, terms);
        self.reply(Kind::Subscribed, &json);
    }

    fn refuse_unknown(&self, id: Option<&Id>, unknown: Vec<String>) {
        if let Some(refusal) = Refusal::of_unknown(unknown) {
            self.refuse(id, &refusal);
        }
    }

    fn refuse(&self, id: Option<&Id>, refusal: &Refusal) {
        self.reply(Kind::Error, &message::error(id, refusal));
    }

    fn reply(&self, kind: Kind, json: &[u8]) {
        let frame = Frame::message(Encoding::WebSocket, kind, None, json);
        self.outbox.push(&Rc::new(frame));
    }

    fn listing(&self) -> &crate::market::Listing {
        self.worker.hub.tape().listing()
    }
}

impl Listener for Control {
    fn admits(&mut self, now: Instant) -> bool {
        self.rate.admits(now)
    }

    fn hear(&mut self, event: Event) -> Result<(), CloseReason> {
        match event {
            Event::Text(text) => self.handle(&text),
            Event::Binary(_) => Err(CloseReason::UnsupportedData),
            _ => Ok(()),
        }
    }
}
