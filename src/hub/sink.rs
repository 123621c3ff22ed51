//! Where a subscriber's bytes go.

use std::rc::Rc;

use crate::wire::close::CloseReason;
use crate::wire::frame::Frame;

/// A bounded way out to one client. The transports implement it; the hub knows no more of them.
pub trait Sink {
    /// Takes the whole frame, or none of it and says `false`: then the hub offers nothing more until the
    /// transport calls [`Hub::drained`](super::Hub::drained).
    fn offer(&self, frame: &Rc<Frame>) -> bool;

    /// Nothing follows: the client is told why, as far as its transport can.
    fn close(&self, reason: CloseReason);
}
