//! Splits a byte stream into lines, whatever the pieces it arrives in.

use memchr::{memchr, memchr2};

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// LF alone: NDJSON.
    Lf,
    /// CR, LF or CR LF, each a single ending: event streams.
    Any,
}

/// An incremental line splitter: lines that arrive whole are lent from the chunk, only the torn ones are copied.
#[derive(Debug)]
pub(crate) struct Lines {
    ending: Ending,
    /// The beginning of a line whose end has not arrived.
    torn: Vec<u8>,
    /// The last chunk ended in CR, so an LF at the start of the next belongs to it.
    after_cr: bool,
}

impl Lines {
    pub(crate) fn new(ending: Ending) -> Self {
        Self {
            ending,
            torn: Vec::new(),
            after_cr: false,
        }
    }

    /// The bytes kept back for a line that is not finished.
    pub(crate) fn held(&self) -> usize {
        self.torn.len()
    }

    /// Takes the next piece of the stream and hands each finished line, without its ending, to `each`.
    pub(crate) fn feed<E>(
        &mut self,
        mut chunk: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.after_cr && !chunk.is_empty() {
            self.after_cr = false;
            chunk = chunk.strip_prefix(b"\n").unwrap_or(chunk);
        }
        while let Some(at) = self.find(chunk) {
            if self.torn.is_empty() {
                each(&chunk[..at])?;
            } else {
                self.torn.extend_from_slice(&chunk[..at]);
                let line = each(&self.torn);
                self.torn.clear();
                line?;
            }
            let was_cr = chunk[at] == b'\r';
            chunk = &chunk[at + 1..];
            if was_cr {
                self.after_cr = chunk.is_empty();
                chunk = chunk.strip_prefix(b"\n").unwrap_or(chunk);
            }
        }
        self.torn.extend_from_slice(chunk);
        Ok(())
    }

    fn find(&self, chunk: &[u8]) -> Option<usize> {
        match self.ending {
            Ending::Lf => memchr(b'\n', chunk),
            Ending::Any => memchr2(b'\r', b'\n', chunk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(ending: Ending, chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::new(ending);
        let mut seen = Vec::new();
        for chunk in chunks {
            lines
                .feed(chunk, |line| {
                    seen.push(String::from_utf8(line.to_vec()).unwrap());
                    Ok::<(), ()>(())
                })
                .unwrap();
        }
        seen
    }

    #[test]
    fn every_split_point_gives_the_same_lines() {
        let text = b"one\n\ntwo\r\nthree\rfour\r\r\nfive\n";
        for (ending, want) in [
            (
                Ending::Any,
                vec!["one", "", "two", "three", "four", "", "five"],
            ),
            (
                Ending::Lf,
                vec!["one", "", "two\r", "three\rfour\r\r", "five"],
            ),
        ] {
            for first in 0..=text.len() {
                for second in first..=text.len() {
                    let chunks = [&text[..first], &text[first..second], &text[second..]];
                    assert_eq!(
                        split(ending, &chunks),
                        want,
                        "split at {first} and {second}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_unfinished_line_is_kept_and_not_handed_out() {
        let mut lines = Lines::new(Ending::Lf);
        lines.feed(b"done\nhalf", |_| Ok::<(), ()>(())).unwrap();
        assert_eq!(lines.held(), 4);
    }

    #[test]
    fn the_first_error_stops_the_chunk() {
        let mut seen = 0;
        let result = Lines::new(Ending::Lf).feed(b"a\nb\nc\n", |_| {
            seen += 1;
            if seen == 2 { Err("enough") } else { Ok(()) }
        });
        assert_eq!((result, seen), (Err("enough"), 2));
    }
}
