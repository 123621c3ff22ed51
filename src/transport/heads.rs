//! What `inspect=1` shows of a request and its answer.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Version, header};
use actix_web::{HttpRequest, HttpResponse};

use crate::wire::inspect::{Head, Inspect};

/// Headers that may be shown: nothing that lets anyone in, and nothing that a proxy says of others.
const SHOWN: [&str; 25] = [
    "host",
    "connection",
    "upgrade",
    "sec-websocket-version",
    "sec-websocket-key",
    "sec-websocket-accept",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "origin",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "pragma",
    "prefer",
    "last-event-id",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "via",
    "te",
    "transfer-encoding",
    "content-type",
    "x-accel-buffering",
];

/// Characters of a value that are shown.
const MOST_CHARS: usize = 512;

/// Both heads, but for `date` and `content-length`, which are written last.
pub(super) fn of(http: &HttpRequest, response: &HttpResponse, chunked: bool) -> Inspect {
    let request = Head {
        line: format!("{} {} {:?}", http.method(), http.uri(), http.version()),
        headers: shown(http.headers().iter()).collect(),
    };
    let head = response.head();
    // actix writes these from what it knows of the connection.
    let connection = if head.upgrade() {
        Some("upgrade")
    } else {
        (http.version() == Version::HTTP_10).then_some("close")
    };
    let written = [
        (header::CONNECTION, connection),
        (header::TRANSFER_ENCODING, chunked.then_some("chunked")),
    ];
    let written = (written.into_iter()).filter_map(|(name, value)| Some((name, value?)));
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let response = Head {
        line: format!("{:?} {} {reason}", http.version(), status.as_u16()),
        headers: written
            .map(|(name, value)| (name.to_string(), value.to_owned()))
            .chain(shown(response.headers().iter()))
            .collect(),
    };
    Inspect { request, response }
}

fn shown<'a>(
    headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> impl Iterator<Item = (String, String)> {
    let mut shown: Vec<_> = headers
        .filter_map(|(name, value)| {
            let place = SHOWN.iter().position(|known| *known == name.as_str())?;
            let text = String::from_utf8_lossy(value.as_bytes());
            Some((
                place,
                name.to_string(),
                text.chars().take(MOST_CHARS).collect(),
            ))
        })
        .collect();
    shown.sort();
    shown.into_iter().map(|(_, name, value)| (name, value))
}
