//! What holds for whatever a client sends, however it is cut.
//!
//! `PROPTEST_CASES=5000 cargo test --lib inbound` runs more cases; a failing one is kept beside this file.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::frames::{self, frames};
use super::*;

const LIMITS: std::ops::Range<usize> = 125..400;

/// Whole frames, or frames that are followed by anything or cut off.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let tail = prop::collection::vec(any::<u8>(), 0..16);
    (frames(), tail, 0..40usize).prop_map(|(frames, tail, cut)| {
        let mut bytes = bytes(&frames);
        bytes.extend(tail);
        bytes.truncate(bytes.len().saturating_sub(cut));
        bytes
    })
}

/// The pieces of a stream that have these sizes, again and again.
fn pieces<'a>(mut stream: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at((*size).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..60usize, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_outcome_does_not_depend_on_where_the_bytes_are_cut(
        limit in LIMITS,
        stream in stream(),
        sizes in sizes(),
    ) {
        let whole = outcome(limit, [&stream[..]]);
        prop_assert_eq!(&outcome(limit, pieces(&stream, &sizes)), &whole);
        prop_assert_eq!(&outcome(limit, stream.chunks(1)), &whole);
    }

    #[test]
    fn no_more_is_kept_than_the_limit_and_a_control_frame(
        limit in LIMITS,
        stream in stream(),
        sizes in sizes(),
    ) {
        let mut reading = Reading::new(limit);
        for piece in pieces(&stream, &sizes) {
            reading.feed(piece);
            prop_assert!(reading.inbound.kept() <= limit + 125);
        }
    }

    #[test]
    fn no_more_is_kept_than_twice_what_was_sent(stream in stream(), sizes in sizes()) {
        let mut reading = Reading::new(1 << 20);
        let mut sent = 0;
        for piece in pieces(&stream, &sizes) {
            reading.feed(piece);
            sent += piece.len();
            prop_assert!(reading.inbound.kept() <= 2 * sent);
        }
    }

    #[test]
    fn the_header_that_crosses_the_limit_is_refused_before_any_of_its_body_is_kept(
        limit in LIMITS,
        parts in prop::collection::vec(0..100usize, 0..20),
        over in 1..1_000_000usize,
    ) {
        let mut reading = Reading::new(limit);
        let (mut had, mut opcode) = (0, BINARY);
        for part in parts.into_iter().take_while(|part| { had += part; had <= limit }) {
            reading.feed(&Frame::new(opcode, vec![7; part]).bytes());
            opcode = CONTINUATION;
        }
        let kept = reading.inbound.kept();
        let crossing = frames::header(opcode, Some(MASK), Length::Shortest, (limit + over) as u64);
        let (last, before) = crossing.split_last().unwrap();
        reading.feed(before);
        prop_assert_eq!(reading.end, None);
        reading.feed(&[*last]);
        prop_assert_eq!(reading.end, Some(CloseReason::MessageTooBig));
        prop_assert_eq!(reading.inbound.kept(), kept);
    }

    #[test]
    fn a_frame_without_a_mask_is_refused_at_its_second_byte(first: u8, second in 0..0x80u8) {
        let mut reading = Reading::new(1000);
        reading.feed(&[first]);
        prop_assert_eq!(reading.end, None);
        reading.feed(&[second]);
        prop_assert_eq!(reading.end, Some(CloseReason::ProtocolError));
    }

    #[test]
    fn a_length_that_could_be_written_shorter_is_refused_before_its_mask(
        opcode in TEXT..=BINARY,
        (length, len) in prop_oneof![
            (Just(Length::Two), prop_oneof![Just(125), 0..126u64]),
            (Just(Length::Eight), prop_oneof![Just(0xFFFF), 0..0x1_0000u64]),
        ],
    ) {
        let header = frames::header(FIN | opcode, Some(MASK), length, len);
        let (without_mask, _) = header.split_last_chunk::<4>().unwrap();
        prop_assert_eq!(outcome(1 << 20, [without_mask]), (vec![], Some(CloseReason::ProtocolError)));
    }

    #[test]
    fn a_text_is_refused_at_the_byte_that_no_character_can_have(
        valid in prop::collection::vec(any::<char>(), 0..10),
        octets in prop::collection::vec(any::<u8>(), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = [valid.into_iter().collect::<String>().as_bytes(), &octets].concat();
        let at = cut.index(text.len() + 1);
        let frames = [Frame::new(TEXT, &text[..at]), Frame::new(CONTINUATION, &text[at..])];
        let mut reading = Reading::new(1000);
        let mut sent = 0;
        for frame in frames {
            reading.feed(&frame.header());
            for byte in &frame.bytes()[frame.header().len()..] {
                reading.feed(&[*byte]);
                sent += 1;
                let hopeless = std::str::from_utf8(&text[..sent]).is_err_and(|e| e.error_len().is_some());
                let end = hopeless.then_some(CloseReason::InvalidUtf8);
                prop_assert_eq!(reading.end, end, "{}", sent);
            }
        }
    }
}
