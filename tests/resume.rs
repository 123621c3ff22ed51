//! A cursor means the same on every transport.

use super::support::client::cursor_of;
use super::support::server::Settings;
use super::support::{Client, LongPoll, Ndjson, Sse, TestServer, WebSocket, http};

/// Takes a few ticks on one transport, lets some pass, goes on with the other: nothing lost, nothing twice.
async fn hand_over<From: Client, To: Client>() {
    let mut server = TestServer::start();
    let mut from = From::open(server.address, "symbols=AAPL,F").await;
    from.next_of("snapshot").await;
    server.publish_each("AAPL", 10);
    let (mut seen, cursor) = from.ticks(10).await;
    drop(from);
    server.publish(&["AAPL", "MSFT", "F"]);
    server.publish_each("MSFT", 3);
    server.publish_each("AAPL", 10);
    let mut to = To::open(server.address, &format!("symbols=AAPL,F&since={cursor}")).await;
    seen.extend(to.ticks(12).await.0);
    server.publish_each("AAPL", 5);
    seen.extend(to.ticks(5).await.0);
    let of = |symbol: &str| -> Vec<u64> {
        seen.iter()
            .filter(|(s, _)| s == symbol)
            .map(|(_, n)| *n)
            .collect()
    };
    assert_eq!(of("AAPL"), (2..=27).collect::<Vec<_>>());
    assert_eq!(of("F"), [2]);
    assert_eq!(of("MSFT"), [0u64; 0]);
}

macro_rules! from_each_to_each {
    ($($name:ident: $from:ty => $to:ty,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                hand_over::<$from, $to>().await;
            }
        )*
    };
}

from_each_to_each! {
    a_websocket_cursor_resumes_over_websocket: WebSocket => WebSocket,
    a_websocket_cursor_resumes_over_sse: WebSocket => Sse,
    a_websocket_cursor_resumes_over_ndjson: WebSocket => Ndjson,
    a_websocket_cursor_resumes_over_long_poll: WebSocket => LongPoll,
    an_sse_cursor_resumes_over_websocket: Sse => WebSocket,
    an_sse_cursor_resumes_over_sse: Sse => Sse,
    an_sse_cursor_resumes_over_ndjson: Sse => Ndjson,
    an_sse_cursor_resumes_over_long_poll: Sse => LongPoll,
    an_ndjson_cursor_resumes_over_websocket: Ndjson => WebSocket,
    an_ndjson_cursor_resumes_over_sse: Ndjson => Sse,
    an_ndjson_cursor_resumes_over_ndjson: Ndjson => Ndjson,
    an_ndjson_cursor_resumes_over_long_poll: Ndjson => LongPoll,
    a_long_poll_cursor_resumes_over_websocket: LongPoll => WebSocket,
    a_long_poll_cursor_resumes_over_sse: LongPoll => Sse,
    a_long_poll_cursor_resumes_over_ndjson: LongPoll => Ndjson,
    a_long_poll_cursor_resumes_over_long_poll: LongPoll => LongPoll,
}

#[tokio::test]
async fn every_transport_shows_the_same_batches() {
    let mut server = TestServer::start();
    let mut websocket = WebSocket::open(server.address, "").await;
    let mut sse = Sse::open(server.address, "").await;
    let mut ndjson = Ndjson::open(server.address, "").await;
    let mut poll = LongPoll::open(server.address, "limit=1").await;
    websocket.next_of("snapshot").await;
    sse.next_of("snapshot").await;
    ndjson.next_of("snapshot").await;
    poll.next_of("snapshot").await;
    server.publish(&["AAPL", "F"]);
    server.publish_each("TSLA", 9);
    for _ in 0..10 {
        let frame = websocket.next_of("ticks").await;
        assert_eq!(sse.next_of("ticks").await, frame);
        assert_eq!(ndjson.next_of("ticks").await, frame);
        let mut polled = poll.next_of("ticks").await;
        polled.as_object_mut().unwrap().remove("more");
        assert_eq!(polled, frame);
    }
}

