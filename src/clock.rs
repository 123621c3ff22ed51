//! The wall clock, read at the edges only.

use rustix::time::{ClockId, clock_gettime};

use crate::market::Micros;

/// Microseconds since the Unix epoch. Read for each client that a tick is sent to, so it is not asked for through
/// types that could fail.
pub fn now() -> Micros {
    let now = clock_gettime(ClockId::Realtime);
    // A clock before the epoch is not worth a branch of its own.
    now.tv_sec as Micros * 1_000_000 + now.tv_nsec as Micros / 1_000
}
