//! Connections whose sockets are ours: what the hub sends is written to them at once, in one `send()` a client.
//!
//! actix accepts a connection, reads its request and writes the head of a stream's answer; then its stream is taken, and
//! actix forgets it. What is left of a connection is a line of a few hundred bytes. One task of a worker looks after all
//! of its lines, through one epoll of their own: it reads what clients send, goes on writing where a socket was full,
//! answers polls, and ends what was closed.

mod answers;
mod bell;
mod deadlines;
mod handover;
mod poll;
mod socket;
mod stream;

use std::cell::{OnceCell, RefCell};
use std::fmt::{self, Debug, Formatter};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use slab::Slab;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::lease::{Lease, Serve, Taken};
use super::websocket::Ear;
use super::{Session, Worker};

use answers::Answers;
use bell::Todo;
use deadlines::Deadlines;
use poll::{Next, Poller};
use stream::Stream;

pub use bell::Bell;
pub(super) use handover::{hand_over, hand_over_poll};
pub use socket::Socket;

/// Events that are taken at once.
const EVENTS: usize = 256;

/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;

/// Steps that one client's polls are brought on before the others have their turn: a poll takes two.
const STEPS: usize = 32;

/// How long a client that has been told the end has to close its side. What it sends before that is thrown away: a
/// connection that ends with unread bytes is reset, and the last frames could be lost on the way.
const LINGER: Duration = Duration::from_secs(1);

/// How long it has to read what is left for it before that.
const GRACE: Duration = Duration::from_secs(4);

/// What tells that the client has closed its side or is gone.
const HUNG_UP: EventFlags = EventFlags::RDHUP
    .union(EventFlags::HUP)
    .union(EventFlags::ERR);

/// What tells that there is something to read, if only the end.
const TO_READ: EventFlags = EventFlags::IN.union(HUNG_UP);

/// How long clients who poll may take.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For a request, once it has begun.
    pub request: Duration,
    /// Between two requests.
    pub keep_alive: Duration,
}

/// The lines of one worker thread.
pub struct Lines {
    epoll: AsyncFd<OwnedFd>,
    lines: RefCell<Slab<Line>>,
    todo: Rc<Todo>,
    deadlines: Deadlines,
    answers: Answers,
    buffer: RefCell<Box<[u8]>>,
    waits: Waits,
    worker: OnceCell<Weak<Worker>>,
    stop: CancellationToken,
    /// How many lines all workers have.
    count: Arc<AtomicUsize>,
}

