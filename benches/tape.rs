//! What a tick costs on its way from the feed to shared bytes: `cargo bench --bench tape`.

use std::sync::Arc;

use bytes::BytesMut;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tickertape::feed::simulated::{Arrivals, Options, Simulated};
use tickertape::feed::{Emission, Share};
use tickertape::market::{Cursor, Epoch, Listing, SymbolId, SymbolSet, Tick};
use tickertape::tape::{Keep, Limit, Publisher, Tape};
use tickertape::transport::inbound::Inbound;
use tickertape::wire::batch::Batch;
use tickertape::wire::cursor;
use tickertape::wire::frame::{Encoding, Frame, Stretch};

fn main() {
    divan::main();
}

const SYMBOLS: usize = 500;
const RATE: f64 = 100_000.0;

fn market(arrivals: Arrivals) -> Simulated {
    Simulated::new(Options {
        shares: Share::built_in(SYMBOLS),
        rate: RATE,
        arrivals,
        day: None,
        burst: None,
        halts: 0.0,
        seed: 1,
    })
}

fn listing() -> Arc<Listing> {
    Arc::new(Share::listing(&Share::built_in(SYMBOLS)).expect("built-in symbols are fine"))
}

/// Ticks as they come at 100,000 a second.
fn emissions(count: usize) -> Vec<Emission> {
    market(Arrivals::Poisson).skip(1).take(count).collect()
}

fn ticks(count: usize) -> Vec<Tick> {
    let ticks = market(Arrivals::Poisson)
        .skip(1)
        .flat_map(|emission| emission.ticks);
    ticks.take(count).collect()
}

fn tape() -> (Arc<Tape>, Publisher) {
    let keep = Keep {
        journal: 64 << 20,
        bars: 900,
    };
    Tape::new(listing(), Epoch::new(1), keep)
}

/// Ticks generated a second.
#[divan::bench(args = [Arrivals::Bursty, Arrivals::Poisson, Arrivals::Steady])]
fn feed(bencher: Bencher, arrivals: Arrivals) {
    const TICKS: usize = 10_000;
    let mut market = market(arrivals);
    bencher.counter(ItemsCount::new(TICKS)).bench_local(|| {
        let mut made = 0;
        while made < TICKS {
            made += market
                .next()
                .map_or(TICKS, |emission| black_box(emission).ticks.len());
        }
    });
}

/// Ticks published a second, in the batches that the feed makes of 100,000 a second: encoded for every transport, put on
/// board, journal and bars, sent.
#[divan::bench]
fn publish(bencher: Bencher) {
    let emissions = emissions(100);
    let ticks: usize = emissions.iter().map(|emission| emission.ticks.len()).sum();
    let (tape, mut publisher) = tape();
    let _receiver = tape.receiver();
    bencher
        .counter(ItemsCount::new(ticks))
        .with_inputs(|| emissions.clone())
        .bench_local_values(|emissions| {
            for emission in emissions {
                black_box(publisher.publish(emission.ticks, 1));
            }
        });
}

/// Ticks encoded a second for all transports at once, by the size of their batch.
#[divan::bench(args = [1, 10, 100])]
fn encode(bencher: Bencher, batch: usize) {
    let (listing, ticks) = (listing(), ticks(batch));
    let cursor = Cursor {
        epoch: Epoch::new(1),
        seq: 1,
    };
    bencher
        .counter(ItemsCount::new(batch))
        .with_inputs(|| ticks.clone())
        .bench_local_values(|ticks| Batch::new(&listing, cursor, 1, ticks));
}

/// Joins a second: the frame of one batch of a hundred ticks for a set of symbols, by the size of the set.
#[divan::bench(args = [1, 10, 100])]
fn join(bencher: Bencher, symbols: u16) {
    let (listing, ticks) = (listing(), ticks(100));
    let cursor = Cursor {
        epoch: Epoch::new(1),
        seq: 1,
    };
    // Each symbol of the set ticks in the batch.
    let set = SymbolSet::of(
        &listing,
        ticks.iter().map(|tick| tick.symbol).take(symbols.into()),
    );
    let batches = [Arc::new(Batch::new(&listing, cursor, 1, ticks))];
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        let stretch = Stretch {
            batches: &batches,
            set: black_box(&set),
            upto: cursor,
            more: false,
            live_after: 0,
        };
        Frame::ticks(Encoding::WebSocket, &stretch)
    });
}

/// Lookups a second: what a client that comes back gets at first, by how many batches of one tick it has missed.
#[divan::bench(args = [1, 1_000, 10_000])]
fn since(bencher: Bencher, missed: u64) {
    let (tape, mut publisher) = tape();
    for tick in ticks(20_000) {
        publisher.publish(vec![tick], 1);
    }
    let head = tape.head();
    let set = SymbolSet::of(&listing(), (0..10).map(SymbolId));
    let limit = Limit {
        bytes: 64 * 1024,
        ticks: u64::MAX,
    };
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| tape.since(black_box(head.at(head.seq - missed)), &set, limit));
}

/// Cursors read a second.
#[divan::bench]
fn parse_cursor(bencher: Bencher) {
    let text = cursor::format(Cursor {
        epoch: Epoch::new(123_456_789),
        seq: 18_443_123,
    });
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| cursor::parse(black_box(&text)));
}

/// Bytes decoded a second of one WebSocket message, in pieces of 8 KiB as they come from a socket.
#[divan::bench(args = [64, 65_536, 1 << 20])]
fn inbound(bencher: Bencher, len: usize) {
    let mut frame = BytesMut::from(&[0x82, 0x80 | 127][..]);
    match len {
        0..=125 => frame[1] = 0x80 | len as u8,
        _ => frame.extend_from_slice(&(len as u64).to_be_bytes()),
    }
    frame.extend_from_slice(&[1, 2, 3, 4]);
    frame.resize(frame.len() + len, 7);
    let mut inbound = Inbound::new(len);
    bencher
        .counter(BytesCount::new(frame.len()))
        .bench_local(|| {
            for mut piece in frame.chunks(8 * 1024) {
                while let Ok(Some(event)) = inbound.next(&mut piece) {
                    black_box(event);
                }
            }
        });
}
