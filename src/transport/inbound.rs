//! Reads a client's WebSocket frames (RFC 6455, 5) as their bytes come, cut anywhere.
//!
//! A frame is judged by its header: what is too big or breaks the protocol is refused before any of it is kept. No
//! I/O happens here, and nothing is allocated while no frame is on its way.

mod header;
#[cfg(test)]
mod tests;

use crate::wire::close::CloseReason;

use header::{Header, Opcode, Partial};

/// What a client's bytes come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole message of text.
    Text(String),
    /// A whole message of bytes.
    Binary(Vec<u8>),
    /// A frame that did not end its message.
    Fragment,
    /// To be answered with the same body, at most 125 bytes.
    Ping(Vec<u8>),
    /// A sign of life.
    Pong,
    /// The client closes with this code, which it is to be sent back (RFC 6455, 5.5.1). Nothing it sends afterwards
    /// counts.
    Close(Option<u16>),
}

/// The reading side of one connection.
#[derive(Debug)]
pub struct Inbound {
    /// Bytes that a message may have, over all of its frames.
    limit: usize,
    header: Partial,
    /// The frame whose body is on its way.
    frame: Option<Header>,
    /// The message whose frames are on their way.
    message: Option<Message>,
    /// The body of a control frame: it may stand between the frames of a message.
    control: Vec<u8>,
}

#[derive(Debug)]
struct Message {
    text: bool,
    bytes: Vec<u8>,
    /// So many bytes are known to be whole characters.
    checked: usize,
}

impl Inbound {
    /// Refuses messages of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            header: Partial::default(),
            frame: None,
            message: None,
            control: Vec::new(),
        }
    }

    /// Takes bytes from the front of `input` up to the next event; `None` if all are taken and more are needed.
    ///
    /// Fails with how the connection is to be closed: 1002, 1007 or 1009. Nothing may be read after that.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Event>, CloseReason> {
        loop {
            if let Some(header) = &mut self.frame {
                let taken = header.left.min(input.len() as u64) as usize;
                let (body, rest) = input.split_at(taken);
                *input = rest;
                header.left -= taken as u64;
                let (mask, ends) = (header.mask, header.left);
                header.mask.rotate_left(taken % 4);
                self.keep(body, mask, ends)?;
                if ends > 0 {
                    return Ok(None);
                }
                return self.end_of_frame().map(Some);
            }
            let Some(header) = self.header.fill(input)? else {
                return Ok(None);
            };
            self.begin(&header)?;
            self.frame = Some(header);
        }
    }

    /// Bytes that are kept of frames on their way; never more than the limit and a control frame.
    pub fn kept(&self) -> usize {
        let message = self.message.as_ref();
        message.map_or(0, |message| message.bytes.capacity()) + self.control.capacity()
    }

    /// Judges a frame by its header.
    fn begin(&mut self, header: &Header) -> Result<(), CloseReason> {
        let had = match (header.opcode, &self.message) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => return Ok(()),
            (Opcode::Continuation, Some(message)) => message.bytes.len() as u64,
            (Opcode::Text | Opcode::Binary, None) => 0,
            (Opcode::Continuation, None) | (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(CloseReason::ProtocolError);
            }
        };
        // Lengths are below 2^63.
        if had + header.left > self.limit as u64 {
            return Err(CloseReason::MessageTooBig);
        }
        self.message.get_or_insert_with(|| Message {
            text: header.opcode == Opcode::Text,
            bytes: Vec::new(),
            checked: 0,
        });
        Ok(())
    }

    /// Keeps a part of a frame's body, of which `left` bytes are still to come.
    fn keep(&mut self, body: &[u8], mask: [u8; 4], left: u64) -> Result<(), CloseReason> {
        let frame = self.frame.as_ref();
        let control = frame.is_some_and(|f| f.opcode.is_control());
        match &mut self.message {
            Some(message) if !control => {
                let more = match frame {
                    // What further frames may bring: one that is small should not cost a copy of all before it.
                    Some(frame) if !frame.last => self.limit - message.bytes.len() - body.len(),
                    _ => left as usize,
                };
                extend(&mut message.bytes, body, mask, more);
                message.check()
            }
            _ => {
                extend(&mut self.control, body, mask, left as usize);
                Ok(())
            }
        }
    }

    fn end_of_frame(&mut self) -> Result<Event, CloseReason> {
        let header = self.frame.take().ok_or(CloseReason::ProtocolError)?;
        match header.opcode {
            Opcode::Ping => Ok(Event::Ping(std::mem::take(&mut self.control))),
            Opcode::Pong => {
                self.control = Vec::new();
                Ok(Event::Pong)
            }
            Opcode::Close => close_code(&std::mem::take(&mut self.control)).map(Event::Close),
            _ if !header.last => Ok(Event::Fragment),
            _ => match self.message.take() {
                Some(Message {
                    text: true, bytes, ..
                }) => {
                    let text = String::from_utf8(bytes).map_err(|_| CloseReason::InvalidUtf8)?;
                    Ok(Event::Text(text))
                }
                message => Ok(Event::Binary(
                    message.map_or_else(Vec::new, |message| message.bytes),
                )),
            },
        }
    }
}

impl Message {
    /// Refuses what can become no text, whatever follows.
    fn check(&mut self) -> Result<(), CloseReason> {
        if !self.text {
            return Ok(());
        }
        match std::str::from_utf8(&self.bytes[self.checked..]) {
            Ok(_) => self.checked = self.bytes.len(),
            // A character may go on in the next frame.
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(CloseReason::InvalidUtf8),
        }
        Ok(())
    }
}

/// Appends unmasked bytes, after which at most `more` come. Room doubles with what has come, whatever was announced, and
/// never goes beyond `more`.
fn extend(bytes: &mut Vec<u8>, masked: &[u8], mask: [u8; 4], more: usize) {
    let (had, need) = (bytes.len(), bytes.len() + masked.len());
    if need > bytes.capacity() {
        let room = (2 * bytes.capacity()).clamp(need, need + more);
        bytes.reserve_exact(room - had);
    }
    bytes.extend_from_slice(masked);
    let (words, rest) = bytes[had..].as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// The code in a close frame's body: none, or two bytes and a reason in UTF-8 (RFC 6455, 5.5.1).
fn close_code(body: &[u8]) -> Result<Option<u16>, CloseReason> {
    let Some((code, reason)) = body.split_first_chunk::<2>() else {
        return match body {
            [] => Ok(None),
            _ => Err(CloseReason::ProtocolError),
        };
    };
    let code = u16::from_be_bytes(*code);
    // What may be sent (RFC 6455, 7.4): 1004 to 1006 and 1015 stand for closes without a code, the rest up to 2999 is
    // not given out.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(CloseReason::ProtocolError);
    }
    std::str::from_utf8(reason).map_err(|_| CloseReason::InvalidUtf8)?;
    Ok(Some(code))
}
