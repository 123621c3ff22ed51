//! One generator thread and the clients that live on it.
//!
//! Each thread is a runtime of its own and owns its clients, their sockets and one tally: nothing is shared for
//! each tick, nothing is stolen, and what a thread costs can be told. Twice a second it pours its tally into an
//! outbox, the only thing the run and the thread both lock.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::LocalSet;

use crate::cli::Transport;
use crate::clock::Clock;
use crate::tally::Tally;
use crate::target::Address;
use crate::window::Window;
use crate::{client, strain};

/// How many clients may be connecting at the same moment: below the usual listen backlogs.
const RAMP: usize = 200;

/// How often a thread pours its tally out.
const POUR_EVERY: Duration = Duration::from_millis(500);

/// What all threads of one run share.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) transport: Transport,
    pub(crate) address: Address,
    pub(crate) clock: Clock,
    pub(crate) clients: u32,
    /// Between two short polls of one client.
    pub(crate) interval: Duration,
    pub(crate) window: Window,
    /// Clients that are through their handshake.
    pub(crate) connected: AtomicU32,
    /// Clients that never got there.
    pub(crate) failed: AtomicU32,
    /// Clients that got there and did not stay.
    pub(crate) dropped: AtomicU32,
    pub(crate) ramp: Semaphore,
}

impl Course {
    pub(crate) fn new(
        transport: Transport,
        address: Address,
        clock: Clock,
        clients: u32,
        interval: Duration,
    ) -> Self {
        Self {
            transport,
            address,
            clock,
            clients,
            interval,
            window: Window::default(),
            connected: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            dropped: AtomicU32::new(0),
            ramp: Semaphore::new(RAMP),
        }
    }

    /// Clients whose attempt is over, well or badly.
    pub(crate) fn settled(&self) -> u32 {
        self.connected.load(Ordering::Relaxed) + self.failed.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let address = crate::target::Target::local(9).resolve().unwrap();
        Self::new(
            Transport::Websocket,
            address,
            Clock::default(),
            1,
            Duration::from_secs(1),
        )
    }
}

/// Where a thread's figures wait for the run to fetch them.
pub(crate) type Outbox = Arc<Mutex<Tally>>;

/// Takes what has gathered in an outbox.
pub(crate) fn empty(outbox: &Outbox) -> Tally {
    // A panicking thread leaves whole figures behind: it only ever adds a finished tally.
    std::mem::take(&mut *outbox.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What the clients of one thread share.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) course: Arc<Course>,
    tally: RefCell<Tally>,
}

impl Group {
    pub(crate) fn new(course: Arc<Course>) -> Self {
        Self {
            course,
            tally: RefCell::default(),
        }
    }

    /// Microseconds by the server's clock.
    pub(crate) fn now(&self) -> u64 {
        self.course.clock.now()
    }

    /// Whether `at` is inside the window.
    pub(crate) fn is_open(&self, at: u64) -> bool {
        self.course.window.contains(at)
    }

    /// Counts something, whenever it happens.
    pub(crate) fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.borrow_mut());
    }

    /// Counts something that happened at `at`, if that is inside the window.
    pub(crate) fn count_at(&self, at: u64, add: impl FnOnce(&mut Tally)) {
        if self.is_open(at) {
            self.count(add);
        }
    }

    fn pour(&self, outbox: &Outbox) {
        let poured = self.tally.take();
        outbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(&poured);
    }
}

/// The body of a generator thread: lives through the run with the clients of these numbers.
pub(crate) fn work(
    course: Arc<Course>,
    numbers: Range<u32>,
    outbox: &Outbox,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let group = Rc::new(Group::new(course));
    let local = LocalSet::new();
    for number in numbers {
        local.spawn_local(client::live(Rc::clone(&group), number));
    }
    local.spawn_local(strain::watch(Rc::clone(&group)));
    runtime.block_on(local.run_until(async {
        let mut timer = tokio::time::interval(POUR_EVERY);
        loop {
            tokio::select! {
                _ = timer.tick() => group.pour(outbox),
                // An error means that the run is gone, which is a stop as well.
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
    }));
    group.pour(outbox);
    Ok(())
}
