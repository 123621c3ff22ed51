//! Flags of the feed: a simulated market, or a file that is played.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use tracing::info;

use crate::feed::replay::{self, Replay};
use crate::feed::simulated::{self, Arrivals, Burst, GENERATOR, Simulated};
use crate::feed::{FileError, Plan, Share};
use crate::market::Listing;

use super::units::duration;

/// Flags that mean nothing to a file that is played, and the reverse.
const OF_SIMULATED: [&str; 7] = [
    "symbols",
    "tick_rate",
    "arrivals",
    "day",
    "halts",
    "burst",
    "seed",
];
const OF_REPLAY: [&str; 2] = ["speed", "repeats"];

/// What is on the tape.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Feed")]
pub struct Market {
    /// Where ticks come from: a simulated market, or a file that is played, a recording or a CSV with the columns
    /// time,symbol,last,size,bid,ask,volume
    #[arg(long, env = "TICKERTAPE_FEED", default_value = "simulated", value_name = "simulated|replay:FILE", value_parser = feed)]
    pub feed: Feed,

    /// How many times faster than it was recorded a file is played, like 10 or 0.5
    #[arg(long, env = "TICKERTAPE_SPEED", default_value = "1", value_parser = speed)]
    pub speed: f64,

    /// Begin the file again after its end
    #[arg(long = "loop", env = "TICKERTAPE_LOOP")]
    pub repeats: bool,

    /// How many built-in symbols, or a CSV file of them: symbol,name,price,volatility,beta,activity
    #[arg(long, env = "TICKERTAPE_SYMBOLS", default_value = "50", value_name = "N|FILE", value_parser = symbols)]
    pub symbols: Symbols,

    /// Ticks a second over all symbols; the mean of a day, with `--day`
    #[arg(long, env = "TICKERTAPE_TICK_RATE", default_value = "200", value_parser = tick_rate)]
    pub tick_rate: f64,

    /// When ticks come; steady makes each one a batch of its own, for benchmarks
    #[arg(long, env = "TICKERTAPE_ARRIVALS", default_value = "bursty")]
    pub arrivals: Arrivals,

    /// How long a trading day takes, like 10m, from a busy open to a busy close; the next one follows at once [default:
    /// the market is always open and equally busy]
    #[arg(long, env = "TICKERTAPE_DAY", value_parser = day)]
    pub day: Option<Duration>,

    /// How often each symbol is halted in a day (390 minutes without --day), on average
    #[arg(long, env = "TICKERTAPE_HALTS", default_value = "0.05", value_parser = halts)]
    pub halts: f64,

    /// Stretches of another tick rate, for tests: 10x/2s/30s is ten times the rate in the last 2 s of every 30 s, 0x
    /// is silence; never more than 1000000 ticks a second
    #[arg(long, env = "TICKERTAPE_BURST", value_name = "FACTORx/LENGTH/EVERY", value_parser = burst)]
    pub burst: Option<Burst>,

    /// Chooses the tape; the same seed gives the same ticks [default: at random]
    #[arg(long, env = "TICKERTAPE_SEED")]
    pub seed: Option<u64>,
}

/// Where ticks come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A simulated market.
    Simulated,
    /// A file.
    Replay(PathBuf),
}

/// A flag whose file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{flag}: {error}")]
pub struct BadFile {
    flag: &'static str,
    error: FileError,
}

impl BadFile {
    fn new(flag: &'static str, error: FileError) -> Self {
        Self { flag, error }
    }
}

impl Market {
    /// The symbols and the plan of their ticks. Fails if a file that they come from is broken.
    pub fn open(&self) -> Result<(Listing, Plan), BadFile> {
        match &self.feed {
            Feed::Simulated => self.simulate(),
            Feed::Replay(path) => self.replay(path),
        }
    }

    fn simulate(&self) -> Result<(Listing, Plan), BadFile> {
        let shares = match &self.symbols {
            Symbols::BuiltIn(count) => Share::built_in(usize::from(*count)),
            Symbols::File(path) => {
                Share::from_file(path).map_err(|error| BadFile::new("--symbols", error))?
            }
        };
        let listing = Share::listing(&shares).expect("shares are listed when they are read");
        let options = self.simulated(shares);
        info!(
            generator = GENERATOR,
            seed = options.seed,
            symbols = listing.len(),
            rate = options.rate,
            "simulated market"
        );
        Ok((listing, Box::new(Simulated::new(options))))
    }

    fn replay(&self, path: &Path) -> Result<(Listing, Plan), BadFile> {
        let options = replay::Options {
            path: path.to_owned(),
            speed: self.speed,
            repeats: self.repeats,
        };
        let replay = Replay::open(options).map_err(|error| BadFile::new("--feed", error))?;
        let listing = replay.listing();
        info!(
            file = %path.display(),
            symbols = listing.len(),
            seconds = replay.span().as_secs_f64(),
            "replay"
        );
        Ok((listing, Box::new(replay)))
    }

