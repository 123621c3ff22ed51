//! What `/metrics` says, held against what clients received.

use std::process::{Command, Stdio};

use tickertape::metrics::Sink;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::support::http::get;
use super::support::scrape::{by_sink, scrape, until, value};
use super::support::server::sink;
use super::support::{Client, LongPoll, Ndjson, Sse, TestServer, WebSocket, soon};

#[tokio::test]
async fn ticks_are_counted_by_transport_as_they_are_delivered() {
    let mut server = TestServer::start();
    let mut websocket = WebSocket::open(server.address, "").await;
    let mut sse = Sse::open(server.address, "symbols=F").await;
    let mut ndjson = Ndjson::open(server.address, "symbols=F,AAPL").await;
    let mut poll = LongPoll::open(server.address, "").await;
    websocket.next_of("snapshot").await;
    sse.next_of("snapshot").await;
    ndjson.next_of("snapshot").await;
    poll.next_of("snapshot").await;
    server.publish_each("F", 7);
    server.publish(&["AAPL", "MSFT"]);
    websocket.ticks(9).await;
    sse.ticks(7).await;
    ndjson.ticks(8).await;
    poll.ticks(9).await;
    for (transport, ticks) in [
        ("websocket", 9.0),
        ("sse", 7.0),
        ("ndjson", 8.0),
        ("long_poll", 9.0),
    ] {
        let delivered = format!("tickertape_ticks_delivered_total{{transport=\"{transport}\"}}");
        let text = until(server.address, &delivered, ticks).await;
        let aged = by_sink("delivery_latency_seconds_count", transport);
        assert_eq!(
            value(&text, &aged),
            ticks,
            "{transport}: live ticks, once each"
        );
    }
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open() {
    let server = TestServer::start();
    let open = &by_sink("connections", "websocket");
    let mut client = WebSocket::open(server.address, "").await;
    client.next_of("snapshot").await;
    until(server.address, open, 1.0).await;
    drop(client);
    let text = until(server.address, open, 0.0).await;
    let closed = "tickertape_connections_closed_total{reason=\"client\",transport=\"websocket\"}";
    assert_eq!(value(&text, closed), 1.0);
}

/// A reader that takes all, one that stops reading and is cut, one that comes back from a cursor.
#[tokio::test]
async fn every_tick_that_was_due_is_accounted_for() {
    let mut server = TestServer::start();
    let head = get(server.address, "/v1/quotes").await.json()["cursor"].clone();
    let mut quick = Ndjson::open(server.address, "symbols=F").await;
    quick.next_of("snapshot").await;
    let stuck = TcpStream::connect(server.address).await.unwrap();
    let mut stuck = BufReader::with_capacity(1, stuck);
    let request = b"GET /v1/stream?symbols=F HTTP/1.1\r\nHost: test\r\n\r\n";
    stuck.write_all(request).await.unwrap();
    read_line_with(&mut stuck, "\"snapshot\"").await;
    for _ in 0..40 {
        server.publish_each("AAPL", 10);
        server.publish_each("F", 500);
        quick.ticks(500).await;
    }
    let query = format!("symbols=F&since={}", head.as_str().unwrap());
    let mut resumed = Ndjson::open(server.address, &query).await;
    resumed.ticks(20_000).await;
    drop((quick, stuck, resumed));
    let open = &by_sink("connections", "ndjson");
    until(server.address, open, 0.0).await;
    let due = "tickertape_ticks_due_total{transport=\"ndjson\"}";
    let text = until(server.address, due, 60_000.0).await;
    let of = |what: &str| {
        let series = format!("tickertape_ticks_{what}_total{{transport=\"ndjson\"}}");
        value(&text, &series)
    };
    let stats = get(server.address, "/v1/stats").await.json();
    let ndjson = stats["transports"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["transport"] == "ndjson");
    let ledger = &ndjson.unwrap()["ledger"];
    assert_eq!(
        (ledger["due"].as_f64(), ledger["unsent"].as_f64()),
        (Some(60_000.0), Some(of("unsent")))
    );
    assert_eq!(of("due"), of("delivered") + of("gapped") + of("unsent"));
    assert!(
        of("delivered") > 40_000.0 && of("unsent") > 10_000.0,
        "{text}"
    );
}

async fn read_line_with(stream: &mut BufReader<TcpStream>, text: &str) {
    soon(text, async {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn replayed_ticks_are_delivered_but_have_no_latency() {
    let mut server = TestServer::start();
    let head = get(server.address, "/v1/quotes").await.json()["cursor"].clone();
    server.publish_each("F", 5);
    let query = format!("since={}", head.as_str().unwrap());
    let mut client = Ndjson::open(server.address, &query).await;
    client.ticks(5).await;
    let delivered = "tickertape_ticks_delivered_total{transport=\"ndjson\"}";
    let text = until(server.address, delivered, 5.0).await;
    let aged = &by_sink("delivery_latency_seconds_count", "ndjson");
    assert_eq!(value(&text, aged), 0.0);
}

/// Reads until a text has come and the bytes end as they should.
async fn read_until(stream: &mut TcpStream, received: &mut Vec<u8>, text: &str, end: &str) {
    let has = |received: &[u8]| {
        let mut windows = received.windows(text.len());
        windows.any(|window| window == text.as_bytes()) && received.ends_with(end.as_bytes())
    };
    soon(text, async {
        while !has(received) {
            assert!(stream.read_buf(received).await.unwrap() > 0);
        }
    })
    .await;
}

/// Payload and framing together are every byte after the response's head.
async fn counted_to_the_byte(path: &str, transport: &str) {
    let mut server = TestServer::start();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let upgrade = match transport {
        "websocket" => {
            "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        }
        _ => "",
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n{upgrade}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    read_until(&mut stream, &mut received, "\"snapshot\"", "").await;
    server.publish_each("F", 100);
    // The last message is whole when what ends it has come, and nothing follows it.
    let last = format!("\"F\",\"n\":{},", server.n("F"));
    let end = match (transport, sink()) {
        ("websocket", _) => "}]}",
        (_, Sink::Body) => "\r\n",
        ("sse", Sink::Direct) => "}\n\n",
        (_, Sink::Direct) => "}\n",
    };
    read_until(&mut stream, &mut received, &last, end).await;
    let head = received
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    let delivered = format!("tickertape_ticks_delivered_total{{transport=\"{transport}\"}}");
    let text = until(server.address, &delivered, 100.0).await;
    let layer = |layer| {
        let labels = format!("direction=\"out\",layer=\"{layer}\",transport=\"{transport}\"");
        value(&text, &format!("tickertape_wire_bytes_total{{{labels}}}"))
    };
    assert_eq!(
        layer("payload") + layer("framing"),
        (received.len() - head) as f64
    );
}

#[tokio::test]
async fn websocket_bytes_are_counted_to_the_byte() {
    counted_to_the_byte("/v1/ws", "websocket").await;
}

#[tokio::test]
async fn sse_bytes_are_counted_to_the_byte() {
    counted_to_the_byte("/v1/sse", "sse").await;
}

#[tokio::test]
async fn ndjson_bytes_are_counted_to_the_byte() {
    counted_to_the_byte("/v1/stream", "ndjson").await;
}

#[tokio::test]
async fn encodings_do_not_grow_with_clients() {
    let mut server = TestServer::start();
    let mut clients = Vec::new();
    for _ in 0..30 {
        let mut client = WebSocket::open(server.address, "").await;
        client.next_of("snapshot").await;
        clients.push(client);
    }
    let encodes = "tickertape_encodes_total{encoding=\"websocket\"}";
    // Each of the thirty was given a snapshot of its own.
    until(server.address, encodes, 30.0).await;
    for _ in 0..10 {
        server.publish(&["F"]);
        for client in &mut clients {
            client.ticks(1).await;
        }
    }
    let delivered = "tickertape_ticks_delivered_total{transport=\"websocket\"}";
    let text = until(server.address, delivered, 300.0).await;
    assert_eq!(
        value(&text, encodes),
        30.0,
        "a batch for all symbols is sent as it was published"
    );
}

#[tokio::test]
#[ignore = "needs promtool: apt-get install prometheus"]
async fn promtool_accepts_the_metrics() {
    let mut server = TestServer::start();
    let mut client = WebSocket::open(server.address, "").await;
    server.publish(&["F"]);
    client.ticks(1).await;
    let text = scrape(server.address).await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is on the PATH");
    std::io::Write::write_all(&mut promtool.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}
