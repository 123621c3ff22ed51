//! Frames as a client may write them, right or wrong.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Bits of a frame's first byte.
pub(super) const FIN: u8 = 0x80;
pub(super) const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xA;

pub(super) const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Shortest,
    Two,
    Eight,
}

#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// FIN, three reserved bits, opcode.
    pub(super) first: u8,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) length: Length,
    pub(super) body: Vec<u8>,
}

impl Frame {
    pub(super) fn new(first: u8, body: impl Into<Vec<u8>>) -> Self {
        Self {
            first,
            mask: Some(MASK),
            length: Length::Shortest,
            body: body.into(),
        }
    }

    pub(super) fn close(code: u16, reason: &[u8]) -> Self {
        Self::new(FIN | CLOSE, [&code.to_be_bytes(), reason].concat())
    }

    pub(super) fn header(&self) -> Vec<u8> {
        header(self.first, self.mask, self.length, self.body.len() as u64)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mask = self.mask.unwrap_or_default();
        let masked = self.body.iter().zip(mask.iter().cycle());
        let mut bytes = self.header();
        bytes.extend(masked.map(|(byte, key)| byte ^ key));
        bytes
    }
}

/// A header that announces `len` bytes.
pub(super) fn header(first: u8, mask: Option<[u8; 4]>, length: Length, len: u64) -> Vec<u8> {
    let length = match length {
        Length::Shortest if len > 0xFFFF => Length::Eight,
        Length::Shortest if len > 125 => Length::Two,
        other => other,
    };
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match length {
        Length::Shortest => bytes.push(masked | len as u8),
        Length::Two => {
            bytes.push(masked | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        Length::Eight => {
            bytes.push(masked | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    bytes.extend(mask.into_iter().flatten());
    bytes
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<char>(), 0..40)
        .prop_map(|chars| chars.into_iter().collect::<String>().into_bytes())
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..20)
}

fn control() -> impl Strategy<Value = Frame> {
    let opcode = select(vec![PING, PONG]);
    let body = prop_oneof![4 => octets(), 1 => Just(vec![0xFE; 125])];
    (opcode, body).prop_map(|(opcode, body)| Frame::new(FIN | opcode, body))
}

fn close() -> impl Strategy<Value = Frame> {
    let code = prop_oneof![4 => 995..1020u16, 1 => any::<u16>()];
    let reason = prop_oneof![3 => Just(b"bye".to_vec()), 1 => octets()];
    prop_oneof![
        8 => (code, reason).prop_map(|(code, reason)| Frame::close(code, &reason)),
        1 => Just(Frame::new(FIN | CLOSE, [])),
        1 => Just(Frame::new(FIN | CLOSE, [3])),
    ]
}

/// The frames of one message, cut anywhere and with control frames in between.
fn message() -> impl Strategy<Value = Vec<Frame>> {
    let body = prop_oneof![
        6 => (Just(TEXT), text()),
        2 => (Just(BINARY), octets()),
        2 => (select(vec![TEXT, BINARY]), (100..300usize).prop_map(|len| vec![b'a'; len])),
        1 => (Just(TEXT), octets()),
    ];
    let cuts = prop::collection::vec((any::<Index>(), prop::option::of(control())), 0..5);
    (body, cuts).prop_map(|((opcode, body), cuts)| {
        let mut cuts: Vec<_> = cuts
            .into_iter()
            .map(|(at, control)| (at.index(body.len() + 1), control))
            .collect();
        cuts.sort_by_key(|(at, _)| *at);
        let (mut frames, mut from, mut opcode) = (Vec::new(), 0, opcode);
        for (at, control) in cuts {
            frames.push(Frame::new(opcode, &body[from..at]));
            frames.extend(control);
            (from, opcode) = (at, CONTINUATION);
        }
        frames.push(Frame::new(FIN | opcode, &body[from..]));
        frames
    })
}

/// A frame that may be wrong in any way.
fn stray() -> impl Strategy<Value = Frame> {
    let length = select(vec![Length::Shortest, Length::Two, Length::Eight]);
    let body = prop_oneof![octets(), Just(vec![b'a'; 126])];
    let mask = prop::option::weighted(0.8, any::<[u8; 4]>());
    (any::<u8>(), mask, length, body).prop_map(|(first, mask, length, body)| Frame {
        first,
        mask,
        length,
        body,
    })
}

/// What a client may send: for the most part whole messages, under masks of their own.
pub(super) fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let some = prop_oneof![
        12 => message(),
        4 => control().prop_map(|frame| vec![frame]),
        1 => close().prop_map(|frame| vec![frame]),
        1 => stray().prop_map(|frame| vec![frame]),
    ];
    (prop::collection::vec(some, 0..8), any::<[u8; 4]>()).prop_map(|(some, mask)| {
        let mut frames = some.concat();
        for (n, frame) in frames.iter_mut().enumerate() {
            frame.mask = frame
                .mask
                .map(|_| mask.map(|key| key.wrapping_add(n as u8)));
        }
        frames
    })
}
