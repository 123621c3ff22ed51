//! A client as the model has it: what it knows, and what is due to its session.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use serde_json::Value;

use super::history::{History, SYMBOLS, symbol_of};
use super::tap::Offered;
use super::way::{Room, Way};
use crate::hub::SubscriberId;
use crate::market::{Cursor, SymbolId, SymbolSet};
use crate::wire::cursor;

/// A client, over all its sessions.
pub(super) struct Reader<W> {
    pub(super) session: Option<Session<W>>,
    pub(super) knows: Knowledge,
}

/// What a client has learnt from what it has read.
#[derive(Default)]
pub(super) struct Knowledge {
    /// The last `n` of each symbol that it follows.
    ns: HashMap<usize, u64>,
    /// The last cursor that it was told.
    pub(super) cursor: Option<Cursor>,
}

pub(super) struct Session<W> {
    pub(super) way: W,
    pub(super) id: SubscriberId,
    pub(super) offered: Offered,
    /// How many of the messages that were offered have been looked at for boards.
    noted: usize,
    /// How many of them the client has read.
    pub(super) read: usize,
    /// Its symbols, as the hub knows them.
    pub(super) wants: SymbolSet,
    /// Its symbols, as far as the client has read; and what follows, by the message that it begins with.
    reads: SymbolSet,
    changes: VecDeque<(usize, SymbolSet)>,
    /// From which seq on each symbol is due; symbols whose board has not come yet are not there.
    due_from: HashMap<usize, u64>,
    /// What was due for symbols that it gave up.
    given_up: u64,
    /// Whether the ledger can be known from the start.
    pub(super) exact: bool,
    /// Whether a tick may be left out, by its terms now or before.
    pub(super) may_skip: bool,
}

fn has(set: &SymbolSet, symbol: usize) -> bool {
    set.contains(SymbolId(symbol as u16))
}

/// Where a message stands.
fn place_of(message: &Value) -> Option<Cursor> {
    (message["cursor"].as_str()).map(|text| cursor::parse(text).expect("cursors can be read"))
}

fn entries(message: &Value) -> &[Value] {
    message["data"].as_array().map_or(&[], Vec::as_slice)
}

impl<W: Way> Session<W> {
    /// One that begins after this cursor, or with a board.
    pub(super) fn begin(
        way: W,
        id: SubscriberId,
        offered: Offered,
        wants: SymbolSet,
        after: Option<Cursor>,
    ) -> Self {
        let followed = (0..SYMBOLS.len()).filter(|symbol| has(&wants, *symbol));
        let due_from = after.map_or_else(HashMap::new, |cursor| {
            followed.map(|symbol| (symbol, cursor.seq)).collect()
        });
        Self {
            way,
            id,
            offered,
            noted: 0,
            read: 0,
            reads: wants.clone(),
            wants,
            changes: VecDeque::new(),
            due_from,
            given_up: 0,
            exact: true,
            may_skip: false,
        }
    }

    /// From a board on, the symbols that it shows are due, and those that have not ticked before it: read or not.
    pub(super) fn note_boards(&mut self, history: &History) {
        let offered = self.offered.borrow();
        let boards = offered[self.noted..]
            .iter()
            .filter(|message| message["type"] == "snapshot");
        for board in boards {
            let seq = place_of(board).expect("a board has a cursor").seq;
            let shown: Vec<usize> = entries(board).iter().map(symbol_of).collect();
            for symbol in (0..SYMBOLS.len()).filter(|symbol| has(&self.wants, *symbol)) {
                if shown.contains(&symbol) || history.count(symbol, seq) == 0 {
                    self.due_from.entry(symbol).or_insert(seq);
                }
            }
        }
        self.noted = offered.len();
    }

    /// Wants other symbols from the next message on.
    pub(super) fn change(&mut self, set: &SymbolSet, history: &History) {
        self.note_boards(history);
        for symbol in (0..SYMBOLS.len()).filter(|symbol| !has(set, *symbol)) {
            if let Some(from) = self.due_from.remove(&symbol) {
                self.given_up += history.between(symbol, from, history.head);
            }
        }
        self.wants = set.clone();
        self.changes.push_back((self.noted, set.clone()));
    }

    /// How many ticks have been due to it up to a seq.
    pub(super) fn due(&self, history: &History, upto: u64) -> u64 {
        let due = self.due_from.iter();
        let due: u64 = due.map(|(s, from)| history.between(*s, *from, upto)).sum();
        due + self.given_up
    }

    /// Reads what has come, and so much of it at most: what was offered, whole and in that order.
    fn read(&mut self, knows: &mut Knowledge, history: &History, most: Room) {
        self.note_boards(history);
        let offered = Rc::clone(&self.offered);
        let offered = offered.borrow();
        for message in self.way.read(most) {
            while let Some((_, set)) = self.changes.pop_front_if(|(from, _)| *from <= self.read) {
                knows.ns.retain(|symbol, _| has(&set, *symbol));
                self.reads = set;
            }
            assert_eq!(
                offered.get(self.read),
                Some(&message),
                "lost, or out of order"
            );
            self.read += 1;
            let lags = (offered.get(self.read)).is_some_and(|next| next["type"] == "lag");
            knows.learn(&message, &self.reads, self.may_skip || lags, history);
        }
    }
}

impl<W: Way> Reader<W> {
    pub(super) fn new() -> Self {
        Self {
            session: None,
            knows: Knowledge::default(),
        }
    }

    pub(super) fn read(&mut self, history: &History, most: Room) {
        if let Some(session) = &mut self.session {
            session.read(&mut self.knows, history, most);
        }
    }

    /// What it does not follow from here on, it does not know later.
    pub(super) fn follow(&mut self, set: &SymbolSet, resumes: bool) {
        let known = &mut self.knows.ns;
        known.retain(|symbol, _| resumes && has(set, *symbol));
    }
}

impl Knowledge {
    fn learn(&mut self, message: &Value, set: &SymbolSet, may_skip: bool, history: &History) {
        let ns = entries(message).iter().map(|entry| {
            (
                symbol_of(entry),
                entry["n"].as_u64().expect("each has an n"),
            )
        });
        match message["type"].as_str() {
            Some("snapshot") => self.ns.extend(ns),
            Some("ticks") => {
                for (symbol, n) in ns {
                    assert!(has(set, symbol), "not wanted: {message}");
                    if let Some(before) = self.ns.insert(symbol, n) {
                        assert!(n > before, "older or twice: {before}, {message}");
                        assert!(n == before + 1 || may_skip, "a loss: {before}, {message}");
                    }
                }
            }
            _ => {}
        }
        let Some(place) = place_of(message) else {
            return;
        };
        let before = self.cursor.replace(place);
        assert!(
            before.is_none_or(|before| before.seq <= place.seq),
            "{message}"
        );
        // The cursor's meaning: all that was due up to here has come.
        for (symbol, n) in &self.ns {
            assert_eq!(*n, history.count(*symbol, place.seq), "{message}");
        }
    }
}
