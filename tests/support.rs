//! The server under test and its clients.

pub(crate) mod client;
pub(crate) mod contract;
pub(crate) mod http;
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod scrape;
pub(crate) mod server;
pub(crate) mod watcher;

pub(crate) use client::{Client, LongPoll, Ndjson, Sse, WebSocket};
pub(crate) use server::TestServer;

use std::time::Duration;

/// Longer than anything here takes, even on a busy machine: a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come within {PATIENCE:?}"),
    }
}
