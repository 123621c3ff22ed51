//! A little server that speaks the wire on all five transports and, on request, misbehaves in one way.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Between two batches. A batch holds one tick of each symbol.
const PERIOD: Duration = Duration::from_millis(5);
const SYMBOLS: [&str; 2] = ["AAPL", "MSFT"];
/// Every so many batches something goes wrong, if anything does.
const FAULT_EVERY: u64 = 20;

/// The fields of a gap, in a frame of its own or inside a poll's snapshot.
const GAP: &str = r#""from":"fake-0","reason":"replay_window""#;

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Leaves a tick out and says nothing.
    Lose,
    /// Sends a tick twice.
    Repeat,
    /// Leaves a tick out and owns up to it in a `lag`.
    Lag,
    /// Forgets a batch and owns up to it in a `gap`, with a snapshot after it.
    Gap,
    /// Ends every stream after a while.
    HangUp,
    /// Answers 503 to all but probes.
    Refuse,
}

struct Tape {
    fault: Fault,
    /// The ticks of each batch; the batch of seq 1 is the first.
    batches: Mutex<Vec<String>>,
    head: watch::Sender<u64>,
    /// Sessions and polls served so far.
    served: watch::Sender<u64>,
}

/// A running server; gone when dropped.
pub(crate) struct Fake {
    pub(crate) url: String,
    tape: Arc<Tape>,
    runtime: Option<Runtime>,
}

impl Fake {
    pub(crate) fn start(fault: Fault) -> Self {
        let listener = (0..)
            .map(|turn: u32| 20_000 + (RandomState::new().hash_one(turn) % 40_000) as u16)
            .find_map(|port| StdListener::bind(("127.0.0.1", port)).ok())
            .unwrap();
        Self::on(listener, fault)
    }

    pub(crate) fn on(listener: StdListener, fault: Fault) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let tape = Arc::new(Tape {
            fault,
            batches: Mutex::default(),
            head: watch::Sender::new(0),
            served: watch::Sender::new(0),
        });
        runtime.spawn(publish(Arc::clone(&tape)));
        runtime.spawn(accept(listener, Arc::clone(&tape)));
        Self {
            url,
            tape,
            runtime: Some(runtime),
        }
    }

    /// Waits until so many sessions or polls have begun.
    pub(crate) fn wait_for_sessions(&self, sessions: u64) {
        let mut served = self.tape.served.subscribe();
        let runtime = self.runtime.as_ref().unwrap();
        runtime.block_on(async {
            served.wait_for(|served| *served >= sessions).await.unwrap();
        });
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn now_us() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_micros()
}

fn tick(symbol: &str, n: u64) -> String {
    let ts = now_us();
    format!(
        r#"{{"symbol":"{symbol}","n":{n},"ts":{ts},"last":190.12,"size":100,"bid":190.11,"ask":190.13,"volume":1}}"#
    )
}

async fn publish(tape: Arc<Tape>) {
    let mut timer = tokio::time::interval(PERIOD);
    for n in 1.. {
        timer.tick().await;
        let mut ticks: Vec<_> = SYMBOLS.iter().map(|symbol| tick(symbol, n)).collect();
        if n % FAULT_EVERY == 0 {
            match tape.fault {
                Fault::Lose | Fault::Lag => drop(ticks.remove(0)),
                Fault::Repeat => ticks.push(ticks[0].clone()),
                Fault::None | Fault::Gap | Fault::HangUp | Fault::Refuse => {}
            }
        }
        tape.batches.lock().unwrap().push(ticks.join(","));
        tape.head.send_replace(n);
    }
}

impl Tape {
    fn frame(&self, kind: &str, cursor: u64, data: &str) -> String {
        format!(
            r#"{{"type":"{kind}","cursor":"fake-{cursor}","ts":{},"data":[{data}]}}"#,
            now_us()
        )
    }

    fn snapshot(&self, seq: u64) -> String {
        let quotes: Vec<_> = SYMBOLS.iter().map(|symbol| tick(symbol, seq)).collect();
        self.frame("snapshot", seq, &quotes.join(","))
    }

    /// All batches after `since`, as one frame's ticks.
    fn since(&self, since: u64) -> (u64, String) {
        let batches = self.batches.lock().unwrap();
        (batches.len() as u64, batches[since as usize..].join(","))
    }

