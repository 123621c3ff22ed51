//! How many connections there may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::event::{EventfdFlags, eventfd};

/// Counts the process's connections, whoever serves them.
#[derive(Debug)]
pub struct Capacity {
    limit: usize,
    accepted: AtomicUsize,
}

impl Capacity {
    /// Room for so many.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            accepted: AtomicUsize::new(0),
        })
    }

    /// How many there may be.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many there are: more than may be, while some are being turned away.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Whether one more would find room, and a descriptor.
    pub fn has_room(&self) -> bool {
        // An accept that fails is known to actix only; what it wants is tried here.
        self.accepted() < self.limit && eventfd(0, EventfdFlags::CLOEXEC).is_ok()
    }

    /// Takes a place for a connection that has been accepted, be there room or not.
    pub fn place(self: &Arc<Self>) -> Place {
        let before = self.accepted.fetch_add(1, Ordering::Relaxed);
        Place {
            is_over: before >= self.limit,
            capacity: Arc::clone(self),
        }
    }
}

/// A connection's, as long as its stream is open.
#[derive(Debug)]
pub struct Place {
    capacity: Arc<Capacity>,
    is_over: bool,
}

impl Place {
    /// Whether there was no room when it came.
    pub fn is_over(&self) -> bool {
        self.is_over
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.capacity.accepted.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_left_is_there_for_the_next() {
        let capacity = Capacity::new(1);
        let first = capacity.place();
        assert!(!first.is_over() && !capacity.has_room());
        assert!(capacity.place().is_over());
        drop(first);
        assert!(capacity.has_room() && !capacity.place().is_over());
    }

    #[test]
    fn whoever_is_turned_away_counts_while_it_is_here() {
        let capacity = Capacity::new(1);
        let places = [capacity.place(), capacity.place()];
        assert_eq!(capacity.accepted(), 2);
        drop(places);
        assert_eq!(capacity.accepted(), 0);
    }
}
