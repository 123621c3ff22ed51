//! A sink, and all that it was ever offered.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::decoder::Decoder;
use crate::hub::Sink;
use crate::wire::close::CloseReason;
use crate::wire::frame::{Encoding, Frame};

/// The messages that a sink was offered.
pub(super) type Offered = Rc<RefCell<Vec<Value>>>;

#[derive(Debug)]
pub(super) struct Tap<S> {
    sink: S,
    encoding: Encoding,
    offered: Offered,
}

impl<S> Tap<S> {
    pub(super) fn on(sink: S, encoding: Encoding) -> (Self, Offered) {
        let offered = Offered::default();
        let tap = Self {
            sink,
            encoding,
            offered: Rc::clone(&offered),
        };
        (tap, offered)
    }
}

impl<S: Sink> Sink for Tap<S> {
    fn has_room(&self) -> bool {
        self.sink.has_room()
    }

    fn send(&self, frame: &Rc<Frame>) {
        let mut decoder = Decoder::new(self.encoding);
        let messages = decoder.read(&frame.bytes);
        assert!(decoder.is_between_frames());
        self.offered.borrow_mut().extend(messages);
        self.sink.send(frame);
    }

    fn close(&self, reason: CloseReason) {
        self.sink.close(reason);
    }
}
