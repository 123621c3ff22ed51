//! What every transport promises, told once and run over each, and over both sinks.

use std::time::Duration;

use tickertape::metrics::Sink;

use super::support::client::{cursor_of, ticks_of};
use super::support::server::{SYMBOLS, Settings, set_sink};
use super::support::{Client, LongPoll, Ndjson, Sse, TestServer, WebSocket, http};

/// Runs each claim over every transport and sink, as a test of its own.
macro_rules! claims {
    ($($claim:ident)*) => {
        mod websocket { claims!(@over WebSocket, Direct: $($claim)*); }
        mod websocket_body { claims!(@over WebSocket, Body: $($claim)*); }
        mod sse { claims!(@over Sse, Direct: $($claim)*); }
        mod sse_body { claims!(@over Sse, Body: $($claim)*); }
        mod ndjson { claims!(@over Ndjson, Direct: $($claim)*); }
        mod ndjson_body { claims!(@over Ndjson, Body: $($claim)*); }
        mod long_poll { claims!(@over LongPoll, Direct: $($claim)*); }
        mod long_poll_body { claims!(@over LongPoll, Body: $($claim)*); }
    };
    (@over $client:ident, $sink:ident: $($claim:ident)*) => {
        $(
            #[tokio::test]
            async fn $claim() {
                super::set_sink(super::Sink::$sink);
                super::$claim::<super::$client>().await;
            }
        )*
    };
}

claims! {
    a_session_begins_with_the_board
    every_tick_comes_once_and_in_order
    a_batch_stays_whole
    a_filter_lets_only_its_symbols_through
    a_cursor_brings_what_came_after_it
    a_replay_longer_than_a_piece_is_complete
    a_cut_in_the_middle_of_a_replay_resumes_where_it_was
    another_filter_and_mode_after_a_resume_lose_nothing_of_what_was_followed
    a_cursor_from_before_the_journal_brings_a_gap_and_the_board
    a_cursor_from_before_the_journal_is_no_gap_for_quiet_symbols
    a_cursor_of_another_life_brings_a_gap_and_the_board
    a_cursor_from_the_future_brings_a_gap_and_the_board
    silence_moves_the_cursor_on
    prices_and_times_come_as_they_were_published
}

/// A journal that is no longer than it must be.
fn short_journal() -> Settings {
    Settings {
        journal: 1,
        ..Settings::default()
    }
}

/// More batches than the shortest journal holds.
const MORE_THAN_THE_JOURNAL: u64 = 1_500;

fn ns(ticks: &[(String, u64)]) -> Vec<u64> {
    ticks.iter().map(|(_, n)| *n).collect()
}

async fn a_session_begins_with_the_board<C: Client>() {
    let mut server = TestServer::start();
    server.publish_each("F", 2);
    let mut client = C::open(server.address, "").await;
    let board = client.next_of("snapshot").await;
    let expected = [("AAPL", 1), ("MSFT", 1), ("TSLA", 1), ("F", 3)];
    let expected = expected.map(|(symbol, n)| (symbol.to_owned(), n));
    assert_eq!(ticks_of(&board), expected);
}

async fn every_tick_comes_once_and_in_order<C: Client>() {
    let mut server = TestServer::start();
    let mut client = C::open(server.address, "").await;
    client.next_of("snapshot").await;
    for round in 0..50 {
        server.publish(&["AAPL"]);
        if round % 7 == 0 {
            client.ticks(1).await;
            server.publish(&["MSFT", "AAPL"]);
        }
    }
    server.publish(&["TSLA"]);
    let mut latest = [("AAPL".to_owned(), 1), ("MSFT".to_owned(), 1)];
    let mut seen = Vec::new();
    // What `ticks` took above is not in `seen`, so the count starts where the first of the rest stands.
    loop {
        let (ticks, _) = client.ticks(1).await;
        let done = ticks.iter().any(|(symbol, _)| symbol == "TSLA");
        seen.extend(ticks);
        if done {
            break;
        }
    }
    for (symbol, first) in &mut latest {
        let ns: Vec<u64> = seen
            .iter()
            .filter(|(s, _)| s == symbol)
            .map(|(_, n)| *n)
            .collect();
        *first = ns.first().copied().unwrap_or(*first);
        assert_eq!(
            ns,
            (*first..=server.n(symbol)).collect::<Vec<_>>(),
            "{symbol}"
        );
    }
}