    /// The simulated market of these shares.
    fn simulated(&self, shares: Vec<Share>) -> simulated::Options {
        simulated::Options {
            shares,
            rate: self.tick_rate,
            arrivals: self.arrivals,
            day: self.day,
            burst: self.burst.map(|burst| within(burst, self.tick_rate)),
            halts: self.halts,
            seed: self.seed.unwrap_or_else(rand::random),
        }
    }

    /// Fails with a sentence if a flag was given that does not go with the feed.
    pub(super) fn check(&self, given: &ArgMatches) -> Result<(), String> {
        let (strangers, feed) = match self.feed {
            Feed::Simulated => (&OF_REPLAY[..], "simulated"),
            Feed::Replay(_) => (&OF_SIMULATED[..], "replay"),
        };
        let is_given = |flag: &&&str| given.value_source(flag) == Some(ValueSource::CommandLine);
        match strangers.iter().find(is_given) {
            None => Ok(()),
            Some(flag) => {
                let flag = flag.replace("repeats", "loop").replace('_', "-");
                Err(format!("--{flag} does not go with --feed {feed}"))
            }
        }
    }
}

/// Where the symbols come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbols {
    /// So many built-in ones.
    BuiltIn(u16),
    /// A file's.
    File(PathBuf),
}

/// More symbols than any listing of a stock exchange needs, fewer than their ids can number.
const MOST_SYMBOLS: i64 = 9_999;

fn symbols(text: &str) -> Result<Symbols, String> {
    match text.parse::<i64>() {
        Ok(count @ 1..=MOST_SYMBOLS) => Ok(Symbols::BuiltIn(count as u16)),
        Ok(_) => Err(format!("it takes 1 to {MOST_SYMBOLS}, or a file")),
        Err(_) => Ok(Symbols::File(Path::new(text).to_owned())),
    }
}

/// More than one core generates and encodes; a batch is still of a size to keep a thousand of.
const MOST_TICK_RATE: f64 = 1e6;

fn tick_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=MOST_TICK_RATE).contains(&rate) => Ok(rate),
        _ => Err("it takes 0.01 to 1000000 ticks a second".to_owned()),
    }
}

fn feed(text: &str) -> Result<Feed, String> {
    match text.strip_prefix("replay:") {
        Some("") => Err("replay: names no file".to_owned()),
        Some(path) => Ok(Feed::Replay(path.into())),
        None if text == "simulated" => Ok(Feed::Simulated),
        None => Err("it is simulated or replay:FILE".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("it takes 0.01 to 1000 times".to_owned()),
    }
}

const MOST: Duration = Duration::from_secs(24 * 3600);

/// How long a trading day takes.
pub(super) fn day(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1), MOST)
}

/// Halts a day for each symbol.
pub(super) fn halts(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(halts) if (0.0..=100.0).contains(&halts) => Ok(halts),
        _ => Err("it takes 0 to 100 halts a day".to_owned()),
    }
}

/// A factor, a length and an interval: `10x/2s/30s`.
pub(super) fn burst(text: &str) -> Result<Burst, String> {
    let parts = text.split_once("x/");
    let parts = parts.and_then(|(factor, times)| Some((factor, times.split_once('/')?)));
    let (factor, (length, every)) = parts.ok_or("it is like 10x/2s/30s")?;
    let time = |text| {
        duration(text, Duration::from_millis(10), MOST).map_err(|error| format!("{text}: {error}"))
    };
    let burst = Burst {
        factor: match factor.parse() {
            Ok(factor) if (0.0..=100.0).contains(&factor) => factor,
            _ => return Err(format!("{factor}: it takes 0 to 100 times the rate")),
        },
        length: time(length)?,
        every: time(every)?,
    };
    if burst.length < burst.every {
        Ok(burst)
    } else {
        Err(format!("{length} is no part of {every}"))
    }
}

/// The burst at a tick rate, no busier than a tick rate may be.
pub(super) fn within(burst: Burst, tick_rate: f64) -> Burst {
    Burst {
        factor: burst.factor.min(MOST_TICK_RATE / tick_rate),
        ..burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_in_minutes_or_hours() {
        assert_eq!(day("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(day("6.5h"), Ok(Duration::from_secs(23_400)));
    }

    #[test]
    fn a_burst_is_a_factor_a_length_and_an_interval() {
        let expected = Burst {
            factor: 10.0,
            length: Duration::from_secs(2),
            every: Duration::from_secs(30),
        };
        assert_eq!(burst("10x/2s/30s"), Ok(expected));
    }

    #[test]
    fn a_burst_is_no_busier_than_a_tick_rate_may_be() {
        let burst = burst("10x/2s/30s").unwrap();
        assert_eq!(within(burst, 1_000.0).factor, 10.0);
        assert_eq!(within(burst, 200_000.0).factor, 5.0);
    }

    #[test]
    fn a_burst_says_which_of_its_parts_is_wrong() {
        assert_eq!(burst("10"), Err("it is like 10x/2s/30s".into()));
        assert_eq!(
            burst("1e9x/2s/30s"),
            Err("1e9: it takes 0 to 100 times the rate".into())
        );
        assert_eq!(burst("10x/30s/30s"), Err("30s is no part of 30s".into()));
        assert!(burst("10x/2/30s").unwrap_err().starts_with("2: a number"));
    }
}
