//! Who lives, who is gone, and how soon that is noticed.

use std::time::Duration;

use futures_util::StreamExt;
use tickertape::transport::Silence;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::support::raw::{CLOSE, LAST, PING, PONG, Raw, TEXT, UPGRADE, frame};
use super::support::scrape::{by_sink, until};
use super::support::server::Settings;
use super::support::{Client, TestServer, WebSocket, soon};

const LONG: Duration = Duration::from_secs(60);

fn pinging() -> TestServer {
    TestServer::with(Settings {
        silence: Silence {
            ping: Duration::from_millis(100),
            idle: LONG,
        },
        ..Settings::default()
    })
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let mut server = pinging();
    let mut client = WebSocket::open(server.address, "symbols=F").await;
    for _ in 0..5 {
        // Reading answers, too.
        let ping =
            async { while !matches!(client.socket.next().await, Some(Ok(Message::Ping(_)))) {} };
        soon("a ping", ping).await;
    }
    server.publish(&["F"]);
    assert_eq!(client.ticks(1).await.0, [("F".to_owned(), 2)]);
}

#[tokio::test]
async fn a_client_that_leaves_two_pings_unanswered_is_closed() {
    let server = pinging();
    for path in ["/v1/ws?symbols=F", "/v1/echo"] {
        let mut mute = Raw::open(server.address, path).await;
        let mut pings = 0;
        let closed = loop {
            match mute.next().await.expect("a close frame") {
                (first, _) if first == LAST | PING => pings += 1,
                (first, body) if first == LAST | CLOSE => break body,
                _ => {}
            }
        };
        assert_eq!(
            closed,
            [&4408_u16.to_be_bytes(), &b"idle_timeout"[..]].concat()
        );
        assert_eq!(pings, 2, "{path}");
    }
}

#[tokio::test]
async fn whatever_a_client_says_is_a_sign_of_life() {
    let server = pinging();
    let mut client = Raw::open(server.address, "/v1/echo").await;
    let mut pings = 0;
    while pings < 5 {
        match client.next().await.expect("it is not closed") {
            (first, _) if first == LAST | PING => {
                pings += 1;
                client.send(&frame(LAST | TEXT, b"here")).await.unwrap();
            }
            (first, body) => assert_eq!((first, &body[..]), (LAST | TEXT, &b"here"[..])),
        }
    }
}

#[tokio::test]
async fn a_pong_that_nobody_asked_for_is_no_offence() {
    let server = TestServer::start();
    let mut client = Raw::open(server.address, "/v1/echo").await;
    client.send(&frame(LAST | PONG, b"unasked")).await.unwrap();
    client.send(&frame(LAST | TEXT, b"here")).await.unwrap();
    assert_eq!(client.next().await, Some((LAST | TEXT, b"here".to_vec())));
}

fn impatient() -> TestServer {
    TestServer::with(Settings {
        silence: Silence {
            ping: LONG,
            idle: Duration::from_millis(200),
        },
        ..Settings::default()
    })
}

#[tokio::test]
async fn a_client_that_never_subscribes_is_closed() {
    let server = impatient();
    let mut client = Raw::open(server.address, "/v1/ws?symbols=").await;
    assert_eq!(client.closed().await, (4408, "idle_timeout".to_owned()));
    let closed =
        r#"tickertape_connections_closed_total{reason="idle_timeout",transport="websocket"}"#;
    until(server.address, closed, 1.0).await;
}

#[tokio::test]
async fn a_client_that_unsubscribes_from_everything_is_closed() {
    let server = impatient();
    let mut client = Raw::open(server.address, "/v1/ws?symbols=F").await;
    let message = br#"{"type":"unsubscribe","symbols":["F"]}"#;
    client.send(&frame(LAST | TEXT, message)).await.unwrap();
    assert_eq!(client.closed().await.0, 4408);
}

#[tokio::test]
async fn a_client_that_subscribes_in_time_stays() {
    let mut server = impatient();
    let mut early = WebSocket::open(server.address, "symbols=").await;
    early
        .send(Message::text(r#"{"type":"subscribe","symbols":["F"]}"#))
        .await;
    early.next_of("snapshot").await;
    // Another one that does not shows that the time is over.
    Raw::open(server.address, "/v1/ws?symbols=")
        .await
        .closed()
        .await;
    server.publish(&["F"]);
    early.ticks(1).await;
}

/// Requests that last, with the gauge that counts them.
fn lasting() -> [(&'static str, String); 5] {
    let connections = |transport| by_sink("connections", transport);
    [
        ("/v1/ws", connections("websocket")),
        ("/v1/sse", connections("sse")),
        ("/v1/stream", connections("ndjson")),
        ("/v1/poll?symbols=F&wait=60", connections("long_poll")),
        ("/v1/echo", "tickertape_echo_connections".to_owned()),
    ]
}

/// A client of each kind that does nothing more, once it is counted.
async fn present(server: &TestServer, target: &str, gauge: &str) -> TcpStream {
    let head = super::support::http::get(server.address, "/v1/quotes")
        .await
        .json();
    let since = if target.starts_with("/v1/poll") {
        format!("&since={}", head["cursor"].as_str().unwrap())
    } else {
        String::new()
    };
    let upgrade = if target.starts_with("/v1/ws") || target.starts_with("/v1/echo") {
        UPGRADE
    } else {
        ""
    };
    let request = format!("GET {target}{since} HTTP/1.1\r\nHost: test\r\n{upgrade}\r\n");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    until(server.address, gauge, 1.0).await;
    stream
}

#[tokio::test]
async fn a_client_that_hangs_up_is_noticed_on_every_transport() {
    let server = TestServer::start();
    for (target, gauge) in &lasting() {
        drop(present(&server, target, gauge).await);
        until(server.address, gauge, 0.0).await;
    }
}

#[tokio::test]
async fn a_client_that_closes_its_side_only_is_gone_too() {
    let server = TestServer::start();
    for (target, gauge) in &lasting() {
        let mut half = present(&server, target, gauge).await;
        half.shutdown().await.unwrap();
        until(server.address, gauge, 0.0).await;
        let mut rest = Vec::new();
        let _ = soon("the end", half.read_to_end(&mut rest)).await;
    }
}

#[tokio::test]
async fn whoever_connects_and_asks_for_nothing_is_sent_away() {
    let server = TestServer::with(Settings {
        request_timeout: Duration::from_secs(1),
        ..Settings::default()
    });
    for begun in ["", "GET /v1/quotes HTTP/1.1\r\nHost: te"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon("the end", stream.read_to_string(&mut answer))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{begun:?}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = TestServer::with(Settings {
        request_timeout: Duration::from_secs(1),
        ..Settings::default()
    });
    for path in ["/v1/echo", "/v1/latency"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon("the end", stream.read_to_string(&mut answer))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{path}: {answer}");
        assert!(answer.contains("/problems/idle_timeout"), "{answer}");
    }
}
