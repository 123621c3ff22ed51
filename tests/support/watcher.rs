//! Somebody who follows every tick, whatever the others do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::task::JoinHandle;

use super::client::ticks_of;
use super::{Client, WebSocket, soon};

/// Follows a symbol until the server ends. A gap is a panic.
pub(crate) struct Watcher {
    seen: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Follows AAPL from now on.
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let mut client = WebSocket::open(address, "symbols=AAPL").await;
        let board = client.next_of("snapshot").await;
        // Before its first tick a symbol is not on the board.
        let last = ticks_of(&board).first().map_or(0, |(_, n)| *n);
        let seen = Arc::default();
        let task = tokio::spawn(follow(client, last, Arc::clone(&seen)));
        Self { seen, task }
    }

    /// How many ticks it has seen.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Relaxed)
    }

    /// Waits until it has seen so many more.
    pub(crate) async fn sees(&self, more: u64) {
        let wanted = self.seen() + more;
        soon("more ticks", async {
            while self.seen() < wanted && !self.task.is_finished() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(self) {
        self.task.await.unwrap();
    }
}

async fn follow(mut client: WebSocket, mut last: u64, seen: Arc<AtomicU64>) {
    while let Some(frame) = client.next().await {
        if frame["type"] != "ticks" {
            assert_eq!(frame["type"], "heartbeat", "{frame}");
            continue;
        }
        for (_, n) in ticks_of(&frame) {
            assert_eq!(n, last + 1, "a gap");
            last = n;
            seen.fetch_add(1, Relaxed);
        }
    }
}
