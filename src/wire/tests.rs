//! The server writes the golden frames to the byte.

use std::sync::Arc;

use super::batch::Batch;
use super::error::ErrorCode;
use super::frame::{Encoding, Frame, Kind, Stretch};
use super::json::{self, Gap, GapReason, Welcome};
use super::message::{self, Id, Refusal};
use super::terms::Terms;
use super::{close::CloseReason, cursor, websocket as framing};
use crate::market::testing::{listing, set};
use crate::market::{Cursor, Listing, Price, Quote, SymbolId, SymbolSet, Tick};

const AAPL: SymbolId = SymbolId(0);
const MSFT: SymbolId = SymbolId(1);

fn golden(name: &str) -> String {
    let path = format!("{}/docs/frames/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.trim_end().to_owned()
}

fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap()
}

fn at(text: &str) -> Cursor {
    cursor::parse(text).unwrap()
}

fn symbols() -> Arc<Listing> {
    listing(&["AAPL", "MSFT"])
}

fn tick(symbol: SymbolId, n: u64, ts: u64, prices: [i64; 3], size: u32, volume: u64) -> Tick {
    let [last, bid, ask] = prices.map(Price::new);
    Tick {
        symbol,
        n,
        ts,
        last,
        size,
        bid,
        ask,
        volume,
        open: None,
        halted: false,
    }
}

fn aapl_371() -> Quote {
    let prices = [1_901_200, 1_901_100, 1_901_300];
    let tick = tick(AAPL, 371, 1_795_231_558_123_400, prices, 100, 123_400);
    Quote {
        tick,
        open: Price::new(1_891_000),
    }
}

fn msft_290() -> Quote {
    let prices = [4_145_000, 4_144_900, 4_145_101];
    let tick = tick(MSFT, 290, 1_795_231_557_998_011, prices, 7, 98_211);
    Quote {
        tick,
        open: Price::new(4_150_000),
    }
}

/// The batches of `ticks.json` and `ticks-batch.json`.
fn batches() -> [Arc<Batch>; 2] {
    let aapl = [1_901_300, 1_901_200, 1_901_400];
    let msft = [4_145_100, 4_145_000, 4_145_200];
    let first = vec![tick(AAPL, 372, 1_795_231_558_223_400, aapl, 50, 123_450)];
    let second = vec![
        tick(MSFT, 291, 1_795_231_558_230_055, msft, 200, 98_411),
        tick(AAPL, 373, 1_795_231_558_230_055, aapl, 1, 123_451),
    ];
    let batch = |cursor, ts, ticks| Arc::new(Batch::new(&symbols(), at(cursor), ts, ticks));
    [
        batch("m3k9x2-18443", 1_795_231_558_223_471, first),
        batch("m3k9x2-18444", 1_795_231_558_230_102, second),
    ]
}

fn stretch<'a>(batches: &'a [Arc<Batch>], set: &'a SymbolSet) -> Stretch<'a> {
    Stretch {
        batches,
        set,
        upto: batches.last().unwrap().cursor,
        more: false,
        live_after: 0,
    }
}

#[test]
fn welcome_is_as_its_golden_frame() {
    let welcome = json::welcome(&Welcome {
        server: "edge-1",
        session: "k3v9x0q2m1",
        cursor: at("m3k9x2-18442"),
        heartbeat_ms: 5_000,
        max_symbols: 500,
        inspect: None,
    });
    assert_eq!(text(welcome), golden("welcome"));
}

#[test]
fn snapshot_is_as_its_golden_frame() {
    let quotes = [aapl_371(), msft_290()];
    let cursor = at("m3k9x2-18442");
    let snapshot = json::snapshot(&symbols(), cursor, 1_795_231_558_123_456, None, &quotes);
    assert_eq!(text(snapshot), golden("snapshot"));
}

#[test]
fn a_snapshot_after_a_gap_is_as_its_golden_frame() {
    let gap = Gap {
        from: Some(at("a1b2c3-77")),
        missed: None,
        reason: GapReason::EpochChanged,
    };
    let cursor = at("m3k9x2-18442");
    let ts = 1_795_231_558_123_456;
    let snapshot = json::snapshot(&symbols(), cursor, ts, Some(gap), &[aapl_371()]);
    assert_eq!(text(snapshot), golden("poll-gap"));
}

#[test]
fn heartbeat_is_as_its_golden_frame() {
    let heartbeat = json::heartbeat(at("m3k9x2-18444"), 1_795_231_563_223_500);
    assert_eq!(text(heartbeat), golden("heartbeat"));
}

#[test]
fn gaps_are_as_their_golden_frames() {
    let gap = |missed| Gap {
        from: Some(at("m3k9x2-9000")),
        missed,
        reason: GapReason::ReplayWindow,
    };
    assert_eq!(text(json::gap(gap(None))), golden("gap"));
    assert_eq!(text(json::gap(gap(Some(3_001)))), golden("gap-missed"));
}

