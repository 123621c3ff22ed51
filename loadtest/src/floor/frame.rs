//! One tick as the server's WebSocket carries it: the same fields with values of the same length.

use std::io::Write;

/// A final, unmasked frame of text.
const TEXT: u8 = 0x81;

/// Says that the length is in the next two bytes.
const TWO_BYTES: u8 = 126;

/// Shares in each trade: what simulated ones have on average, so that `volume` has about as many digits as the server's.
const SIZE: u64 = 160;

/// Appends the frame of the tick `n`, generated at `ts` (microseconds since the Unix epoch).
pub(super) fn write(n: u64, ts: u64, out: &mut Vec<u8>) {
    let head = out.len();
    out.extend_from_slice(&[TEXT, TWO_BYTES, 0, 0]);
    let volume = n * SIZE;
    write!(
        out,
        r#"{{"type":"ticks","cursor":"floor0-{n}","ts":{ts},"data":[{{"symbol":"AAPL","n":{n},"ts":{ts},"last":231.50,"size":{SIZE},"bid":231.49,"ask":231.51,"volume":{volume}}}]}}"#
    )
    .expect("a Vec takes all");
    let length = u16::try_from(out.len() - head - 4).expect("a tick is short");
    debug_assert!(
        length >= u16::from(TWO_BYTES),
        "a shorter one has a shorter head"
    );
    out[head + 2..head + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Frame, Kind};

    /// The byte that stands for each number, so that only names and order are left.
    fn shape(json: &str) -> String {
        let mut shape = String::new();
        for byte in json.chars() {
            let byte = if byte.is_ascii_digit() { '0' } else { byte };
            if byte != '0' || !shape.ends_with('0') {
                shape.push(byte);
            }
        }
        shape
    }

    #[test]
    fn is_read_as_any_tick_is() {
        let mut bytes = Vec::new();
        write(372, 1_795_231_558_223_400, &mut bytes);
        assert_eq!(
            usize::from(bytes[2]) * 256 + usize::from(bytes[3]),
            bytes.len() - 4
        );
        let frame = Frame::parse(&bytes[4..]).unwrap();
        assert_eq!(
            (frame.kind, frame.cursor),
            (Kind::Ticks, Some("floor0-372"))
        );
        assert_eq!(
            (frame.data[0].n, frame.data[0].ts),
            (372, 1_795_231_558_223_400)
        );
    }

    #[test]
    fn has_the_fields_and_the_length_of_the_servers_own() {
        let golden = include_str!("../../../docs/frames/ticks.json").trim_end();
        let mut bytes = Vec::new();
        write(1_234, 1_795_231_558_223_400, &mut bytes);
        let ours = std::str::from_utf8(&bytes[4..]).unwrap();
        assert_eq!(
            shape(&ours.replace("floor0", "")),
            shape(&golden.replace("m3k9x2", ""))
        );
        assert!(ours.len().abs_diff(golden.len()) <= 2, "{ours}");
    }
}
