use super::*;
use crate::market::testing::{listing, set, tick};
use crate::market::{Price, SymbolId};

const ALL: Limit = Limit {
    bytes: usize::MAX,
    ticks: u64::MAX,
};

const A: SymbolId = SymbolId(0);
const B: SymbolId = SymbolId(1);

fn tape(journal_bytes: usize) -> (Arc<Tape>, Publisher) {
    let keep = Keep {
        journal: journal_bytes,
        bars: 3,
    };
    Tape::new(listing(&["A", "B"]), Epoch::new(1), keep)
}

fn publish(publisher: &mut Publisher, symbol: SymbolId, ns: std::ops::RangeInclusive<u64>) {
    for n in ns {
        publisher.publish(vec![tick(symbol, n)], n);
    }
}

fn all(tape: &Tape) -> SymbolSet {
    SymbolSet::all(tape.listing())
}

/// The `n`s of the ticks in an answer.
fn ns(since: &Since) -> Vec<u64> {
    match since {
        Since::Batches { batches, .. } => batches
            .iter()
            .flat_map(|b| b.ticks())
            .map(|t| t.n)
            .collect(),
        Since::Gap(gap, _) => panic!("{gap:?}"),
    }
}

fn gap(since: Since) -> (GapReason, Snapshot) {
    match since {
        Since::Gap(gap, snapshot) => (gap.reason, snapshot),
        Since::Batches { .. } => panic!("no gap: {since:?}"),
    }
}

#[test]
fn seq_grows_by_one_for_each_batch() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=3);
    assert_eq!(tape.head().seq, 3);
}

#[test]
fn since_gives_what_came_after_the_cursor() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=5);
    let answer = tape.since(tape.head().at(2), &all(&tape), ALL);
    assert_eq!(ns(&answer), [3, 4, 5]);
    assert!(matches!(answer, Since::Batches { upto, more: false, .. } if upto.seq == 5));
}

#[test]
fn since_the_head_gives_nothing() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=5);
    assert_eq!(ns(&tape.since(tape.head(), &all(&tape), ALL)), [0u64; 0]);
}

#[test]
fn since_moves_past_batches_without_the_symbols() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=2);
    publish(&mut publisher, B, 1..=7);
    let only_a = set(tape.listing(), &["A"]);
    let answer = tape.since(tape.head().at(1), &only_a, ALL);
    assert_eq!(ns(&answer), [2]);
    assert!(matches!(answer, Since::Batches { upto, .. } if upto.seq == 9));
}

#[test]
fn a_piece_ends_with_the_batch_that_reaches_the_limit() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=9);
    let two = Limit { ticks: 2, ..ALL };
    let answer = tape.since(tape.head().at(0), &all(&tape), two);
    assert_eq!(ns(&answer), [1, 2]);
    assert!(matches!(answer, Since::Batches { upto, more: true, .. } if upto.seq == 2));
    let few_bytes = Limit { bytes: 1, ..ALL };
    assert_eq!(
        ns(&tape.since(tape.head().at(0), &all(&tape), few_bytes)),
        [1]
    );
}

#[test]
fn the_journal_never_keeps_less_than_the_channel() {
    let (tape, mut publisher) = tape(1);
    let mut receiver = tape.receiver();
    publish(&mut publisher, A, 1..=2 * CHANNEL_BATCHES as u64);
    let oldest = loop {
        if let Ok(batch) = receiver.try_recv() {
            break batch.cursor;
        }
    };
    let before = oldest.at(oldest.seq - 1);
    assert_eq!(
        ns(&tape.since(before, &all(&tape), ALL)).len(),
        CHANNEL_BATCHES
    );
}

#[test]
fn the_journal_is_bounded_in_bytes() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=3_000);
    let state = tape.read();
    let kept = (0..3_000)
        .rev()
        .map_while(|seq| state.journal.after(seq)?.next());
    let (batches, bytes) = kept.fold((0, 0), |(n, bytes), batch| (n + 1, bytes + batch.size()));
    assert!(
        batches > CHANNEL_BATCHES && bytes <= 1 << 20,
        "{batches} batches, {bytes} bytes"
    );
}

