//! A client that changes its transport all the time, in the middle of whatever is under way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::support::client::{cursor_of, ticks_of};
use super::support::server::SYMBOLS;
use super::support::{Client, LongPoll, Ndjson, Sse, TestServer, WebSocket};

/// What the client knows: the last `n` of each symbol and the cursor to go on from.
#[derive(Default)]
struct Known {
    ns: HashMap<String, u64>,
    cursor: String,
    ticks: u64,
}

impl Known {
    /// Reads so many frames of a session, or for so long, and leaves it as it is.
    async fn follow<C: Client>(&mut self, address: SocketAddr, frames: usize, until: Instant) {
        let since = format!("since={}&limit=7", self.cursor);
        let query = if self.cursor.is_empty() { "" } else { &since };
        let mut client = C::open(address, query).await;
        let mut read = 0;
        while read < frames || Instant::now() < until {
            let frame = client.next().await.expect("the server goes on");
            match frame["type"].as_str().unwrap() {
                "snapshot" => {
                    assert!(
                        self.ns.is_empty(),
                        "a board that was not asked for: {frame}"
                    );
                    self.ns = ticks_of(&frame).into_iter().collect();
                }
                "ticks" => {
                    for (symbol, n) in ticks_of(&frame) {
                        let before = self.ns.insert(symbol.clone(), n);
                        assert_eq!(before, Some(n - 1), "{symbol} after {}", self.cursor);
                        self.ticks += 1;
                    }
                }
                "welcome" => continue,
                "heartbeat" => {}
                other => panic!("{other}: {frame}"),
            }
            self.cursor = cursor_of(&frame);
            read += 1;
        }
    }
}

/// `HOP_SECONDS=60` hops every second for a minute; without it, after a few frames each.
#[tokio::test]
async fn a_client_that_hops_between_transports_misses_and_repeats_nothing() {
    let seconds = std::env::var("HOP_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut server = TestServer::start();
    let address = server.address;
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let market = std::thread::spawn(move || {
        let pause = Duration::from_millis(1);
        while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
            server.publish(&SYMBOLS);
            server.publish(&SYMBOLS[1..]);
        }
        server
    });
    let mut known = Known::default();
    for hop in 0..seconds.unwrap_or(40u64) {
        let linger = seconds.map_or(Duration::ZERO, |_| Duration::from_secs(1));
        let (frames, until) = (1 + hop as usize % 9, Instant::now() + linger);
        match hop % 4 {
            0 => known.follow::<WebSocket>(address, frames, until).await,
            1 => known.follow::<Sse>(address, frames, until).await,
            2 => known.follow::<LongPoll>(address, frames, until).await,
            _ => known.follow::<Ndjson>(address, frames, until).await,
        }
    }
    drop(stop);
    drop(market.join().unwrap());
    assert!(known.ticks > 100, "{} ticks", known.ticks);
    println!("{} ticks, each symbol without a hole", known.ticks);
}
