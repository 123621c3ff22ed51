//! The decoder against frames that a client may send, right or wrong, cut anywhere.

mod autobahn;
mod autobahn_close;
mod autobahn_fragments;
mod autobahn_utf8;
mod differential;
mod frames;
mod property;

use frames::{BINARY, CONTINUATION, FIN, Frame, Length, MASK, PING, TEXT, header};

use super::*;

/// One connection that is read until it ends.
#[derive(Debug)]
struct Reading {
    inbound: Inbound,
    events: Vec<Event>,
    /// Why the decoder wants the connection closed.
    end: Option<CloseReason>,
}

impl Reading {
    fn new(limit: usize) -> Self {
        Self {
            inbound: Inbound::new(limit),
            events: Vec::new(),
            end: None,
        }
    }

    /// Nothing is read after a failure or a close.
    fn ended(&self) -> bool {
        self.end.is_some() || matches!(self.events.last(), Some(Event::Close(_)))
    }

    fn feed(&mut self, mut piece: &[u8]) {
        while !self.ended() {
            match self.inbound.next(&mut piece) {
                Ok(Some(event)) => self.events.push(event),
                Ok(None) => {
                    assert!(piece.is_empty(), "not all taken");
                    return;
                }
                Err(reason) => self.end = Some(reason),
            }
        }
    }
}

type Outcome = (Vec<Event>, Option<CloseReason>);

/// What comes of all the bytes: events, and how it ended.
fn outcome<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut reading = Reading::new(limit);
    for piece in pieces {
        reading.feed(piece);
    }
    (reading.events, reading.end)
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::bytes).collect()
}

#[test]
fn a_message_may_have_the_limit_and_no_byte_more() {
    for len in [0, 1, 125, 126, 1000] {
        let frame = Frame::new(FIN | BINARY, vec![7; len]);
        let fits = outcome(len, [&frame.bytes()[..]]);
        assert_eq!(fits, (vec![Event::Binary(vec![7; len])], None), "{len}");
        let over = outcome(
            len,
            [&Frame::new(FIN | BINARY, vec![7; len + 1]).bytes()[..]],
        );
        assert_eq!(over, (vec![], Some(CloseReason::MessageTooBig)), "{len}");
    }
}

#[test]
fn control_frames_are_not_held_to_the_limit() {
    let ping = Frame::new(FIN | PING, vec![7; 125]);
    assert_eq!(
        outcome(0, [&ping.bytes()[..]]),
        (vec![Event::Ping(vec![7; 125])], None)
    );
}

#[test]
fn an_enormous_length_is_refused_when_the_last_byte_of_its_header_has_come() {
    let header = header(FIN | BINARY, Some(MASK), Length::Eight, 1 << 62);
    let (last, before) = header.split_last().unwrap();
    let mut reading = Reading::new(usize::MAX >> 2);
    reading.feed(before);
    assert_eq!(reading.end, None);
    reading.feed(&[*last]);
    assert_eq!(reading.end, Some(CloseReason::MessageTooBig));
    assert_eq!(reading.inbound.kept(), 0);
}

#[test]
fn a_length_of_2_to_the_63_is_refused_before_its_mask() {
    let header = header(FIN | BINARY, Some(MASK), Length::Eight, 1 << 63);
    assert_eq!(
        outcome(usize::MAX, [&header[..10]]),
        (vec![], Some(CloseReason::ProtocolError))
    );
}

#[test]
fn an_announced_body_takes_no_room_before_it_comes() {
    let limit = 1 << 30;
    let mut reading = Reading::new(limit);
    reading.feed(&header(
        FIN | BINARY,
        Some(MASK),
        Length::Eight,
        limit as u64,
    ));
    reading.feed(&[0; 10]);
    assert_eq!((reading.end, reading.inbound.kept()), (None, 10));
}

/// Else each of them would cost a copy of all that came before it.
#[test]
fn room_doubles_over_fragments_of_one_byte() {
    let mut reading = Reading::new(1 << 14);
    let mut rooms = vec![0];
    for n in 0..1 << 14 {
        let opcode = if n == 0 { BINARY } else { CONTINUATION };
        reading.feed(&Frame::new(opcode, vec![7]).bytes());
        rooms.push(reading.inbound.kept());
    }
    assert_eq!(reading.end, None);
    rooms.dedup();
    assert!(rooms.len() <= 20, "{rooms:?}");
}

#[test]
fn nothing_is_kept_between_messages() {
    let mut reading = Reading::new(1000);
    for opcode in [TEXT, BINARY, PING, frames::PONG] {
        reading.feed(&Frame::new(FIN | opcode, vec![b'a'; 100]).bytes());
        assert_eq!(reading.inbound.kept(), 0, "{opcode}");
    }
    assert_eq!((reading.events.len(), reading.end), (4, None));
}
