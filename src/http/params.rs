//! Query parameters, each checked with an error that names it.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::Query;

use crate::hub::Start;
use crate::market::{Listing, SymbolId, SymbolSet};
use crate::transport::poll::Patience;
use crate::wire::cursor;
use crate::wire::error::ErrorCode;
use crate::wire::message::{self, Refusal};
use crate::wire::terms::{Mode, Policy, Terms};

use super::Problem;

/// How long a poll waits if it does not say.
pub(super) const DEFAULT_WAIT: Duration = Duration::from_secs(25);
/// How long a poll may wait; what asks for more waits this long.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(60);
/// Ticks in a poll's answer if it does not say, and at most.
pub(super) const DEFAULT_TICKS: u64 = 1_000;
pub(super) const MAX_TICKS: u64 = 10_000;
/// Bars in an answer if it does not say, and at most: a day's.
pub(super) const DEFAULT_BARS: u64 = 300;
pub(super) const MAX_BARS: u64 = 86_400;

/// The parameters of one request, in order.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Self::read(request.query_string())
    }

    /// The parameters of a query string.
    pub(super) fn read(query: &str) -> Result<Self, Problem> {
        match Query::from_query(query) {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(error) => Err(bad(format!("The query string cannot be read: {error}"))),
        }
    }

    /// The parameter's value; a parameter that stands there twice is not guessed at.
    fn get(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(bad(format!("{name} stands there more than once"))),
            None => Ok(first),
        }
    }

    /// `symbols`: a list with commas between; absent or `*` for all. An empty one is the empty set where a
    /// transport can fill it later.
    pub(super) fn symbols(
        &self,
        listing: &Listing,
        max: usize,
        may_be_empty: bool,
    ) -> Result<SymbolSet, Problem> {
        let text = match self.get("symbols")? {
            None | Some("*") => return Ok(SymbolSet::all(listing)),
            Some("") if may_be_empty => return Ok(SymbolSet::of(listing, [])),
            Some("") => return Err(bad("symbols is empty; leave it out to get all of them")),
            Some(text) => text,
        };
        let named: Vec<&str> = text.split(',').collect();
        if named.len() > max {
            let count = named.len();
            let detail = format!("symbols names {count}; at most {max} go in one session");
            return Err(Problem::new(ErrorCode::TooManySymbols, detail));
        }
        let (set, unknown) = message::resolve(listing, &named);
        match Refusal::of_unknown(unknown) {
            None => Ok(set),
            Some(refusal) => {
                Err(Problem::new(refusal.code, refusal.message).about(refusal.symbols))
            }
        }
    }

    /// `since`: a cursor, or nothing to begin with a snapshot.
    pub(super) fn since(&self) -> Result<Start, Problem> {
        match self.get("since")? {
            None => Ok(Start::Fresh),
            Some(text) => match cursor::parse(text) {
                Ok(cursor) => Ok(Start::After(cursor)),
                Err(error) => {
                    let detail = format!("since={text} is {error}");
                    Err(Problem::new(ErrorCode::BadCursor, detail))
                }
            },
        }
    }

    /// `Last-Event-ID`, else `since`. An EventSource would never come back after an error, so what is no cursor
    /// is a gap for it.
    pub(super) fn last_event(&self, headers: &HeaderMap) -> Start {
        // An empty id is none (WHATWG HTML, 9.2.6).
        let id = headers.get("last-event-id").filter(|id| !id.is_empty());
        let id = id.map(|id| id.to_str());
        let text = match id {
            Some(Ok(id)) => Some(id),
            Some(Err(_)) => return Start::Lost,
            None => match self.get("since") {
                Ok(since) => since,
                Err(_) => return Start::Lost,
            },
        };
        match text.map(cursor::parse) {
            None => Start::Fresh,
            Some(Ok(cursor)) => Start::After(cursor),
            Some(Err(_)) => Start::Lost,
        }
    }

    /// `mode`, `max_rate` in frames a second, and `policy`.
    pub(super) fn terms(&self) -> Result<Terms, Problem> {
        let mode = match self.get("mode")? {
            None | Some("every") => Mode::Every,
            Some("conflate") => Mode::Conflate,
            Some(other) => return Err(bad(format!("mode={other} is neither every nor conflate"))),
        };
        let policy = match self.get("policy")? {
            None | Some("conflate") => Policy::Conflate,
            Some("disconnect") => Policy::Disconnect,
            Some(other) => {
                let detail = format!("policy={other} is neither conflate nor disconnect");
                return Err(bad(detail));
            }
        };
        let max_rate = self.get("max_rate")?.map_or(Ok(0), |text| {
            let most = Terms::MOST_FRAMES;
            (text.parse().ok().filter(|rate| *rate <= most)).ok_or_else(|| {
                bad(format!(
                    "max_rate={text} is not a number of frames a second from 0 to {most}"
                ))
            })
        })?;
        Ok(Terms {
            mode,
            max_rate,
            policy,
        })
    }

    /// `inspect`: whether the heads are to be shown.
    pub(super) fn inspect(&self) -> Result<bool, Problem> {
        match self.get("inspect")? {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(other) => Err(bad(format!("inspect={other} is neither 0 nor 1"))),
        }
    }

    /// `symbol`: the one that bars are wanted of.
    pub(super) fn symbol(&self, listing: &Listing) -> Result<SymbolId, Problem> {
        let Some(text) = self.get("symbol")? else {
            return Err(bad("symbol is missing"));
        };
        listing.id(text).ok_or_else(|| {
            let detail = format!("No such symbol: {text}");
            Problem::new(ErrorCode::UnknownSymbol, detail).about(vec![text.to_owned()])
        })
    }

    /// `limit` in bars.
    pub(super) fn most_bars(&self) -> Result<usize, Problem> {
        Ok(self.limit("bars", DEFAULT_BARS, MAX_BARS)? as usize)
    }

    fn limit(&self, of: &str, default: u64, most: u64) -> Result<u64, Problem> {
        let Some(text) = self.get("limit")? else {
            return Ok(default);
        };
        (text.parse().ok().filter(|limit| (1..=most).contains(limit))).ok_or_else(|| {
            bad(format!(
                "limit={text} is not a number of {of} from 1 to {most}"
            ))
        })
    }

    /// `wait` in seconds, or `Prefer: wait=N` (RFC 7240), and `limit` in ticks.
    pub(super) fn patience(&self, headers: &HeaderMap) -> Result<Patience, Problem> {
        let wait = match self.get("wait")? {
            Some(text) => seconds(text).ok_or_else(|| {
                bad(format!(
                    "wait={text} is not a number of seconds from 0 to 60"
                ))
            })?,
            None => preferred_wait(headers).unwrap_or(DEFAULT_WAIT),
        };
        let limit = self.limit("ticks", DEFAULT_TICKS, MAX_TICKS)?;
        Ok(Patience { wait, limit })
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0)?;
    Some(Duration::from_secs_f64(seconds.min(MAX_WAIT.as_secs_f64())))
}

/// A preference that cannot be read is one that is not there (RFC 7240, 2).
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok());
    preferences
        .flat_map(|value| value.split([',', ';']))
        .filter_map(|preference| preference.trim().split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, value)| seconds(value.trim()))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorCode::BadRequest, detail)
}
