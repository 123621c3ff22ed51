//! Autobahn's section 7: closes.

use super::autobahn::{HELLO, PROTOCOL_ERROR, check, said, text};
use super::frames::CLOSE;
use super::*;

fn closed() -> Event {
    Event::Close(Some(1000))
}

#[test]
fn nothing_counts_after_a_close() {
    let close = || Frame::close(1000, b"");
    let fragment = Frame::new(TEXT, "fragment1");
    let rest = Frame::new(FIN | CONTINUATION, "fragment2");
    let long = "BAsd7&jh23".repeat(26_215)[..1 << 18].to_owned();
    let ping = || Frame::new(FIN | PING, "");
    check([
        (
            "7.1.1",
            vec![text(HELLO), close()],
            vec![said(HELLO), closed()],
            None,
        ),
        (
            "7.1.2",
            vec![close(), Frame::new(FIN | CLOSE, "")],
            vec![closed()],
            None,
        ),
        ("7.1.3", vec![close(), ping()], vec![closed()], None),
        ("7.1.4", vec![close(), text(HELLO)], vec![closed()], None),
        (
            "7.1.5",
            vec![fragment, close(), rest],
            vec![Event::Fragment, closed()],
            None,
        ),
        (
            "7.1.6",
            vec![text(&long), text(HELLO), close(), ping()],
            vec![said(&long), said(HELLO), closed()],
            None,
        ),
    ]);
}

#[test]
fn a_close_has_nothing_or_a_code_and_a_reason() {
    let close = |body: &[u8]| Frame::new(FIN | CLOSE, body);
    let no_text = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
    check([
        ("7.3.1", vec![close(b"")], vec![Event::Close(None)], None),
        ("7.3.2", vec![close(b"a")], vec![], PROTOCOL_ERROR),
        ("7.3.3", vec![Frame::close(1000, b"")], vec![closed()], None),
        (
            "7.3.4",
            vec![Frame::close(1000, b"Hello World!")],
            vec![closed()],
            None,
        ),
        (
            "7.3.5",
            vec![Frame::close(1000, &[b'*'; 123])],
            vec![closed()],
            None,
        ),
        (
            "7.3.6",
            vec![Frame::close(1000, &[b'*'; 124])],
            vec![],
            PROTOCOL_ERROR,
        ),
        (
            "7.5.1",
            vec![Frame::close(1000, no_text)],
            vec![],
            Some(CloseReason::InvalidUtf8),
        ),
    ]);
}

#[test]
fn codes_that_may_be_sent_are_read() {
    let codes = [
        ("7.7.1", 1000),
        ("7.7.2", 1001),
        ("7.7.3", 1002),
        ("7.7.4", 1003),
        ("7.7.5", 1007),
        ("7.7.6", 1008),
        ("7.7.7", 1009),
        ("7.7.8", 1010),
        ("7.7.9", 1011),
        ("7.7.10", 3000),
        ("7.7.11", 3999),
        ("7.7.12", 4000),
        ("7.7.13", 4999),
    ];
    check(codes.map(|(case, code)| {
        (
            case,
            vec![Frame::close(code, b"")],
            vec![Event::Close(Some(code))],
            None,
        )
    }));
}

#[test]
fn codes_that_may_not_be_sent_are_refused() {
    let codes = [
        ("7.9.1", 0),
        ("7.9.2", 999),
        ("7.9.3", 1004),
        ("7.9.4", 1005),
        ("7.9.5", 1006),
        ("7.9.6", 1016),
        ("7.9.7", 1100),
        ("7.9.8", 2000),
        ("7.9.9", 2999),
        ("7.13.1", 5000),
        ("7.13.2", 65_535),
    ];
    check(codes.map(|(case, code)| (case, vec![Frame::close(code, b"")], vec![], PROTOCOL_ERROR)));
}

#[test]
fn no_other_code_is_read() {
    let read: Vec<u16> = (0..=u16::MAX)
        .filter(|code| {
            outcome(0, [&Frame::close(*code, b"").bytes()[..]])
                .1
                .is_none()
        })
        .collect();
    // The first line is the registry of RFC 6455, 11.7 with 1012 to 1014, which were added since.
    let mut expected = vec![
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
    ];
    expected.extend(3000..5000);
    assert_eq!(read, expected);
}
