//! When the time of lines is over: one timer for all of them.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use tokio::time::Instant;

/// At most one deadline for each line.
#[derive(Debug, Default)]
pub(super) struct Deadlines(RefCell<Sorted>);

#[derive(Debug, Default)]
struct Sorted {
    by_key: HashMap<usize, Instant>,
    by_time: BTreeSet<(Instant, usize)>,
}

impl Sorted {
    fn clear(&mut self, key: usize) {
        if let Some(when) = self.by_key.remove(&key) {
            self.by_time.remove(&(when, key));
        }
    }
}

impl Deadlines {
    /// Gives a line until then, in place of what it had.
    pub(super) fn set(&self, key: usize, when: Instant) {
        let sorted = &mut *self.0.borrow_mut();
        sorted.clear(key);
        sorted.by_key.insert(key, when);
        sorted.by_time.insert((when, key));
    }

    /// Whether a line has one.
    pub(super) fn has(&self, key: usize) -> bool {
        self.0.borrow().by_key.contains_key(&key)
    }

    pub(super) fn clear(&self, key: usize) {
        self.0.borrow_mut().clear(key);
    }

    /// The next one.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.borrow().by_time.first().map(|(when, _)| *when)
    }

    /// Takes those who are over.
    pub(super) fn over(&self, now: Instant) -> Vec<usize> {
        let sorted = &mut *self.0.borrow_mut();
        let mut over = Vec::new();
        while let Some((when, key)) = sorted.by_time.first().copied()
            && when <= now
        {
            sorted.clear(key);
            over.push(key);
        }
        over
    }
}