async fn a_batch_stays_whole<C: Client>() {
    let mut server = TestServer::start();
    let mut client = C::open(server.address, "").await;
    client.next_of("snapshot").await;
    server.publish(&SYMBOLS);
    let frame = client.next_of("ticks").await;
    assert_eq!(
        ticks_of(&frame),
        SYMBOLS.map(|symbol| (symbol.to_owned(), 2))
    );
}

async fn a_filter_lets_only_its_symbols_through<C: Client>() {
    let mut server = TestServer::start();
    let mut client = C::open(server.address, "symbols=TSLA,F").await;
    let board = client.next_of("snapshot").await;
    assert_eq!(
        ticks_of(&board),
        ["TSLA", "F"].map(|symbol| (symbol.to_owned(), 1))
    );
    server.publish_each("AAPL", 5);
    server.publish(&["MSFT", "F", "AAPL", "TSLA"]);
    let frame = client.next_of("ticks").await;
    assert_eq!(
        ticks_of(&frame),
        ["F", "TSLA"].map(|symbol| (symbol.to_owned(), 2))
    );
}

async fn a_cursor_brings_what_came_after_it<C: Client>() {
    let mut server = TestServer::start();
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("AAPL", 20);
    let mut client = C::open(server.address, &format!("since={cursor}")).await;
    let (mut ticks, _) = client.ticks(20).await;
    server.publish(&["AAPL"]);
    ticks.extend(client.ticks(1).await.0);
    assert_eq!(ns(&ticks), (2..=22).collect::<Vec<_>>());
}

async fn a_replay_longer_than_a_piece_is_complete<C: Client>() {
    let mut server = TestServer::start();
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    // About 600 KiB, where pieces have 64.
    server.publish_each("AAPL", 3_000);
    let mut client = C::open(server.address, &format!("since={cursor}")).await;
    let (ticks, _) = client.ticks(3_000).await;
    assert_eq!(ns(&ticks), (2..=3_001).collect::<Vec<_>>());
}

async fn a_cut_in_the_middle_of_a_replay_resumes_where_it_was<C: Client>() {
    let mut server = TestServer::start();
    let mut cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("AAPL", 2_000);
    let mut seen = Vec::new();
    while seen.len() < 2_000 {
        let mut client = C::open(server.address, &format!("limit=50&since={cursor}")).await;
        let (ticks, upto) = client.ticks(300.min(2_000 - seen.len())).await;
        seen.extend(ns(&ticks));
        cursor = upto;
    }
    assert_eq!(seen, (2..=2_001).collect::<Vec<_>>());
}

async fn another_filter_and_mode_after_a_resume_lose_nothing_of_what_was_followed<C: Client>() {
    let mut server = TestServer::start();
    let mut client = C::open(server.address, "symbols=AAPL,F").await;
    client.next_of("snapshot").await;
    server.publish(&["AAPL", "F", "MSFT"]);
    let (_, cursor) = client.ticks(2).await;
    drop(client);
    server.publish_each("F", 4);
    let query = format!("symbols=F,MSFT&mode=conflate&since={cursor}");
    let mut client = C::open(server.address, &query).await;
    let (ticks, cursor) = client.ticks(1).await;
    assert_eq!(ticks, [("F".into(), 6)]);
    drop(client);
    server.publish(&["F", "MSFT"]);
    let mut client = C::open(server.address, &format!("symbols=F&since={cursor}")).await;
    assert_eq!(client.ticks(1).await.0, [("F".into(), 7)]);
}

