//! What clients send: limits, violations of RFC 6455 over a real socket, the echo, reports.

use hyper::Method;
use serde_json::json;

use super::support::http::{Answer, Connection, get};
use super::support::raw::{CLOSE, LAST, PING, PONG, Raw, TEXT, frame, header};
use super::support::scrape::{scrape, until, value};
use super::support::server::Settings;
use super::support::{Client, LongPoll, Ndjson, Sse, TestServer, WebSocket};

const BINARY: u8 = 0x2;
const CONTINUATION: u8 = 0x0;

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_the_code_that_says_how() {
    let server = TestServer::start();
    let unmasked = vec![LAST | TEXT, 2, b'h', b'i'];
    for (name, bytes, code) in [
        ("a reserved bit", frame(0x40 | LAST | TEXT, b"hi"), 1002),
        ("a reserved opcode", frame(LAST | 0x3, b"hi"), 1002),
        ("a reserved control opcode", frame(LAST | 0xB, b""), 1002),
        ("no mask", unmasked, 1002),
        ("a ping in parts", frame(PING, b"hi"), 1002),
        ("a ping of 126 bytes", frame(LAST | PING, &[0; 126]), 1002),
        (
            "the end of nothing",
            frame(LAST | CONTINUATION, b"hi"),
            1002,
        ),
        (
            "a message in a message",
            [frame(TEXT, b"a"), frame(LAST | TEXT, b"b")].concat(),
            1002,
        ),
        ("half a close code", frame(LAST | CLOSE, &[3]), 1002),
        (
            "a close code that is none",
            frame(LAST | CLOSE, &1005_u16.to_be_bytes()),
            1002,
        ),
        (
            "a text that is none",
            frame(LAST | TEXT, &[0xC3, 0x28]),
            1007,
        ),
        (
            "a close reason that is no text",
            frame(LAST | CLOSE, &[3, 232, 0xFF]),
            1007,
        ),
        (
            "a message over the limit",
            header(LAST | TEXT, 1 << 40),
            1009,
        ),
    ] {
        for path in ["/v1/ws", "/v1/echo"] {
            let mut client = Raw::open(server.address, path).await;
            client.send(&bytes).await.unwrap();
            assert_eq!(client.closed().await.0, code, "{name} on {path}");
        }
    }
}

