//! Connections whose sockets are ours: what the hub sends is written to them at once, in one `send()` a client.
//!
//! actix accepts a connection, reads its request and writes the head of the answer; then its stream is taken, and actix
//! forgets it. What is left of a connection is a [`Line`] of a few hundred bytes. One task of a worker looks after all of
//! its lines, through one epoll of their own: it reads what clients send, goes on writing where a socket was full, and
//! ends what was closed.

mod handover;
mod socket;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use slab::Slab;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::warn;

use crate::wire::close::CloseReason;

use super::Session;
use super::capacity::Place;
use super::websocket::Ear;

pub(super) use handover::hand_over;
pub use socket::Socket;

/// Events that are taken at once.
const EVENTS: usize = 256;

/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;

/// Reads of one line before the others have their turn.
const READS: usize = 4;

/// How long a client that has been told the end has to close its side. What it sends before that is thrown away: a
/// connection that ends with unread bytes is reset, and the last frames could be lost on the way.
const LINGER: Duration = Duration::from_secs(1);

/// How long it has to read what is left for it before that.
const GRACE: Duration = Duration::from_secs(4);

/// How often lines that end are looked at.
const SWEEP: Duration = Duration::from_millis(100);

/// The lines of one worker thread.
pub struct Lines {
    epoll: AsyncFd<OwnedFd>,
    lines: RefCell<Slab<Line>>,
    todo: Rc<Todo>,
    /// When those that end are given up.
    ending: RefCell<HashMap<usize, Instant>>,
    buffer: RefCell<Box<[u8]>>,
    /// How many lines all workers have.
    count: Arc<AtomicUsize>,
}

