//! Where a subscriber's bytes go.

use std::rc::Rc;

use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;

/// A bounded way out to one client. The transports implement it; the hub knows no more of them.
pub trait Sink {
    /// Whether it takes a frame now. Once it does not, the transport calls
    /// [`Hub::drained`](super::Hub::drained) when it does again.
    fn has_room(&self) -> bool;

    /// Takes a whole frame; called only while there is room.
    fn send(&self, frame: &Rc<Frame>);

    /// Nothing follows: the client is told why, as far as its transport can.
    fn close(&self, reason: CloseReason);
}
