//! A feed that plays a file: a recording, or prices of one's own.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::PathBuf;
use std::time::Duration;

use super::Emission;
use super::file::{FileError, Flaw};
use super::{prices, recording};
use crate::market::{Instrument, Listing, Tick};

/// What is played, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file.
    pub path: PathBuf,
    /// How many times faster than it was recorded; above zero.
    pub speed: f64,
    /// Whether it begins again after its end. Counters go on then, and each symbol's first tick opens a new day.
    pub repeats: bool,
}

/// Plays a file that has been read to its end once already: nothing of a broken one is played.
pub struct Replay {
    options: Options,
    file: File,
    length: Length,
    reel: Reel,
    /// How often it has begun again.
    round: u64,
    /// When this round began, in the file's time.
    began: Duration,
    /// Whether each symbol has ticked in this round.
    has_begun: Vec<bool>,
}

/// What one round is made of.
struct Length {
    instruments: Vec<Instrument>,
    /// Ticks of each symbol.
    ticks: Vec<u64>,
    batches: u64,
    /// From the first batch to the last.
    span: Duration,
}

impl Replay {
    /// Reads the file from begin to end, and makes ready to play it.
    pub fn open(options: Options) -> Result<Self, FileError> {
        let path = &options.path;
        let open = || {
            let file = File::open(path).map_err(Flaw::whole)?;
            if !file.metadata().map_err(Flaw::whole)?.is_file() {
                return Err(Flaw::whole("no regular file; it has to be read twice"));
            }
            let length = Length::of(Reel::open(&file)?)?;
            let reel = Reel::open(&file)?;
            Ok((file, length, reel))
        };
        let (file, length, reel) = open().map_err(|flaw: Flaw| flaw.of(path))?;
        Ok(Self {
            has_begun: vec![false; length.ticks.len()],
            options,
            file,
            length,
            reel,
            round: 0,
            began: Duration::ZERO,
        })
    }

    /// The symbols that tick in it.
    pub fn listing(&self) -> Listing {
        Listing::new(self.length.instruments.clone()).expect("it was listed when it was read")
    }

    /// How long one round takes.
    pub fn span(&self) -> Duration {
        self.length.span.div_f64(self.options.speed)
    }

    /// The next batch of the file as it stands there, from the first round's begin on.
    fn read(&mut self) -> Result<Option<Emission>, Flaw> {
        let mut next = self.reel.next()?;
        if next.is_none() && self.options.repeats {
            self.reel = Reel::open(&self.file)?;
            self.round += 1;
            self.began += self.length.round();
            self.has_begun.fill(false);
            next = self.reel.next()?;
        }
        let Some(mut emission) = next else {
            return Ok(None);
        };
        emission.at += self.began;
        for tick in &mut emission.ticks {
            self.turn(tick)?;
        }
        Ok(Some(emission))
    }

    /// Makes a tick one of this round: its counter goes on from the round before, and a day begins.
    fn turn(&mut self, tick: &mut Tick) -> Result<(), Flaw> {
        let symbol = tick.symbol.index();
        let Some(has_begun) = self.has_begun.get_mut(symbol) else {
            return Err(Flaw::whole("it has more symbols now"));
        };
        if self.round > 0 && !*has_begun {
            tick.open = tick.open.or(Some(tick.last));
        }
        *has_begun = true;
        tick.n += self.round * self.length.ticks[symbol];
        Ok(())
    }
}

impl Iterator for Replay {
    type Item = Emission;

    fn next(&mut self) -> Option<Emission> {
        match self.read() {
            Ok(emission) => emission.map(|emission| Emission {
                at: emission.at.div_f64(self.options.speed),
                ..emission
            }),
            Err(flaw) => {
                let error = flaw.of(&self.options.path);
                tracing::error!(%error, "the file has changed since it was read; the replay ends");
                None
            }
        }
    }
}

impl Length {
    fn of(mut reel: Reel) -> Result<Self, Flaw> {
        let (mut ticks, mut batches, mut span) = (Vec::new(), 0, Duration::ZERO);
        while let Some(emission) = reel.next()? {
            (batches, span) = (batches + 1, emission.at);
            for tick in &emission.ticks {
                let symbol = tick.symbol.index();
                if ticks.len() <= symbol {
                    ticks.resize(symbol + 1, 0);
                }
                ticks[symbol] = tick.n;
            }
        }
        if batches == 0 {
            return Err(Flaw::whole("there is no tick in it"));
        }
        let instruments = reel.instruments();
        Listing::new(instruments.clone()).map_err(Flaw::whole)?;
        ticks.resize(instruments.len(), 0);
        Ok(Self {
            instruments,
            ticks,
            batches,
            span,
        })
    }

    /// From the first batch to where the first one of the next round belongs: one average distance after the last.
    fn round(&self) -> Duration {
        const LEAST: Duration = Duration::from_millis(1);
        let distance = self.span.div_f64((self.batches as f64 - 1.0).max(1.0));
        self.span + distance.max(LEAST)
    }
}

/// A file that is being read. Its first batch is at zero.
struct Reel {
    format: Format,
    /// Time before the first batch.
    lead: Option<Duration>,
}

enum Format {
    Recording(recording::Reader<BufReader<File>>),
    Prices(Box<prices::Reader<File>>),
}

impl Reel {
    /// Reads the file from its begin on, whoever has read it before.
    fn open(file: &File) -> Result<Self, Flaw> {
        let mut file = file.try_clone().map_err(Flaw::whole)?;
        file.rewind().map_err(Flaw::whole)?;
        let mut begin = Vec::new();
        (file.by_ref().take(64).read_to_end(&mut begin)).map_err(Flaw::whole)?;
        file.rewind().map_err(Flaw::whole)?;
        let format = if recording::is_recording(&begin) {
            Format::Recording(recording::Reader::open(BufReader::new(file))?)
        } else {
            Format::Prices(Box::new(prices::Reader::open(file)?))
        };
        Ok(Self { format, lead: None })
    }

    fn next(&mut self) -> Result<Option<Emission>, Flaw> {
        let next = match &mut self.format {
            Format::Recording(reader) => reader.next()?,
            Format::Prices(reader) => reader.next()?,
        };
        Ok(next.map(|emission| Emission {
            at: emission.at - *self.lead.get_or_insert(emission.at),
            ..emission
        }))
    }

    fn instruments(&self) -> Vec<Instrument> {
        match &self.format {
            Format::Recording(reader) => reader.instruments(),
            Format::Prices(reader) => reader.instruments(),
        }
    }
}

#[cfg(test)]
mod tests;
