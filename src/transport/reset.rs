//! Ends connections whose clients do not even read what would close them.
//!
//! actix does not ask a body for more while the socket is full, so neither a close frame nor an error can get past
//! what a stuck client has not read. Only the socket itself can be ended, and actix owns it.

use std::any::Any;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::rc::Weak;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use socket2::SockRef;
use tokio::time::sleep;

use super::body::Alive;

/// How long a client has to read the end of its session.
const GRACE: Duration = Duration::from_secs(4);

/// A connection's socket, which actix owns.
#[derive(Clone, Copy, Debug)]
pub struct Socket(RawFd);

impl Socket {
    /// Notes the socket of a new connection for its requests.
    pub fn note(socket: &dyn Any, data: &mut Extensions) {
        if let Some(socket) = socket.downcast_ref::<actix_web::rt::net::TcpStream>() {
            data.insert(Self(socket.as_fd().as_raw_fd()));
        }
    }

    /// The socket that a request came on; `None` if it is not a plain one.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().copied()
    }

    /// Resets the connection if its body, which has come to its end, is still there after a grace.
    pub async fn reset_if_stuck(self, alive: Weak<Alive>) {
        sleep(GRACE).await;
        if let Some(alive) = alive.upgrade() {
            // An error says that it has just ended by itself.
            let _ = self.reset(&alive);
        }
    }

    /// Ends the connection at once: nothing unsent is waited for.
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
