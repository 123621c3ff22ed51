//! Clients that break off, stall, or come all at once: nobody else notices, and nothing is left of them.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tickertape::server::Descriptors;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::support::proc::Proc;
use super::support::process::Running;
use super::support::raw::{LAST, Raw, TEXT, UPGRADE, frame};
use super::support::scrape::{by_sink, until};
use super::support::watcher::Watcher;
use super::support::{Client, Sse, TestServer, WebSocket, soon};

/// One of each kind that streams: where, and its label.
const STREAMS: [(&str, &str); 3] = [
    ("/v1/ws", "websocket"),
    ("/v1/sse", "sse"),
    ("/v1/stream", "ndjson"),
];

/// What asks for a stream.
fn request(target: &str) -> String {
    let upgrade = if target.starts_with("/v1/ws") {
        UPGRADE
    } else {
        ""
    };
    format!("GET {target} HTTP/1.1\r\nHost: test\r\n{upgrade}\r\n")
}

/// A connection with as small a window as the kernel allows that has asked for a stream and read the first byte of
/// the answer.
async fn begun(address: SocketAddr, target: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = request(target);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 1];
    let read = stream.read_exact(&mut first);
    soon("an answer", read).await.unwrap();
    stream
}

/// So many of each kind.
async fn crowd(address: SocketAddr, of_each: usize) -> Vec<TcpStream> {
    let mut crowd = JoinSet::new();
    for (target, _) in STREAMS {
        for _ in 0..of_each {
            crowd.spawn(begun(address, target));
        }
    }
    crowd.join_all().await
}

/// The real binary and somebody who watches it.
struct Watched {
    server: Running,
    watcher: Watcher,
}

impl Watched {
    async fn start() -> Self {
        let server = Running::start(&[
            "--tick-rate=2000",
            "--symbols=5",
            "--workers=2",
            "--journal=64KiB",
        ]);
        let watcher = Watcher::start(server.address).await;
        // What any client makes the server set up once is nobody's in particular.
        Sse::open(server.address, "").await.next_of("ticks").await;
        Self { server, watcher }
    }

    fn process(&self) -> Proc {
        Proc(self.server.child.id())
    }