#[tokio::test]
async fn a_restarted_server_is_another_life() {
    let server = TestServer::start();
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.wait();
    let server = TestServer::with(Settings {
        epoch: 2,
        ..Settings::default()
    });
    let mut client = WebSocket::open(server.address, &format!("since={cursor}")).await;
    assert_eq!(client.next_of("gap").await["reason"], "epoch_changed");
}

#[tokio::test]
async fn a_resumed_session_is_welcomed_at_its_own_cursor() {
    let mut server = TestServer::start();
    let cursor = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("F", 5);
    let query = format!("since={cursor}");
    let mut websocket = WebSocket::open(server.address, &query).await;
    let mut ndjson = Ndjson::open(server.address, &query).await;
    assert_eq!(cursor_of(&websocket.next_of("welcome").await), cursor);
    assert_eq!(cursor_of(&ndjson.next_of("welcome").await), cursor);
}

#[tokio::test]
async fn last_event_id_wins_over_since() {
    let mut server = TestServer::start();
    let since = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("F", 3);
    let id = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("F", 1);
    let mut connection = http::Connection::open(server.address).await;
    let target = format!("/v1/sse?since={since}");
    let response = connection
        .send(hyper::Method::GET, &target, &[("last-event-id", &id)])
        .await;
    let text = first_bytes(response, "event: ticks").await;
    assert!(
        text.contains(&format!("\nid: {id}\n\n")),
        "primed with the client's own: {text}"
    );
    assert!(
        text.contains(r#""n":5"#) && !text.contains(r#""n":4"#),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_no_cursor_is_a_gap_for_an_event_source() {
    let server = TestServer::start();
    let mut connection = http::Connection::open(server.address).await;
    let response = connection
        .send(
            hyper::Method::GET,
            "/v1/sse",
            &[("last-event-id", "rubbish")],
        )
        .await;
    assert_eq!(response.status(), 200);
    let text = first_bytes(response, "event: snapshot").await;
    assert!(
        text.contains(r#"{"type":"gap","reason":"unknown_cursor"}"#),
        "{text}"
    );
}

#[tokio::test]
async fn an_empty_last_event_id_is_none() {
    let mut server = TestServer::start();
    let since = cursor_of(&http::get(server.address, "/v1/quotes").await.json());
    server.publish_each("F", 1);
    let mut connection = http::Connection::open(server.address).await;
    let target = format!("/v1/sse?since={since}");
    let response = connection
        .send(hyper::Method::GET, &target, &[("last-event-id", "")])
        .await;
    let text = first_bytes(response, "event: ").await;
    assert!(text.contains(&format!("id: {since}\n")), "{text}");
}

/// Cut off before its first snapshot, it would come back as if it had seen the board.
#[tokio::test]
async fn a_fresh_event_source_has_no_id_before_its_board() {
    let server = TestServer::start();
    let mut connection = http::Connection::open(server.address).await;
    let response = connection.get("/v1/sse").await;
    let text = first_bytes(response, "event: snapshot").await;
    let (before, _) = text.split_once("event: snapshot").unwrap();
    assert!(!before.contains("id:"), "{text}");
}

#[tokio::test]
async fn a_stream_over_http_1_0_ends_with_the_connection_and_has_no_chunks() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::start();
    let mut stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    stream
        .write_all(b"GET /v1/stream HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains("\"snapshot\"") {
        let read = super::support::soon("a snapshot", stream.read(&mut buffer))
            .await
            .unwrap();
        assert!(read > 0, "{text}");
        text += std::str::from_utf8(&buffer[..read]).unwrap();
    }
    assert!(!text.contains("chunked"), "{text}");
    assert!(text.contains("\r\n\r\n{\"type\":\"welcome\""), "{text}");
}

/// Reads a stream until it has shown a text.
pub(crate) async fn first_bytes(
    response: hyper::Response<hyper::body::Incoming>,
    until: &str,
) -> String {
    use http_body_util::BodyExt;
    let mut body = response.into_body();
    let mut text = String::new();
    while !text.contains(until) {
        let frame = super::support::soon(until, body.frame())
            .await
            .unwrap()
            .unwrap();
        text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
    }
    text
}