#[tokio::test]
async fn a_close_is_answered_alike_and_ends_the_connection() {
    let server = TestServer::start();
    for path in ["/v1/ws", "/v1/echo"] {
        for said in [&[][..], &1000_u16.to_be_bytes(), &4999_u16.to_be_bytes()] {
            let mut client = Raw::open(server.address, path).await;
            client.send(&frame(LAST | CLOSE, said)).await.unwrap();
            let code = said
                .first_chunk()
                .map_or(0, |code| u16::from_be_bytes(*code));
            assert_eq!(client.closed().await, (code, String::new()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_message_in_parts_is_bounded_as_a_whole() {
    let server = TestServer::start();
    let mut client = Raw::open(server.address, "/v1/ws").await;
    client.send(&frame(TEXT, &[b' '; 600])).await.unwrap();
    client
        .send(&frame(CONTINUATION, &[b' '; 600]))
        .await
        .unwrap();
    assert_eq!(client.closed().await, (1009, "message_too_big".to_owned()));
}

#[tokio::test]
async fn a_close_arrives_though_the_client_goes_on_sending() {
    let server = TestServer::start();
    let mut client = Raw::open(server.address, "/v1/ws?symbols=").await;
    client.send(&header(LAST | BINARY, 8 << 20)).await.unwrap();
    // Far more than the sockets' buffers hold: a reset would come before the close was read.
    let _ = client.send(&vec![0; 8 << 20]).await;
    assert_eq!(client.closed().await, (1009, "message_too_big".to_owned()));
}

#[tokio::test]
async fn more_messages_than_allowed_end_the_session() {
    let server = TestServer::with(Settings {
        message_rate: 2,
        ..Settings::default()
    });
    let mut client = Raw::open(server.address, "/v1/ws?symbols=F").await;
    let ping = frame(LAST | TEXT, br#"{"type":"ping"}"#);
    let mut pongs = 0;
    for _ in 0..20 {
        client.send(&ping).await.unwrap();
    }
    while pongs < 20 {
        let (_, body) = client.next().await.expect("a burst is allowed");
        pongs += usize::from(body.starts_with(br#"{"type":"pong""#));
    }
    for _ in 0..20 {
        let _ = client.send(&frame(LAST | PING, b"")).await;
    }
    assert_eq!(client.closed().await, (4429, "rate_limited".to_owned()));
    let closed =
        r#"tickertape_connections_closed_total{reason="rate_limited",transport="websocket"}"#;
    until(server.address, closed, 1.0).await;
}

#[tokio::test]
async fn bad_messages_again_and_again_end_the_session() {
    let server = TestServer::start();
    let mut client = Raw::open(server.address, "/v1/ws?symbols=F").await;
    for _ in 0..10 {
        client.send(&frame(LAST | TEXT, b"?")).await.unwrap();
    }
    assert_eq!(client.closed().await, (4400, "bad_request".to_owned()));
    until(
        server.address,
        r#"tickertape_client_messages_total{outcome="refused"}"#,
        10.0,
    )
    .await;
}

#[tokio::test]
async fn the_echo_sends_text_as_text_and_bytes_as_bytes() {
    let server = TestServer::start();
    let mut client = Raw::open(server.address, "/v1/echo").await;
    for (first, len) in [
        (TEXT, 0),
        (BINARY, 125),
        (TEXT, 126),
        (BINARY, 65_535),
        (TEXT, 256 << 10),
    ] {
        let body = vec![b'x'; len];
        client.send(&frame(LAST | first, &body)).await.unwrap();
        assert_eq!(client.next().await, Some((LAST | first, body)));
    }
}

#[tokio::test]
async fn the_echo_puts_a_message_in_parts_together_and_answers_pings_in_between() {
    let server = TestServer::start();
    let mut client = Raw::open(server.address, "/v1/echo").await;
    for part in [
        frame(TEXT, b"one "),
        frame(LAST | PING, b"p"),
        frame(CONTINUATION, b"two "),
        frame(LAST | CONTINUATION, b"three"),
    ] {
        client.send(&part).await.unwrap();
    }
    assert_eq!(client.next().await, Some((LAST | PONG, b"p".to_vec())));
    let whole = b"one two three".to_vec();
    assert_eq!(client.next().await, Some((LAST | TEXT, whole)));
}

#[tokio::test]
async fn the_echo_has_a_limit_of_its_own() {
    let server = TestServer::start();
    let mut client = Raw::open(server.address, "/v1/echo").await;
    client
        .send(&header(LAST | BINARY, (256 << 10) + 1))
        .await
        .unwrap();
    assert_eq!(client.closed().await, (1009, "message_too_big".to_owned()));
    until(
        server.address,
        r#"tickertape_echo_connections_closed_total{reason="message_too_big"}"#,
        1.0,
    )
    .await;
}

async fn post(server: &TestServer, path: &str, body: Vec<u8>) -> Answer {
    let mut connection = Connection::open(server.address).await;
    Answer::read(connection.send_body(Method::POST, path, body).await).await
}

#[tokio::test]
async fn the_echo_of_a_post_is_its_body_and_never_a_document() {
    let server = TestServer::start();
    let answer = post(&server, "/v1/echo", b"<script>".to_vec()).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"<script>"[..]));
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let server = TestServer::start();
    for (path, limit) in [("/v1/echo", 256 << 10), ("/v1/latency", 1024)] {
        let answer = post(&server, path, vec![b' '; limit + 1]).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (413, "message_too_big"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn each_url_says_which_methods_it_takes() {
    let server = TestServer::start();
    for (method, path, allowed) in [
        (Method::GET, "/v1/latency", "POST"),
        (Method::PUT, "/v1/echo", "GET, POST"),
        (Method::DELETE, "/v1/quotes", "GET, HEAD"),
    ] {
        let mut connection = Connection::open(server.address).await;
        let answer = Answer::read(connection.send(method, path, &[]).await).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, allowed),
            "{path}"
        );
    }
}

#[tokio::test]
async fn reported_ages_are_exported_with_their_clock_error() {
    let server = TestServer::start();
    let report = json!({"clock_error_us": 350, "ages_us": {"sse": [[850, 12], [30_000_000, 3]], "long_poll": [[7, 1]]}});
    let answer = post(&server, "/v1/latency", report.to_string().into_bytes()).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let text = scrape(server.address).await;
    for (series, expected) in [
        (
            r#"tickertape_client_latency_seconds_bucket{transport="sse",le="0.0005"}"#,
            0.0,
        ),
        (
            r#"tickertape_client_latency_seconds_bucket{transport="sse",le="0.001"}"#,
            12.0,
        ),
        (
            r#"tickertape_client_latency_seconds_bucket{transport="sse",le="+Inf"}"#,
            15.0,
        ),
        (
            r#"tickertape_client_latency_seconds_sum{transport="sse"}"#,
            90.0102,
        ),
        (
            r#"tickertape_client_latency_seconds_count{transport="long_poll"}"#,
            1.0,
        ),
        (
            r#"tickertape_client_clock_error_seconds_bucket{transport="sse",le="0.00025"}"#,
            0.0,
        ),
        (
            r#"tickertape_client_clock_error_seconds_bucket{transport="sse",le="0.0005"}"#,
            15.0,
        ),
        (
            r#"tickertape_client_reports_total{outcome="accepted"}"#,
            1.0,
        ),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
}

#[tokio::test]
async fn an_absurd_report_is_refused_and_counts_for_nothing() {
    let server = TestServer::start();
    for absurd in [
        r#"{"clock_error_us":1,"ages_us":{"sse":[[9,1],[5,1]]}}"#,
        r#"{"clock_error_us":1,"ages_us":{"sse":[[5,18446744073709551615]]}}"#,
        r#"{"clock_error_us":-1,"ages_us":{"sse":[[5,1]]}}"#,
        r#"{"clock_error_us":1,"ages_us":{"AAPL":[[5,1]]}}"#,
        "[",
    ] {
        let answer = post(&server, "/v1/latency", absurd.into()).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "bad_request"),
            "{absurd}"
        );
    }
    let text = scrape(server.address).await;
    assert_eq!(
        value(
            &text,
            r#"tickertape_client_latency_seconds_count{transport="sse"}"#
        ),
        0.0
    );
    assert_eq!(
        value(
            &text,
            r#"tickertape_client_reports_total{outcome="refused"}"#
        ),
        5.0
    );
}

async fn inspected<C: Client>(server: &TestServer, frame: &str) -> serde_json::Value {
    let mut client = C::open(server.address, "inspect=1&symbols=F").await;
    client.next_of(frame).await["inspect"].take()
}

#[tokio::test]
async fn inspect_shows_the_request_on_every_transport() {
    let server = TestServer::start();
    for (inspect, path) in [
        (inspected::<WebSocket>(&server, "welcome").await, "/v1/ws"),
        (inspected::<Sse>(&server, "welcome").await, "/v1/sse"),
        (inspected::<Ndjson>(&server, "welcome").await, "/v1/stream"),
        (inspected::<LongPoll>(&server, "snapshot").await, "/v1/poll"),
    ] {
        let line = format!("GET {path}?inspect=1&symbols=F HTTP/1.1");
        assert_eq!(inspect["request"]["line"], line);
        let host = json!(["host", server.address.to_string()]);
        assert!(
            inspect["request"]["headers"]
                .as_array()
                .unwrap()
                .contains(&host),
            "{inspect}"
        );
    }
}

#[tokio::test]
async fn inspect_shows_the_answer_as_it_was_sent() {
    let server = TestServer::start();
    let mut connection = Connection::open(server.address).await;
    let response = connection.get("/v1/poll?inspect=1").await;
    let mut sent: Vec<_> = (response.headers().iter())
        .filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| json!([name.as_str(), value.to_str().unwrap()]))
        .collect();
    let inspect = &Answer::read(response).await.json()["inspect"]["response"];
    assert_eq!(inspect["line"], "HTTP/1.1 200 OK");
    let mut shown = inspect["headers"].as_array().unwrap().clone();
    let by_name = |header: &serde_json::Value| header[0].as_str().unwrap().to_owned();
    sent.sort_by_key(by_name);
    shown.sort_by_key(by_name);
    assert_eq!(shown, sent);
}

#[tokio::test]
async fn inspect_shows_no_credentials() {
    let server = TestServer::start();
    let mut connection = Connection::open(server.address).await;
    let secrets = [
        ("cookie", "secret"),
        ("authorization", "secret"),
        ("proxy-authorization", "secret"),
        ("x-forwarded-for", "secret"),
    ];
    let response = connection
        .send(Method::GET, "/v1/poll?inspect=1", &secrets)
        .await;
    assert!(!Answer::read(response).await.text().contains("secret"));
}

#[tokio::test]
async fn inspect_is_asked_for() {
    let server = TestServer::start();
    assert!(get(server.address, "/v1/poll?inspect=0").await.json()["inspect"].is_null());
    assert_eq!(
        get(server.address, "/v1/poll?inspect=yes").await.problem(),
        "bad_request"
    );
}
