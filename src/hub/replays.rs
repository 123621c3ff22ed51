//! Pieces of the journal as they were encoded last, for many who come back together.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::market::Cursor;
use crate::wire::frame::Frame;

use super::group::Key;

/// Pieces that are kept, of 64 KiB each.
const PIECES: usize = 32;

/// What a worker has replayed. Each piece begins at a place and ends before the head, so it is the same for whoever comes
/// back to that place and wants the same.
#[derive(Debug, Default)]
pub(super) struct Replays(RefCell<VecDeque<Replay>>);

#[derive(Debug)]
struct Replay {
    key: Rc<Key>,
    after: Cursor,
    upto: Cursor,
    frame: Rc<Frame>,
}

impl Replays {
    /// The piece after a place, and where it ends.
    pub(super) fn of(&self, key: &Rc<Key>, after: Cursor) -> Option<(Cursor, Rc<Frame>)> {
        let replays = self.0.borrow();
        let wanted = |replay: &&Replay| replay.after == after && Rc::ptr_eq(&replay.key, key);
        let found = replays.iter().find(wanted)?;
        Some((found.upto, Rc::clone(&found.frame)))
    }

    /// Keeps a piece in place of the oldest.
    pub(super) fn keep(&self, key: &Rc<Key>, after: Cursor, upto: Cursor, frame: &Rc<Frame>) {
        let replays = &mut *self.0.borrow_mut();
        if replays.len() == PIECES {
            replays.pop_front();
        }
        replays.push_back(Replay {
            key: Rc::clone(key),
            after,
            upto,
            frame: Rc::clone(frame),
        });
    }
}
