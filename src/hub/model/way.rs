//! What a model's client is made of: a sink for the hub, and the end at which the client reads.

use serde_json::Value;

use crate::hub::Sink;
use crate::wire::frame::Encoding;

/// How much a client takes, in the measure of its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
}

impl Room {
    /// Whatever comes.
    pub(crate) const ENDLESS: Self = Self {
        frames: usize::MAX,
        bytes: usize::MAX,
    };
}

/// The way from the hub to a client of the model.
pub(crate) trait Way {
    type Sink: Sink + 'static;

    /// Where the hub puts frames.
    fn sink(&self) -> Self::Sink;

    fn encoding(&self) -> Encoding;

    /// From here on so much more is taken from the sink. At first it is without end.
    fn admit(&self, room: Room);

    /// Moves what can move; whether the hub is to be told that the sink has drained. Asked again after that.
    fn advance(&self) -> bool;

    /// The messages that the client reads of what has come: no more than so much, and in the end not all of it.
    fn read(&self, most: Room) -> Vec<Value>;

    /// The transport has something of its own to say.
    fn reply(&self) {}

    /// How many ticks that were due have been accounted for.
    fn settled(&self) -> u64;

    /// How many of them the sink was given and has not passed on.
    fn unsent(&self) -> u64;

    /// Whether what the client has read ends with the end of a frame.
    fn is_between_frames(&self) -> bool {
        true
    }

    /// Whether the hub has closed it.
    fn is_closed(&self) -> bool;
}
