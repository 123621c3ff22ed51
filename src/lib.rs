//! tickertape: a real-time stock ticker push service that compares transports.
//!
//! # Layout, in reading order
//!
//! Each module imports only what stands above it.
//!
//! - [`market`]: pure values: price, tick, quote, symbol set, cursor.
//! - [`feed`]: where ticks come from; it knows the market and the clock.
//! - [`wire`]: everything that is written to clients or read from them, encoded once and shared.
//! - [`tape`]: the ordered truth: board, journal, `since(cursor)`, and the channel to the workers.
//! - [`hub`]: one in each worker thread; brings the tape to that worker's clients.
//! - [`transport`]: WebSocket, SSE, NDJSON and long-poll sessions over the hub.
//! - [`http`]: the URL space, errors, the page.
//! - [`server`]: joins feed, tape and workers; binds, runs, ends.
//!
//! Beside them stand [`metrics`], a leaf of verbs that the edges call, [`clock`], and [`config`], the command
//! line. `docs/ARCHITECTURE.md` has the invariants.

pub mod clock;
pub mod config;
pub mod feed;
pub mod http;
pub mod hub;
pub mod market;
pub mod metrics;
pub mod server;
pub mod tape;
pub mod transport;
pub mod wire;
