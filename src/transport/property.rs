//! The hub against its model, over the outboxes that clients really have: bodies take from them, or they write to
//! sockets that are soon full, so that frames go in part. No time passes between the two ends of a pair of sockets, so a story
//! has one outcome.

mod client;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::testing::{Ends, tally};
use crate::hub::model::{hold, ops};
use crate::wire::frame::Encoding;
use client::Client;

/// Each of the model's clients has another transport.
const ENCODINGS: [Encoding; 3] = [Encoding::Ndjson, Encoding::WebSocket, Encoding::Sse];

/// A hundred, unless others are asked for.
fn cases() -> u32 {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None => 100,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        // A client that is forgotten is waited for, each time.
        max_shrink_time: 60_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_bodies_take_means_what_it_says_and_every_tick_is_accounted_for(ops in ops()) {
        let tally = tally();
        hold(ops, |client, polls| match polls {
            true => Client::polling(&tally),
            false => Client::taking(&tally, ENCODINGS[client]),
        });
    }

    #[test]
    fn what_sockets_take_means_what_it_says_and_every_tick_is_accounted_for(ops in ops()) {
        let tally = tally();
        hold(ops, |client, polls| match polls {
            true => Client::polling(&tally),
            false => Client::reading(&tally, ENCODINGS[client], Ends::paired()),
        });
    }
}
