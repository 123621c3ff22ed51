//! The clients of the two one-way streams: Server-Sent Events and NDJSON.

use std::convert::Infallible;

use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{Client, Seat};
use crate::counted::{Counted, ReadStamp};
use crate::http::Http;
use crate::observer::Observer;
use crate::trouble::Trouble;
use crate::wire::lines::{Ending, Lines};
use crate::wire::sse::{Event, SseParser};
use crate::wire::{Frame, Kind, MAX_FRAME_BYTES};

/// How frames lie in a streamed body.
pub(super) trait Framing: Default {
    const PATH: &'static str;
    const ACCEPT: &'static str;

    /// Takes the next piece of the body and shows each whole frame.
    fn feed(
        &mut self,
        chunk: &[u8],
        see: impl FnMut(&Frame<'_>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble>;

    /// The bytes kept back for a frame that is not finished.
    fn held(&self) -> usize;
}

/// A response whose body is the tape.
#[derive(Debug)]
pub(super) struct Stream<F> {
    body: Incoming,
    framing: F,
    read_at: ReadStamp,
    observer: Observer,
    /// Kept because the connection ends when its asking end is dropped.
    _http: Http,
}

impl<F: Framing> Client for Stream<F> {
    async fn open(seat: Seat) -> Result<Self, Trouble> {
        let socket = Counted::connect(&seat.group).await?;
        let read_at = socket.read_stamp();
        let mut http = Http::over(socket).await?;
        seat.group
            .count_at(seat.group.now(), |tally| tally.requests += 1);
        let response = http
            .get(&seat.group.course.address, F::PATH, F::ACCEPT)
            .await?;
        Ok(Self {
            body: response.into_body(),
            framing: F::default(),
            read_at,
            observer: seat.observer,
            _http: http,
        })
    }

    async fn follow(mut self) -> Result<Infallible, Trouble> {
        loop {
            let frame = self.body.frame().await.ok_or(Trouble::Ended)??;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            let read_us = self.read_at.us();
            self.framing
                .feed(&chunk, |frame| self.observer.see(frame, read_us))?;
            if self.framing.held() > MAX_FRAME_BYTES {
                return Err(Trouble::TooLong(MAX_FRAME_BYTES));
            }
        }
    }
}

/// Server-Sent Events.
#[derive(Debug, Default)]
pub(super) struct Sse(SseParser);

impl Framing for Sse {
    const PATH: &'static str = "/v1/sse";
    const ACCEPT: &'static str = "text/event-stream";

    fn feed(
        &mut self,
        chunk: &[u8],
        mut see: impl FnMut(&Frame<'_>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        self.0.feed(chunk, |event| {
            let frame = Frame::parse(event.data)?;
            check_label(&event, &frame)?;
            see(&frame)
        })
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}

/// A browser picks its listener by `event` and resumes by `id`: where these contradict the frame, it goes astray.
fn check_label(event: &Event<'_>, frame: &Frame<'_>) -> Result<(), Trouble> {
    let named_right = match frame.kind {
        Kind::Ticks => event.name == b"ticks",
        Kind::Snapshot => event.name == b"snapshot",
        Kind::Error => event.name == b"problem",
        _ => true,
    };
    if !named_right {
        return Err(Trouble::Unreadable(
            "the event field is not the frame's type".into(),
        ));
    }
    match (event.id, frame.cursor) {
        (Some(id), Some(cursor)) if id != cursor.as_bytes() => Err(Trouble::Unreadable(
            "the id field is not the frame's cursor".into(),
        )),
        _ => Ok(()),
    }
}

/// One frame a line.
#[derive(Debug)]
pub(super) struct Ndjson(Lines);

impl Default for Ndjson {
    fn default() -> Self {
        Self(Lines::new(Ending::Lf))
    }
}

impl Framing for Ndjson {
    const PATH: &'static str = "/v1/stream";
    const ACCEPT: &'static str = "application/x-ndjson";

    fn feed(
        &mut self,
        chunk: &[u8],
        mut see: impl FnMut(&Frame<'_>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        self.0.feed(chunk, |line| {
            // Blank lines keep some proxies awake and mean nothing.
            if line.trim_ascii().is_empty() {
                Ok(())
            } else {
                see(&Frame::parse(line)?)
            }
        })
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKS: &str = include_str!("../../../docs/frames/ticks.json");

    fn cursors<F: Framing>(body: &str) -> Result<Vec<String>, Trouble> {
        let mut seen = Vec::new();
        F::default().feed(body.as_bytes(), |frame| {
            seen.push(frame.cursor.unwrap_or_default().to_owned());
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn golden_frames_in_both_framings() {
        let ticks = TICKS.trim_end();
        let sse = format!(
            "retry: 1500\n\nid: m3k9x2-18442\n\nevent: ticks\nid: m3k9x2-18443\ndata: {ticks}\n\n"
        );
        assert_eq!(cursors::<Sse>(&sse).unwrap(), ["m3k9x2-18443"]);
        assert_eq!(
            cursors::<Ndjson>(&format!("\n{ticks}\n")).unwrap(),
            ["m3k9x2-18443"]
        );
    }

    #[test]
    fn a_label_that_contradicts_its_frame_is_unreadable() {
        for label in [
            "event: snapshot\nid: m3k9x2-18443",
            "event: ticks\nid: m3k9x2-1",
        ] {
            let error = cursors::<Sse>(&format!("{label}\ndata: {TICKS}\n")).unwrap_err();
            assert!(matches!(error, Trouble::Unreadable(_)), "{label}: {error}");
        }
    }
}
