//! What the cases of the Autobahn test suite send, under their numbers. Each is read whole, in chops of 997 octets
//! and octet by octet, so that cases which differ in nothing else share a row.

use super::frames::{CLOSE, PONG};
use super::*;

/// A case's number, what is sent, what comes of it.
pub(super) type Row = (&'static str, Vec<Frame>, Vec<Event>, Option<CloseReason>);

pub(super) const HELLO: &str = "Hello, world!";
pub(super) const PROTOCOL_ERROR: Option<CloseReason> = Some(CloseReason::ProtocolError);

pub(super) fn check(rows: impl IntoIterator<Item = Row>) {
    for (case, frames, events, end) in rows {
        let stream = bytes(&frames);
        let expected = (events, end);
        for chop in [stream.len(), 997, 1] {
            let got = outcome(1 << 18, stream.chunks(chop));
            assert!(got == expected, "case {case}, in chops of {chop}");
        }
    }
}

pub(super) fn text(text: &str) -> Frame {
    Frame::new(FIN | TEXT, text)
}

fn ping(body: &[u8]) -> Frame {
    Frame::new(FIN | PING, body)
}

pub(super) fn said(text: &str) -> Event {
    Event::Text(text.into())
}

#[test]
fn messages_of_all_lengths_are_read() {
    let lengths = [0, 125, 126, 127, 128, 65_535, 65_536];
    let texts = [
        "1.1.1",
        "1.1.2",
        "1.1.3",
        "1.1.4",
        "1.1.5",
        "1.1.6",
        "1.1.7, 1.1.8",
    ];
    check(texts.into_iter().zip(lengths).map(|(case, len)| {
        let stars = "*".repeat(len);
        (case, vec![text(&stars)], vec![said(&stars)], None)
    }));
    let binaries = [
        "1.2.1",
        "1.2.2",
        "1.2.3",
        "1.2.4",
        "1.2.5",
        "1.2.6",
        "1.2.7, 1.2.8",
    ];
    check(binaries.into_iter().zip(lengths).map(|(case, len)| {
        let body = vec![0xFE; len];
        let sent = vec![Frame::new(FIN | BINARY, &body[..])];
        (case, sent, vec![Event::Binary(body)], None)
    }));
}

#[test]
fn pings_are_read_with_their_bodies_and_pongs_without() {
    let odd = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    let pong = |body: &str| Frame::new(FIN | PONG, body);
    let ten: Vec<_> = (0..10)
        .map(|n| format!("payload-{n}").into_bytes())
        .collect();
    check([
        ("2.1", vec![ping(b"")], vec![Event::Ping(vec![])], None),
        (
            "2.2",
            vec![ping(HELLO.as_bytes())],
            vec![Event::Ping(HELLO.into())],
            None,
        ),
        ("2.3", vec![ping(odd)], vec![Event::Ping(odd.into())], None),
        (
            "2.4, 2.6",
            vec![ping(&[0xFE; 125])],
            vec![Event::Ping(vec![0xFE; 125])],
            None,
        ),
        ("2.5", vec![ping(&[0xFE; 126])], vec![], PROTOCOL_ERROR),
        (
            "2.7",
            vec![pong(""), Frame::close(1000, b"")],
            vec![Event::Pong, Event::Close(Some(1000))],
            None,
        ),
        (
            "2.8",
            vec![pong("unsolicited pong payload"), Frame::close(1000, b"")],
            vec![Event::Pong, Event::Close(Some(1000))],
            None,
        ),
        (
            "2.9",
            vec![pong("unsolicited pong payload"), ping(b"ping payload")],
            vec![Event::Pong, Event::Ping(b"ping payload".into())],
            None,
        ),
        (
            "2.10, 2.11",
            ten.iter().map(|body| ping(body)).collect(),
            ten.into_iter().map(Event::Ping).collect(),
            None,
        ),
    ]);
}

#[test]
fn reserved_bits_are_refused() {
    let reserved = |bits: u8, opcode: u8, body: &[u8]| Frame::new(FIN | bits << 4 | opcode, body);
    let hello = HELLO.as_bytes();
    let after_a_message = |bits| {
        let sent = vec![text(HELLO), reserved(bits, TEXT, hello), ping(b"")];
        (sent, vec![said(HELLO)])
    };
    let [two, three, four] = [2, 3, 4].map(after_a_message);
    let odd = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    check([
        (
            "3.1",
            vec![reserved(1, TEXT, hello)],
            vec![],
            PROTOCOL_ERROR,
        ),
        ("3.2", two.0, two.1, PROTOCOL_ERROR),
        ("3.3", three.0, three.1, PROTOCOL_ERROR),
        ("3.4", four.0, four.1, PROTOCOL_ERROR),
        (
            "3.5",
            vec![reserved(5, BINARY, odd)],
            vec![],
            PROTOCOL_ERROR,
        ),
        (
            "3.6",
            vec![reserved(6, BINARY, hello)],
            vec![],
            PROTOCOL_ERROR,
        ),
        (
            "3.6, as it is described",
            vec![reserved(6, PING, hello)],
            vec![],
            PROTOCOL_ERROR,
        ),
        ("3.7", vec![reserved(7, CLOSE, b"")], vec![], PROTOCOL_ERROR),
    ]);
}

#[test]
fn reserved_opcodes_are_refused() {
    // Opcode, body, and whether a message comes before and a ping after.
    let rows = [
        ("4.1.1", 3, "", false),
        ("4.1.2", 4, "reserved opcode payload", false),
        ("4.1.3", 5, "", true),
        ("4.1.4", 6, HELLO, true),
        ("4.1.5", 7, HELLO, true),
        ("4.2.1", 11, "", false),
        ("4.2.2", 12, "reserved opcode payload", false),
        ("4.2.3", 13, "", true),
        ("4.2.4", 14, HELLO, true),
        ("4.2.5", 15, HELLO, true),
    ];
    check(rows.map(|(case, opcode, body, amid)| {
        let frame = Frame::new(FIN | opcode, body);
        if amid {
            (
                case,
                vec![text(HELLO), frame, ping(b"")],
                vec![said(HELLO)],
                PROTOCOL_ERROR,
            )
        } else {
            (case, vec![frame], vec![], PROTOCOL_ERROR)
        }
    }));
}

#[test]
fn large_fragments_make_a_message() {
    let stars = "*".repeat(65_536);
    let parts: Vec<_> = stars.as_bytes().chunks(1300).collect();
    let last = parts.len() - 1;
    let sent = parts.iter().enumerate().map(|(n, part)| {
        let opcode = if n == 0 { TEXT } else { CONTINUATION };
        Frame::new(if n == last { FIN | opcode } else { opcode }, *part)
    });
    let mut events = vec![Event::Fragment; last];
    events.push(said(&stars));
    check([("10.1.1", sent.collect(), events, None)]);
}
