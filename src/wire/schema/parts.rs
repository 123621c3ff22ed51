//! The texts and numbers that messages are made of.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::market::{Cursor, Price};
use crate::wire::PROTOCOL;
use crate::wire::close::CloseReason;
use crate::wire::error::ErrorCode;
use crate::wire::message::{Id, MOST_ID_CHARS};
use crate::wire::report::{MOST_AGE, MOST_CLOCK_ERROR, MOST_PAIRS, MOST_TICKS};
use crate::wire::terms::Terms;

use super::read;

pub(crate) struct Ages;
pub(crate) struct ClockError;
pub(crate) struct Close;
pub(crate) struct Header;
pub(crate) struct MaxRate;
pub(crate) struct Micros;
pub(crate) struct ProblemType;
pub(crate) struct Protocol;
pub(crate) struct Symbol;
pub(crate) struct True;

macro_rules! schemas {
    ($($type:ty: $schema:tt)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                read(json!($schema))
            }
        }

        impl ToSchema for $type {}
    )*};
}

schemas! {
    Cursor: {
        "type": "string",
        "description": "Opaque. Everything due to the session up to here is in this frame or before it: the last one \
            that was read is the one to resume from, on any transport.",
        "pattern": "^[0-9a-z]{6}-(0|[1-9][0-9]{0,19})$",
        "examples": ["m3k9x2-18442"],
    }
    Price: {
        "type": "number",
        "description": "In currency units, written from an integer of 1e-4: with two digits after the point or four.",
        "minimum": 0,
        "examples": [190.12],
    }
    Micros: {
        "type": "integer",
        "format": "int64",
        "description": "Microseconds since the Unix epoch.",
        "minimum": 0,
        "examples": [1_795_231_558_123_456_u64],
    }
    Symbol: {
        "type": "string",
        "pattern": "^[A-Z0-9.-]{1,16}$",
        "examples": ["AAPL"],
    }
    MaxRate: {
        "type": "integer",
        "description": "With `conflate`, frames a second at most; 0 is as they come.",
        "minimum": 0,
        "maximum": (Terms::MOST_FRAMES),
    }
    True: { "type": "boolean", "enum": [true] }
    Protocol: { "type": "string", "enum": [PROTOCOL] }
    Id: {
        "description": "What a client calls its message; it comes back with the answer.",
        "oneOf": [
            { "type": "integer", "format": "int64" },
            { "type": "string", "maxLength": MOST_ID_CHARS },
        ],
    }
    ErrorCode: {
        "type": "string",
        "description": "What clients act on.",
        "enum": (ErrorCode::ALL.map(ErrorCode::slug)),
    }
    ProblemType: {
        "type": "string",
        "description": "What clients act on: `/problems/` and the error's code.",
        "enum": (ErrorCode::ALL.map(ErrorCode::problem_type)),
    }
    Close: {
        "description": "How the server closes a WebSocket: the code and the reason of its close frame. A client that \
            closes is sent its own code.",
        "oneOf": (CloseReason::ALL.map(close)),
    }
    Header: {
        "type": "array",
        "description": "A name in lower case, and its value.",
        "items": { "type": "string" },
        "minItems": 2,
        "maxItems": 2,
    }
    ClockError: { "type": "integer", "minimum": 0, "maximum": MOST_CLOCK_ERROR }
    Ages: {
        "type": "array",
        "description": "Pairs of an age in microseconds and the number of ticks that were that old, ages ascending.",
        "items": {
            "type": "array",
            "prefixItems": [
                { "type": "integer", "minimum": 0, "maximum": MOST_AGE },
                { "type": "integer", "minimum": 1, "maximum": MOST_TICKS },
            ],
            "items": false,
        },
        "maxItems": MOST_PAIRS,
    }
}

fn close(reason: CloseReason) -> Value {
    json!({
        "type": "object",
        "required": ["code", "reason"],
        "properties": {
            "code": { "type": "integer", "enum": [reason.code()] },
            "reason": { "type": "string", "enum": [reason.slug()] },
        },
    })
}
