//! A server in this process, on a free port, whose tape the test writes.

use std::cell::Cell;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use clap::ValueEnum;
use tickertape::clock;
use tickertape::hub;
use tickertape::market::{Epoch, Instrument, Listing, Price, Tick};
use tickertape::metrics::Sink;
use tickertape::server::{Options, Server, Timeouts};
use tickertape::tape::{Keep, Publisher, Tape};
use tickertape::transport::{Manners, Silence};
use tokio_util::sync::CancellationToken;

/// The symbols on the tape of every test.
pub(crate) const SYMBOLS: [&str; 4] = ["AAPL", "MSFT", "TSLA", "F"];

thread_local! {
    static SINK: Cell<Option<Sink>> = const { Cell::new(None) };
}

/// What writes to clients who stream: a test's own choice, else `TICKERTAPE_SINK`, which the real binary follows, too.
pub(crate) fn sink() -> Sink {
    let chosen = || match std::env::var("TICKERTAPE_SINK") {
        Ok(name) => Sink::from_str(&name, false).unwrap(),
        Err(_) => Sink::Direct,
    };
    SINK.get().unwrap_or_else(chosen)
}

/// Chooses it for all servers of this test.
pub(crate) fn set_sink(sink: Sink) {
    SINK.set(Some(sink));
}

/// What a test can set.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) journal: usize,
    pub(crate) heartbeat: Duration,
    pub(crate) epoch: u32,
    pub(crate) max_behind: u64,
    pub(crate) slow_after: Duration,
    pub(crate) message_rate: u32,
    pub(crate) silence: Silence,
    pub(crate) request_timeout: Duration,
    pub(crate) client_timeout: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) sink: Sink,
    pub(crate) max_connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            journal: 64 << 20,
            heartbeat: Duration::from_secs(5),
            epoch: 1,
            max_behind: u64::MAX,
            slow_after: Duration::from_secs(3600),
            message_rate: 1_000,
            silence: Silence {
                ping: Duration::from_secs(60),
                idle: Duration::from_secs(60),
            },
            request_timeout: Duration::from_secs(60),
            client_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(75),
            sink: sink(),
            max_connections: 10_000,
        }
    }
}

/// Ends when it is dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    listing: Arc<Listing>,
    publisher: Publisher,
    counts: HashMap<String, u64>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let listing = Arc::new(listing());
        let epoch = Epoch::new(settings.epoch);
        let keep = Keep {
            journal: settings.journal,
            bars: 100,
        };
        let (tape, publisher) = Tape::new(Arc::clone(&listing), epoch, keep);
        let listener = free_port();
        let address = listener.local_addr().unwrap();
        let options = Options {
            workers: 2,
            max_connections: settings.max_connections,
            hub: hub::Options {
                heartbeat: settings.heartbeat,
                flush_interval: Duration::ZERO,
                patience: hub::Patience {
                    max_behind: settings.max_behind,
                    slow_after: settings.slow_after,
                },
            },
            manners: Manners {
                server: "test".to_owned(),
                heartbeat: settings.heartbeat,
                max_symbols: 3,
                max_message: 1024,
                message_rate: settings.message_rate,
                max_bad_messages: 10,
                max_echo: 256 * 1024,
                sink: settings.sink,
                body_timeout: settings.request_timeout,
            },
            timeouts: Timeouts {
                silence: settings.silence,
                request: settings.request_timeout,
                keep_alive: settings.keep_alive,
                client: settings.client_timeout,
            },
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let server = Server::new(tape);
            let system = actix_web::rt::System::new();
            system
                .block_on(server.run(listener, options, stopped))
                .unwrap();
        });
        let mut server = Self {
            address,
            listing,
            publisher,
            counts: HashMap::new(),
            stop,
            thread: Some(thread),
        };
        server.publish(&SYMBOLS);
        server
    }

    /// Publishes a tick of each of these symbols as one batch.
    pub(crate) fn publish(&mut self, symbols: &[&str]) {
        let ticks = symbols
            .iter()
            .map(|symbol| self.next_tick(symbol))
            .collect();
        self.publisher.publish(ticks, clock::now());
    }

    /// Publishes so many batches of one tick of a symbol each.
    pub(crate) fn publish_each(&mut self, symbol: &str, count: u64) {
        for _ in 0..count {
            self.publish(&[symbol]);
        }
    }

    /// How many ticks a symbol has had.
    pub(crate) fn n(&self, symbol: &str) -> u64 {
        self.counts[symbol]
    }

    /// Ends the server as a signal would, and waits for it.
    pub(crate) fn wait(mut self) {
        self.stop.cancel();
        self.thread.take().unwrap().join().unwrap();
    }

    fn next_tick(&mut self, symbol: &str) -> Tick {
        let count = self.counts.entry(symbol.to_owned()).or_default();
        *count += 1;
        let n = *count;
        let price = Price::new(1_000_000 + 100 * (n % 1_000) as i64);
        Tick {
            symbol: self.listing.id(symbol).unwrap(),
            n,
            ts: clock::now(),
            last: price,
            size: 100,
            bid: price,
            ask: price,
            volume: 100 * n,
            open: None,
            halted: false,
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; a second one here would only hide the first.
            let _ = thread.join();
        }
    }
}

fn listing() -> Listing {
    let instrument = |symbol: &str| Instrument {
        symbol: symbol.to_owned(),
        name: format!("{symbol} Inc."),
        price_decimals: 2,
    };
    Listing::new(SYMBOLS.map(instrument).into()).unwrap()
}

/// A listener on a random port: the system's own choice may be one that browsers refuse.
pub(crate) fn free_port() -> TcpListener {
    loop {
        let port = rand::random_range(20_000..60_000);
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener;
        }
    }
}
