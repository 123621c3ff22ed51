//! Ends connections whose clients do not even read what would close them.
//!
//! actix does not ask a body for more while the socket is full, so neither a close frame nor an error can get past
//! what a stuck client has not read. Only the socket itself can be ended, and actix owns it.

use std::any::Any;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::rc::Weak;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use socket2::SockRef;
use tokio::time::sleep;

use crate::wire::close::CloseReason;

use super::Outbox;

/// How long a slow client has to read the close.
const GRACE: Duration = Duration::from_secs(5);

/// The descriptor of a connection, which actix owns.
#[derive(Clone, Copy, Debug)]
pub struct Connection(RawFd);

/// Lives as long as a session's body, and so as long as actix keeps the connection.
#[derive(Debug)]
pub struct Alive;

impl Connection {
    /// Notes the descriptor of a new connection for its requests.
    pub fn note(socket: &dyn Any, data: &mut Extensions) {
        if let Some(socket) = socket.downcast_ref::<actix_web::rt::net::TcpStream>() {
            data.insert(Self(socket.as_fd().as_raw_fd()));
        }
    }

    /// The connection that a request came on; `None` if it is not a plain socket.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().copied()
    }

    /// Ends it at once: nothing unsent is waited for.
    #[allow(unsafe_code, reason = "actix lends its socket only while it accepts")]
    fn reset(self, _alive: &Alive) -> io::Result<()> {
        // SAFETY: the body is alive, so actix has not dropped the connection's dispatcher, which owns the
        // descriptor; both live on this thread, and the borrow ends before anything else runs on it.
        let socket = unsafe { BorrowedFd::borrow_raw(self.0) };
        let socket = SockRef::from(&socket);
        socket.set_linger(Some(Duration::ZERO))?;
        socket.shutdown(Shutdown::Both)
    }
}

/// Waits for the session to be closed as a slow one, and resets its connection if that takes too long.
pub async fn reset_if_stuck(outbox: &Outbox, alive: Weak<Alive>, connection: Option<Connection>) {
    if poll_fn(|cx| outbox.poll_closed(cx)).await != CloseReason::SlowConsumer {
        return;
    }
    sleep(GRACE).await;
    if let (Some(alive), Some(connection)) = (alive.upgrade(), connection) {
        // An error says that it has just ended by itself.
        let _ = connection.reset(&alive);
    }
}
