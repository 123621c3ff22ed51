//! How others tell that a line is to be looked at.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::Notify;

/// Lines that something is to be done for.
#[derive(Debug, Default)]
pub(super) struct Todo {
    keys: RefCell<Vec<usize>>,
    some: Notify,
}

impl Todo {
    pub(super) fn add(&self, key: usize) {
        self.keys.borrow_mut().push(key);
        self.some.notify_one();
    }

    /// Waits until there are some.
    pub(super) async fn some(&self) {
        self.some.notified().await;
    }

    pub(super) fn take(&self) -> Vec<usize> {
        self.keys.take()
    }
}

/// Rings for one line.
#[derive(Debug)]
pub struct Bell {
    key: usize,
    todo: Rc<Todo>,
}

impl Bell {
    pub(super) fn new(key: usize, todo: &Rc<Todo>) -> Self {
        Self {
            key,
            todo: Rc::clone(todo),
        }
    }

    /// Has the line looked at soon.
    pub(in crate::transport) fn ring(&self) {
        self.todo.add(self.key);
    }
}
