//! `ticker.v1`: everything that is written to clients or read from them, and nothing else is.
//!
//! [`json`] writes the messages, [`frame`] dresses them for a transport, [`batch`] does both once for each
//! published batch. [`error`] is the catalogue of errors and [`close`] of the ways a session ends.

pub mod api;
pub mod batch;
pub mod close;
pub mod cursor;
pub mod error;
pub mod frame;
pub mod inspect;
pub mod json;
pub mod message;
pub mod report;
#[cfg(test)]
pub(crate) mod schema;
pub mod terms;
pub mod websocket;

/// The protocol's name, as `welcome` says it.
pub const PROTOCOL: &str = "ticker.v1";

/// The WebSocket subprotocol that carries the protocol as JSON.
pub const SUBPROTOCOL: &str = "ticker.v1.json";

#[cfg(test)]
mod tests;
