//! Small connections for tests, with buffers that are soon full.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use crate::metrics::{Local, Metrics, Sink, Transport};

use super::{Account, Tally, Worker};

/// What is asked for; the kernel gives its least.
const BUFFER: usize = 2048;

/// The two ends of a connection: the server's, and the client's, which does not wait for bytes.
pub(super) struct Ends {
    pub(super) ours: TcpStream,
    pub(super) theirs: TcpStream,
}

impl Ends {
    /// A pair of sockets, where what one end sends is there for the other at once.
    pub(super) fn paired() -> Self {
        let (ours, theirs) = UnixStream::pair().expect("sockets can be had");
        Self::of([ours, theirs].map(|end| TcpStream::from(OwnedFd::from(end))))
    }

    /// A TCP connection, which the kernel closes without a wait.
    pub(super) fn tcp() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let theirs = Socket::new(Domain::IPV4, Type::STREAM, None).expect("sockets can be had");
        // Before the connection is there: it fixes how much is on its way at most.
        theirs.set_recv_buffer_size(2 * BUFFER).expect("an option");
        theirs.set_linger(Some(Duration::ZERO)).expect("an option");
        let address = listener.local_addr().expect("it is bound");
        theirs.connect(&address.into()).expect("it listens");
        let (ours, _) = listener.accept().expect("somebody has connected");
        ours.set_nodelay(true).expect("an option");
        let options = SockRef::from(&ours);
        options.set_tcp_notsent_lowat(1).expect("an option");
        Self::of([ours, theirs.into()])
    }

    fn of([ours, theirs]: [TcpStream; 2]) -> Self {
        let options = SockRef::from(&ours);
        options.set_send_buffer_size(BUFFER).expect("an option");
        ours.set_nonblocking(true).expect("an option");
        theirs.set_nonblocking(true).expect("an option");
        Self { ours, theirs }
    }
}

/// A tally whose counters nobody reads.
pub(super) fn tally() -> Rc<Tally> {
    let local = Local::new(&Metrics::new(), &Worker::encodings());
    Rc::new(Tally::new(Rc::new(local)))
}

/// An account of a stream of lines.
pub(super) fn account(tally: &Rc<Tally>, sink: Sink) -> Account {
    Account::open(tally, Transport::Ndjson, sink)
}
