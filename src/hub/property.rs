//! The hub against its model, over a sink that is a plain list.
//!
//! `PROPTEST_CASES=5000 cargo test --lib property` runs more cases; a failing one is kept beside this file. The transports
//! do the same with their own sinks.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;

use super::model::{Room, Way, hold, ops};
use super::tests::List;
use crate::wire::frame::Encoding;

/// A client that has what its sink takes.
struct Listed {
    list: List,
    encoding: Encoding,
    read: Cell<usize>,
    /// Whether the list has been given room since the hub was last told.
    drained: Cell<bool>,
}

impl Listed {
    fn open(polls: bool) -> Self {
        let (encoding, room) = if polls {
            (Encoding::Json, 1)
        } else {
            (Encoding::Ndjson, usize::MAX)
        };
        Self {
            list: List::with_room(room),
            encoding,
            read: Cell::new(0),
            drained: Cell::new(false),
        }
    }
}

impl Way for Listed {
    type Sink = List;

    fn sink(&self) -> List {
        self.list.clone()
    }

    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn admit(&self, room: Room) {
        self.list.set_room(room.frames);
        self.drained.set(room.frames > 0);
    }

    fn advance(&self) -> bool {
        self.drained.take()
    }

    fn read(&self, most: Room) -> Vec<Value> {
        let mut lines = self.list.lines_from(self.read.get());
        lines.truncate(most.frames);
        self.read.set(self.read.get() + lines.len());
        lines
    }

    fn settled(&self) -> u64 {
        self.list.settled()
    }

    fn unsent(&self) -> u64 {
        0
    }

    fn is_closed(&self) -> bool {
        self.list.is_closed()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(300),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_frame_means_what_it_says_and_every_tick_is_accounted_for(ops in ops()) {
        hold(ops, |_, polls| Listed::open(polls));
    }
}
