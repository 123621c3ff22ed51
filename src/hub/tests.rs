//! The hub with a sink that is a plain list: no sockets, no clock but a paused one.

mod terms;

use std::ops::RangeInclusive;

use tokio::task::{LocalSet, yield_now};

use super::*;
use crate::market::testing::{listing, set, tick};
use crate::market::{Epoch, SymbolId};
use crate::tape::{CHANNEL_BATCHES, Keep, Publisher};
use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;

const A: SymbolId = SymbolId(0);
const B: SymbolId = SymbolId(1);

/// Takes as many frames as it has room for.
#[derive(Clone, Debug)]
pub(super) struct List(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    room: Cell<usize>,
    lines: RefCell<Vec<serde_json::Value>>,
    /// What became of the ticks that were due, as the frames say.
    settled: Cell<u64>,
    closed: Cell<bool>,
}

impl List {
    pub(super) fn with_room(room: usize) -> Self {
        Self(Rc::new(Inner {
            room: Cell::new(room),
            lines: RefCell::default(),
            settled: Cell::new(0),
            closed: Cell::new(false),
        }))
    }

    pub(super) fn endless() -> Self {
        Self::with_room(usize::MAX)
    }

    fn types(&self) -> Vec<String> {
        let lines = self.0.lines.borrow();
        lines
            .iter()
            .map(|line| line["type"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The `n`s of all ticks that came.
    fn ns(&self) -> Vec<u64> {
        let lines = self.0.lines.borrow();
        let ticks = lines.iter().filter(|line| line["type"] == "ticks");
        ticks
            .flat_map(|line| line["data"].as_array().unwrap().clone())
            .map(|tick| tick["n"].as_u64().unwrap())
            .collect()
    }

    pub(super) fn set_room(&self, frames: usize) {
        self.0.room.set(frames);
    }

    pub(super) fn settled(&self) -> u64 {
        self.0.settled.get()
    }

    pub(super) fn lines_from(&self, index: usize) -> Vec<serde_json::Value> {
        self.0.lines.borrow()[index..].to_vec()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.get()
    }

    fn last_cursor(&self) -> String {
        let lines = self.0.lines.borrow();
        lines.last().unwrap()["cursor"].as_str().unwrap().to_owned()
    }
}

impl Sink for List {
    fn has_room(&self) -> bool {
        self.0.room.get() > 0
    }

    fn send(&self, frame: &Rc<Frame>) {
        self.0.room.set(self.0.room.get() - 1);
        self.0
            .settled
            .set(self.0.settled.get() + frame.ledger.due());
        let text = std::str::from_utf8(&frame.bytes).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        self.0.lines.borrow_mut().extend(lines);
    }

    fn close(&self, _: CloseReason) {
        self.0.closed.set(true);
    }
}

pub(super) struct Fixture<S = List> {
    pub(super) hub: Rc<Hub<S>>,
    pub(super) tape: Arc<Tape>,
    pub(super) publisher: Publisher,
    stop: CancellationToken,
}

impl<S: Sink + 'static> Fixture<S> {
    pub(super) fn of(symbols: &[&str], journal: usize, patience: Patience) -> Self {
        let (tape, publisher) =
            Tape::new(listing(symbols), Epoch::new(1), Keep { journal, bars: 1 });
        let options = Options {
            heartbeat: Duration::from_secs(5),
            flush_interval: Duration::ZERO,
            patience,
        };
        let stop = CancellationToken::new();
        let hub = Hub::start(Arc::clone(&tape), options, stop.clone());
        Self {
            hub,
            tape,
            publisher,
            stop,
        }
    }
}

impl Fixture {
    /// A journal no longer than the channel.
    fn new() -> Self {
        Self::with_journal(1)
    }

    fn with_journal(bytes: usize) -> Self {
        Self::of(
            &["A", "B"],
            bytes,
            Patience {
                max_behind: u64::MAX,
                slow_after: Duration::from_secs(60),
            },
        )
    }

    fn publish(&mut self, symbol: SymbolId, ns: RangeInclusive<u64>) {
        for n in ns {
            self.publisher.publish(vec![tick(symbol, n)], n);
        }
    }

    fn subscribe(&self, list: &List, symbols: &[&str], start: Start) -> SubscriberId {
        self.subscribe_on(list, symbols, start, Terms::default())
    }

    fn subscribe_on(
        &self,
        list: &List,
        symbols: &[&str],
        start: Start,
        terms: Terms,
    ) -> SubscriberId {
        let subscription = Subscription {
            encoding: Encoding::Ndjson,
            set: set(self.tape.listing(), symbols),
            terms,
            start,
            limit: Limit {
                bytes: 1_000,
                ticks: u64::MAX,
            },
        };
        self.hub.subscribe(list.clone(), subscription)
    }

    /// Lets the hub do what it can do without time passing.
    pub(super) async fn settle(&self) {
        for _ in 0..100 {
            yield_now().await;
        }
    }

    fn head(&self) -> String {
        crate::wire::cursor::format(self.tape.head())
    }
}

/// Runs a story on a `LocalSet` with paused time.
pub(super) fn story<F: Future<Output = ()>>(tell: impl FnOnce() -> F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async { tell().await });
}

#[test]
fn a_fresh_subscriber_gets_the_board_and_then_each_tick_once() {
    story(async || {
        let mut f = Fixture::new();
        f.publish(A, 1..=3);
        let list = List::endless();
        f.subscribe(&list, &["A", "B"], Start::Fresh);
        f.publish(A, 4..=6);
        f.settle().await;
        assert_eq!(list.types()[0], "snapshot");
        assert_eq!(list.ns(), [4, 5, 6]);
    });
}

#[test]
fn a_batch_that_is_on_the_board_and_still_in_the_channel_is_not_repeated() {
    story(async || {
        let mut f = Fixture::new();
        f.publish(A, 1..=3);
        let list = List::endless();
        f.subscribe(&list, &["A"], Start::Fresh);
        f.settle().await;
        assert_eq!(list.types(), ["snapshot"]);
    });
}

#[test]
fn a_subscriber_resumes_after_its_cursor() {
    story(async || {
        let mut f = Fixture::new();
        f.publish(A, 1..=9);
        let list = List::endless();
        f.subscribe(&list, &["A"], Start::After(f.tape.head().at(4)));
        f.publish(A, 10..=11);
        f.settle().await;
        assert_eq!(list.ns(), [5, 6, 7, 8, 9, 10, 11]);
    });
}

#[test]
fn a_subscriber_that_joins_between_batches_of_a_flush_misses_and_repeats_nothing() {
    story(async || {
        let mut f = Fixture::new();
        f.publish(A, 1..=3);
        f.settle().await;
        f.publish(A, 4..=5);
        let list = List::endless();
        f.subscribe(&list, &["A"], Start::After(f.tape.head().at(3)));
        f.publish(A, 6..=7);
        f.settle().await;
        assert_eq!(list.ns(), [4, 5, 6, 7]);
    });
}

#[test]
fn a_filter_lets_its_symbols_through_and_the_cursor_moves_past_the_others() {
    story(async || {
        let mut f = Fixture::new();
        let list = List::endless();
        let id = f.subscribe(&list, &["B"], Start::Fresh);
        f.publish(A, 1..=3);
        f.publish(B, 1..=1);
        f.publish(A, 4..=6);
        f.settle().await;
        assert_eq!(list.ns(), [1]);
        assert_eq!(f.hub.cursor(id), Some(f.tape.head()));
    });
}

#[test]
fn a_full_sink_is_served_from_the_journal_when_it_drains() {
    story(async || {
        let mut f = Fixture::new();
        let list = List::with_room(2);
        let id = f.subscribe(&list, &["A"], Start::Fresh);
        for n in 1..=40 {
            f.publish(A, n..=n);
            f.settle().await;
        }
        assert_eq!(list.ns(), [1]);
        list.0.room.set(usize::MAX);
        f.hub.drained(id);
        f.publish(A, 41..=41);
        f.settle().await;
        assert_eq!(list.ns(), (1..=41).collect::<Vec<_>>());
    });
}

#[test]
fn catching_up_goes_in_bounded_pieces() {
    story(async || {
        let mut f = Fixture::new();
        f.publish(A, 1..=100);
        let list = List::with_room(1);
        let id = f.subscribe(&list, &["A"], Start::After(f.tape.head().at(0)));
        let piece = list.ns().len();
        assert!(
            (5..20).contains(&piece),
            "{piece} ticks of about 120 bytes in 1,000"
        );
        assert_eq!(f.hub.cursor(id).unwrap().seq as usize, piece);
    });
}

#[test]
fn a_subscriber_behind_the_journal_gets_a_gap_and_the_board() {
    story(async || {
        let mut f = Fixture::new();
        let list = List::with_room(2);
        let id = f.subscribe(&list, &["A"], Start::Fresh);
        for n in 1..=2 * CHANNEL_BATCHES as u64 {
            f.publish(A, n..=n);
            yield_now().await;
        }
        f.settle().await;
        list.0.room.set(usize::MAX);
        f.hub.drained(id);
        assert_eq!(list.types(), ["snapshot", "ticks", "gap", "snapshot"]);
        assert_eq!(list.last_cursor(), f.head());
        let missed = list.0.lines.borrow()[2]["missed"].as_u64();
        assert_eq!(missed, Some(2 * CHANNEL_BATCHES as u64 - 1));
    });
}

/// What was due to a subscriber of A is what A ticked between its start and its end.
#[test]
fn what_was_due_is_what_was_settled_and_what_is_owed() {
    story(async || {
        let mut f = Fixture::new();
        f.publish(A, 1..=10);
        let (quick, slow, resumed) = (List::endless(), List::with_room(3), List::with_room(1));
        let ids = [
            f.subscribe(&quick, &["A"], Start::Fresh),
            f.subscribe(&slow, &["A"], Start::Fresh),
            f.subscribe(&resumed, &["A"], Start::After(f.tape.head().at(4))),
        ];
        for n in 11..=50 {
            f.publish(A, n..=n);
            f.publish(B, n..=n);
            f.settle().await;
        }
        f.publish(A, 51..=55);
        let due = [45, 45, 51];
        for ((list, id), due) in [quick, slow, resumed].iter().zip(ids).zip(due) {
            assert_eq!(list.0.settled.get() + f.hub.unsubscribe(id), due);
        }
    });
}

#[test]
fn a_gap_settles_what_it_tells() {
    story(async || {
        let mut f = Fixture::new();
        let list = List::with_room(2);
        let id = f.subscribe(&list, &["A"], Start::Fresh);
        let last = 2 * CHANNEL_BATCHES as u64;
        for n in 1..=last {
            f.publish(A, n..=n);
            yield_now().await;
        }
        list.0.room.set(usize::MAX);
        f.hub.drained(id);
        assert_eq!((list.0.settled.get(), f.hub.unsubscribe(id)), (last, 0));
    });
}

#[test]
fn a_full_sink_does_not_hold_up_another() {
    story(async || {
        let mut f = Fixture::new();
        let (stuck, quick) = (List::with_room(1), List::endless());
        f.subscribe(&stuck, &["A"], Start::Fresh);
        f.subscribe(&quick, &["A"], Start::Fresh);
        f.publish(A, 1..=500);
        f.settle().await;
        assert_eq!(quick.ns().len(), 500);
    });
}

#[test]
fn a_worker_that_lags_repairs_itself_from_the_journal() {
    story(async || {
        let mut f = Fixture::with_journal(64 << 20);
        let list = List::endless();
        f.subscribe(&list, &["A"], Start::Fresh);
        f.publish(A, 1..=5);
        f.settle().await;
        // Without a chance to run, the hub is overtaken by its channel.
        let last = 3 * CHANNEL_BATCHES as u64;
        f.publish(A, 6..=last);
        f.settle().await;
        assert!(f.hub.take_facts().lagged > 0);
        f.publish(A, last + 1..=last + 5);
        f.settle().await;
        assert_eq!(list.ns(), (1..=last + 5).collect::<Vec<_>>());
    });
}

#[test]
fn silence_brings_a_heartbeat_with_the_cursor() {
    story(async || {
        let mut f = Fixture::new();
        let list = List::endless();
        f.subscribe(&list, &["B"], Start::Fresh);
        f.publish(A, 1..=7);
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(list.types(), ["snapshot", "heartbeat"]);
        assert_eq!(list.last_cursor(), f.head());
    });
}

#[test]
fn encodings_grow_with_groups_and_not_with_subscribers() {
    story(async || {
        let mut f = Fixture::new();
        let lists: Vec<_> = (0..100).map(|_| List::endless()).collect();
        for list in &lists {
            f.subscribe(list, &["A"], Start::Fresh);
        }
        f.settle().await;
        f.hub.take_facts();
        for n in 1..=10 {
            f.publish(A, n..=n);
            f.settle().await;
        }
        assert_eq!(f.hub.take_facts().encodes[Encoding::Ndjson as usize], 10);
        assert!(lists.iter().all(|list| list.ns().len() == 10));
    });
}

#[test]
fn a_group_goes_with_its_last_subscriber() {
    story(async || {
        let f = Fixture::new();
        let groups = || f.hub.state.borrow().groups.len();
        let one = f.subscribe(&List::endless(), &["A"], Start::Fresh);
        let two = f.subscribe(&List::endless(), &["A"], Start::Fresh);
        assert_eq!(groups(), 1);
        f.hub.unsubscribe(one);
        assert_eq!(groups(), 1);
        f.hub.unsubscribe(two);
        assert_eq!(groups(), 0);
    });
}

#[test]
fn the_end_closes_every_subscriber_and_those_who_come_later() {
    story(async || {
        let f = Fixture::new();
        let (early, late) = (List::endless(), List::endless());
        f.subscribe(&early, &["A"], Start::Fresh);
        f.stop.cancel();
        f.settle().await;
        f.subscribe(&late, &["A"], Start::Fresh);
        assert!(early.is_closed() && late.is_closed());
    });
}

#[test]
fn what_many_are_replayed_is_encoded_once() {
    const CLIENTS: usize = 10;
    story(async || {
        let mut f = Fixture::new();
        f.publish(A, 1..=60);
        let lists: Vec<_> = (0..CLIENTS).map(|_| List::endless()).collect();
        for list in &lists {
            f.subscribe(list, &["A"], Start::After(f.tape.head().at(0)));
        }
        f.settle().await;
        assert!(lists.iter().all(|list| list.ns() == Vec::from_iter(1..=60)));
        // Only the last piece, which ends at the head, is each one's own.
        let encodes = f.hub.take_facts().encodes[Encoding::Ndjson as usize] as usize;
        let pieces = encodes - (CLIENTS - 1);
        assert!((5..15).contains(&pieces), "{pieces}");
    });
}
