//! Control messages over a WebSocket, and the terms that any session can have.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::support::client::{cursor_of, ticks_of};
use super::support::server::{SYMBOLS, Settings};
use super::support::{Client, LongPoll, Ndjson, TestServer, WebSocket, http};

impl WebSocket {
    async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }
}

/// A session that has no symbols yet.
async fn empty(server: &TestServer) -> WebSocket {
    let mut client = WebSocket::open(server.address, "symbols=").await;
    client.next_of("welcome").await;
    client
}

#[tokio::test]
async fn subscribe_is_confirmed_and_begins_with_the_board_of_the_new_symbols() {
    let mut server = TestServer::start();
    let mut client = empty(&server).await;
    client
        .say(&json!({"type": "subscribe", "id": 1, "symbols": ["F", "AAPL"]}))
        .await;
    let confirmed = client.next().await.unwrap();
    let expected = json!({"type": "subscribed", "id": 1, "symbols": ["AAPL", "F"],
        "mode": "every", "max_rate": 0, "policy": "conflate"});
    assert_eq!(confirmed, expected);
    let board = client.next().await.unwrap();
    assert_eq!(ticks_of(&board), [("AAPL".into(), 1), ("F".into(), 1)]);
    server.publish(&["MSFT", "F"]);
    assert_eq!(client.ticks(1).await.0, [("F".into(), 2)]);
}

#[tokio::test]
async fn symbols_that_come_later_get_a_board_of_their_own_at_the_session_s_cursor() {
    let mut server = TestServer::start();
    let mut client = empty(&server).await;
    client
        .say(&json!({"type": "subscribe", "symbols": ["F"]}))
        .await;
    client.next_of("snapshot").await;
    server.publish_each("F", 3);
    client.ticks(3).await;
    client
        .say(&json!({"type": "subscribe", "id": "b", "symbols": ["MSFT"]}))
        .await;
    assert_eq!(
        client.next_of("subscribed").await["symbols"],
        json!(["MSFT", "F"])
    );
    let board = client.next().await.unwrap();
    assert_eq!(ticks_of(&board), [("MSFT".into(), 1)]);
    let head = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    assert_eq!(cursor_of(&board), head);
    server.publish(&["F", "MSFT"]);
    assert_eq!(
        client.ticks(2).await.0,
        [("F".into(), 5), ("MSFT".into(), 2)]
    );
}

#[tokio::test]
async fn unsubscribed_symbols_do_not_come_any_more() {
    let mut server = TestServer::start();
    let mut client = WebSocket::open(server.address, "symbols=F,MSFT").await;
    client.next_of("snapshot").await;
    client
        .say(&json!({"type": "unsubscribe", "id": 2, "symbols": ["MSFT"]}))
        .await;
    assert_eq!(client.next_of("subscribed").await["symbols"], json!(["F"]));
    server.publish(&["MSFT"]);
    server.publish(&["F"]);
    assert_eq!(client.ticks(1).await.0, [("F".into(), 2)]);
}

#[tokio::test]
async fn list_tells_symbols_and_terms() {
    let server = TestServer::start();
    let mut client = WebSocket::open(
        server.address,
        "symbols=F&mode=conflate&max_rate=4&policy=disconnect",
    )
    .await;
    client.say(&json!({"type": "list", "id": 3})).await;
    let expected = json!({"type": "subscribed", "id": 3, "symbols": ["F"],
        "mode": "conflate", "max_rate": 4, "policy": "disconnect"});
    assert_eq!(client.next_of("subscribed").await, expected);
}

#[tokio::test]
async fn a_ping_brings_the_server_s_time() {
    let server = TestServer::start();
    let mut client = empty(&server).await;
    let before = tickertape::clock::now();
    client.say(&json!({"type": "ping", "id": 4})).await;
    let pong = client.next_of("pong").await;
    assert_eq!(pong["id"], 4);
    assert!(pong["ts"].as_u64().unwrap() >= before);
}

#[tokio::test]
async fn the_first_subscribe_may_say_where_to_go_on() {
    let mut server = TestServer::start();
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("F", 3);
    let mut client = empty(&server).await;
    client
        .say(&json!({"type": "subscribe", "symbols": ["F"], "since": cursor}))
        .await;
    let (ticks, _) = client.ticks(3).await;
    assert_eq!(ticks.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [2, 3, 4]);
    client
        .say(&json!({"type": "subscribe", "symbols": ["AAPL"], "since": cursor}))
        .await;
    assert_eq!(
        ticks_of(&client.next_of("snapshot").await),
        [("AAPL".into(), 1)]
    );
}

#[tokio::test]
async fn the_good_part_of_a_subscribe_counts_and_the_bad_one_is_reported() {
    let server = TestServer::start();
    let mut client = empty(&server).await;
    client
        .say(&json!({"type": "subscribe", "id": 9, "symbols": ["F", "XXXX"]}))
        .await;
    assert_eq!(client.next_of("subscribed").await["symbols"], json!(["F"]));
    let error = client.next_of("error").await;
    let expected = json!({"type": "error", "id": 9, "code": "unknown_symbol",
        "message": "No such symbol: XXXX", "symbols": ["XXXX"]});
    assert_eq!(error, expected);
}

