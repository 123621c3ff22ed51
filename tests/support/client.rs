//! One client a transport, all alike to the claims of the contract.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::http::{Answer, Connection};
use super::soon;

/// A client of one transport. A session is one connection, or one chain of polls.
pub(crate) trait Client: Sized {
    /// Opens a session with query parameters like `symbols=F&since=…`, or none.
    async fn open(address: SocketAddr, query: &str) -> Self;

    /// The next frame; `None` at the end of the session.
    async fn next(&mut self) -> Option<Value>;

    /// Whether what was missed comes in one frame with the gap inside.
    const ONE_FRAME_AN_ANSWER: bool = false;

    /// The next frame of a type, with what lies before it thrown away.
    async fn next_of(&mut self, wanted: &str) -> Value {
        let find = async {
            loop {
                let frame = self.next().await;
                let frame = frame.unwrap_or_else(|| panic!("ended before {wanted}"));
                if frame["type"] == wanted {
                    return frame;
                }
            }
        };
        soon(wanted, find).await
    }

    /// The next so many ticks as `(symbol, n)`, and the cursor after them.
    async fn ticks(&mut self, count: usize) -> (Vec<(String, u64)>, String) {
        let (mut ticks, mut cursor) = (Vec::new(), String::new());
        while ticks.len() < count {
            let frame = self.next_of("ticks").await;
            ticks.extend(ticks_of(&frame));
            cursor = cursor_of(&frame);
        }
        (ticks, cursor)
    }
}

/// The ticks or quotes in a frame as `(symbol, n)`.
pub(crate) fn ticks_of(frame: &Value) -> Vec<(String, u64)> {
    let data = frame["data"].as_array().unwrap();
    let pair = |tick: &Value| {
        let symbol = tick["symbol"].as_str().unwrap().to_owned();
        (symbol, tick["n"].as_u64().unwrap())
    };
    data.iter().map(pair).collect()
}

pub(crate) fn cursor_of(frame: &Value) -> String {
    frame["cursor"]
        .as_str()
        .unwrap_or_else(|| panic!("no cursor in {frame}"))
        .to_owned()
}

pub(crate) struct WebSocket {
    pub(crate) socket: WebSocketStream<TcpStream>,
    /// How the server closed.
    pub(crate) closed: Option<CloseFrame>,
}

impl WebSocket {
    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }
}

impl Client for WebSocket {
    async fn open(address: SocketAddr, query: &str) -> Self {
        let url = format!("ws://{address}/v1/ws?{query}");
        let mut request = url.into_client_request().unwrap();
        let ours = "ticker.v1.json".parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", ours);
        let stream = TcpStream::connect(address).await.unwrap();
        let opening = tokio_tungstenite::client_async(request, stream);
        let (socket, _) = soon("the handshake", opening).await.unwrap();
        Self {
            socket,
            closed: None,
        }
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            match soon("a message", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => self.closed = frame,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

/// The lines of a streamed body.
struct Lines {
    body: Incoming,
    /// Kept, or the connection would end.
    _connection: Connection,
    text: String,
    lines: VecDeque<String>,
}

impl Lines {
    async fn open(address: SocketAddr, target: &str, content_type: &str) -> Self {
        let mut connection = Connection::open(address).await;
        let response = connection.get(target).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], content_type);
        Self {
            body: response.into_body(),
            _connection: connection,
            text: String::new(),
            lines: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> Option<String> {
        while self.lines.is_empty() {
            let frame = soon("a line", self.body.frame()).await?.ok()?;
            self.text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
            while let Some((line, rest)) = self.text.split_once('\n') {
                self.lines.push_back(line.to_owned());
                self.text = rest.to_owned();
            }
        }
        self.lines.pop_front()
    }
}

pub(crate) struct Sse(Lines);

impl Client for Sse {
    async fn open(address: SocketAddr, query: &str) -> Self {
        Self(Lines::open(address, &format!("/v1/sse?{query}"), "text/event-stream").await)
    }

    async fn next(&mut self) -> Option<Value> {
        let (mut event, mut id, mut data) = (None, None, None);
        loop {
            let line = self.0.next().await?;
            match line.split_once(": ") {
                Some(("event", value)) => event = Some(value.to_owned()),
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("data", value)) => data = Some(value.to_owned()),
                Some(("retry", _)) => {}
                Some(_) => panic!("unknown field: {line}"),
                None if data.is_none() => {}
                None => {
                    let frame: Value = serde_json::from_str(&data?).unwrap();
                    assert_eq!(frame["type"], event.as_deref().unwrap());
                    // A welcome's cursor is an id only if the client brought it.
                    if frame["type"] != "welcome" || id.is_some() {
                        assert_eq!(frame["cursor"].as_str(), id.as_deref(), "{frame}");
                    }
                    return Some(frame);
                }
            }
        }
    }
}

pub(crate) struct Ndjson(Lines);

impl Client for Ndjson {
    async fn open(address: SocketAddr, query: &str) -> Self {
        let target = format!("/v1/stream?{query}");
        Self(Lines::open(address, &target, "application/x-ndjson").await)
    }

    async fn next(&mut self) -> Option<Value> {
        Some(serde_json::from_str(&self.0.next().await?).unwrap())
    }
}

/// A chain of polls, each from the cursor of the one before.
pub(crate) struct LongPoll {
    connection: Connection,
    /// The query without `since`.
    query: String,
    cursor: Option<String>,
}

impl Client for LongPoll {
    const ONE_FRAME_AN_ANSWER: bool = true;

    async fn open(address: SocketAddr, query: &str) -> Self {
        let (since, others): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .partition(|pair| pair.starts_with("since="));
        Self {
            connection: Connection::open(address).await,
            query: others.join("&"),
            cursor: since.first().map(|pair| pair["since=".len()..].to_owned()),
        }
    }

    async fn next(&mut self) -> Option<Value> {
        let since = self.cursor.iter().map(|cursor| format!("since={cursor}&"));
        let target = format!("/v1/poll?{}{}", since.collect::<String>(), self.query);
        let answer = Answer::read(self.connection.get(&target).await).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        let frame = answer.json();
        self.cursor = Some(cursor_of(&frame));
        Some(frame)
    }
}
