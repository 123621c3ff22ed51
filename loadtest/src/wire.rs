//! Reads the frames of `ticker.v1`. Nothing here is shared with the server: the golden frames hold the two together.

pub(crate) mod lines;
pub(crate) mod sse;

use std::borrow::Cow;

use serde::Deserialize;
use smallvec::SmallVec;

/// The largest frame or answer that a client takes. A board of 500 symbols is about 100 kB.
pub(crate) const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// What a frame is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The session's first frame.
    Welcome,
    /// Quotes as they stand: the ground on which ticks build.
    Snapshot,
    /// Ticks, each one once.
    Ticks,
    /// A sign of life that moves the cursor on.
    Heartbeat,
    /// The server owns up to ticks it can't replay; a snapshot follows.
    Gap,
    /// The server owns up to ticks it left out because the client was slow.
    Lag,
    /// Something was refused.
    Error,
    /// The server is about to close.
    Shutdown,
    /// Anything else, which clients ignore: `subscribed` and `pong` too, for ours never ask for them.
    #[serde(other)]
    Unknown,
}

/// A frame of any kind; strings are borrowed from the buffer it was read into.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame<'a> {
    /// The frame's kind.
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// Where the client stands once it has read this frame.
    #[serde(borrow)]
    pub(crate) cursor: Option<&'a str>,
    /// The ticks or quotes. A few fit without an allocation, and most live frames carry few.
    #[serde(borrow, default)]
    pub(crate) data: SmallVec<[Tick<'a>; 4]>,
    /// In a poll's snapshot: why it is one.
    pub(crate) gap: Option<Gap>,
    /// In a `gap` frame: how many ticks, where it is known.
    pub(crate) missed: Option<u64>,
    /// In a `gap` frame: why.
    #[serde(default)]
    pub(crate) reason: Reason,
    /// In a `lag` frame: how many ticks were left out.
    pub(crate) conflated: Option<u64>,
    /// In an `error` frame: the slug.
    #[serde(borrow)]
    pub(crate) code: Option<Cow<'a, str>>,
}

/// What the audit needs of a tick or quote.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Tick<'a> {
    /// Which symbol.
    pub(crate) symbol: &'a str,
    /// The symbol's own counter.
    pub(crate) n: u64,
    /// When the tick was generated, microseconds since the Unix epoch.
    pub(crate) ts: u64,
}

/// What a gap says, as a frame of its own or inside a poll's snapshot.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Gap {
    /// How many ticks, where it is known.
    pub(crate) missed: Option<u64>,
    /// Why.
    #[serde(default)]
    pub(crate) reason: Reason,
}

/// Why there is a gap, as far as it matters to an audit.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// The journal no longer reaches back so far. The tape is the same one, so its counters go on.
    ReplayWindow,
    /// Another tape, or any reason that leaves it open whether this is the same one.
    #[default]
    #[serde(other)]
    Unknowable,
}

impl<'a> Frame<'a> {
    /// Reads one frame.
    pub(crate) fn parse(bytes: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// What a `gap` frame says.
    pub(crate) fn as_gap(&self) -> Gap {
        Gap {
            missed: self.missed,
            reason: self.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! golden {
        ($name:literal) => {
            Frame::parse(include_bytes!(concat!(
                "../../docs/frames/",
                $name,
                ".json"
            )))
            .unwrap()
        };
    }

    #[test]
    fn golden_ticks() {
        let frame = golden!("ticks");
        assert_eq!(
            (frame.kind, frame.cursor),
            (Kind::Ticks, Some("m3k9x2-18443"))
        );
        let tick = Tick {
            symbol: "AAPL",
            n: 372,
            ts: 1_795_231_558_223_400,
        };
        assert_eq!(frame.data[..], [tick]);

        let batch = golden!("ticks-batch");
        let seen: Vec<_> = batch
            .data
            .iter()
            .map(|tick| (tick.symbol, tick.n))
            .collect();
        assert_eq!(seen, [("MSFT", 291), ("AAPL", 373)]);
    }

    #[test]
    fn golden_snapshot() {
        let frame = golden!("snapshot");
        let seen: Vec<_> = frame
            .data
            .iter()
            .map(|quote| (quote.symbol, quote.n))
            .collect();
        assert_eq!((frame.kind, frame.gap), (Kind::Snapshot, None));
        assert_eq!(seen, [("AAPL", 371), ("MSFT", 290)]);
    }

    #[test]
    fn golden_announcements() {
        let known = golden!("gap-missed");
        let told = Gap {
            missed: Some(3001),
            reason: Reason::ReplayWindow,
        };
        assert_eq!((known.as_gap(), known.cursor), (told, None));
        let untold = Gap {
            missed: None,
            ..told
        };
        assert_eq!(golden!("gap").as_gap(), untold);
        let unknown = Gap {
            missed: None,
            reason: Reason::Unknowable,
        };
        assert_eq!(golden!("gap-unknown").as_gap(), unknown);
        assert_eq!(golden!("lag").conflated, Some(412));
        let error = golden!("error");
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (Kind::Error, Some("unknown_symbol"))
        );
    }

    #[test]
    fn golden_signs_of_life() {
        let welcome = golden!("welcome");
        assert_eq!(
            (welcome.kind, welcome.cursor),
            (Kind::Welcome, Some("m3k9x2-18442"))
        );
        let heartbeat = golden!("heartbeat");
        assert_eq!(
            (heartbeat.kind, heartbeat.cursor),
            (Kind::Heartbeat, Some("m3k9x2-18444"))
        );
    }

    #[test]
    fn golden_poll_answers() {
        let empty = golden!("poll-empty");
        assert_eq!(
            (empty.kind, empty.cursor, empty.data.len()),
            (Kind::Ticks, Some("m3k9x2-18450"), 0)
        );
        assert_eq!(golden!("poll-more").data.len(), 1);
        let gap = golden!("poll-gap");
        let unknown = Gap {
            missed: None,
            reason: Reason::Unknowable,
        };
        assert_eq!((gap.kind, gap.gap), (Kind::Snapshot, Some(unknown)));
    }

    #[test]
    fn every_golden_frame_is_of_the_kind_its_name_says() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/frames");
        let mut read = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let kind = match path.file_stem().unwrap().to_str().unwrap() {
                "welcome" => Kind::Welcome,
                "snapshot" | "snapshot-halt" | "poll-gap" => Kind::Snapshot,
                "ticks" | "ticks-batch" | "ticks-open" | "ticks-halt" => Kind::Ticks,
                "poll-empty" | "poll-more" => Kind::Ticks,
                "heartbeat" => Kind::Heartbeat,
                "gap" | "gap-missed" | "gap-unknown" => Kind::Gap,
                "lag" => Kind::Lag,
                "error" => Kind::Error,
                "subscribed" | "pong" => Kind::Unknown,
                name => panic!("nobody has said what {name} is to a load test"),
            };
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(Frame::parse(&bytes).unwrap().kind, kind, "{path:?}");
            read += 1;
        }
        assert!(read >= 18, "only {read} frames in {folder}");
    }

    #[test]
    fn things_to_come_are_ignored() {
        let later = Frame::parse(br#"{"type":"weather","sun":true}"#).unwrap();
        assert_eq!(later.kind, Kind::Unknown);
    }

    #[test]
    fn rubbish_is_an_error() {
        for rubbish in [
            "",
            "{",
            "[]",
            r#"{"type":"ticks","data":[{"symbol":"A","n":-1,"ts":1}]}"#,
        ] {
            assert!(Frame::parse(rubbish.as_bytes()).is_err(), "{rubbish}");
        }
    }
}
