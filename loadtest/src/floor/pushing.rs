//! The loop: wait, and when a tick is due, one `send` for each client.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with, listen, sockopt};
use slab::Slab;

use super::client::{Client, Sent};
use super::frame;
use super::pace::Pace;
use crate::clock::wall_micros;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Events taken at once.
const EVENTS: usize = 256;

/// What epoll says of those that are no client. Clients have their place in the slab.
const LISTENER: u64 = u64::MAX;
const PACE: u64 = u64::MAX - 1;
const STOP: u64 = u64::MAX - 2;

/// What a floor did in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Calls of `send(2)` that took a tick.
    pub(super) sends: u64,
    /// Ticks in those.
    pub(super) delivered: u64,
    /// Ticks that a client with a full buffer did not get.
    pub(super) dropped: u64,
    /// Sends cut short.
    pub(super) torn: u64,
    /// Ticks that were too late to be made.
    pub(super) put_off: u64,
}

/// A floor ready to run.
#[derive(Debug)]
pub(super) struct Pushing {
    epoll: OwnedFd,
    listener: TcpListener,
    pace: Pace,
    /// Ticks in each `send`.
    batch: u64,
    clients: Slab<Client>,
    /// The last tick's number.
    n: u64,
    /// The bytes that all clients get.
    bytes: Vec<u8>,
    summary: Summary,
}

impl Pushing {
    /// Starts the timer: `tick_rate` ticks a second, `batch` of them in each `send`. A write to `stop` ends the run.
    pub(super) fn new(
        listener: TcpListener,
        stop: &OwnedFd,
        tick_rate: u32,
        batch: u32,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        listen(&listener, BACKLOG)?;
        let pace = Pace::start(tick_rate, batch)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        for (source, token) in [
            (listener.as_fd(), LISTENER),
            (pace.as_fd(), PACE),
            (stop.as_fd(), STOP),
        ] {
            epoll::add(&epoll, source, EventData::new_u64(token), EventFlags::IN)?;
        }
        Ok(Self {
            epoll,
            listener,
            pace,
            batch: u64::from(batch),
            clients: Slab::new(),
            n: 0,
            bytes: Vec::new(),
            summary: Summary::default(),
        })
    }

    /// Pushes until it is told to stop.
    pub(super) fn run(mut self) -> io::Result<Summary> {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    STOP => return Ok(self.summary),
                    LISTENER => self.accept()?,
                    PACE => self.tick()?,
                    place => self.listen(usize::try_from(place).unwrap_or(usize::MAX)),
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match accept_with(&self.listener, flags) {
                Ok(socket) => {
                    // Ticks are small: without this they would wait for an acknowledgement.
                    sockopt::set_tcp_nodelay(&socket, true)?;
                    let place = self.clients.vacant_entry();
                    let token = EventData::new_u64(place.key() as u64);
                    epoll::add(&self.epoll, &socket, token, EventFlags::IN)?;
                    place.insert(Client::new(socket));
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Hears a client out. Its socket leaves epoll by being closed.
    fn listen(&mut self, place: usize) {
        if let Some(client) = self.clients.get_mut(place)
            && !client.listen()
        {
            self.clients.remove(place);
        }
    }

    fn tick(&mut self) -> io::Result<()> {
        let due = self.pace.due()?;
        self.summary.put_off += due.put_off;
        for _ in 0..due.sends {
            self.send();
        }
        Ok(())
    }

    /// One batch to every client, each by a `send` of its own.
    fn send(&mut self) {
        let Self {
            bytes,
            clients,
            summary,
            batch,
            n,
            ..
        } = self;
        bytes.clear();
        let ts = wall_micros();
        for _ in 0..*batch {
            *n += 1;
            frame::write(*n, ts, bytes);
        }
        clients.retain(|_, client| {
            if !client.follows() {
                return true;
            }
            let sent = client.push(bytes);
            match sent {
                Sent::Whole | Sent::Torn => {
                    summary.sends += 1;
                    summary.delivered += *batch;
                    summary.torn += u64::from(sent == Sent::Torn);
                }
                Sent::Nothing => summary.dropped += *batch,
                Sent::Gone => {}
            }
            sent != Sent::Gone
        });
    }
}
