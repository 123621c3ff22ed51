//! Autobahn's section 5: fragments, with control frames in between.

use super::autobahn::{HELLO, PROTOCOL_ERROR, Row, check, said, text};
use super::frames::PONG;
use super::*;

fn start(body: &str) -> Frame {
    Frame::new(TEXT, body)
}

fn more(body: &str) -> Frame {
    Frame::new(CONTINUATION, body)
}

fn last(body: &str) -> Frame {
    Frame::new(FIN | CONTINUATION, body)
}

fn ping(body: &str) -> Frame {
    Frame::new(FIN | PING, body)
}

fn refused(case: &'static str, sent: Vec<Frame>) -> Row {
    (case, sent, vec![], PROTOCOL_ERROR)
}

#[test]
fn fragments_make_a_message() {
    let sent = vec![start("fragment1"), last("fragment2")];
    let events = vec![Event::Fragment, said("fragment1fragment2")];
    check([("5.3 to 5.5", sent, events, None)]);
}

#[test]
fn pings_are_read_between_fragments() {
    let pinged = |body: &str| Event::Ping(body.into());
    check([
        (
            "5.6 to 5.8",
            vec![start("fragment1"), ping("ping payload"), last("fragment2")],
            vec![
                Event::Fragment,
                pinged("ping payload"),
                said("fragment1fragment2"),
            ],
            None,
        ),
        (
            "5.19, 5.20",
            vec![
                start("fragment1"),
                more("fragment2"),
                ping("pongme 1!"),
                more("fragment3"),
                more("fragment4"),
                ping("pongme 2!"),
                last("fragment5"),
            ],
            vec![
                Event::Fragment,
                Event::Fragment,
                pinged("pongme 1!"),
                Event::Fragment,
                Event::Fragment,
                pinged("pongme 2!"),
                said("fragment1fragment2fragment3fragment4fragment5"),
            ],
            None,
        ),
    ]);
}

#[test]
fn control_frames_in_fragments_are_refused() {
    check([
        refused(
            "5.1",
            vec![Frame::new(PING, "fragment1"), last("fragment2")],
        ),
        refused(
            "5.2",
            vec![Frame::new(PONG, "fragment1"), last("fragment2")],
        ),
    ]);
}

#[test]
fn a_continuation_of_nothing_is_refused() {
    let nothing = "non-continuation payload";
    let twice = |frame: Frame| {
        let once = [frame, start("fragment2"), last("fragment3")];
        [once.clone(), once].concat()
    };
    check([
        refused("5.9 to 5.11", vec![last(nothing), text(HELLO)]),
        refused("5.12 to 5.14", vec![more(nothing), text(HELLO)]),
        (
            "5.15",
            vec![
                start("fragment1"),
                last("fragment2"),
                more("fragment3"),
                text("fragment4"),
            ],
            vec![Event::Fragment, said("fragment1fragment2")],
            PROTOCOL_ERROR,
        ),
        refused("5.16", twice(more("fragment1"))),
        refused("5.17", twice(last("fragment1"))),
    ]);
}

#[test]
fn a_message_within_a_message_is_refused() {
    let sent = vec![start("fragment1"), text("fragment2")];
    check([("5.18", sent, vec![Event::Fragment], PROTOCOL_ERROR)]);
}
