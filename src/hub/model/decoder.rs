//! What a client makes of the bytes that it reads.

use serde_json::Value;

use crate::wire::frame::Encoding;

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8A;

/// Takes bytes, however they are cut, and gives messages. It cannot make out a stream with a torn frame in it.
#[derive(Debug)]
pub(crate) struct Decoder {
    encoding: Encoding,
    bytes: Vec<u8>,
    /// Whether a close frame came, after which nothing may.
    closed: bool,
}

impl Decoder {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            bytes: Vec::new(),
            closed: false,
        }
    }

    /// The messages that end in these bytes.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Vec<Value> {
        self.bytes.extend_from_slice(bytes);
        let (mut messages, mut at) = (Vec::new(), 0);
        while let Some((message, len)) = self.next(at) {
            at += len;
            messages.extend(message.map(|range| {
                let json = &self.bytes[range];
                serde_json::from_slice::<Value>(json).unwrap_or_else(|error| {
                    panic!("{error} in {:?}", String::from_utf8_lossy(json))
                })
            }));
        }
        self.bytes.drain(..at);
        messages
    }

    /// Whether it has read whole frames only.
    pub(crate) fn is_between_frames(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next frame's message, if it has one, and how long the frame is.
    fn next(&mut self, at: usize) -> Option<(Option<std::ops::Range<usize>>, usize)> {
        let rest = &self.bytes[at..];
        let find = |what: &[u8]| rest.windows(what.len()).position(|bytes| bytes == what);
        let whole = |start: usize, end: usize, len: usize| (Some(at + start..at + end), len);
        match self.encoding {
            Encoding::Json => (!rest.is_empty()).then(|| whole(0, rest.len(), rest.len())),
            Encoding::Ndjson => find(b"\n").map(|end| whole(0, end, end + 1)),
            Encoding::Sse => {
                let end = find(b"\n\n")?;
                let data = find(b"\ndata: ").expect("each event has data");
                Some(whole(data + 7, end, end + 2))
            }
            Encoding::WebSocket => {
                assert!(!self.closed || rest.is_empty(), "bytes after a close frame");
                let (&[opcode, short], body) = rest.split_first_chunk()?;
                let (head, len) = match short {
                    126 => (4, u16::from_be_bytes(*body.first_chunk()?).into()),
                    127 => (10, u64::from_be_bytes(*body.first_chunk()?) as usize),
                    len => (2, usize::from(len)),
                };
                let end = head + len;
                if rest.len() < end {
                    return None;
                }
                self.closed = opcode == CLOSE;
                assert!(matches!(opcode, TEXT | CLOSE | PONG), "a torn frame");
                let message = (opcode == TEXT).then(|| at + head..at + end);
                Some((message, end))
            }
        }
    }
}
