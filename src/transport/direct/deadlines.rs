//! When the time of lines is over: one timer for all of them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tokio::time::Instant;

/// At most one deadline for each line. Most are put off before they are over, and that costs no sorting: a line stays
/// queued where it was, and is looked at again when its turn comes.
#[derive(Debug, Default)]
pub(super) struct Deadlines(RefCell<Sorted>);

#[derive(Debug, Default)]
struct Sorted {
    /// By key.
    lines: Vec<Slot>,
    /// When lines are to be looked at: never after their deadlines.
    queue: BTreeSet<(Instant, usize)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    deadline: Option<Instant>,
    queued: Option<Instant>,
}

impl Sorted {
    fn queue(&mut self, key: usize, when: Instant) {
        let queued = &mut self.lines[key].queued;
        if queued.is_some_and(|queued| queued <= when) {
            return;
        }
        if let Some(later) = queued.replace(when) {
            self.queue.remove(&(later, key));
        }
        self.queue.insert((when, key));
    }
}

impl Deadlines {
    /// Gives a line until then, in place of what it had.
    pub(super) fn set(&self, key: usize, when: Instant) {
        let sorted = &mut *self.0.borrow_mut();
        if sorted.lines.len() <= key {
            sorted.lines.resize(key + 1, Slot::default());
        }
        sorted.lines[key].deadline = Some(when);
        sorted.queue(key, when);
    }

    /// Whether a line has one.
    pub(super) fn has(&self, key: usize) -> bool {
        let sorted = self.0.borrow();
        sorted
            .lines
            .get(key)
            .is_some_and(|slot| slot.deadline.is_some())
    }

    pub(super) fn clear(&self, key: usize) {
        if let Some(slot) = self.0.borrow_mut().lines.get_mut(key) {
            slot.deadline = None;
        }
    }

    /// When to ask who is over.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.borrow().queue.first().map(|(when, _)| *when)
    }

    /// Takes those who are over.
    pub(super) fn over(&self, now: Instant) -> Vec<usize> {
        let sorted = &mut *self.0.borrow_mut();
        let mut over = Vec::new();
        while let Some((when, key)) = sorted.queue.first().copied()
            && when <= now
        {
            sorted.queue.pop_first();
            let slot = &mut sorted.lines[key];
            slot.queued = None;
            match slot.deadline {
                Some(deadline) if deadline <= now => {
                    slot.deadline = None;
                    over.push(key);
                }
                Some(deadline) => sorted.queue(key, deadline),
                None => {}
            }
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_over_is_told_once_in_its_order() {
        let (deadlines, start) = (Deadlines::default(), Instant::now());
        deadlines.set(7, start + seconds(2));
        deadlines.set(3, start + seconds(1));
        deadlines.set(5, start + seconds(9));
        assert!(deadlines.over(start).is_empty());
        assert_eq!(deadlines.over(start + seconds(5)), [3, 7]);
        assert!(deadlines.over(start + seconds(5)).is_empty());
        assert_eq!(deadlines.over(start + seconds(9)), [5]);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn one_that_is_put_off_is_over_at_its_new_time() {
        let (deadlines, start) = (Deadlines::default(), Instant::now());
        deadlines.set(1, start + seconds(1));
        deadlines.set(1, start + seconds(4));
        assert!(deadlines.over(start + seconds(3)).is_empty());
        assert_eq!(deadlines.next(), Some(start + seconds(4)));
        assert_eq!(deadlines.over(start + seconds(4)), [1]);
    }

    #[test]
    fn one_that_is_brought_forward_is_over_at_its_new_time() {
        let (deadlines, start) = (Deadlines::default(), Instant::now());
        deadlines.set(1, start + seconds(4));
        deadlines.set(1, start + seconds(1));
        assert_eq!(deadlines.over(start + seconds(1)), [1]);
        assert!(deadlines.over(start + seconds(9)).is_empty());
    }

    #[test]
    fn one_that_is_cleared_is_never_over_and_another_may_take_its_key() {
        let (deadlines, start) = (Deadlines::default(), Instant::now());
        deadlines.set(1, start + seconds(1));
        deadlines.clear(1);
        assert!(!deadlines.has(1));
        deadlines.set(1, start + seconds(6));
        assert!(deadlines.over(start + seconds(5)).is_empty());
        assert_eq!(deadlines.over(start + seconds(6)), [1]);
    }
}