impl Debug for Lines {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

/// One client's connection.
enum Line {
    Stream(Stream),
    Poll(Box<RefCell<Poller>>),
}

/// What is to become of a line that was looked at.
enum Fate {
    Stays,
    Ends,
    /// Actix serves it again.
    GivenBack,
}

/// What came of reading.
enum Heard {
    Nothing,
    Something,
    Gone,
}

impl Lines {
    /// Looks after lines on this thread's `LocalSet`, as long as that runs. `count` is the number of all workers' lines.
    pub fn start(
        waits: Waits,
        count: Arc<AtomicUsize>,
        stop: CancellationToken,
    ) -> io::Result<Rc<Self>> {
        #[allow(
            deprecated,
            reason = "sound for a descriptor that nobody else has; what takes its place is unsafe"
        )]
        let epoll = AsyncFd::new(epoll::create(CreateFlags::CLOEXEC)?)?;
        let lines = Rc::new(Self {
            epoll,
            lines: RefCell::default(),
            todo: Rc::default(),
            deadlines: Deadlines::default(),
            answers: Answers::default(),
            buffer: RefCell::new(vec![0; READ_BYTES].into()),
            waits,
            worker: OnceCell::new(),
            stop,
            count,
        });
        tokio::task::spawn_local(Watch(Rc::clone(&lines)).run());
        Ok(lines)
    }

    /// Who opens the sessions of further polls.
    pub fn belong_to(&self, worker: &Rc<Worker>) {
        // Said once, when the worker is made.
        let _ = self.worker.set(Rc::downgrade(worker));
    }

    /// Takes over a stream whose answer has begun. What the session has queued until now goes out first.
    fn adopt(&self, stream: Taken, session: Session, ear: Option<Ear>) -> io::Result<()> {
        let key = self.add(stream, |socket, bell| {
            session.outbox().attach(socket, bell);
            Line::Stream(Stream::new(session, ear))
        })?;
        // What the client has said already is no event any more.
        self.todo.add(key);
        Ok(())
    }

    /// Takes over a stream whose poll waits until then.
    fn adopt_poll(
        &self,
        stream: Taken,
        serve: Serve,
        session: Session,
        until: Instant,
    ) -> io::Result<()> {
        let key = self.add(stream, |socket, bell| {
            session.outbox().ring(bell);
            Line::Poll(Box::new(RefCell::new(Poller::new(socket, serve, session))))
        })?;
        self.deadlines.set(key, until);
        // The answer may be there.
        self.todo.add(key);
        Ok(())
    }

    fn add(&self, taken: Taken, line: impl FnOnce(Socket, Bell) -> Line) -> io::Result<usize> {
        let (stream, place) = taken;
        let stream = stream.into_std()?;
        let mut lines = self.lines.borrow_mut();
        let entry = lines.vacant_entry();
        let key = entry.key();
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let data = EventData::new_u64(key as u64);
        epoll::add(self.epoll.get_ref(), &stream, data, flags)?;
        entry.insert(line(Socket::new(stream, place), Bell::new(key, &self.todo)));
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(key)
    }

    /// Takes what epoll has; whether there may be more.
    fn take_events(&self) -> io::Result<bool> {
        let mut events = Vec::<Event>::with_capacity(EVENTS);
        let none = rustix::event::Timespec::default();
        let buffer = rustix::buffer::spare_capacity(&mut events);
        epoll::wait(self.epoll.get_ref(), buffer, Some(&none))?;
        for event in &events {
            self.look(event.data.u64() as usize, event.flags, false);
        }
        Ok(events.len() == EVENTS)
    }

    /// Does what there is to do for a line. `late` says that its time is over.
    fn look(&self, key: usize, flags: EventFlags, late: bool) {
        let fate = match self.lines.borrow().get(key) {
            Some(Line::Stream(stream)) if late => stream.give_up(),
            Some(Line::Stream(stream)) => stream.look(key, flags, self),
            Some(Line::Poll(poller)) => {
                let poller = &mut *poller.borrow_mut();
                poller.readable |= flags.intersects(TO_READ);
                poller.has_hung_up |= flags.intersects(HUNG_UP);
                self.look_at_poll(key, poller, late)
            }
            None => Fate::Stays,
        };
        match fate {
            Fate::Stays => {}
            Fate::Ends => drop(self.remove(key)),
            Fate::GivenBack => {
                if let Some(Line::Poll(poller)) = self.remove(key)
                    && let Err(error) = self.give_back(poller.into_inner())
                {
                    debug!(%error, "a connection could not be given back");
                }
            }
        }
    }

    fn look_at_poll(&self, key: usize, poller: &mut Poller, late: bool) -> Fate {
        if late && poller.session().is_none() {
            // A request that does not come to its end is actix's to answer.
            return if poller.is_idle() {
                Fate::Ends
            } else {
                Fate::GivenBack
            };
        }
        let Some(worker) = self.worker.get().and_then(Weak::upgrade) else {
            return Fate::Ends;
        };
        let mut late = late;
        for _ in 0..STEPS {
            poller.answer(late, |message, last| self.answers.of(message, last));
            late = false;
            let next = match poller.write() {
                Some(next) => next,
                // One that waits is only heard for whether it is still there.
                None if poller.session().is_some() => match self.listen(poller) {
                    Heard::Gone => Next::Gone,
                    Heard::Nothing | Heard::Something => Next::Wait,
                },
                None => self.next_request(poller, &worker),
            };
            match next {
                Next::Gone => return Fate::Ends,
                Next::GiveBack => return Fate::GivenBack,
                Next::Wait => return Fate::Stays,
                Next::Parked(patience) => {
                    let until = Instant::now() + patience.jittered();
                    self.deadlines.set(key, until);
                    if let Some(session) = poller.session() {
                        session.outbox().ring(Bell::new(key, &self.todo));
                    }
                }
                Next::Begun => {
                    self.deadlines.set(key, Instant::now() + self.waits.request);
                    return Fate::Stays;
                }
                Next::Answered if self.stop.is_cancelled() => return Fate::Ends,
                Next::Answered => self
                    .deadlines
                    .set(key, Instant::now() + self.waits.keep_alive),
                Next::Last => {
                    poller.socket.shut();
                    return Fate::Ends;
                }
            }
        }
        self.todo.add(key);
        Fate::Stays
    }

    /// Follows what the client has said, and reads on as long as that is no whole request.
    fn next_request(&self, poller: &mut Poller, worker: &Rc<Worker>) -> Next {
        let had_begun = !poller.is_idle();
        loop {
            match poller.follow(worker) {
                Next::Wait => {}
                next => return next,
            }
            match self.listen(poller) {
                Heard::Something => {}
                Heard::Nothing if had_begun || poller.is_idle() => return Next::Wait,
                Heard::Nothing => return Next::Begun,
                Heard::Gone => return Next::Gone,
            }
        }
    }

    /// Reads what a client that polls says.
    fn listen(&self, poller: &mut Poller) -> Heard {
        let buffer = &mut *self.buffer.borrow_mut();
        let mut heard = Heard::Nothing;
        while poller.may_say() {
            match poller.socket.read(buffer) {
                Ok(0) => return Heard::Gone,
                Ok(count) => {
                    heard = Heard::Something;
                    poller.said(&buffer[..count]);
                    // Less than there was room for is all there was, unless the end comes after it; what comes later is
                    // another event.
                    poller.readable = count == buffer.len() || poller.has_hung_up;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => poller.readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Heard::Gone,
            }
        }
        heard
    }

    fn give_back(&self, poller: Poller) -> io::Result<()> {
        let (socket, said, serve) = poller.give_back();
        epoll::delete(self.epoll.get_ref(), &socket)?;
        let (stream, place) = socket.into_stream();
        let stream = TcpStream::from_std(stream)?;
        serve(Lease::new((stream, place), said, &serve));
        Ok(())
    }

    fn remove(&self, key: usize) -> Option<Line> {
        self.deadlines.clear(key);
        let removed = self.lines.borrow_mut().try_remove(key)?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(removed)
    }

    /// Ends those who wait for nothing. Sessions are told by the hub.
    fn close_idle(&self) {
        let lines = self.lines.borrow();
        let idle = lines.iter().filter(|(_, line)| match line {
            Line::Stream(_) => false,
            Line::Poll(poller) => poller.borrow().is_idle(),
        });
        let idle: Vec<usize> = idle.map(|(key, _)| key).collect();
        drop(lines);
        idle.into_iter().for_each(|key| drop(self.remove(key)));
    }
}

/// The task that looks after a worker's lines. They end with it.
struct Watch(Rc<Lines>);

impl Watch {
    async fn run(self) {
        let lines = &*self.0;
        let mut stopped = false;
        loop {
            let next = lines.deadlines.next();
            tokio::select! {
                biased;
                () = lines.stop.cancelled(), if !stopped => {
                    stopped = true;
                    lines.close_idle();
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    for key in lines.deadlines.over(Instant::now()) {
                        lines.look(key, EventFlags::empty(), true);
                    }
                }
                () = lines.todo.some() => {
                    for key in lines.todo.take() {
                        lines.look(key, EventFlags::empty(), false);
                    }
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
