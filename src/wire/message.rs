//! What clients send over a WebSocket, and what they are answered.

use serde::{Deserialize, Serialize};

use crate::market::{Listing, Micros, SymbolId, SymbolSet};

use super::error::ErrorCode;
use super::json::to_vec;
#[cfg(test)]
use super::schema;
use super::terms::{Mode, Policy, Terms};

/// Characters that an id may have.
pub(super) const MOST_ID_CHARS: usize = 36;

/// What a client calls its message; it comes back with the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// A whole number.
    Number(i64),
    /// A text of up to 36 characters.
    Text(String),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the client calls it.
    pub id: Option<Id>,
    /// What it asks for.
    pub request: Request,
}

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Request {
    /// More symbols, or other terms.
    Subscribe(Subscribe),
    /// Fewer symbols.
    Unsubscribe(Unsubscribe),
    /// Which symbols and terms the session has.
    List,
    /// A sign of life, with the server's time.
    Ping,
}

/// More symbols, or other terms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Subscribe {
    /// Which symbols; `*` is all of them.
    #[serde(default)]
    pub symbols: Vec<String>,
    /// Where to go on; counts in the first subscribe of a session that began without symbols.
    #[cfg_attr(test, schema(value_type = schema::Cursor, required = false))]
    pub since: Option<String>,
    #[cfg_attr(test, schema(value_type = Mode, required = false))]
    mode: Option<Mode>,
    #[cfg_attr(test, schema(value_type = schema::MaxRate, required = false))]
    max_rate: Option<u32>,
    #[cfg_attr(test, schema(value_type = Policy, required = false))]
    policy: Option<Policy>,
}

/// Fewer symbols.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Unsubscribe {
    /// Which; `*` is all of them.
    pub symbols: Vec<String>,
}

impl Subscribe {
    /// The terms that it asks for, given those that the session has.
    pub fn terms(&self, present: Terms) -> Result<Terms, Refusal> {
        let max_rate = self.max_rate.unwrap_or(present.max_rate);
        if max_rate > Terms::MOST_FRAMES {
            let most = Terms::MOST_FRAMES;
            let message = format!("max_rate is {max_rate}; it takes 0 to {most} frames a second");
            return Err(Refusal::new(ErrorCode::BadRequest, message));
        }
        Ok(Terms {
            mode: self.mode.unwrap_or(present.mode),
            max_rate,
            policy: self.policy.unwrap_or(present.policy),
        })
    }
}

/// Why a message, or a part of one, is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What clients act on.
    pub code: ErrorCode,
    /// A sentence for people.
    pub message: String,
    /// The symbols that it is about.
    pub symbols: Vec<String>,
}

impl Refusal {
    /// A refusal that is not about symbols.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            symbols: Vec::new(),
        }
    }

    /// `None` if there are no such symbols.
    pub fn of_unknown(symbols: Vec<String>) -> Option<Self> {
        let message = format!("No such symbol: {}", symbols.join(", "));
        (!symbols.is_empty()).then_some(Self {
            code: ErrorCode::UnknownSymbol,
            message,
            symbols,
        })
    }
}

/// Reads a message. An error has the id, if that at least could be read.
pub fn parse(text: &str) -> Result<Message, (Option<Id>, Refusal)> {
    let bad = |message: String| Refusal::new(ErrorCode::BadRequest, message);
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        id: Option<serde_json::Value>,
    }
    let named: Named = serde_json::from_str(text)
        .map_err(|error| (None, bad(format!("Not a message: {error}"))))?;
    let id = read_id(named.id).map_err(|message| (None, bad(message)))?;
    match serde_json::from_str(text) {
        Ok(request) => Ok(Message { id, request }),
        Err(error) => Err((id, bad(format!("Not a message: {error}")))),
    }
}

fn read_id(value: Option<serde_json::Value>) -> Result<Option<Id>, String> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    match serde_json::from_value(value) {
        Ok(Id::Text(text)) if text.chars().count() > MOST_ID_CHARS => {
            Err(format!("id has more than {MOST_ID_CHARS} characters"))
        }
        Ok(id) => Ok(Some(id)),
        Err(_) => Err("id is neither a whole number nor a text".to_owned()),
    }
}

/// The symbols that a list names, and what in it names none. `*` names all.
pub fn resolve(listing: &Listing, symbols: &[impl AsRef<str>]) -> (SymbolSet, Vec<String>) {
    let symbols = symbols.iter().map(AsRef::as_ref);
    if symbols.clone().any(|symbol: &str| symbol == "*") {
        return (SymbolSet::all(listing), Vec::new());
    }
    let mut unknown = Vec::new();
    let ids = symbols.filter_map(|symbol| {
        let id = listing.id(symbol);
        if id.is_none() {
            unknown.push(symbol.to_owned());
        }
        id
    });
    (SymbolSet::of(listing, ids), unknown)
}

