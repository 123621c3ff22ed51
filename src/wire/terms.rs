//! How a session wants to be served.

use serde::{Deserialize, Serialize};

/// Which ticks a session gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Each one, in order.
    #[default]
    Every,
    /// The latest of each symbol that changed.
    Conflate,
}

/// What happens to a session that gets every tick and cannot keep up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It gets the latest tick of each symbol and is told how many were left out.
    #[default]
    Conflate,
    /// It is closed.
    Disconnect,
}

/// The terms of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Which ticks it gets.
    pub mode: Mode,
    /// With [`Mode::Conflate`], frames a second at most; 0 is as they come.
    pub max_rate: u32,
    /// What happens when it cannot keep up.
    pub policy: Policy,
}

impl Terms {
    /// More frames a second than this would be no limit: a worker's timers have steps of a millisecond.
    pub const MOST_FRAMES: u32 = 1_000;
}
