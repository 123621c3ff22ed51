//! The decoder against another: tungstenite's, as a server with the same limit.

use std::io::{self, Read, Write};

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

use super::frames::{CLOSE, frames};
use super::*;

/// What the client sent. What it is answered is dropped.
struct Client<'a>(&'a [u8]);

impl Read for Client<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Client<'_> {
    fn write(&mut self, answer: &[u8]) -> io::Result<usize> {
        Ok(answer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite makes of the same bytes.
fn theirs(limit: usize, stream: &[u8]) -> Outcome {
    let config = WebSocketConfig::default()
        .read_buffer_size(256)
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit));
    let mut socket = WebSocket::from_raw_socket(Client(stream), Role::Server, Some(config));
    let mut events = Vec::new();
    let end = loop {
        events.push(match socket.read() {
            Ok(Message::Text(text)) => Event::Text(text.to_string()),
            Ok(Message::Binary(bytes)) => Event::Binary(bytes.to_vec()),
            Ok(Message::Ping(body)) => Event::Ping(body.to_vec()),
            Ok(Message::Pong(_)) => Event::Pong,
            // So a code that no client may send is told.
            Ok(Message::Close(Some(close))) if close.reason.as_str() == "Protocol violation" => {
                break Some(CloseReason::ProtocolError);
            }
            Ok(Message::Close(close)) => {
                events.push(Event::Close(close.map(|close| close.code.into())));
                break None;
            }
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => break None,
            Err(Error::Protocol(_)) => break Some(CloseReason::ProtocolError),
            Err(Error::Utf8(_)) => break Some(CloseReason::InvalidUtf8),
            Err(Error::Capacity(_)) => break Some(CloseReason::MessageTooBig),
            other => panic!("{other:?}"),
        });
    };
    (events, end)
}

/// tungstenite puts up with lengths that are not the shortest, which RFC 6455, 5.2 forbids, and refuses code 1014, which
/// IANA has given out since: neither is sent. Of a frame with two faults it may name the other one, as it looks at the
/// size before all but the opcode, and at a close's reason before its code.
fn comparable(mut frame: Frame) -> Frame {
    frame.length = Length::Shortest;
    if frame.first & 0xF == CLOSE && frame.body.starts_with(&1014u16.to_be_bytes()) {
        frame.body[1] -= 1;
    }
    frame
}

fn faults_of_one_frame(
    ours: CloseReason,
    theirs: CloseReason,
    frame: &Frame,
    limit: usize,
) -> bool {
    ours == CloseReason::ProtocolError
        && match theirs {
            CloseReason::MessageTooBig => frame.body.len() > limit,
            CloseReason::InvalidUtf8 => frame.first == FIN | CLOSE,
            _ => false,
        }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn another_decoder_reads_the_same(limit in 125..400usize, frames in frames()) {
        let frames: Vec<Frame> = frames.into_iter().map(comparable).collect();
        let stream = bytes(&frames);
        let (mut events, ours) = outcome(limit, [&stream[..]]);
        // Each frame made an event but the one that failed.
        let failed = events.len();
        events.retain(|event| *event != Event::Fragment);
        let (their_events, theirs) = theirs(limit, &stream);
        prop_assert_eq!(events, their_events);
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                prop_assert!(
                    faults_of_one_frame(ours, theirs, &frames[failed], limit),
                    "{ours:?} {theirs:?} {:?}", frames[failed]
                );
            }
            _ => prop_assert_eq!(ours, theirs),
        }
    }
}