#[test]
fn a_gap_from_nowhere_is_as_its_golden_frame() {
    let gap = Gap {
        from: None,
        missed: None,
        reason: GapReason::UnknownCursor,
    };
    assert_eq!(text(json::gap(gap)), golden("gap-unknown"));
}

#[test]
fn lag_is_as_its_golden_frame() {
    assert_eq!(text(json::lag(412, at("m3k9x2-18900"))), golden("lag"));
}

#[test]
fn answers_to_control_messages_are_as_their_golden_frames() {
    let listing = symbols();
    let all = SymbolSet::all(&listing);
    let id = Some(&Id::Number(1));
    let subscribed = message::subscribed(id, &listing, &all, Terms::default());
    assert_eq!(text(subscribed), golden("subscribed"));
    let pong = message::pong(Some(&Id::Number(4)), 1_795_231_558_223_500);
    assert_eq!(text(pong), golden("pong"));
    let refusal = Refusal::of_unknown(vec!["XXXX".into()]).unwrap();
    assert_eq!(text(message::error(id, &refusal)), golden("error"));
}

#[test]
fn batches_are_as_their_golden_frames() {
    let [one, two] = batches();
    assert_eq!(text(one.bytes(Encoding::Json).to_vec()), golden("ticks"));
    assert_eq!(
        text(two.bytes(Encoding::Json).to_vec()),
        golden("ticks-batch")
    );
}

/// MSFT when it is halted, as in `ticks-halt.json` and `snapshot-halt.json`.
fn msft_halted() -> Tick {
    let prices = [4_140_600, 4_140_400, 4_140_800];
    Tick {
        halted: true,
        ..tick(MSFT, 7_311, 1_795_262_460_311_180, prices, 0, 21_350)
    }
}

#[test]
fn the_ticks_that_open_a_day_are_as_their_golden_frame() {
    let opening = |symbol, n, prices: [i64; 3], size| Tick {
        open: Some(Price::new(prices[0])),
        ..tick(symbol, n, 1_795_262_400_000_012, prices, size, size.into())
    };
    let ticks = vec![
        opening(AAPL, 9_001, [1_910_200, 1_910_100, 1_910_400], 400),
        opening(MSFT, 7_204, [4_139_000, 4_138_700, 4_139_300], 100),
    ];
    let cursor = at("m3k9x2-52001");
    let batch = Batch::new(&symbols(), cursor, 1_795_262_400_000_071, ticks);
    let json = batch.bytes(Encoding::Json).to_vec();
    assert_eq!(text(json), golden("ticks-open"));
}

#[test]
fn a_halt_is_as_its_golden_frame() {
    let (cursor, ts) = (at("m3k9x2-52417"), 1_795_262_460_311_204);
    let batch = Batch::new(&symbols(), cursor, ts, vec![msft_halted()]);
    let json = batch.bytes(Encoding::Json).to_vec();
    assert_eq!(text(json), golden("ticks-halt"));
}

#[test]
fn a_snapshot_of_a_halted_symbol_is_as_its_golden_frame() {
    let quote = Quote {
        tick: msft_halted(),
        open: Price::new(4_139_000),
    };
    let (cursor, ts) = (at("m3k9x2-52417"), 1_795_262_460_311_204);
    let snapshot = json::snapshot(&symbols(), cursor, ts, None, &[quote]);
    assert_eq!(text(snapshot), golden("snapshot-halt"));
}

#[test]
fn a_poll_cut_short_is_as_its_golden_frame() {
    let listing = symbols();
    let all = SymbolSet::all(&listing);
    let batches = batches();
    let stretch = Stretch {
        more: true,
        ..stretch(&batches[..1], &all)
    };
    let frame = Frame::ticks(Encoding::Json, &stretch).unwrap();
    assert_eq!(text(frame.bytes.to_vec()), golden("poll-more"));
}

#[test]
fn a_poll_without_news_is_as_its_golden_frame() {
    let frame = Frame::no_ticks(at("m3k9x2-18450"), 1_795_231_588_223_471);
    assert_eq!(text(frame.bytes.to_vec()), golden("poll-empty"));
}

