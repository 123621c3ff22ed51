//! The wall clock, read at the edges only.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::market::Micros;

/// Microseconds since the Unix epoch.
pub fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_micros() as Micros)
}
