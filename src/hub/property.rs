//! Random subscribers against a plain model of the tape: whatever they want, however they stall, cut and come back,
//! each frame means what it says and every tick that was due is accounted for.
//!
//! `PROPTEST_CASES=5000 cargo test --lib property` runs more cases; a failing one is kept beside this file.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;

use super::tests::{Fixture, List, story};
use super::*;
use crate::market::SymbolId;
use crate::wire::cursor as cursor_text;
use crate::wire::terms::{Mode, Policy};

const SYMBOLS: [&str; 3] = ["A", "B", "C"];
const CLIENTS: usize = 3;

/// One thing that happens. Clients and symbols are numbers; a set is a mask.
#[derive(Clone, Debug)]
enum Op {
    /// A batch of one tick for each symbol of the mask.
    Publish(u8),
    /// So many batches of one symbol, without a chance for the worker to run.
    Burst(usize, u64),
    /// Time for the worker, and on the clock.
    Pass(u64),
    /// A session begins, where the client's last one ended if there was one and it may.
    Open {
        client: usize,
        set: u8,
        terms: Terms,
        resume: bool,
    },
    /// The client polls once from where it is, over whatever it did before.
    Poll { client: usize, set: u8, mode: Mode },
    /// The client takes so many more frames and no others.
    Take(usize, usize),
    /// The client reads whatever comes.
    Read(usize),
    /// The client is gone, before it has read the last so many lines that its sink took: a cut in mid-frame.
    Cut(usize, usize),
    /// The session changes its symbols.
    Change(usize, u8),
    /// The session changes its terms.
    Renegotiate(usize, Terms),
}

