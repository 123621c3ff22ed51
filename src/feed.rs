//! Where ticks come from.
//!
//! A feed is a plan, endless unless it plays a file: [`Emission`]s in the order of their intended times, without a clock. [`pace`] brings
//! the plan to the wall clock. So the same seed gives the same ticks in the same batches, whatever the machine
//! does meanwhile.

mod file;
mod pace;
mod prices;
pub mod recording;
pub mod replay;
pub mod simulated;
mod symbols;
mod table;

use std::time::Duration;

use crate::market::Tick;

pub use file::FileError;
pub use pace::{Pace, pace};
pub use symbols::Share;

/// A feed of whatever kind.
pub type Plan = Box<dyn Iterator<Item = Emission> + Send>;

/// Ticks that are due together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// When the plan wants them, counted from the start of the feed.
    pub at: Duration,
    /// The ticks, at least one; their `ts` is still zero.
    pub ticks: Vec<Tick>,
}
