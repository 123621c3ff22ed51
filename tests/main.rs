//! Black-box tests, one binary.
//!
//! - `contract`: one set of claims, run over every transport.
//! - `contracts`: the documents that programs read, against golden frames and a server.
//! - `resume`: cursors carried from one transport to another, and over restarts.
//! - `slow`: readers that do not read.
//! - `control`: control messages, modes and terms.
//! - `inbound`: limits, violations of RFC 6455, the echo, reports, `inspect=1`.
//! - `attack`: what one client that means harm costs, and what the others see of it.
//! - `capacity`: more clients than there is room for, and fewer descriptors.
//! - `faults`: clients that break off, stall, or come all at once.
//! - `bars`: what charts are drawn from.
//! - `liveness`: who is gone, and how soon that is noticed.
//! - `vanish`: a client whose host is gone without a word, in a network of its own.
//! - `errors`: bad input over HTTP and WebSocket.
//! - `hop`: a client that changes its transport all the time.
//! - `scrape`: what `/metrics` says against what clients received.
//! - `process`: the real binary: command line, signals, the same seed twice.
//! - `polls`: several requests on the connection of a client that polls.
//! - `replay`: recordings and prices of one's own.
//! - `page`: the dashboard as it is served.
//!
//! `support` has the server under test, whose tape the test itself writes, and a client for each transport.

mod attack;
mod bars;
mod capacity;
mod contract;
mod contracts;
mod control;
mod errors;
mod faults;
mod hop;
mod inbound;
mod liveness;
#[cfg(feature = "dashboard")]
mod page;
mod polls;
mod process;
mod replay;
mod resume;
mod scrape;
mod slow;
mod support;
mod vanish;