#[test]
fn a_set_gets_its_ticks_of_a_batch_and_no_others() {
    let listing = symbols();
    let msft = set(&listing, &["MSFT"]);
    let batches = batches();
    let frame = Frame::ticks(Encoding::Ndjson, &stretch(&batches, &msft)).unwrap();
    let whole = golden("ticks-batch");
    let aapl = whole.find(r#",{"symbol":"AAPL""#).unwrap();
    assert_eq!(
        text(frame.bytes.to_vec()),
        format!("{}]}}\n", &whole[..aapl])
    );
    assert_eq!((frame.ledger.delivered, frame.live.len()), (1, 1));
}

#[test]
fn a_stretch_without_the_symbols_has_no_frame() {
    let listing = symbols();
    let msft = set(&listing, &["MSFT"]);
    assert!(Frame::ticks(Encoding::Sse, &stretch(&batches()[..1], &msft)).is_none());
}

#[test]
fn batches_stay_messages_of_their_own_on_a_stream_and_become_one_in_a_poll() {
    let listing = symbols();
    let all = SymbolSet::all(&listing);
    let batches = batches();
    let [one, two] = [golden("ticks"), golden("ticks-batch")];
    let lines = Frame::ticks(Encoding::Ndjson, &stretch(&batches, &all)).unwrap();
    assert_eq!(text(lines.bytes.to_vec()), format!("{one}\n{two}\n"));
    assert_eq!(
        (lines.payload, lines.ledger.delivered),
        (one.len() + two.len(), 3)
    );
    let merged = Frame::ticks(Encoding::Json, &stretch(&batches, &all)).unwrap();
    let merged: serde_json::Value = serde_json::from_slice(&merged.bytes).unwrap();
    assert_eq!(merged["data"].as_array().unwrap().len(), 3);
    assert_eq!(merged["cursor"], "m3k9x2-18444");
}

#[test]
fn ticks_up_to_the_join_are_not_live() {
    let listing = symbols();
    let all = SymbolSet::all(&listing);
    let batches = batches();
    let stretch = Stretch {
        live_after: 18_443,
        ..stretch(&batches, &all)
    };
    let frame = Frame::ticks(Encoding::Sse, &stretch).unwrap();
    let live: u64 = frame.live.iter().map(|stamp| stamp.ticks).sum();
    assert_eq!((frame.ledger.delivered, live), (3, 2));
}

#[test]
fn an_event_carries_its_type_its_cursor_and_one_line_of_data() {
    let frame = batches()[0].frame(Encoding::Sse);
    let json = golden("ticks");
    let event = format!("event: ticks\nid: m3k9x2-18443\ndata: {json}\n\n");
    assert_eq!(text(frame.bytes.to_vec()), event);
}

#[test]
fn an_error_is_an_event_called_problem() {
    let error = message::error(None, &Refusal::new(ErrorCode::BadRequest, "No"));
    let frame = Frame::message(Encoding::Sse, Kind::Error, None, &error);
    assert!(
        frame
            .bytes
            .starts_with(b"event: problem\ndata: {\"type\":\"error\"")
    );
}

#[test]
fn websocket_headers_take_two_four_or_ten_bytes() {
    for (len, header) in [
        (125, &[0x81, 125][..]),
        (126, &[0x81, 126, 0, 126]),
        (65_535, &[0x81, 126, 255, 255]),
        (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let frame = Frame::message(Encoding::WebSocket, Kind::Ticks, None, &vec![b'x'; len]);
        assert_eq!(&frame.bytes[..header.len()], header);
        assert_eq!(frame.bytes.len(), header.len() + len);
    }
}

#[test]
fn a_close_frame_has_its_code_and_reason() {
    let reason = CloseReason::GoingAway;
    let frame = framing::close(Some(reason.code()), reason.slug());
    assert_eq!(&frame.bytes[..], b"\x88\x0c\x03\xe9going_away");
    assert_eq!(&framing::close(None, "").bytes[..], b"\x88\x00");
}

#[test]
fn every_error_has_a_slug_of_its_own_and_a_status_of_an_error() {
    let mut slugs: Vec<_> = ErrorCode::ALL.map(ErrorCode::slug).to_vec();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), ErrorCode::ALL.len());
    assert!(
        ErrorCode::ALL
            .iter()
            .all(|code| (400..600).contains(&code.status()))
    );
}

/// The rows of a table in the protocol's document whose first cells are code.
fn documented(heading: &str) -> Vec<Vec<String>> {
    let path = format!("{}/docs/PROTOCOL.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once(heading).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`').to_owned());
        cells.collect()
    })
    .collect()
}

#[test]
fn the_document_lists_every_error_with_its_status() {
    let listed: Vec<_> = documented("## Errors")
        .into_iter()
        .map(|row| (row[1].clone(), row[2].clone()))
        .collect();
    let expected = ErrorCode::ALL.map(|code| (code.slug().to_owned(), code.status().to_string()));
    assert_eq!(listed, expected);
}

#[test]
fn the_document_lists_every_close_code() {
    let path = format!("{}/docs/PROTOCOL.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    for reason in CloseReason::ALL {
        let (code, slug) = (reason.code(), reason.slug());
        let listed = match reason {
            CloseReason::Client => format!("{code} asked for"),
            _ => format!("{code} `{slug}`"),
        };
        assert!(text.contains(&listed), "{listed}");
    }
}
