//! Readers that do not read.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::support::raw::{Raw, UPGRADE};
use super::support::scrape::{by_sink, until};
use super::support::server::Settings;
use super::support::{Client, Ndjson, TestServer, WebSocket, soon};

/// A connection that has asked for a stream and reads nothing yet, with as small a window as the kernel allows.
async fn stuck(server: &TestServer) -> TcpStream {
    stuck_on(server, "/v1/stream").await
}

async fn stuck_on(server: &TestServer, target: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let upgrade = if target.starts_with("/v1/ws") {
        UPGRADE
    } else {
        ""
    };
    let request = format!("GET {target} HTTP/1.1\r\nHost: test\r\n{upgrade}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // The head says that the session is open.
    let mut first = [0; 1];
    stream.read_exact(&mut first).await.unwrap();
    stream
}

/// Far more than all buffers between server and client hold: about 4 MiB.
const TICKS: u64 = 20_000;

#[tokio::test]
async fn a_stuck_reader_does_not_hold_up_the_others() {
    let mut server = TestServer::start();
    let _stuck = stuck(&server).await;
    let mut quick = WebSocket::open(server.address, "").await;
    quick.next_of("snapshot").await;
    let mut seen = Vec::new();
    for _ in 0..TICKS / 500 {
        server.publish_each("F", 500);
        seen.extend(quick.ticks(500).await.0.into_iter().map(|(_, n)| n));
    }
    assert_eq!(seen, (2..=TICKS + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_that_wakes_up_gets_everything_from_the_journal() {
    let mut server = TestServer::start();
    let mut stuck = stuck(&server).await;
    // Another client of the same kind shows when the server is through.
    let mut quick = Ndjson::open(server.address, "").await;
    quick.next_of("snapshot").await;
    for _ in 0..TICKS / 500 {
        server.publish_each("F", 500);
        quick.ticks(500).await;
    }
    let last = format!(r#""symbol":"F","n":{},"#, TICKS + 1);
    let mut text = String::new();
    let mut buffer = vec![0; 1 << 16];
    while !text[text.len().saturating_sub(1 << 17)..].contains(&last) {
        let read = soon("the rest of the tape", stuck.read(&mut buffer))
            .await
            .unwrap();
        assert!(
            read > 0,
            "the server gave up on a reader that it could serve"
        );
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    // Chunk headers may cut a line, but never between a symbol and its counter.
    let mut next = 2;
    for part in text.split(r#"{"symbol":"F","n":"#).skip(2) {
        let n: u64 = part[..part.find(',').unwrap()].parse().unwrap();
        assert_eq!(n, next, "a gap or a repeat");
        next += 1;
    }
    assert_eq!(next, TICKS + 2);
}

/// A client that is slow, wanted to be closed then, and does not even read that. Its end is a reset, or if the kernel
/// has taken the rest after all, what was to be said last.
async fn is_ended(target: &str, transport: &str, last: &[u8]) {
    let mut server = TestServer::with(Settings {
        slow_after: Duration::from_millis(200),
        ..Settings::default()
    });
    let mut stuck = stuck_on(&server, target).await;
    let mut quick = Ndjson::open(server.address, "symbols=F").await;
    quick.next_of("snapshot").await;
    for _ in 0..TICKS / 500 {
        server.publish_each("F", 500);
        quick.ticks(500).await;
    }
    let labels = format!("{{reason=\"slow_consumer\",transport=\"{transport}\"}}");
    let closed = format!("tickertape_connections_closed_total{labels}");
    until(server.address, &closed, 1.0).await;
    let mut rest = Vec::new();
    let end = soon("the end", stuck.read_to_end(&mut rest)).await;
    assert!(end.is_err() || rest.ends_with(last), "torn");
}

#[tokio::test]
async fn a_stuck_websocket_that_wants_to_be_closed_is_ended() {
    is_ended("/v1/ws?policy=disconnect", "websocket", b"slow_consumer").await;
}

#[tokio::test]
async fn a_stuck_stream_that_wants_to_be_closed_is_ended() {
    is_ended("/v1/sse?policy=disconnect", "sse", b"}\n\n").await;
}

#[tokio::test]
async fn a_slow_websocket_is_told_why_it_is_closed() {
    let mut server = TestServer::with(Settings {
        max_behind: 1_000,
        slow_after: Duration::from_millis(200),
        ..Settings::default()
    });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    let mut slow = Raw::open_on(stream, "/v1/ws?policy=disconnect", b"").await;
    let mut quick = Ndjson::open(server.address, "symbols=F").await;
    quick.next_of("snapshot").await;
    // Enough for such a small window: it must read while it is still waited for.
    for _ in 0..8 {
        server.publish_each("F", 500);
        quick.ticks(500).await;
    }
    assert_eq!(slow.closed().await, (4480, "slow_consumer".to_owned()));
}

#[tokio::test]
async fn a_stuck_reader_is_given_up_when_its_time_is_over() {
    let mut server = TestServer::with(Settings {
        client_timeout: Duration::from_secs(1),
        ..Settings::default()
    });
    let _stuck = stuck_on(&server, "/v1/sse").await;
    let mut quick = Ndjson::open(server.address, "symbols=F").await;
    quick.next_of("snapshot").await;
    for _ in 0..TICKS / 500 {
        server.publish_each("F", 500);
        quick.ticks(500).await;
    }
    let gauge = &by_sink("connections", "sse");
    until(server.address, gauge, 0.0).await;
}