fn terms() -> impl Strategy<Value = Terms> {
    let mode = prop_oneof![3 => Just(Mode::Every), 1 => Just(Mode::Conflate)];
    let policy = prop_oneof![4 => Just(Policy::Conflate), 1 => Just(Policy::Disconnect)];
    (mode, prop_oneof![Just(0u32), 1..50u32], policy).prop_map(|(mode, max_rate, policy)| Terms {
        mode,
        max_rate,
        policy,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let client = 0..CLIENTS;
    let set = 0..8u8;
    prop_oneof![
        8 => (1..8u8).prop_map(Op::Publish),
        2 => (0..SYMBOLS.len(), 2..40u64).prop_map(|(symbol, count)| Op::Burst(symbol, count)),
        1 => (0..SYMBOLS.len(), 1_000..1_300u64).prop_map(|(symbol, count)| Op::Burst(symbol, count)),
        6 => (0..200u64).prop_map(Op::Pass),
        4 => (client.clone(), set.clone(), terms(), any::<bool>())
            .prop_map(|(client, set, terms, resume)| Op::Open { client, set, terms, resume }),
        2 => (client.clone(), set.clone(), prop_oneof![Just(Mode::Every), Just(Mode::Conflate)])
            .prop_map(|(client, set, mode)| Op::Poll { client, set, mode }),
        3 => (client.clone(), 0..4usize).prop_map(|(client, frames)| Op::Take(client, frames)),
        3 => client.clone().prop_map(Op::Read),
        2 => (client.clone(), 0..4usize).prop_map(|(client, lost)| Op::Cut(client, lost)),
        2 => (client.clone(), set).prop_map(|(client, set)| Op::Change(client, set)),
        1 => (client, terms()).prop_map(|(client, terms)| Op::Renegotiate(client, terms)),
    ]
}

/// The tape as a list: for each symbol, the seqs of its ticks.
#[derive(Default)]
struct Model {
    seqs: [Vec<u64>; 3],
    head: u64,
}

impl Model {
    /// How many ticks a symbol has had up to a seq; that is the `n` of the last of them, too.
    fn count(&self, symbol: usize, seq: u64) -> u64 {
        self.seqs[symbol].partition_point(|each| *each <= seq) as u64
    }
}

/// A client, over all its sessions.
#[derive(Default)]
struct Reader {
    session: Option<Session>,
    /// What it knows of each symbol it follows: the last `n`.
    known: HashMap<usize, u64>,
    /// The last cursor that it was told.
    cursor: Option<Cursor>,
}

struct Session {
    list: List,
    id: SubscriberId,
    /// How many of the list's frames have been judged.
    judged: usize,
    set: SymbolSet,
    /// From which seq on each symbol is due; symbols whose board has not come yet are not there.
    due_from: HashMap<usize, u64>,
    /// What was due for symbols that it gave up.
    given_up: u64,
    /// Whether the ledger can be known from the start.
    exact: bool,
    /// Whether a tick may be left out, by its terms now or before.
    may_skip: bool,
}

impl Session {
    /// From a snapshot on, the symbols that it shows are due, and those that have not ticked before it.
    fn begin_due(&mut self, line: &Value, model: &Model) {
        if line["type"] != "snapshot" {
            return;
        }
        let seq = cursor_text::parse(line["cursor"].as_str().unwrap())
            .unwrap()
            .seq;
        let shown = line["data"].as_array().unwrap();
        for (symbol, name) in SYMBOLS.iter().enumerate() {
            let is_shown = shown.iter().any(|quote| quote["symbol"] == *name);
            let is_silent = model.count(symbol, seq) == 0;
            if self.set.contains(SymbolId(symbol as u16)) && (is_shown || is_silent) {
                self.due_from.entry(symbol).or_insert(seq);
            }
        }
    }
}

struct World {
    f: Fixture,
    model: Model,
    readers: [Reader; CLIENTS],
}

impl World {
    fn new() -> Self {
        Self {
            f: Fixture::of(
                &SYMBOLS,
                1,
                Patience {
                    max_behind: 30,
                    slow_after: Duration::from_millis(150),
                },
            ),
            model: Model::default(),
            readers: Default::default(),
        }
    }

    fn set(&self, mask: u8) -> SymbolSet {
        let ids = (0..3).filter(|id| mask >> id & 1 == 1).map(SymbolId);
        SymbolSet::of(self.f.tape.listing(), ids)
    }

    fn publish(&mut self, mask: u8) {
        self.model.head += 1;
        let mut ticks = Vec::new();
        for symbol in (0..3).filter(|id| mask >> id & 1 == 1) {
            self.model.seqs[symbol].push(self.model.head);
            let n = self.model.seqs[symbol].len() as u64;
            ticks.push(crate::market::testing::tick(SymbolId(symbol as u16), n));
        }
        self.f.publisher.publish(ticks, self.model.head);
    }

    async fn apply(&mut self, op: Op) {
        // Clients read when time passes; what comes in between is on its way until then.
        let reads = matches!(op, Op::Pass(_));
        match op {
            Op::Publish(mask) => self.publish(mask),
            Op::Burst(symbol, count) => (0..count).for_each(|_| self.publish(1 << symbol)),
            Op::Pass(ms) => {
                self.f.settle().await;
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.f.settle().await;
            }
            Op::Open {
                client,
                set,
                terms,
                resume,
            } => self.open(client, set, terms, resume),
            Op::Poll { client, set, mode } => {
                let terms = Terms {
                    mode,
                    ..Terms::default()
                };
                self.open_on(Encoding::Json, client, set, terms, true);
                self.f.settle().await;
                self.end_poll(client);
            }
            Op::Take(client, frames) => self.room(client, frames),
            Op::Read(client) => self.room(client, usize::MAX),
            Op::Cut(client, lost) => {
                self.lose(client, lost);
                self.cut(client);
                return;
            }
            Op::Change(client, mask) => self.change(client, mask),
            Op::Renegotiate(client, terms) => {
                if let Some(session) = &mut self.readers[client].session {
                    session.may_skip |= terms.mode == Mode::Conflate;
                    self.f.hub.set_terms(session.id, terms);
                }
            }
        }
        if reads {
            for client in 0..CLIENTS {
                self.judge(client);
            }
        }
    }

    fn open(&mut self, client: usize, mask: u8, terms: Terms, resume: bool) {
        self.open_on(Encoding::Ndjson, client, mask, terms, resume);
    }

    fn open_on(&mut self, encoding: Encoding, client: usize, mask: u8, terms: Terms, resume: bool) {
        self.cut(client);
        let set = self.set(mask);
        let reader = &mut self.readers[client];
        let resumed = reader.cursor.filter(|_| resume);
        let (start, exact, from) = match resumed {
            Some(cursor) => {
                let exact = self.f.tape.count_at(cursor, &set).is_some();
                (Start::After(cursor), exact, Some(cursor.seq))
            }
            None => (Start::Fresh, true, None),
        };
        // What it does not follow from here on, it does not know later.
        reader
            .known
            .retain(|symbol, _| resumed.is_some() && set.contains(SymbolId(*symbol as u16)));
        let followed = (0..3).filter(|symbol| set.contains(SymbolId(*symbol as u16)));
        let due_from = from.map_or_else(HashMap::new, |seq| followed.map(|s| (s, seq)).collect());
        // A poll takes one frame, of a few ticks.
        let (room, ticks) = match encoding {
            Encoding::Json => (1, 7),
            _ => (usize::MAX, u64::MAX),
        };
        let list = List::with_room(room);
        let subscription = Subscription {
            encoding,
            set: set.clone(),
            terms,
            start,
            limit: Limit {
                bytes: 2_000,
                ticks,
            },
        };
        let id = self.f.hub.subscribe(list.clone(), subscription);
        self.readers[client].session = Some(Session {
            list,
            id,
            judged: 0,
            set,
            due_from,
            given_up: 0,
            exact,
            may_skip: terms.mode == Mode::Conflate,
        });
    }

    /// The client does not read the last lines that its sink took, though they count as delivered.
    fn lose(&mut self, client: usize, lines: usize) {
        let Some(session) = &mut self.readers[client].session else {
            return;
        };
        let judged = session.judged;
        let unread = session.list.lines_from(judged);
        let mut kept = unread.len().saturating_sub(lines);
        // A cut between ticks and the lag that explains them hides the lag: the order of the two allows it.
        if unread.get(kept).is_some_and(|line| line["type"] == "lag") {
            kept = kept.saturating_sub(1);
        }
        // A board that is not read still begins what is due.
        for line in &unread {
            session.begin_due(line, &self.model);
        }
        session.list.keep(judged + kept);
    }

    fn room(&mut self, client: usize, frames: usize) {
        if let Some(session) = &self.readers[client].session {
            session.list.set_room(frames);
            if frames > 0 {
                self.f.hub.drained(session.id);
            }
        }
    }

    fn change(&mut self, client: usize, mask: u8) {
        self.judge(client);
        let set = self.set(mask);
        let Reader { session, known, .. } = &mut self.readers[client];
        let Some(session) = session else { return };
        for symbol in 0..3 {
            if !set.contains(SymbolId(symbol as u16)) {
                known.remove(&symbol);
                if let Some(from) = session.due_from.remove(&symbol) {
                    let head = self.model.count(symbol, self.model.head);
                    session.given_up += head - self.model.count(symbol, from);
                }
            }
        }
        session.set = set.clone();
        self.f.hub.set_symbols(session.id, set, None);
    }

    /// Ends a poll, answered or not, and holds its ledger against the model: it ends where its answer does.
    fn end_poll(&mut self, client: usize) {
        self.judge(client);
        let Some(session) = self.readers[client].session.take() else {
            return;
        };
        assert_eq!(self.f.hub.unsubscribe(session.id), 0);
        let answer = session.list.lines_from(0).into_iter().next();
        let answer = answer.filter(|line| line["type"] == "ticks" && session.exact);
        if let Some(answer) = answer {
            let text = answer["cursor"].as_str().unwrap();
            let upto = cursor_text::parse(text).unwrap().seq;
            let due: u64 = (session.due_from.iter())
                .map(|(s, from)| self.model.count(*s, upto) - self.model.count(*s, *from))
                .sum();
            assert_eq!(session.list.settled(), due, "the ledger of a poll");
        }
    }

    /// Ends the session and holds its ledger against the model.
    fn cut(&mut self, client: usize) {
        self.judge(client);
        let Some(session) = self.readers[client].session.take() else {
            return;
        };
        let unsent = self.f.hub.unsubscribe(session.id);
        if session.exact {
            let model = &self.model;
            let due: u64 = (session.due_from.iter())
                .map(|(symbol, from)| {
                    model.count(*symbol, model.head) - model.count(*symbol, *from)
                })
                .sum();
            assert_eq!(
                session.list.settled() + unsent,
                due + session.given_up,
                "the ledger"
            );
        }
    }

    /// Reads what came since the last look.
    fn judge(&mut self, client: usize) {
        let Self { model, readers, .. } = self;
        let Reader {
            session,
            known,
            cursor,
        } = &mut readers[client];
        let Some(session) = session else { return };
        let lines = session.list.lines_from(session.judged);
        session.judged += lines.len();
        for (index, line) in lines.iter().enumerate() {
            let lag = lines
                .get(index + 1)
                .is_some_and(|next| next["type"] == "lag");
            judge_line(line, session, known, model, lag);
            if let Some(text) = line["cursor"].as_str() {
                let place = cursor_text::parse(text).unwrap();
                assert!(cursor.is_none_or(|before| before.seq <= place.seq) || index == 0);
                *cursor = Some(place);
                // The cursor's meaning: all that was due up to here has come.
                for (symbol, n) in known.iter() {
                    assert_eq!(*n, model.count(*symbol, place.seq), "{line}");
                }
            }
        }
    }
}

fn judge_line(
    line: &Value,
    session: &mut Session,
    known: &mut HashMap<usize, u64>,
    model: &Model,
    lag: bool,
) {
    let data = line["data"].as_array().map_or(&[][..], Vec::as_slice);
    let symbol_of = |tick: &Value| SYMBOLS.iter().position(|s| tick["symbol"] == *s).unwrap();
    match line["type"].as_str().unwrap() {
        "snapshot" => {
            session.begin_due(line, model);
            for quote in data {
                known.insert(symbol_of(quote), quote["n"].as_u64().unwrap());
            }
        }
        "ticks" => {
            for tick in data {
                let (symbol, n) = (symbol_of(tick), tick["n"].as_u64().unwrap());
                assert!(
                    session.set.contains(SymbolId(symbol as u16)),
                    "not wanted: {tick}"
                );
                if let Some(before) = known.insert(symbol, n) {
                    assert!(n > before, "older or twice: {before}, {tick}");
                    let skips = session.may_skip || lag;
                    assert!(n == before + 1 || skips, "a loss: {before}, {tick}");
                }
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(300),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_frame_means_what_it_says_and_every_tick_is_accounted_for(
        ops in prop::collection::vec(op(), 1..80),
    ) {
        story(async || {
            let mut world = World::new();
            for op in ops {
                world.apply(op).await;
            }
            for client in 0..CLIENTS {
                world.room(client, usize::MAX);
            }
            world.apply(Op::Pass(1_000)).await;
            for client in 0..CLIENTS {
                world.cut(client);
            }
        });
    }
}
