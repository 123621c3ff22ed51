//! Recordings: what was published, in a file.
//!
//! ```text
//! recording = "tickertape recording 1\n" block*
//! block     = length (u32, little-endian)  CRC-32 of the body (u32, little-endian)  body
//! ```
//!
//! Bodies are [postcard](https://postcard.jamesmunns.com/wire-format): the first is a [`Head`], each further one a
//! [`Batch`], whose ticks are told as changes. A tick takes ten to twelve bytes, an eighth of its JSON. Symbols' counters
//! `n` begin with 1 and have no hole, so they are not written. `docs/REPLAY.md` has the same for other programs.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Emission;
use super::file::Flaw;
use crate::market::{Instrument, Listing, Micros, Price, SymbolId, Tick};

/// How every recording begins; the number is the format's version.
const MAGIC: &[u8] = b"tickertape recording 1\n";

/// Bytes that a body may have: a batch of every symbol has fewer.
const MOST_BODY: usize = 16 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// The time from which the first batch is counted.
    began: Micros,
    symbols: Vec<Symbol>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Symbol {
    symbol: String,
    name: String,
    price_decimals: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct Batch {
    /// Microseconds since the batch before, or since `began`.
    after: u64,
    ticks: Vec<Change>,
}

/// A tick; prices in steps of 1e-4.
#[derive(Debug, Serialize, Deserialize)]
struct Change {
    /// The symbol's place in the head.
    symbol: u16,
    size: u32,
    /// Against the symbol's last price before; 0 before its first tick.
    last: i64,
    /// How far below `last`.
    bid: i64,
    /// How far above `last`.
    ask: i64,
    /// Against the symbol's volume before and `size`.
    volume: i64,
    /// Against `last`, where it is news.
    open: Option<i64>,
    halted: bool,
}

/// What both sides know of a symbol: changes are counted from there.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    n: u64,
    last: i64,
    volume: i64,
}

/// Writes a recording.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    /// When the batch before was generated.
    at: Micros,
    known: Vec<Known>,
}

impl Writer<BufWriter<File>> {
    /// Begins a recording in a new file; one that is there already is left alone, and an error.
    pub fn create(path: &Path, listing: &Listing, began: Micros) -> io::Result<Self> {
        Self::new(BufWriter::new(File::create_new(path)?), listing, began)
    }

    /// Brings what was written to the disk.
    pub fn finish(self) -> io::Result<()> {
        self.out.into_inner()?.sync_all()
    }
}

impl<W: Write> Writer<W> {
    /// Begins a recording of these symbols' ticks from their first ones on. `began` is the time from which the first
    /// batch is counted.
    pub fn new(mut out: W, listing: &Listing, began: Micros) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        let symbols = listing.instruments().iter().map(|instrument| Symbol {
            symbol: instrument.symbol.clone(),
            name: instrument.name.clone(),
            price_decimals: instrument.price_decimals,
        });
        let head = Head {
            began,
            symbols: symbols.collect(),
        };
        write_block(&mut out, &head)?;
        Ok(Self {
            out,
            at: began,
            known: vec![Known::default(); listing.len()],
        })
    }

    /// Adds ticks that were generated together at a time. Fails if one does not follow its symbol's last.
    pub fn write(&mut self, at: Micros, ticks: &[Tick]) -> io::Result<()> {
        let changes = ticks.iter().map(|tick| {
            let known = &mut self.known[tick.symbol.index()];
            if tick.n != known.n + 1 {
                let hole = format!("tick {} follows tick {} of its symbol", tick.n, known.n);
                return Err(io::Error::new(ErrorKind::InvalidInput, hole));
            }
            let (last, volume) = (tick.last.steps(), tick.volume as i64);
            let change = Change {
                symbol: tick.symbol.0,
                size: tick.size,
                last: last - known.last,
                bid: last - tick.bid.steps(),
                ask: tick.ask.steps() - last,
                volume: volume - known.volume - i64::from(tick.size),
                open: tick.open.map(|open| open.steps() - last),
                halted: tick.halted,
            };
            *known = Known {
                n: tick.n,
                last,
                volume,
            };
            Ok(change)
        });
        let ticks = changes.collect::<io::Result<_>>()?;
        let after = at.saturating_sub(self.at);
        self.at += after;
        write_block(&mut self.out, &Batch { after, ticks })
    }

    /// Hands what was written to the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn write_block(out: &mut impl Write, body: &impl Serialize) -> io::Result<()> {
    let body = postcard::to_stdvec(body).map_err(io::Error::other)?;
    if body.len() > MOST_BODY {
        return Err(io::Error::other("a batch is too big for a recording"));
    }
    out.write_all(&(body.len() as u32).to_le_bytes())?;
    out.write_all(&crc32fast::hash(&body).to_le_bytes())?;
    out.write_all(&body)
}

