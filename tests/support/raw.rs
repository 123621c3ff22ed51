//! A WebSocket client that says what it likes, and nothing by itself.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::soon;

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;
/// The bit that ends a message.
pub(crate) const LAST: u8 = 0x80;

/// What a client writes to become a WebSocket.
pub(crate) const UPGRADE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A frame as a client sends it: masked, its length written as short as it goes.
pub(crate) fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = header(first, body.len() as u64);
    let masked = body.iter().zip(MASK.iter().cycle()).map(|(b, m)| b ^ m);
    out.extend(masked);
    out
}

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// The header of a frame that announces so many bytes.
pub(crate) fn header(first: u8, len: u64) -> Vec<u8> {
    let mut out = vec![first];
    match len {
        0..=125 => out.push(0x80 | len as u8),
        126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend((len as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend(len.to_be_bytes());
        }
    }
    out.extend(MASK);
    out
}

pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    received: Vec<u8>,
}

impl Raw {
    /// Shakes hands at a target such as `/v1/ws`.
    pub(crate) async fn open(address: SocketAddr, target: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::open_on(stream, target, b"").await
    }

    /// Shakes hands on a connection, and sends what comes behind the request with it.
    pub(crate) async fn open_on(mut stream: TcpStream, target: &str, behind: &[u8]) -> Self {
        let request = format!("GET {target} HTTP/1.1\r\nHost: test\r\n{UPGRADE}\r\n");
        let bytes = [request.as_bytes(), behind].concat();
        stream.write_all(&bytes).await.unwrap();
        let mut raw = Self {
            stream,
            received: Vec::new(),
        };
        let head = soon("the handshake", async {
            loop {
                if let Some(end) = raw.received.windows(4).position(|four| four == b"\r\n\r\n") {
                    return raw.received.drain(..end + 4).collect::<Vec<_>>();
                }
                assert!(raw.read().await, "ended in its handshake");
            }
        });
        assert!(head.await.starts_with(b"HTTP/1.1 101 "));
        raw
    }

    /// Sends bytes, as far as the server still takes them.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next frame's first byte and body; `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        soon("a frame", async {
            loop {
                if let Some(frame) = self.take() {
                    return Some(frame);
                }
                if !self.read().await {
                    return None;
                }
            }
        })
        .await
    }

    /// Reads on until the server's close frame, then to the end of the connection; returns code and reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let mut closed = None;
        while let Some((first, body)) = self.next().await {
            assert!(closed.is_none(), "a frame after the close");
            if first == LAST | CLOSE {
                let code = body
                    .first_chunk()
                    .map_or(0, |code| u16::from_be_bytes(*code));
                let reason = body.get(2..).unwrap_or_default().to_vec();
                closed = Some((code, String::from_utf8(reason).unwrap()));
            }
        }
        closed.expect("a close frame")
    }

    async fn read(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.received).await, Ok(1..))
    }

    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, short) = (*self.received.first()?, *self.received.get(1)?);
        let (start, len) = match short {
            126 => {
                let len = self.received.get(2..4)?.try_into().unwrap();
                (4, usize::from(u16::from_be_bytes(len)))
            }
            127 => {
                let len = self.received.get(2..10)?.try_into().unwrap();
                (10, u64::from_be_bytes(len) as usize)
            }
            len => (2, usize::from(len)),
        };
        let body = self.received.get(start..start + len)?.to_vec();
        self.received.drain(..start + len);
        Some((first, body))
    }
}
