//! Whether this process takes traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::transport::capacity::Capacity;
use crate::wire::api::Check;

/// What must hold before traffic is sent here; shared by the server, which sets it, and `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    feed: AtomicBool,
    stopping: AtomicBool,
}

impl Readiness {
    /// The feed runs, or has ended.
    pub fn feed(&self, runs: bool) {
        self.0.feed.store(runs, Ordering::Relaxed);
    }

    /// The process is about to end.
    pub fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Each condition and whether it holds.
    pub fn checks(&self, capacity: &Capacity) -> [Check; 3] {
        [
            Check {
                name: "feed",
                ok: self.0.feed.load(Ordering::Relaxed),
            },
            Check {
                name: "capacity",
                ok: capacity.has_room(),
            },
            Check {
                name: "not_stopping",
                ok: !self.0.stopping.load(Ordering::Relaxed),
            },
        ]
    }
}