/// Asserts that the session tells the gap and then shows the board.
async fn assert_gap<C: Client>(client: &mut C, reason: &str, from: &str) {
    let gap = if C::ONE_FRAME_AN_ANSWER {
        let board = client.next_of("snapshot").await;
        assert_eq!(board["data"].as_array().unwrap().len(), SYMBOLS.len());
        board["gap"].clone()
    } else {
        let gap = client.next_of("gap").await;
        assert!(gap.get("cursor").is_none(), "{gap}");
        let board = client.next().await.unwrap();
        assert_eq!(board["type"], "snapshot");
        assert_eq!(board["data"].as_array().unwrap().len(), SYMBOLS.len());
        gap
    };
    assert_eq!(
        (gap["reason"].as_str(), gap["from"].as_str()),
        (Some(reason), Some(from))
    );
}

async fn a_cursor_from_before_the_journal_brings_a_gap_and_the_board<C: Client>() {
    let mut server = TestServer::with(short_journal());
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("AAPL", MORE_THAN_THE_JOURNAL);
    let mut client = C::open(server.address, &format!("since={cursor}")).await;
    assert_gap(&mut client, "replay_window", &cursor).await;
    server.publish(&["AAPL"]);
    assert_eq!(ns(&client.ticks(1).await.0), [server.n("AAPL")]);
}

async fn a_cursor_from_before_the_journal_is_no_gap_for_quiet_symbols<C: Client>() {
    let mut server = TestServer::with(short_journal());
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("AAPL", MORE_THAN_THE_JOURNAL);
    let query = format!("symbols=F&wait=0.05&since={cursor}");
    let mut client = C::open(server.address, &query).await;
    let first = client.next().await.unwrap();
    let expected = if C::ONE_FRAME_AN_ANSWER {
        "ticks"
    } else {
        "welcome"
    };
    assert_eq!(first["type"], expected);
    server.publish(&["F"]);
    let frame = client.next().await.unwrap();
    assert_eq!(
        (frame["type"].as_str(), ticks_of(&frame)),
        (Some("ticks"), vec![("F".into(), 2)])
    );
}

async fn a_cursor_of_another_life_brings_a_gap_and_the_board<C: Client>() {
    let server = TestServer::start();
    let mut client = C::open(server.address, "since=zzzzzz-1").await;
    assert_gap(&mut client, "epoch_changed", "zzzzzz-1").await;
}

async fn a_cursor_from_the_future_brings_a_gap_and_the_board<C: Client>() {
    let server = TestServer::start();
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    let (epoch, _) = cursor.split_once('-').unwrap();
    let ahead = format!("{epoch}-999999");
    let mut client = C::open(server.address, &format!("since={ahead}")).await;
    assert_gap(&mut client, "unknown_cursor", &ahead).await;
}

async fn silence_moves_the_cursor_on<C: Client>() {
    let mut server = TestServer::with(Settings {
        heartbeat: Duration::from_millis(100),
        ..Settings::default()
    });
    let mut client = C::open(server.address, "symbols=F&wait=0.1").await;
    client.next_of("snapshot").await;
    server.publish_each("AAPL", 5);
    let head = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    let wanted = if C::ONE_FRAME_AN_ANSWER {
        "ticks"
    } else {
        "heartbeat"
    };
    loop {
        let frame = client.next_of(wanted).await;
        assert!(
            frame
                .get("data")
                .is_none_or(|data| data.as_array().unwrap().is_empty())
        );
        if cursor_of(&frame) == head {
            break;
        }
    }
}

async fn prices_and_times_come_as_they_were_published<C: Client>() {
    let mut server = TestServer::start();
    let before = tickertape::clock::now();
    let mut client = C::open(server.address, "symbols=F").await;
    client.next_of("snapshot").await;
    server.publish(&["F"]);
    let frame = client.next_of("ticks").await;
    let tick = &frame["data"][0];
    assert_eq!(tick["last"].as_f64(), Some(100.02));
    assert_eq!(
        (tick["size"].as_u64(), tick["volume"].as_u64()),
        (Some(100), Some(200))
    );
    let generated = tick["ts"].as_u64().unwrap();
    assert!(
        (before..=frame["ts"].as_u64().unwrap()).contains(&generated),
        "{frame}"
    );
}