impl Debug for Lines {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

/// One client's connection.
struct Line {
    session: Session,
    /// Who listens to the client; nobody on one-way streams.
    ear: Option<Box<RefCell<Ear>>>,
    /// Whether the client has closed its side or is gone, read or not.
    has_hung_up: Cell<bool>,
    /// Whether the client has been told that nothing follows.
    is_shut: Cell<bool>,
}

/// Lines that something is to be done for.
#[derive(Debug, Default)]
struct Todo {
    keys: RefCell<Vec<usize>>,
    some: Notify,
}

impl Todo {
    fn add(&self, key: usize) {
        self.keys.borrow_mut().push(key);
        self.some.notify_one();
    }
}

impl Lines {
    /// Looks after lines on this thread's `LocalSet`, as long as that runs. `count` is the number of all workers' lines.
    pub fn start(count: Arc<AtomicUsize>) -> io::Result<Rc<Self>> {
        #[allow(
            deprecated,
            reason = "sound for a descriptor that nobody else has; what takes its place is unsafe"
        )]
        let epoll = AsyncFd::new(epoll::create(CreateFlags::CLOEXEC)?)?;
        let lines = Rc::new(Self {
            epoll,
            lines: RefCell::default(),
            todo: Rc::default(),
            ending: RefCell::default(),
            buffer: RefCell::new(vec![0; READ_BYTES].into()),
            count,
        });
        tokio::task::spawn_local(Watch(Rc::clone(&lines)).run());
        Ok(lines)
    }

    /// Takes over a stream. What the session has queued until now goes out first.
    fn adopt(
        &self,
        stream: TcpStream,
        place: Place,
        session: Session,
        ear: Option<Ear>,
    ) -> io::Result<()> {
        let stream = stream.into_std()?;
        let mut lines = self.lines.borrow_mut();
        let entry = lines.vacant_entry();
        let key = entry.key();
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let data = EventData::new_u64(key as u64);
        epoll::add(self.epoll.get_ref(), &stream, data, flags)?;
        let socket = Socket::new(stream, place, key, Rc::clone(&self.todo));
        session.outbox().attach(socket);
        entry.insert(Line {
            session,
            ear: ear.map(|ear| Box::new(RefCell::new(ear))),
            has_hung_up: Cell::new(false),
            is_shut: Cell::new(false),
        });
        self.count.fetch_add(1, Ordering::Relaxed);
        // What the client has said already is no event any more.
        self.todo.add(key);
        Ok(())
    }

    /// Takes what epoll has; whether there may be more.
    fn take_events(&self) -> io::Result<bool> {
        let mut events = Vec::<Event>::with_capacity(EVENTS);
        let none = rustix::event::Timespec::default();
        let buffer = rustix::buffer::spare_capacity(&mut events);
        epoll::wait(self.epoll.get_ref(), buffer, Some(&none))?;
        let hung_up = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        for event in &events {
            let (flags, key) = (event.flags, event.data.u64() as usize);
            if flags.intersects(hung_up)
                && let Some(line) = self.lines.borrow().get(key)
            {
                line.has_hung_up.set(true);
            }
            self.look(key);
        }
        Ok(events.len() == EVENTS)
    }

    /// Does what there is to do for a line: write, read, end.
    fn look(&self, key: usize) {
        let goes_on = match self.lines.borrow().get(key) {
            Some(line) => self.write(line) && self.read(line, key) && self.end(line, key),
            None => true,
        };
        if !goes_on {
            self.remove(key);
        }
    }

    /// Goes on where the socket was full.
    fn write(&self, line: &Line) -> bool {
        let outbox = line.session.outbox();
        if outbox.queued() > 0 && outbox.pump() && outbox.closed().is_none() {
            line.session.drained();
        }
        true
    }

    /// Reads what has come; whether the client is still there.
    fn read(&self, line: &Line, key: usize) -> bool {
        let outbox = line.session.outbox();
        let Some(socket) = outbox.socket() else {
            return false;
        };
        let buffer = &mut *self.buffer.borrow_mut();
        for _ in 0..READS {
            let mut ear = line.ear.as_ref().map(|ear| ear.borrow_mut());
            if let Some(ear) = &mut ear
                && !ear.has_heard_all(outbox)
            {
                // It is not read until it reads, so how it ends is not read either.
                return !line.has_hung_up.get() || self.gone(line);
            }
            match socket.read(buffer) {
                Ok(0) => return self.gone(line),
                Ok(count) => {
                    if let Some(ear) = &mut ear {
                        ear.hear(&buffer[..count], outbox);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.gone(line),
            }
        }
        self.todo.add(key);
        true
    }

    fn gone(&self, line: &Line) -> bool {
        line.session.outbox().finish(CloseReason::Client, None);
        false
    }

    /// Brings a line that was closed nearer to its end.
    fn end(&self, line: &Line, key: usize) -> bool {
        let outbox = line.session.outbox();
        if outbox.closed().is_none() || line.is_shut.get() {
            return true;
        }
        let ending = &mut *self.ending.borrow_mut();
        if outbox.queued() > 0 {
            ending.entry(key).or_insert_with(|| Instant::now() + GRACE);
        } else if let Some(socket) = outbox.socket() {
            socket.shut();
            line.is_shut.set(true);
            ending.insert(key, Instant::now() + LINGER);
        }
        true
    }

    /// Gives up those whose time is over.
    fn sweep(&self) {
        let now = Instant::now();
        let over: Vec<usize> = (self.ending.borrow().iter())
            .filter(|(_, when)| **when <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            if let Some(line) = self.lines.borrow().get(key)
                && let Some(socket) = line.session.outbox().socket()
                && !line.is_shut.get()
            {
                socket.give_up();
            }
            self.remove(key);
        }
    }

    fn remove(&self, key: usize) {
        self.ending.borrow_mut().remove(&key);
        let removed = self.lines.borrow_mut().try_remove(key);
        if removed.is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The task that looks after a worker's lines. They end with it.
struct Watch(Rc<Lines>);

impl Watch {
    async fn run(self) {
        let lines = &*self.0;
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_ending = !lines.ending.borrow().is_empty();
            tokio::select! {
                biased;
                _ = sweep.tick(), if has_ending => lines.sweep(),
                () = lines.todo.some.notified() => {
                    let keys = lines.todo.keys.take();
                    keys.into_iter().for_each(|key| lines.look(key));
                }
                ready = lines.epoll.readable() => {
                    let more = lines.take_events();
                    match (ready, more) {
                        (Ok(mut ready), Ok(false)) => ready.clear_ready(),
                        (Ok(_), Ok(true)) => {}
                        (Err(error), _) | (_, Err(error)) => warn!(%error, "epoll has failed"),
                    }
                }
            }
            // Flushes and accepts come first.
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let lines = self.0.lines.take();
        self.0.count.fetch_sub(lines.len(), Ordering::Relaxed);
        drop(lines);
    }
}
