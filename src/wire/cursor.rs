//! A cursor as text: `<epoch>-<seq>`, the epoch as six digits in base 36.

use serde::{Serialize, Serializer};

use crate::market::{Cursor, Epoch};

const EPOCH_DIGITS: usize = 6;
const BASE: u32 = 36;

/// Why a text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: send back one that a frame carried, like m3k9x2-18442")]
pub struct BadCursor;

/// Appends the cursor's text.
pub fn write(cursor: Cursor, out: &mut Vec<u8>) {
    let mut digits = [b'0'; EPOCH_DIGITS];
    let mut rest = cursor.epoch.number();
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % BASE) as usize];
        rest /= BASE;
    }
    out.extend_from_slice(&digits);
    out.push(b'-');
    out.extend_from_slice(itoa::Buffer::new().format(cursor.seq).as_bytes());
}

/// The cursor's text.
pub fn format(cursor: Cursor) -> String {
    let mut out = Vec::new();
    write(cursor, &mut out);
    out.into_iter().map(char::from).collect()
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(*self))
    }
}

/// Reads a cursor's text. Only what [`write`] writes is accepted, so that each place has one name.
pub fn parse(text: &str) -> Result<Cursor, BadCursor> {
    let (epoch, seq) = text.split_once('-').ok_or(BadCursor)?;
    let canonical = epoch.len() == EPOCH_DIGITS
        && (epoch.bytes()).all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        && seq.bytes().all(|b| b.is_ascii_digit())
        && (seq == "0" || !seq.starts_with('0'));
    if !canonical {
        return Err(BadCursor);
    }
    let epoch = u32::from_str_radix(epoch, BASE).map_err(|_| BadCursor)?;
    Ok(Cursor {
        epoch: Epoch::new(epoch),
        seq: seq.parse().map_err(|_| BadCursor)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back_as_itself(epoch in 0..Epoch::COUNT, seq: u64) {
            let cursor = Cursor { epoch: Epoch::new(epoch), seq };
            prop_assert_eq!(parse(&format(cursor)), Ok(cursor));
        }

        #[test]
        fn any_other_text_is_refused_without_a_panic(text in "\\PC{0,24}") {
            if let Ok(cursor) = parse(&text) {
                prop_assert_eq!(format(cursor), text);
            }
        }
    }

    #[test]
    fn near_misses_are_no_cursors() {
        for text in [
            "",
            "-",
            "m3k9x2",
            "m3k9x2-",
            "m3k9x-1",
            "m3k9x2-01",
            "m3k9x2-+1",
            "M3K9X2-1",
            "m3k9x2--1",
            "m3k9x2-18446744073709551616",
        ] {
            assert_eq!(parse(text), Err(BadCursor), "{text:?}");
        }
    }
}