    /// The frames that a stream sends for one batch, with their types and cursors.
    fn frames(&self, seq: u64) -> Vec<(&'static str, u64, String)> {
        if self.fault == Fault::Gap && seq.is_multiple_of(FAULT_EVERY) {
            return Vec::new();
        }
        if self.fault == Fault::Gap && seq % FAULT_EVERY == 1 {
            return vec![
                ("gap", seq, format!(r#"{{"type":"gap",{GAP}}}"#)),
                ("snapshot", seq, self.snapshot(seq)),
            ];
        }
        let data = self.batches.lock().unwrap()[seq as usize - 1].clone();
        let mut frames = vec![("ticks", seq, self.frame("ticks", seq, &data))];
        if self.fault == Fault::Lag && seq % FAULT_EVERY == 1 {
            // The tick before this one was left out: the jump shows here, and is explained here.
            frames.push((
                "lag",
                seq,
                format!(r#"{{"type":"lag","conflated":1,"cursor":"fake-{seq}"}}"#),
            ));
        }
        frames
    }
}

async fn accept(listener: StdListener, tape: Arc<Tape>) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let tape = Arc::clone(&tape);
        tokio::spawn(async move {
            // How a client leaves is its own business.
            let _ = serve(stream, &tape).await;
        });
    }
}

async fn serve(mut stream: TcpStream, tape: &Tape) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head: Vec<u8> = buffer.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let target = head.split(' ').nth(1).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path.starts_with("/v1") {
            tape.served.send_modify(|served| *served += 1);
        }
        if tape.fault == Fault::Refuse && path != "/readyz" {
            stream
                .write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                .await?;
            continue;
        }
        match path {
            "/readyz" => answer(&mut stream, "ready").await?,
            "/v1/quotes" => {
                let seq = *tape.head.borrow();
                answer(&mut stream, &tape.snapshot(seq)).await?;
            }
            "/v1/poll" => answer(&mut stream, &poll(query, tape).await).await?,
            "/v1/sse" => return stream_sse(stream, tape).await,
            "/v1/stream" => return stream_ndjson(stream, tape).await,
            "/v1/ws" => return websocket(stream, &head, tape).await,
            _ => {
                stream
                    .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    .await?;
            }
        }
    }
}

async fn answer(stream: &mut TcpStream, body: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).await
}

async fn poll(query: &str, tape: &Tape) -> String {
    let since = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("since=fake-"));
    let Some(since) = since.map(|seq| seq.parse::<u64>().unwrap()) else {
        let seq = *tape.head.borrow();
        return tape.snapshot(seq);
    };
    tape.head
        .subscribe()
        .wait_for(|head| *head > since)
        .await
        .unwrap();
    let (seq, data) = tape.since(since);
    if tape.fault == Fault::Gap && since % FAULT_EVERY == 0 {
        let gap = format!(r#"{{"type":"snapshot","gap":{{{GAP}}},"#);
        return tape
            .snapshot(seq)
            .replacen(r#"{"type":"snapshot","#, &gap, 1);
    }
    tape.frame("ticks", seq, &data)
}

/// Hands every frame of a session to `send`: welcome, snapshot, then the tape.
async fn follow<F: Future<Output = io::Result<()>>>(
    tape: &Tape,
    mut send: impl FnMut(&'static str, Option<u64>, String) -> F,
) -> io::Result<()> {
    let mut head = tape.head.subscribe();
    let start = *head.borrow();
    let mut seq = start;
    let welcome = format!(
        r#"{{"type":"welcome","protocol":"ticker.v1","cursor":"fake-{seq}","heartbeat_ms":5000}}"#
    );
    send("welcome", Some(seq), welcome).await?;
    send("snapshot", Some(seq), tape.snapshot(seq)).await?;
    loop {
        let latest = *head.wait_for(|head| *head > seq).await.unwrap();
        while seq < latest {
            seq += 1;
            if tape.fault == Fault::HangUp && seq == start + FAULT_EVERY {
                return Ok(());
            }
            for (kind, cursor, frame) in tape.frames(seq) {
                send(kind, Some(cursor), frame).await?;
            }
        }
    }
}

const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

async fn stream_sse(mut stream: TcpStream, tape: &Tape) -> io::Result<()> {
    stream.write_all(STREAM_HEAD).await?;
    stream
        .write_all(&chunk("retry: 1500\n\nid: fake-0\n\n"))
        .await?;
    let stream = tokio::sync::Mutex::new(stream);
    let shared = &stream;
    follow(tape, |kind, cursor, frame| {
        let id = cursor.map_or_else(String::new, |seq| format!("id: fake-{seq}\n"));
        let block = chunk(&format!("event: {kind}\n{id}data: {frame}\n\n"));
        async move { shared.lock().await.write_all(&block).await }
    })
    .await?;
    stream.into_inner().write_all(b"0\r\n\r\n").await
}

async fn stream_ndjson(mut stream: TcpStream, tape: &Tape) -> io::Result<()> {
    stream.write_all(STREAM_HEAD).await?;
    let stream = tokio::sync::Mutex::new(stream);
    let shared = &stream;
    follow(tape, |_, _, frame| {
        let line = chunk(&(frame + "\n"));
        async move { shared.lock().await.write_all(&line).await }
    })
    .await?;
    stream.into_inner().write_all(b"0\r\n\r\n").await
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

async fn websocket(mut stream: TcpStream, head: &str, tape: &Tape) -> io::Result<()> {
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    assert_eq!(header("sec-websocket-protocol"), Some("ticker.v1.json"));
    let key = derive_accept_key(header("sec-websocket-key").unwrap().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {key}\r\nSec-WebSocket-Protocol: ticker.v1.json\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let socket = tokio::sync::Mutex::new(socket);
    let shared = &socket;
    follow(tape, |_, _, frame| async move {
        shared
            .lock()
            .await
            .send(Message::text(frame))
            .await
            .map_err(io::Error::other)
    })
    .await?;
    socket
        .into_inner()
        .close(None)
        .await
        .map_err(io::Error::other)
}
