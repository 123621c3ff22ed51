//! Clients that mean harm: what each costs the server in memory, and what the others see of it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::support::proc::Proc;
use super::support::process::Running;
use super::support::raw::{LAST, PING, Raw, TEXT, frame, header};
use super::support::watcher::Watcher;
use super::support::{Client, Sse, soon};

/// Enough for the noise of an allocator to weigh little in each one's share.
const ATTACKERS: u64 = 8;

/// What one of them may cost at its worst.
const MOST_BYTES: u64 = 1 << 20;

const BINARY: u8 = 0x2;
const CONTINUATION: u8 = 0x0;

/// Runs an attack by many at once. What each costs at its worst is bounded, and a watcher sees every tick.
async fn survives<F, A>(attack: A)
where
    A: Fn(SocketAddr) -> F,
    F: Future<Output = TcpStream> + Send + 'static,
{
    let mut server = Running::start(&["--tick-rate", "500", "--symbols", "5", "--workers", "2"]);
    let address = server.address;
    // What any client makes the server set up once is no part of what an attacker costs.
    Sse::open(address, "").await.next_of("ticks").await;
    Raw::open(address, "/v1/echo")
        .await
        .send(&frame(LAST | TEXT, &[b'x'; 1000]))
        .await
        .unwrap();
    let watcher = Watcher::start(address).await;
    let process = Proc(server.child.id());
    let before = process.resident();
    let mut attacks = JoinSet::new();
    for _ in 0..ATTACKERS {
        attacks.spawn(attack(address));
    }
    // Whoever is still connected stays until it has been counted.
    let attackers = soon("the attacks", attacks.join_all()).await;
    let each = process.peak().saturating_sub(before) / ATTACKERS;
    drop(attackers);
    watcher.sees(10).await;
    server.signal("-TERM");
    watcher.ended().await;
    assert_eq!(server.wait().0, Some(0));
    println!("{} KiB for each attacker", each / 1024);
    assert!(each < MOST_BYTES, "{each} bytes for each attacker");
}

/// Sends the same bytes as long as the server takes them within a moment, at most so many times.
async fn pour(stream: &mut TcpStream, bytes: &[u8], times: u64) {
    const MOMENT: std::time::Duration = std::time::Duration::from_millis(500);
    for _ in 0..times {
        match tokio::time::timeout(MOMENT, stream.write_all(bytes)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

async fn websocket(address: SocketAddr, target: &str) -> TcpStream {
    Raw::open(address, target).await.stream
}

#[tokio::test]
async fn a_frame_of_a_gibibyte() {
    survives(async |address| {
        let mut stream = websocket(address, "/v1/ws").await;
        pour(&mut stream, &header(LAST | BINARY, 1 << 30), 1).await;
        pour(&mut stream, &[0; 1 << 16], 1 << 9).await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_message_without_end() {
    survives(async |address| {
        let mut stream = websocket(address, "/v1/ws").await;
        pour(&mut stream, &frame(TEXT, b"{"), 1).await;
        pour(&mut stream, &frame(CONTINUATION, &[b' '; 1000]), 1 << 14).await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_message_of_empty_parts_without_end() {
    survives(async |address| {
        let mut stream = websocket(address, "/v1/ws").await;
        pour(&mut stream, &frame(TEXT, b""), 1).await;
        pour(&mut stream, &frame(CONTINUATION, b"").repeat(1000), 1 << 10).await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_message_that_stops_short_of_its_end() {
    survives(async |address| {
        let mut stream = websocket(address, "/v1/echo").await;
        pour(&mut stream, &header(LAST | BINARY, 512 << 10), 1).await;
        pour(&mut stream, &[0; 1 << 10], 511).await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_pings_whose_answers_are_not_read() {
    survives(async |address| {
        let mut stream = websocket(address, "/v1/ws?symbols=").await;
        pour(
            &mut stream,
            &frame(LAST | PING, &[0; 125]).repeat(500),
            1 << 10,
        )
        .await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_messages_whose_echoes_are_not_read() {
    survives(async |address| {
        let mut stream = websocket(address, "/v1/echo").await;
        pour(&mut stream, &frame(LAST | TEXT, &[b'x'; 100_000]), 1 << 9).await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_body_without_end() {
    survives(async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = b"POST /v1/echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
        pour(&mut stream, head, 1).await;
        let chunk = [&b"400\r\n"[..], &[b'x'; 1024], b"\r\n"].concat();
        pour(&mut stream, &chunk, 1 << 14).await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_head_without_end() {
    survives(async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        pour(&mut stream, b"GET /v1/ws HTTP/1.1\r\nHost: test\r\n", 1).await;
        pour(
            &mut stream,
            format!("X: {}\r\n", "y".repeat(1000)).as_bytes(),
            1 << 12,
        )
        .await;
        stream
    })
    .await;
}

#[tokio::test]
async fn a_report_as_long_as_it_may_be() {
    survives(async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let body = format!(
            "{{\"clock_error_us\":1,\"ages_us\":{{\"sse\":[{}[0,0]]}}}}",
            "[1,1],".repeat(10_800)
        );
        let head = format!(
            "POST /v1/latency HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        for _ in 0..20 {
            pour(&mut stream, (head.clone() + &body).as_bytes(), 1).await;
            let mut answer = [0; 1024];
            let read = soon("an answer", stream.read(&mut answer)).await.unwrap();
            assert!(answer[..read].starts_with(b"HTTP/1.1 400 "));
        }
        stream
    })
    .await;
}

#[tokio::test]
async fn half_a_connection() {
    survives(async |address| {
        let mut stream = websocket(address, "/v1/ws").await;
        stream.shutdown().await.unwrap();
        stream
    })
    .await;
}
