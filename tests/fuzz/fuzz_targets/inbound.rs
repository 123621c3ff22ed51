//! The decoder of clients' WebSocket frames.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickertape::transport::inbound::{Event, Inbound};
use tickertape::wire::close::CloseReason;

/// At and around the lengths where a header grows.
const LIMITS: [usize; 8] = [0, 1, 125, 126, 1000, 65_535, 65_536, usize::MAX];
const CONTROL: usize = 125;

fn outcome<'a>(
    limit: usize,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Event>, Option<CloseReason>) {
    let mut inbound = Inbound::new(limit);
    let mut events = Vec::new();
    for mut piece in pieces {
        loop {
            let next = inbound.next(&mut piece);
            assert!(inbound.kept() <= limit.saturating_add(CONTROL));
            match next {
                Ok(None) => {
                    assert!(piece.is_empty());
                    break;
                }
                Ok(Some(event)) => {
                    let closed = matches!(event, Event::Close(_));
                    events.push(event);
                    if closed {
                        return (events, None);
                    }
                }
                Err(reason) => {
                    assert!(matches!(reason.code(), 1002 | 1007 | 1009));
                    return (events, Some(reason));
                }
            }
        }
    }
    (events, None)
}

// The input: a number of sizes and the limit's place, that many sizes of pieces, then what the client sends.
fuzz_target!(|input: &[u8]| {
    let Some((head, rest)) = input.split_first() else {
        return;
    };
    let (limit, count) = (LIMITS[usize::from(head & 7)], usize::from(head >> 3));
    let Some((sizes, stream)) = rest.split_at_checked(count) else {
        return;
    };
    let mut sizes = sizes.iter().cycle();
    let mut left = stream;
    let pieces = std::iter::from_fn(|| {
        let size = sizes.next().map_or(1, |size| usize::from(*size) + 1);
        let (piece, rest) = left.split_at(size.min(left.len()));
        left = rest;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(
        outcome(limit, pieces),
        outcome(limit, std::iter::once(stream))
    );
});
