//! Bad input: a clear error each, and the server goes on.

use hyper::Method;
use tokio_tungstenite::tungstenite::Message;

use super::support::client::cursor_of;
use super::support::http::{Answer, Connection, get, get_with};
use super::support::scrape::{by_sink, scrape, value};
use super::support::{Client, TestServer, WebSocket, soon};

const WEBSOCKET: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Status, slug and detail of the problem that a request gets.
async fn problem(server: &TestServer, target: &str) -> (u16, String, String) {
    let websocket = target.starts_with("/v1/ws");
    let headers: &[_] = if websocket { &WEBSOCKET } else { &[] };
    let answer = get_with(server.address, target, headers).await;
    assert_ne!(answer.status, 200, "{target}");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    (answer.status, answer.problem(), detail)
}

#[tokio::test]
async fn an_unknown_symbol_is_refused_by_name_on_every_transport() {
    let server = TestServer::start();
    for path in ["/v1/ws", "/v1/sse", "/v1/stream", "/v1/poll", "/v1/quotes"] {
        let (status, slug, detail) = problem(&server, &format!("{path}?symbols=F,NOPE,f")).await;
        assert_eq!((status, slug.as_str()), (400, "unknown_symbol"), "{path}");
        assert_eq!(detail, "No such symbol: NOPE, f", "{path}");
    }
}

#[tokio::test]
async fn a_malformed_cursor_is_refused_where_a_client_can_mend_it() {
    let server = TestServer::start();
    for path in ["/v1/ws", "/v1/stream", "/v1/poll"] {
        let (status, slug, detail) = problem(&server, &format!("{path}?since=rubbish")).await;
        assert_eq!((status, slug.as_str()), (400, "bad_cursor"), "{path}");
        assert!(
            detail.starts_with("since=rubbish is not a cursor"),
            "{detail}"
        );
    }
}

/// Negative, overflowing, with CR and LF, with NUL.
const GARBAGE: [&str; 6] = [
    "m3k9x2--1",
    "m3k9x2-18446744073709551616",
    "m3k9x2-1%0D%0AX: y",
    "m3k9x2-1%00",
    "%ff%fe",
    "-",
];

#[tokio::test]
async fn garbage_for_a_cursor_is_refused_and_disturbs_nobody() {
    let mut server = TestServer::start();
    let mut watcher = WebSocket::open(server.address, "").await;
    watcher.next_of("snapshot").await;
    for garbage in GARBAGE {
        let garbage = garbage.replace(' ', "%20");
        for path in ["/v1/stream", "/v1/poll", "/v1/ws"] {
            let (status, slug, _) = problem(&server, &format!("{path}?since={garbage}")).await;
            assert_eq!(
                (status, slug.as_str()),
                (400, "bad_cursor"),
                "{path} {garbage}"
            );
        }
        server.publish(&["F"]);
        assert_eq!(watcher.ticks(1).await.0, [("F".into(), server.n("F"))]);
    }
}