/// `{"type":"subscribed",…}`: always the whole set.
pub fn subscribed(id: Option<&Id>, listing: &Listing, set: &SymbolSet, terms: Terms) -> Vec<u8> {
    let symbols = (0..=u16::MAX).take(listing.len()).map(SymbolId);
    to_vec(&Subscribed {
        id,
        symbols: symbols
            .filter(|symbol| set.contains(*symbol))
            .map(|symbol| listing.symbol(symbol))
            .collect(),
        mode: terms.mode,
        max_rate: terms.max_rate,
        policy: terms.policy,
    })
}

/// The symbols and terms that the session has now.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(tag = "type", rename = "subscribed")]
pub(super) struct Subscribed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Id))]
    id: Option<&'a Id>,
    /// The whole set.
    #[cfg_attr(test, schema(value_type = Vec<schema::Symbol>))]
    symbols: Vec<&'a str>,
    mode: Mode,
    #[cfg_attr(test, schema(value_type = schema::MaxRate))]
    max_rate: u32,
    policy: Policy,
}

/// `{"type":"pong",…}`
pub fn pong(id: Option<&Id>, ts: Micros) -> Vec<u8> {
    to_vec(&Pong { id, ts })
}

/// The answer to a ping.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(tag = "type", rename = "pong")]
pub(super) struct Pong<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Id))]
    id: Option<&'a Id>,
    #[cfg_attr(test, schema(value_type = schema::Micros))]
    ts: Micros,
}

/// `{"type":"error",…}`
pub fn error(id: Option<&Id>, refusal: &Refusal) -> Vec<u8> {
    to_vec(&Error {
        id,
        code: refusal.code,
        message: &refusal.message,
        symbols: &refusal.symbols,
    })
}

/// A message is not followed, or not in full.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(tag = "type", rename = "error")]
pub(super) struct Error<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Id))]
    id: Option<&'a Id>,
    code: ErrorCode,
    /// What to mend, for people.
    message: &'a str,
    /// The symbols that it is about.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    symbols: &'a [String],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Option<Id>, String) {
        let (id, refusal) = parse(text).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::BadRequest);
        (id, refusal.message)
    }

    #[test]
    fn messages_are_read() {
        let text = r#"{"type":"subscribe","id":1,"symbols":["A"],"since":"m3k9x2-1","mode":"conflate","max_rate":10,"policy":"disconnect"}"#;
        let message = parse(text).unwrap();
        let Request::Subscribe(subscribe) = message.request else {
            panic!("{message:?}");
        };
        assert_eq!(message.id, Some(Id::Number(1)));
        let terms = subscribe.terms(Terms::default()).unwrap();
        assert_eq!(
            (terms.mode, terms.max_rate, terms.policy),
            (Mode::Conflate, 10, Policy::Disconnect)
        );
        assert_eq!(
            parse(r#"{"type":"ping","id":"x"}"#).unwrap().id,
            Some(Id::Text("x".into()))
        );
        assert_eq!(parse(r#"{"type":"list"}"#).unwrap().request, Request::List);
    }

    #[test]
    fn what_is_not_said_stays_as_it_is() {
        let text = r#"{"type":"subscribe","max_rate":5}"#;
        let Request::Subscribe(subscribe) = parse(text).unwrap().request else {
            panic!();
        };
        let present = Terms {
            mode: Mode::Conflate,
            max_rate: 1,
            policy: Policy::Disconnect,
        };
        let asked = subscribe.terms(present).unwrap();
        assert_eq!(
            asked,
            Terms {
                max_rate: 5,
                ..present
            }
        );
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_id_where_that_can_be_read() {
        assert_eq!(refused("{").0, None);
        assert_eq!(refused("[]").0, None);
        assert_eq!(refused(r#"{"type":"dance","id":7}"#).0, Some(Id::Number(7)));
        assert_eq!(refused(r#"{"id":7}"#).0, Some(Id::Number(7)));
        assert_eq!(
            refused(r#"{"type":"unsubscribe","id":7,"symbols":"A"}"#).0,
            Some(Id::Number(7))
        );
    }

    #[test]
    fn an_id_is_a_whole_number_or_a_short_text() {
        let long = format!(r#"{{"type":"list","id":"{}"}}"#, "x".repeat(37));
        assert_eq!(refused(&long).1, "id has more than 36 characters");
        for id in ["1.5", "[1]", "true"] {
            let (_, message) = refused(&format!(r#"{{"type":"list","id":{id}}}"#));
            assert_eq!(message, "id is neither a whole number nor a text");
        }
    }
}
