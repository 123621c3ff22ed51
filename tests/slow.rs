//! Readers that do not read.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::support::{Client, Ndjson, TestServer, WebSocket, soon};

/// A connection that has asked for a stream and reads nothing yet, with as small a window as the kernel allows.
async fn stuck(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream
        .write_all(b"GET /v1/stream HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
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
