//! A frame's header (RFC 6455, 5.2): 6, 8 or 14 bytes from a client.

use crate::wire::close::CloseReason;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A frame's header, and how much of its body is still to come.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    /// Whether it ends its message.
    pub(super) last: bool,
    /// The key of the next byte comes first.
    pub(super) mask: [u8; 4],
    /// Bytes of the body that have not come.
    pub(super) left: u64,
}

const MOST_BYTES: usize = 14;
/// Bits of the first two bytes.
const LAST: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;
/// Lengths that say how many bytes of length follow; a control frame's is below both.
const TWO_BYTES: u8 = 126;
const EIGHT_BYTES: u8 = 127;

/// As much of a header as has come.
#[derive(Debug, Default)]
pub(super) struct Partial {
    bytes: [u8; MOST_BYTES],
    have: usize,
}

impl Partial {
    /// Takes bytes from the front of `input` until the header is whole; `None` if more are needed. Fails at the end of
    /// a part that is no client's: the first two bytes, then the length.
    pub(super) fn fill(&mut self, input: &mut &[u8]) -> Result<Option<Header>, CloseReason> {
        if !self.take(2, input) {
            return Ok(None);
        }
        let [first, second, ..] = self.bytes;
        let opcode = judge(first, second)?;
        let extended = match second & LENGTH {
            TWO_BYTES => 2,
            EIGHT_BYTES => 8,
            _ => 0,
        };
        if !self.take(2 + extended, input) {
            return Ok(None);
        }
        let left = length(second & LENGTH, &self.bytes[2..2 + extended])?;
        if !self.take(2 + extended + 4, input) {
            return Ok(None);
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.bytes[2 + extended..][..4]);
        self.have = 0;
        Ok(Some(Header {
            opcode,
            last: first & LAST != 0,
            mask,
            left,
        }))
    }

    /// Whether the first `wanted` bytes are there.
    fn take(&mut self, wanted: usize, input: &mut &[u8]) -> bool {
        let missing = wanted.saturating_sub(self.have).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.bytes[self.have..][..missing].copy_from_slice(taken);
        self.have += missing;
        *input = rest;
        self.have >= wanted
    }
}

/// What the first two bytes say by themselves. No extension is spoken that would give the reserved bits a meaning.
fn judge(first: u8, second: u8) -> Result<Opcode, CloseReason> {
    let opcode = Opcode::of(first & 0x0F).ok_or(CloseReason::ProtocolError)?;
    let whole = first & LAST != 0 && second & LENGTH < TWO_BYTES;
    let fine = first & RESERVED == 0 && second & MASKED != 0 && (whole || !opcode.is_control());
    fine.then_some(opcode).ok_or(CloseReason::ProtocolError)
}

/// The body's length, which has to be written as short as it goes and to be below 2^63.
fn length(short: u8, extended: &[u8]) -> Result<u64, CloseReason> {
    let long = extended
        .iter()
        .fold(0, |long, byte| long << 8 | u64::from(*byte));
    let (length, range) = match short {
        TWO_BYTES => (long, 126..=0xFFFF),
        EIGHT_BYTES => (long, 0x1_0000..=i64::MAX as u64),
        _ => (u64::from(short), 0..=125),
    };
    range
        .contains(&length)
        .then_some(length)
        .ok_or(CloseReason::ProtocolError)
}