#[tokio::test]
async fn garbage_for_a_last_event_id_is_a_gap() {
    let server = TestServer::start();
    for garbage in ["m3k9x2--1", "m3k9x2-18446744073709551616", "\u{e9}", "x y"] {
        let mut connection = Connection::open(server.address).await;
        let headers = [("last-event-id", garbage)];
        let response = connection.send(Method::GET, "/v1/sse", &headers).await;
        assert_eq!(response.status(), 200, "{garbage}");
        let text = super::resume::first_bytes(response, "event: snapshot").await;
        assert!(text.contains("\"reason\":\"unknown_cursor\""), "{text}");
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let server = TestServer::start();
    for (target, named) in [
        ("/v1/poll?wait=abc", "wait=abc"),
        ("/v1/poll?wait=-1", "wait=-1"),
        ("/v1/poll?wait=NaN", "wait=NaN"),
        ("/v1/poll?limit=0", "limit=0"),
        ("/v1/poll?limit=10001", "limit=10001"),
        ("/v1/poll?limit=many", "limit=many"),
        ("/v1/stream?mode=some", "mode=some"),
        ("/v1/stream?policy=none", "policy=none"),
        ("/v1/stream?max_rate=-1", "max_rate=-1"),
        ("/v1/stream?max_rate=1001", "max_rate=1001"),
        ("/v1/poll?symbols=", "symbols is empty"),
        ("/v1/sse?symbols=", "symbols is empty"),
        ("/v1/poll?wait=1&wait=2", "wait stands there more than once"),
    ] {
        let (status, slug, detail) = problem(&server, target).await;
        assert_eq!((status, slug.as_str()), (400, "bad_request"), "{target}");
        assert!(detail.contains(named), "{target}: {detail}");
    }
}

#[tokio::test]
async fn more_symbols_than_allowed_are_refused_with_the_limit() {
    let server = TestServer::start();
    let (status, slug, detail) = problem(&server, "/v1/quotes?symbols=AAPL,MSFT,TSLA,F").await;
    assert_eq!((status, slug.as_str()), (400, "too_many_symbols"));
    assert_eq!(detail, "symbols names 4; at most 3 go in one session");
    let many = vec!["F"; 10_000].join(",");
    let (status, slug, _) = problem(&server, &format!("/v1/poll?symbols={many}")).await;
    assert_eq!((status, slug.as_str()), (400, "too_many_symbols"));
}

#[tokio::test]
async fn a_poll_may_prefer_how_long_it_waits() {
    let server = TestServer::start();
    let answer = get_with(
        server.address,
        "/v1/poll",
        &[("prefer", "respond-async, wait=abc")],
    )
    .await;
    assert_eq!(
        answer.status, 200,
        "a preference that cannot be read is ignored"
    );
    let head = cursor_of(&answer.json());
    let target = format!("/v1/poll?since={head}");
    let answer = get_with(server.address, &target, &[("prefer", "Wait=0.1")]).await;
    assert_eq!(answer.json()["data"], serde_json::json!([]));
}

#[tokio::test]
async fn a_wait_beyond_the_cap_is_no_error() {
    let server = TestServer::start();
    assert_eq!(get(server.address, "/v1/poll?wait=1e300").await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = TestServer::start();
    let (status, slug, detail) = problem(&server, "/v2/ws").await;
    assert_eq!((status, slug.as_str()), (404, "not_found"));
    assert_eq!(detail, "There is nothing at /v2/ws");
}

#[tokio::test]
async fn another_method_is_told_which_one_to_use() {
    let server = TestServer::start();
    let mut connection = Connection::open(server.address).await;
    let answer = Answer::read(connection.send(Method::POST, "/v1/poll", &[]).await).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET"));
    assert_eq!(answer.problem(), "method_not_allowed");
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let server = TestServer::start();
    for path in ["/livez", "/v1/quotes", "/v1/symbols", "/metrics"] {
        let mut connection = Connection::open(server.address).await;
        let answer = Answer::read(connection.send(Method::HEAD, path, &[]).await).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn a_plain_request_for_a_websocket_is_told_so() {
    let server = TestServer::start();
    let answer = get(server.address, "/v1/ws").await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "bad_request")
    );
}

#[tokio::test]
async fn a_handshake_that_fails_is_no_session() {
    let server = TestServer::start();
    get(server.address, "/v1/ws").await;
    let text = scrape(server.address).await;
    assert_eq!(value(&text, &by_sink("connections", "websocket")), 0.0);
}

#[tokio::test]
async fn a_subprotocol_that_is_not_spoken_is_refused() {
    let server = TestServer::start();
    let mut headers = WEBSOCKET.to_vec();
    headers.push(("sec-websocket-protocol", "mqtt, wamp"));
    let answer = get_with(server.address, "/v1/ws", &headers).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "unsupported_subprotocol")
    );
}

#[tokio::test]
async fn a_websocket_without_symbols_waits() {
    let mut server = TestServer::start();
    let mut client = WebSocket::open(server.address, "symbols=").await;
    assert_eq!(client.next().await.unwrap()["type"], "welcome");
    server.publish(&["F"]);
    client.send(Message::text("{}")).await;
    assert_eq!(
        client.next().await.unwrap()["type"],
        "error",
        "and no ticks before it"
    );
}

#[tokio::test]
async fn a_message_that_is_not_understood_is_answered_and_the_session_goes_on() {
    let mut server = TestServer::start();
    let mut client = WebSocket::open(server.address, "").await;
    client.send(Message::text("hello")).await;
    assert_eq!(client.next_of("error").await["code"], "bad_request");
    server.publish(&["F"]);
    client.next_of("ticks").await;
}

/// How the server closes a WebSocket after a message.
async fn closed_after(message: Message) -> (u16, String) {
    let server = TestServer::start();
    let mut client = WebSocket::open(server.address, "").await;
    client.send(message).await;
    while client.next().await.is_some() {}
    let frame = client.closed.expect("a close frame");
    (frame.code.into(), frame.reason.to_string())
}

#[tokio::test]
async fn binary_data_closes_with_1003() {
    let closed = closed_after(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(closed, (1003, "unsupported_data".into()));
}

#[tokio::test]
async fn a_message_over_the_limit_closes_with_1009() {
    let closed = closed_after(Message::text("x".repeat(2_000))).await;
    assert_eq!(closed, (1009, "message_too_big".into()));
}

#[tokio::test]
async fn a_ping_is_answered_with_its_body() {
    let server = TestServer::start();
    let mut client = WebSocket::open(server.address, "symbols=").await;
    client.send(Message::Ping(b"hello".to_vec().into())).await;
    let pong = soon("a pong", async {
        use futures_util::StreamExt;
        loop {
            if let Some(Ok(Message::Pong(body))) = client.socket.next().await {
                return body;
            }
        }
    });
    assert_eq!(&pong.await[..], b"hello");
}

#[tokio::test]
async fn a_close_is_answered_with_its_code() {
    let server = TestServer::start();
    let mut client = WebSocket::open(server.address, "").await;
    let said = tokio_tungstenite::tungstenite::protocol::CloseFrame {
        code: 4000.into(),
        reason: "bye".into(),
    };
    client.socket.close(Some(said)).await.unwrap();
    while client.next().await.is_some() {}
    assert_eq!(client.closed.map(|frame| frame.code.into()), Some(4000u16));
}
