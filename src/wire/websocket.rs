//! WebSocket framing (RFC 6455, 5): what a server sends is not masked, and so the same for every client.

use bytes::Bytes;

use super::frame::Frame;

pub(super) const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// The head of an unfragmented, unmasked frame: 2, 4 or 10 bytes (RFC 6455, 5.2).
pub(super) fn header(opcode: u8, len: usize, out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match len {
        0..=125 => out.push(len as u8),
        126..=0xFFFF => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

fn control(opcode: u8, body: &[u8]) -> Frame {
    let mut out = Vec::with_capacity(2 + body.len());
    header(opcode, body.len(), &mut out);
    out.extend_from_slice(body);
    Frame::bare(out)
}

/// A message as pieces of at most `piece` bytes, none of which is copied: what they wait for then holds no more than
/// one of them.
pub fn pieces(text: bool, body: Bytes, piece: usize) -> impl Iterator<Item = Frame> {
    let mut head = Vec::with_capacity(10);
    header(if text { TEXT } else { BINARY }, body.len(), &mut head);
    let starts = (0..body.len()).step_by(piece);
    let bodies = starts.map(move |start| body.slice(start..body.len().min(start + piece)));
    std::iter::once(Bytes::from(head))
        .chain(bodies)
        .map(Frame::bare)
}

/// A WebSocket ping without a body.
pub fn ping() -> Frame {
    control(PING, &[])
}

/// A WebSocket pong with the ping's own body, at most 125 bytes.
pub fn pong(body: &[u8]) -> Frame {
    control(PONG, body)
}

/// A WebSocket close frame; without a code its body is empty (RFC 6455, 5.5.1).
pub fn close(code: Option<u16>, reason: &str) -> Frame {
    let mut body = Vec::with_capacity(2 + reason.len());
    if let Some(code) = code {
        body.extend_from_slice(&code.to_be_bytes());
        body.extend_from_slice(reason.as_bytes());
    }
    control(CLOSE, &body)
}