#[tokio::test]
async fn bad_messages_get_their_slug_and_change_nothing() {
    let server = TestServer::start();
    let mut client = empty(&server).await;
    let many: Vec<_> = (0..10_000).map(|n| n.to_string()).collect();
    let good = json!({"type": "list"});
    for (message, code) in [
        (json!({"type": "subscribe", "symbols": SYMBOLS[..3]}), None),
        (
            json!({"type": "subscribe", "symbols": ["F"]}),
            Some("too_many_symbols"),
        ),
        (
            json!({"type": "subscribe", "symbols": ["F"], "max_rate": 1001}),
            Some("bad_request"),
        ),
        (
            json!({"type": "subscribe", "mode": "some"}),
            Some("bad_request"),
        ),
        (
            json!({"type": "subscribe", "symbols": [1]}),
            Some("bad_request"),
        ),
        (
            json!({"type": "list", "id": "x".repeat(37)}),
            Some("bad_request"),
        ),
        (json!({"type": "unsubscribe", "symbols": many[..100]}), None),
    ] {
        client.say(&message).await;
        if let Some(code) = code {
            assert_eq!(client.next_of("error").await["code"], code, "{message}");
        }
        client.say(&good).await;
        let listed = loop {
            let frame = client.next_of("subscribed").await;
            if frame.get("id").is_none() {
                break frame;
            }
        };
        assert_eq!(
            listed["symbols"],
            json!(["AAPL", "MSFT", "TSLA"]),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_bad_cursor_in_a_subscribe_is_refused() {
    let server = TestServer::start();
    let mut client = empty(&server).await;
    for since in [
        "",
        "x",
        "m3k9x2--1",
        "m3k9x2-18446744073709551616",
        "m3k9x2-1\r\n",
        "m3k9x2-1\0",
    ] {
        client
            .say(&json!({"type": "subscribe", "symbols": ["F"], "since": since}))
            .await;
        assert_eq!(
            client.next_of("error").await["code"],
            "bad_cursor",
            "{since:?}"
        );
    }
}

#[tokio::test]
async fn repeated_bad_messages_close_with_4400() {
    let server = TestServer::start();
    let mut client = empty(&server).await;
    for _ in 0..10 {
        client.send(Message::text("rubbish")).await;
    }
    while client.next().await.is_some() {}
    let closed = client.closed.expect("a close frame");
    assert_eq!(
        (u16::from(closed.code), closed.reason.as_str()),
        (4400, "bad_request")
    );
}

#[tokio::test]
async fn a_good_message_makes_up_for_bad_ones() {
    let server = TestServer::start();
    let mut client = empty(&server).await;
    for _ in 0..5 {
        for _ in 0..9 {
            client.send(Message::text("rubbish")).await;
            client.next_of("error").await;
        }
        client.say(&json!({"type": "ping"})).await;
        client.next_of("pong").await;
    }
}

#[tokio::test]
async fn a_conflating_session_gets_the_latest_of_each_symbol_at_its_rate() {
    let mut server = TestServer::start();
    let query = "symbols=F,AAPL&mode=conflate&max_rate=4";
    let mut client = Ndjson::open(server.address, query).await;
    client.next_of("snapshot").await;
    server.publish_each("F", 50);
    server.publish(&["AAPL"]);
    // What was published before the first frame is in it or in the next one, with nothing twice.
    let mut latest = std::collections::HashMap::new();
    let start = std::time::Instant::now();
    let mut frames = 0;
    while latest.get("F") != Some(&51) || latest.get("AAPL") != Some(&2) {
        let frame = client.next_of("ticks").await;
        frames += 1;
        for (symbol, n) in ticks_of(&frame) {
            assert!(
                latest.insert(symbol, n).is_none_or(|before| before < n),
                "never older"
            );
        }
    }
    assert!(frames <= 3, "{frames} frames");
    server.publish_each("F", 20);
    let (ticks, _) = client.ticks(1).await;
    assert!(ticks[0].1 > 51);
    assert!(
        start.elapsed() > Duration::from_millis(200),
        "at most four frames a second"
    );
}

#[tokio::test]
async fn a_conflating_poll_gets_the_latest_of_each_symbol() {
    let mut server = TestServer::start();
    let mut client = LongPoll::open(server.address, "mode=conflate").await;
    client.next_of("snapshot").await;
    server.publish_each("F", 50);
    server.publish_each("AAPL", 2);
    let frame = client.next_of("ticks").await;
    assert_eq!(ticks_of(&frame), [("F".into(), 51), ("AAPL".into(), 3)]);
}

#[tokio::test]
async fn a_conflating_session_resumes_past_the_journal_without_a_gap() {
    let mut server = TestServer::with(Settings {
        journal: 1,
        ..Settings::default()
    });
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("F", 1_500);
    let query = format!("mode=conflate&since={cursor}");
    let mut client = Ndjson::open(server.address, &query).await;
    client.next_of("welcome").await;
    let frame = client.next().await.unwrap();
    assert_eq!(
        (frame["type"].as_str(), ticks_of(&frame)),
        (Some("ticks"), vec![("F".into(), 1_501)])
    );
}
