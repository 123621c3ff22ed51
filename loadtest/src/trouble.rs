//! Why a client could not connect or did not stay: the kinds under which errors are counted.

use std::io;
use std::time::Duration;

/// What ended a client. Its text is the kind, so it holds nothing that differs from client to client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("could not connect: {0}")]
    Connect(io::ErrorKind),
    #[error("the server answered {0}")]
    Status(hyper::StatusCode),
    #[error("WebSocket handshake failed: {0}")]
    Handshake(String),
    #[error("closed by the server with {code} {reason}")]
    Closed { code: u16, reason: String },
    #[error("the server ended the stream")]
    Ended,
    #[error("connection lost: {0}")]
    Lost(String),
    #[error("unreadable frame: {0}")]
    Unreadable(String),
    #[error("a frame or answer of more than {0} bytes")]
    TooLong(usize),
    #[error("the server reported {0}")]
    Reported(String),
    #[error("the server announced its shutdown")]
    Shutdown,
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
}

impl From<hyper::Error> for Trouble {
    fn from(error: hyper::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}
