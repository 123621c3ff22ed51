//! An incremental parser for `text/event-stream`, after the WHATWG rules.

use super::lines::{Ending, Lines};

/// One dispatched event. Blocks without data (`retry:`, a priming `id:`) dispatch nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    /// The `event:` field; empty when there was none.
    pub(crate) name: &'a [u8],
    /// The `id:` field of this very block, if it had one.
    pub(crate) id: Option<&'a [u8]>,
    /// The `data:` lines, joined by LF.
    pub(crate) data: &'a [u8],
}

/// The state between two pieces of the stream.
#[derive(Debug)]
pub(crate) struct SseParser {
    lines: Lines,
    block: Block,
}

/// The block being read. Its buffers are reused, so a steady stream allocates nothing.
#[derive(Debug, Default)]
struct Block {
    started: bool,
    name: Vec<u8>,
    id: Vec<u8>,
    has_id: bool,
    data: Vec<u8>,
    has_data: bool,
}

impl Default for SseParser {
    fn default() -> Self {
        Self {
            lines: Lines::new(Ending::Any),
            block: Block::default(),
        }
    }
}

impl SseParser {
    /// The bytes kept back for an event that is not finished.
    pub(crate) fn held(&self) -> usize {
        self.lines.held() + self.block.data.len()
    }

    /// Takes the next piece of the stream and hands each finished event to `each`.
    pub(crate) fn feed<E>(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { lines, block } = self;
        lines.feed(chunk, |line| block.line(line, &mut each))
    }
}

impl Block {
    fn line<E>(
        &mut self,
        line: &[u8],
        each: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let line = if self.started {
            line
        } else {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        };
        self.started = true;
        if line.is_empty() {
            return self.dispatch(each);
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            b"id" => {
                self.id.clear();
                self.id.extend_from_slice(value);
                self.has_id = true;
            }
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            // A comment (empty field), `retry:` and whatever comes later.
            _ => {}
        }
        Ok(())
    }

    fn dispatch<E>(&mut self, each: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<(), E> {
        let result = if self.has_data {
            each(Event {
                name: &self.name,
                id: self.has_id.then_some(&self.id[..]),
                data: &self.data,
            })
        } else {
            Ok(())
        };
        self.name.clear();
        self.data.clear();
        self.has_id = false;
        self.has_data = false;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Owned = (String, Option<String>, String);

    fn parse(chunks: &[&[u8]]) -> Vec<Owned> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for chunk in chunks {
            parser
                .feed(chunk, |event| {
                    events.push((text(event.name), event.id.map(text), text(event.data)));
                    Ok::<(), ()>(())
                })
                .unwrap();
        }
        events
    }

    fn event(name: &str, id: Option<&str>, data: &str) -> Owned {
        (name.into(), id.map(Into::into), data.into())
    }

    const STREAM: &[u8] = b"\xef\xbb\xbfretry: 1812\n\nid: m3-1\n\n: hello\n\
        event: ticks\nid: m3-2\ndata: {\"a\":1}\n\n\
        event: gap\r\ndata:{}\r\n\r\n\
        data: one\rdata: two\r\rdata: cut off";

    #[test]
    fn every_split_point_gives_the_same_events() {
        let want = [
            event("ticks", Some("m3-2"), "{\"a\":1}"),
            event("gap", None, "{}"),
            event("", None, "one\ntwo"),
        ];
        for first in 0..=STREAM.len() {
            for second in first..=STREAM.len() {
                let chunks = [&STREAM[..first], &STREAM[first..second], &STREAM[second..]];
                assert_eq!(parse(&chunks), want, "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn blocks_without_data_dispatch_nothing() {
        assert_eq!(
            parse(&[b"retry: 1000\nid: m3-9\n\n:\n\nevent: ticks\n\n"]),
            []
        );
    }

    #[test]
    fn an_unfinished_event_is_held() {
        let mut parser = SseParser::default();
        parser
            .feed(b"data: 12345\nda", |_| Ok::<(), ()>(()))
            .unwrap();
        assert_eq!(parser.held(), 7);
    }
}
