//! The ways a session ends.

/// Why a session ended: its label in metrics, and what a WebSocket client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client closed, or was gone.
    Client,
    /// The process goes away.
    GoingAway,
    /// The client broke RFC 6455.
    ProtocolError,
    /// The client sent a kind of data that the protocol does not have.
    UnsupportedData,
    /// The client sent a text that is none.
    InvalidUtf8,
    /// The client sent a message over the limit.
    MessageTooBig,
    /// The client sent bad messages, again and again.
    BadMessages,
    /// The client gave no sign of life, or never asked for anything.
    IdleTimeout,
    /// The client sent more messages than it may.
    RateLimited,
    /// The client could not keep up, and wanted to be closed then.
    SlowConsumer,
}

impl CloseReason {
    /// All of them.
    pub const ALL: [CloseReason; 10] = [
        Self::Client,
        Self::GoingAway,
        Self::ProtocolError,
        Self::UnsupportedData,
        Self::InvalidUtf8,
        Self::MessageTooBig,
        Self::BadMessages,
        Self::IdleTimeout,
        Self::RateLimited,
        Self::SlowConsumer,
    ];

    /// The WebSocket close code (RFC 6455, 7.4.1).
    pub const fn code(self) -> u16 {
        match self {
            Self::Client => 1000,
            Self::GoingAway => 1001,
            Self::ProtocolError => 1002,
            Self::UnsupportedData => 1003,
            Self::InvalidUtf8 => 1007,
            Self::MessageTooBig => 1009,
            Self::BadMessages => 4400,
            Self::IdleTimeout => 4408,
            Self::RateLimited => 4429,
            Self::SlowConsumer => 4480,
        }
    }

    /// The reason text of a close frame and the label in metrics.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::GoingAway => "going_away",
            Self::ProtocolError => "protocol_error",
            Self::UnsupportedData => "unsupported_data",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::MessageTooBig => "message_too_big",
            Self::BadMessages => "bad_request",
            Self::IdleTimeout => "idle_timeout",
            Self::RateLimited => "rate_limited",
            Self::SlowConsumer => "slow_consumer",
        }
    }
}