/// Reads a recording.
#[derive(Debug)]
pub(super) struct Reader<R> {
    source: R,
    /// Where the block that is read next begins.
    offset: u64,
    instruments: Vec<Instrument>,
    at: Duration,
    known: Vec<Known>,
}

/// Whether a file that begins like this is a recording, of whatever version.
pub(super) fn is_recording(begin: &[u8]) -> bool {
    let name = MAGIC.strip_suffix(b"1\n").unwrap_or(MAGIC);
    begin.starts_with(name)
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    pub(super) fn open(mut source: R) -> Result<Self, Flaw> {
        let mut magic = [0; MAGIC.len()];
        source
            .read_exact(&mut magic)
            .map_err(|error| Flaw::offset(0, error))?;
        if magic != MAGIC {
            let other = "a recording of another version; this program reads version 1";
            return Err(Flaw::offset(0, other));
        }
        let mut reader = Self {
            source,
            offset: MAGIC.len() as u64,
            instruments: Vec::new(),
            at: Duration::ZERO,
            known: Vec::new(),
        };
        let begin = reader.offset;
        let Some(head) = reader.block::<Head>()? else {
            return Err(Flaw::offset(begin, "the file ends before its symbols"));
        };
        let instruments = head.symbols.into_iter().map(|symbol| Instrument {
            symbol: symbol.symbol,
            name: symbol.name,
            price_decimals: symbol.price_decimals,
        });
        reader.instruments = instruments.collect();
        reader.known = vec![Known::default(); reader.instruments.len()];
        Ok(reader)
    }

    /// The symbols, in the order of their ids.
    pub(super) fn instruments(&self) -> Vec<Instrument> {
        self.instruments.clone()
    }

    /// The next batch, with the time since the recording began.
    pub(super) fn next(&mut self) -> Result<Option<Emission>, Flaw> {
        let begin = self.offset;
        let Some(batch) = self.block::<Batch>()? else {
            return Ok(None);
        };
        let absurd = || Flaw::offset(begin, "a batch that no tape has published");
        self.at = (self.at)
            .checked_add(Duration::from_micros(batch.after))
            .ok_or_else(absurd)?;
        let ticks: Option<Vec<Tick>> = (batch.ticks.iter())
            .map(|change| self.apply(change))
            .collect();
        match ticks {
            Some(ticks) if !ticks.is_empty() => Ok(Some(Emission { at: self.at, ticks })),
            _ => Err(absurd()),
        }
    }

    /// The tick; `None` if there can be no such one.
    fn apply(&mut self, change: &Change) -> Option<Tick> {
        let known = self.known.get_mut(usize::from(change.symbol))?;
        let last = known.last.checked_add(change.last)?;
        let size = i64::from(change.size);
        let volume = (known.volume.checked_add(size)?).checked_add(change.volume)?;
        let n = known.n + 1;
        *known = Known { n, last, volume };
        let open = match change.open {
            Some(open) => Some(Price::new(last.checked_add(open)?)),
            None => None,
        };
        Some(Tick {
            symbol: SymbolId(change.symbol),
            n,
            ts: 0,
            last: Price::new(last),
            size: change.size,
            bid: Price::new(last.checked_sub(change.bid)?),
            ask: Price::new(last.checked_add(change.ask)?),
            volume: volume.try_into().ok()?,
            open,
            halted: change.halted,
        })
    }

    /// The next block's body; `None` at the end of the file.
    fn block<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>, Flaw> {
        let begin = self.offset;
        let mut head = [0; 8];
        match self.fill(&mut head)? {
            0 => return Ok(None),
            8 => {}
            _ => return Err(cut(begin)),
        }
        let [length, checksum] = [0, 4].map(|at| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            u32::from_le_bytes(bytes)
        });
        if length as usize > MOST_BODY {
            return Err(Flaw::offset(begin, "damaged: no block is that long"));
        }
        let mut body = vec![0; length as usize];
        if self.fill(&mut body)? < body.len() {
            return Err(cut(begin));
        }
        if crc32fast::hash(&body) != checksum {
            return Err(Flaw::offset(begin, "damaged: the checksum does not match"));
        }
        match postcard::from_bytes(&body) {
            Ok(body) => Ok(Some(body)),
            Err(error) => Err(Flaw::offset(begin, format!("damaged: {error}"))),
        }
    }

    /// Reads until the buffer is full or the file ends. Returns how many bytes came.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Flaw> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Flaw::offset(self.offset, error)),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }
}

/// A recording that ends within the block that begins there, as when the machine stopped.
fn cut(begin: u64) -> Flaw {
    let reason = format!("the file ends within a block; its first {begin} bytes are whole");
    Flaw::offset(begin, reason)
}

#[cfg(test)]
mod tests;