#[test]
fn a_cursor_before_the_journal_is_a_gap_with_the_board() {
    let (tape, mut publisher) = tape(1);
    publish(&mut publisher, A, 1..=2_000);
    let (reason, snapshot) = gap(tape.since(tape.head().at(5), &all(&tape), ALL));
    assert_eq!(reason, GapReason::ReplayWindow);
    assert_eq!(
        (snapshot.cursor, snapshot.quotes[0].tick.n),
        (tape.head(), 2_000)
    );
}

#[test]
fn a_cursor_before_the_journal_is_no_gap_for_symbols_that_have_not_changed() {
    let (tape, mut publisher) = tape(1);
    publish(&mut publisher, B, 1..=3);
    publish(&mut publisher, A, 1..=2_000);
    let only_b = set(tape.listing(), &["B"]);
    let answer = tape.since(tape.head().at(3), &only_b, ALL);
    assert!(matches!(answer, Since::Batches { upto, .. } if upto == tape.head()));
    assert_eq!(
        gap(tape.since(tape.head().at(2), &only_b, ALL)).0,
        GapReason::ReplayWindow
    );
}

#[test]
fn a_cursor_of_another_life_is_a_gap() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=3);
    let foreign = Cursor {
        epoch: Epoch::new(2),
        seq: 2,
    };
    assert_eq!(
        gap(tape.since(foreign, &all(&tape), ALL)).0,
        GapReason::EpochChanged
    );
}

#[test]
fn a_cursor_ahead_of_the_tape_is_a_gap() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=3);
    let ahead = tape.head().at(4);
    assert_eq!(
        gap(tape.since(ahead, &all(&tape), ALL)).0,
        GapReason::UnknownCursor
    );
}

#[test]
fn the_board_has_the_latest_quote_and_the_first_price_as_open() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=3);
    let snapshot = tape.snapshot(&all(&tape));
    assert_eq!(snapshot.quotes.len(), 1, "B has not ticked");
    assert_eq!(snapshot.quotes[0].tick, tick(A, 3));
    assert_eq!(snapshot.quotes[0].open, tick(A, 1).last);
}

#[test]
fn a_receiver_taken_before_the_question_misses_nothing() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=3);
    let mut receiver = tape.receiver();
    publish(&mut publisher, A, 4..=5);
    let seen = ns(&tape.since(tape.head().at(0), &all(&tape), ALL));
    publish(&mut publisher, A, 6..=6);
    let from_channel: Vec<u64> = std::iter::from_fn(|| receiver.try_recv().ok())
        .map(|b| b.ticks()[0].n)
        .collect();
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(
        from_channel,
        [4, 5, 6],
        "4 and 5 are repeats that the seq tells"
    );
}

fn opening(symbol: SymbolId, n: u64, open: i64) -> Tick {
    Tick {
        open: Some(Price::new(open)),
        ..tick(symbol, n)
    }
}

#[test]
fn the_board_takes_a_new_opening_price_and_keeps_it() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=2);
    publisher.publish(vec![opening(A, 3, 777)], 3);
    publish(&mut publisher, A, 4..=4);
    assert_eq!(tape.snapshot(&all(&tape)).quotes[0].open.steps(), 777);
}

#[test]
fn the_latest_tick_tells_an_opening_price_that_was_left_out() {
    let (tape, mut publisher) = tape(1 << 20);
    publish(&mut publisher, A, 1..=2);
    publisher.publish(vec![opening(A, 3, 777)], 3);
    publish(&mut publisher, A, 4..=5);
    let told = |seq| {
        let latest = tape.latest(tape.head().at(seq), &all(&tape)).unwrap();
        latest.ticks[0].0.open.map(Price::steps)
    };
    assert_eq!((told(2), told(3)), (Some(777), None));
}

#[test]
fn a_snapshot_tells_that_a_symbol_is_halted() {
    let (tape, mut publisher) = tape(1 << 20);
    let halted = Tick {
        halted: true,
        ..tick(A, 1)
    };
    publisher.publish(vec![halted], 1);
    let quote = |tape: &Tape| tape.snapshot(&all(tape)).quotes[0];
    assert!(quote(&tape).tick.halted);
    publish(&mut publisher, A, 2..=2);
    assert!(!quote(&tape).tick.halted);
}