    /// Waits until all sessions but the watcher's have ended and their descriptors are closed.
    async fn is_alone(&self, descriptors: usize) {
        for (target, transport) in STREAMS {
            let watchers = u8::from(target == "/v1/ws");
            let gauge = by_sink("connections", transport);
            until(self.server.address, &gauge, watchers.into()).await;
        }
        soon("closed descriptors", async {
            while self.process().descriptors() > descriptors {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Ends, with a watcher who has missed nothing.
    async fn end(mut self) {
        self.watcher.sees(10).await;
        self.server.signal("-TERM");
        self.watcher.ended().await;
        assert_eq!(self.server.wait().0, Some(0));
    }
}

#[tokio::test]
async fn clients_that_never_read_cost_little_and_hold_up_nobody() {
    const OF_EACH: usize = 20;
    const MOST_BYTES: u64 = 128 << 10;
    let watched = Watched::start().await;
    // Until the journal has its size.
    watched.watcher.sees(1_000).await;
    let process = watched.process();
    let (descriptors, before) = (process.descriptors(), process.resident());
    let stuck = crowd(watched.server.address, OF_EACH).await;
    // A megabyte for each of them, and the kernel takes a tenth of that.
    watched.watcher.sees(1_500).await;
    let each = process.peak().saturating_sub(before) / stuck.len() as u64;
    println!("{} KiB for each", each / 1024);
    assert!(each < MOST_BYTES, "{each} bytes for each");
    drop(stuck);
    watched.is_alone(descriptors).await;
    watched.end().await;
}

#[tokio::test]
async fn clients_that_read_a_byte_now_and_then_stay_and_hold_up_nobody() {
    let watched = Watched::start().await;
    let descriptors = watched.process().descriptors();
    let mut slow = crowd(watched.server.address, 5).await;
    for _ in 0..100 {
        watched.watcher.sees(5).await;
        for stream in &mut slow {
            let read = soon("a byte", stream.read_u8()).await;
            assert!(read.is_ok(), "it is still served");
        }
    }
    drop(slow);
    watched.is_alone(descriptors).await;
    watched.end().await;
}

#[tokio::test]
async fn connections_reset_in_the_middle_of_a_fan_out_leave_nothing_behind() {
    let watched = Watched::start().await;
    let descriptors = watched.process().descriptors();
    for _ in 0..5 {
        let crowd = crowd(watched.server.address, 20).await;
        watched.watcher.sees(20).await;
        for stream in crowd {
            SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        }
    }
    watched.is_alone(descriptors).await;
    watched.end().await;
}

/// Its way out is full, so it is not listened to.
#[tokio::test]
async fn a_client_that_has_not_read_is_gone_when_it_breaks_off() {
    let mut server = TestServer::start();
    let address = server.address;
    for (target, transport) in STREAMS {
        let stuck = begun(address, target).await;
        let mut quick = WebSocket::open(address, "symbols=AAPL").await;
        quick.next_of("snapshot").await;
        // Many at once leave in one frame of many bytes.
        server.publish_each("F", 20_000);
        server.publish(&["AAPL"]);
        quick.ticks(1).await;
        drop(quick);
        drop(stuck);
        until(address, &by_sink("connections", transport), 0.0).await;
    }
}

#[tokio::test]
async fn many_who_come_at_once_are_all_served() {
    const MANY: usize = 1_000;
    // The clients' descriptors are this process's, too.
    Descriptors::raise();
    let mut server = TestServer::start();
    let address = server.address;
    let mut coming = JoinSet::new();
    for _ in 0..MANY {
        coming.spawn(async move {
            let mut client = WebSocket::open(address, "symbols=F").await;
            client.next_of("snapshot").await;
            client
        });
    }
    let mut clients = soon("all of them", coming.join_all()).await;
    server.publish(&["F"]);
    for client in &mut clients {
        assert_eq!(client.ticks(1).await.0, [("F".to_owned(), 2)]);
    }
}

#[tokio::test]
async fn a_request_behind_one_for_a_stream_is_not_answered_and_harms_nobody() {
    let mut server = TestServer::start();
    let mut other = WebSocket::open(server.address, "symbols=F").await;
    other.next_of("snapshot").await;
    for target in ["/v1/sse?symbols=F", "/v1/stream?symbols=F"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let both = request(target) + &request("/v1/time");
        stream.write_all(both.as_bytes()).await.unwrap();
        let mut text = String::new();
        read_until(&mut stream, &mut text, "\"snapshot\"").await;
        let before = server.n("F");
        server.publish_each("F", 100);
        let last = format!(r#""symbol":"F","n":{},"#, server.n("F"));
        read_until(&mut stream, &mut text, &last).await;
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "{target}: {text}");
        let (ticks, _) = other.ticks(100).await;
        let ns: Vec<_> = ticks.into_iter().map(|(_, n)| n).collect();
        assert_eq!(ns, (before + 1..=before + 100).collect::<Vec<_>>());
    }
}

async fn read_until(stream: &mut TcpStream, text: &mut String, wanted: &str) {
    let mut buffer = [0; 4096];
    while !text.contains(wanted) {
        let read = soon(wanted, stream.read(&mut buffer)).await.unwrap();
        assert!(read > 0, "ended before {wanted}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
}

#[tokio::test]
async fn what_comes_with_a_handshake_is_heard() {
    let server = TestServer::start();
    for (id, target) in [(1, "/v1/ws?symbols="), (2, "/v1/ws?symbols=AAPL")] {
        let messages = [
            format!(r#"{{"type":"subscribe","id":{id},"symbols":["F"]}}"#),
            format!(r#"{{"type":"ping","id":{id}}}"#),
        ];
        let frames = messages.map(|message| frame(LAST | TEXT, message.as_bytes()));
        let stream = TcpStream::connect(server.address).await.unwrap();
        let mut client = Raw::open_on(stream, target, &frames.concat()).await;
        let mut seen = Vec::new();
        while !(seen.contains(&"subscribed".to_owned()) && seen.contains(&"pong".to_owned())) {
            let (_, body) = client.next().await.expect("an answer");
            let frame: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!(frame.get("id").is_none_or(|given| *given == id), "{frame}");
            seen.push(frame["type"].as_str().unwrap().to_owned());
        }
    }
}

/// Half a frame with the handshake, the rest later.
#[tokio::test]
async fn a_message_that_comes_with_a_handshake_in_part_is_heard() {
    let server = TestServer::start();
    let message = frame(LAST | TEXT, br#"{"type":"ping","id":7}"#);
    for cut in [1, 4, message.len() - 1] {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let mut client = Raw::open_on(stream, "/v1/ws?symbols=", &message[..cut]).await;
        client.send(&message[cut..]).await.unwrap();
        let pong = loop {
            let (_, body) = client.next().await.expect("an answer");
            let frame: serde_json::Value = serde_json::from_slice(&body).unwrap();
            if frame["type"] != "welcome" {
                break frame;
            }
        };
        assert_eq!((&pong["type"], &pong["id"]), (&"pong".into(), &7.into()));
    }
}

#[tokio::test]
async fn a_stream_may_be_a_connections_second_request() {
    let server = TestServer::start();
    for (target, transport) in STREAMS {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let mut text = String::new();
        stream
            .write_all(request("/v1/time").as_bytes())
            .await
            .unwrap();
        read_until(&mut stream, &mut text, "}").await;
        stream.write_all(request(target).as_bytes()).await.unwrap();
        let mut first = [0; 1];
        soon("an answer", stream.read_exact(&mut first))
            .await
            .unwrap();
        // By its sink: a socket of ours, where that is chosen.
        until(server.address, &by_sink("connections", transport), 1.0).await;
    }
}
