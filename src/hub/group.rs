//! Groups: subscribers of one encoding and one symbol set share what is encoded for them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::market::{Cursor, SymbolSet};
use crate::wire::batch::Batch;
use crate::wire::frame::{Encoding, Frame, Stretch};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) encoding: Encoding,
    pub(super) set: SymbolSet,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) key: Rc<Key>,
    /// What the flush that runs now has for the group; `None` if that is nothing.
    pub(super) pending: RefCell<Option<Rc<Frame>>>,
}

/// The groups of a worker, each there as long as it has a subscriber.
#[derive(Debug, Default)]
pub(super) struct Groups(HashMap<Rc<Key>, Rc<Group>>);

impl Groups {
    pub(super) fn join(&mut self, key: Key) -> Rc<Group> {
        let key = Rc::new(key);
        let group = self.0.entry(Rc::clone(&key)).or_insert_with(|| {
            let pending = RefCell::default();
            Rc::new(Group { key, pending })
        });
        Rc::clone(group)
    }

    /// Takes back what [`Groups::join`] gave; the last one to leave takes the group with it.
    pub(super) fn leave(&mut self, group: Rc<Group>) {
        let key = Rc::clone(&group.key);
        drop(group);
        if self.0.get(&key).is_some_and(|g| Rc::strong_count(g) == 1) {
            self.0.remove(&key);
        }
    }

    /// Encodes a flush once for each group and counts, by encoding, what had to be encoded anew.
    pub(super) fn prepare(&self, batches: &[Arc<Batch>], upto: Cursor, encodes: &mut [u64; 4]) {
        for group in self.0.values() {
            let Key { encoding, set } = &*group.key;
            let stretch = Stretch {
                batches,
                set,
                upto,
                more: false,
                live_after: 0,
            };
            let frame = Frame::ticks(*encoding, &stretch);
            let anew = frame.is_some() && stretch.as_published().is_none();
            encodes[*encoding as usize] += u64::from(anew);
            *group.pending.borrow_mut() = frame.map(Rc::new);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
