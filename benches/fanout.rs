//! What it costs to bring a batch to many clients: `cargo bench --bench fanout`.

use std::cell::RefCell;
use std::io::Read;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tickertape::clock;
use tickertape::hub::{Hub, Options, Patience, Sink, Start, SubscriberId, Subscription};
use tickertape::market::{Epoch, Instrument, Listing, Micros, Price, SymbolId, SymbolSet, Tick};
use tickertape::metrics::{self, Local, Metrics, Transport};
use tickertape::tape::{Keep, Limit, Publisher, Tape};
use tickertape::transport::direct::Socket;
use tickertape::transport::{Account, OUTBOX_BYTES, Outbox, Tally, Worker as Transports};
use tickertape::wire::close::CloseReason;
use tickertape::wire::frame::{Encoding, Frame};
use tickertape::wire::terms::Terms;
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, yield_now};
use tokio_util::sync::CancellationToken;

fn main() {
    divan::main();
}

/// Symbols that tick, if all of them do.
const TICKING: usize = 500;

/// Symbols of each of the two banks by which groups differ. They never tick.
const BANK: usize = 100;

const SYMBOLS: [usize; 2] = [10, 500];

/// A sink that takes everything and keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn has_room(&self) -> bool {
        true
    }

    fn send(&self, frame: &Rc<Frame>) {
        black_box(frame);
    }

    fn close(&self, _: CloseReason) {}
}

/// How a worker's clients divide into groups.
#[derive(Clone, Copy, Debug)]
enum Groups {
    One,
    Ten,
    Each,
}

impl Groups {
    /// The group of a client.
    fn of(self, client: usize) -> usize {
        match self {
            Self::One => 0,
            Self::Ten => client % 10,
            Self::Each => client,
        }
    }
}

/// A worker's hub with all of its clients.
struct Worker<S> {
    runtime: Runtime,
    local: LocalSet,
    hub: Rc<Hub<S>>,
    tape: Arc<Tape>,
    publisher: Publisher,
    /// Who is served last.
    last: Option<SubscriberId>,
    n: u64,
}

impl<S: Sink + 'static> Worker<S> {
    fn new() -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().expect("a runtime");
        let local = LocalSet::new();
        let instruments = (0..TICKING + 2 * BANK).map(|number| Instrument {
            symbol: format!("X{number:03}"),
            name: String::new(),
            price_decimals: 2,
        });
        let listing = Listing::new(instruments.collect()).expect("they are well-formed");
        let keep = Keep {
            journal: 1,
            bars: 1,
        };
        let (tape, publisher) = Tape::new(Arc::new(listing), Epoch::new(1), keep);
        let options = Options {
            heartbeat: Duration::from_secs(3_600),
            flush_interval: Duration::ZERO,
            patience: Patience {
                max_behind: u64::MAX,
                slow_after: Duration::from_secs(3_600),
            },
        };
        let hub = {
            let _inside = (runtime.enter(), local.enter());
            Hub::start(Arc::clone(&tape), options, CancellationToken::new())
        };
        Self {
            runtime,
            local,
            hub,
            tape,
            publisher,
            last: None,
            n: 0,
        }
    }

    /// Adds a client of the group of this number, which follows the first so many symbols. Groups differ in
    /// symbols that never tick.
    fn add(&mut self, sink: S, symbols: usize, group: usize) {
        let silent = [TICKING + group / BANK, TICKING + BANK + group % BANK];
        let ids = (0..symbols).chain(silent);
        let subscription = Subscription {
            encoding: Encoding::WebSocket,
            set: SymbolSet::of(self.tape.listing(), ids.map(|id| SymbolId(id as u16))),
            terms: Terms::default(),
            start: Start::After(self.tape.head()),
            limit: Limit {
                bytes: 64 * 1024,
                ticks: u64::MAX,
            },
        };
        self.last = Some(self.hub.subscribe(sink, subscription));
    }

    /// Publishes a batch in which each of the first so many symbols ticks.
    fn publish(&mut self, symbols: usize) {
        self.n += 1;
        let now = clock::now();
        let ticks = (0..symbols).map(|id| tick(SymbolId(id as u16), self.n, now));
        self.publisher.publish(ticks.collect(), now);
    }

    /// Lets the hub flush to all of them.
    fn flush(&self) {
        let (Some(last), head) = (self.last, Some(self.tape.head())) else {
            return;
        };
        self.runtime.block_on(self.local.run_until(async {
            while self.hub.cursor(last) != head {
                yield_now().await;
            }
        }));
    }
}

fn tick(symbol: SymbolId, n: u64, ts: Micros) -> Tick {
    Tick {
        symbol,
        n,
        ts,
        last: Price::new(1_000_000),
        size: 100,
        bid: Price::new(999_900),
        ask: Price::new(1_000_100),
        volume: 100 * n,
        open: None,
        halted: false,
    }
}

/// Times flushes of one batch each. What is before them, `drain` and publishing, is not counted.
fn measure<S: Sink + 'static>(
    bencher: Bencher,
    worker: Worker<S>,
    clients: usize,
    symbols: usize,
    drain: impl Fn(),
) {
    let worker = &RefCell::new(worker);
    bencher
        .counter(ItemsCount::new(clients))
        .with_inputs(|| {
            drain();
            worker.borrow_mut().publish(symbols);
        })
        .bench_local_values(|()| worker.borrow().flush());
}

/// Symbols, clients, and how these divide. Ten thousand groups of 500 symbols are left out: 600 MB of frames.
fn crowds() -> Vec<(usize, usize, Groups)> {
    let mut crowds = Vec::new();
    for symbols in SYMBOLS {
        for groups in [Groups::One, Groups::Ten, Groups::Each] {
            let clients = [100, 1_000, 10_000].map(|clients| (symbols, clients, groups));
            crowds.extend(clients);
        }
    }
    crowds.pop();
    crowds
}

/// Messages a second to sinks that cost nothing.
#[divan::bench(args = crowds(), sample_size = 1, sample_count = 200, max_time = 5)]
fn nowhere(bencher: Bencher, (symbols, clients, groups): (usize, usize, Groups)) {
    let mut worker = Worker::new();
    for client in 0..clients {
        worker.add(Nowhere, symbols, groups.of(client));
    }
    measure(bencher, worker, clients, symbols, || {});
}

/// Messages a second to sockets, in one group: a `send()` each is part of that. The clients' ends are read in between.
#[divan::bench(args = [100, 1_000], consts = SYMBOLS, sample_size = 1, sample_count = 200, max_time = 5)]
fn sockets<const N: usize>(bencher: Bencher, clients: usize) {
    let local = Local::new(&Metrics::new(), &Transports::encodings());
    let tally = Rc::new(Tally::new(Rc::new(local)));
    let mut worker = Worker::new();
    let mut ends = Vec::new();
    for _ in 0..clients {
        let (ours, theirs) = UnixStream::pair().expect("sockets can be had");
        let account = Account::open(&tally, Transport::WebSocket, metrics::Sink::Direct);
        let outbox = Rc::new(Outbox::new(OUTBOX_BYTES).of(account));
        let (socket, bell) = Socket::alone(TcpStream::from(OwnedFd::from(ours)));
        outbox.attach(socket, bell);
        theirs.set_nonblocking(true).expect("an option");
        ends.push(theirs);
        worker.add(outbox, N, 0);
    }
    let buffer = RefCell::new(vec![0; 64 * 1024]);
    measure(bencher, worker, clients, N, || {
        for mut end in &ends {
            while end.read(&mut buffer.borrow_mut()).is_ok() {}
        }
    });
}
