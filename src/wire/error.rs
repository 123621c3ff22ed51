//! The catalogue of errors: one slug for HTTP problems, `error` frames and close reasons alike.

use serde::{Serialize, Serializer};

/// What was wrong. Clients act on the slug; the words beside it are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter or message that cannot be read.
    BadRequest,
    /// A `since` that is no cursor.
    BadCursor,
    /// A symbol that is not listed.
    UnknownSymbol,
    /// More symbols than one session may name.
    TooManySymbols,
    /// No WebSocket subprotocol among those offered is spoken here.
    UnsupportedSubprotocol,
    /// A body over the limit.
    MessageTooBig,
    /// A body that did not come in time.
    IdleTimeout,
    /// No such URL.
    NotFound,
    /// The URL is there, the method is not.
    MethodNotAllowed,
    /// A bug of ours.
    Internal,
    /// A connection that there is no room for.
    OverCapacity,
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [ErrorCode; 11] = [
        Self::BadRequest,
        Self::BadCursor,
        Self::UnknownSymbol,
        Self::TooManySymbols,
        Self::UnsupportedSubprotocol,
        Self::MessageTooBig,
        Self::IdleTimeout,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Internal,
        Self::OverCapacity,
    ];

    /// The name that clients act on.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::BadCursor => "bad_cursor",
            Self::UnknownSymbol => "unknown_symbol",
            Self::TooManySymbols => "too_many_symbols",
            Self::UnsupportedSubprotocol => "unsupported_subprotocol",
            Self::MessageTooBig => "message_too_big",
            Self::IdleTimeout => "idle_timeout",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Internal => "internal",
            Self::OverCapacity => "over_capacity",
        }
    }

    /// The `type` of a problem: a URI reference (RFC 9457, 3.1.1).
    pub fn problem_type(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest
            | Self::BadCursor
            | Self::UnknownSymbol
            | Self::TooManySymbols
            | Self::UnsupportedSubprotocol => 400,
            Self::MessageTooBig => 413,
            Self::IdleTimeout => 408,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Internal => 500,
            Self::OverCapacity => 503,
        }
    }

    /// The problem's title: the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be read",
            Self::BadCursor => "Not a cursor",
            Self::UnknownSymbol => "No such symbol",
            Self::TooManySymbols => "Too many symbols",
            Self::UnsupportedSubprotocol => "No subprotocol in common",
            Self::MessageTooBig => "The body is too big",
            Self::IdleTimeout => "The body did not come in time",
            Self::NotFound => "No such URL",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Internal => "Internal error",
            Self::OverCapacity => "Too many connections",
        }
    }
}
