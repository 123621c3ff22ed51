//! The command line: flags, else `TICKERTAPE_*` variables, else defaults.

mod market;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::feed::simulated::{self, Arrivals, Burst};
use crate::feed::{Share, SymbolsError};
use crate::hub;
use crate::server::Timeouts;
use crate::tape::Keep;
use crate::transport::{Manners, Silence};

/// A real-time stock ticker push service that compares transports.
#[derive(Debug, Parser)]
#[command(name = "tickertape", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the tape; what happens without a command, too
    Serve(Serve),
}

impl Cli {
    /// What to serve.
    pub fn into_serve(self) -> Serve {
        match self.command {
            Some(Command::Serve(serve)) => serve,
            None => self.serve,
        }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One object a line.
    Json,
}

/// Flags of `serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Address and port to listen on
    #[arg(long, env = "TICKERTAPE_BIND", default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,

    /// Worker threads, each with clients of its own [default: one for each core]
    #[arg(long, env = "TICKERTAPE_WORKERS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,

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
    #[arg(long, env = "TICKERTAPE_DAY", value_parser = market::day)]
    pub day: Option<Duration>,

    /// How often each symbol is halted in a day (390 minutes without --day), on average
    #[arg(long, env = "TICKERTAPE_HALTS", default_value = "0.05", value_parser = market::halts)]
    pub halts: f64,

    /// Stretches of another tick rate, for tests: 10x/2s/30s is ten times the rate in the last 2 s of every 30 s, 0x
    /// is silence; never more than 1000000 ticks a second
    #[arg(long, env = "TICKERTAPE_BURST", value_name = "FACTORx/LENGTH/EVERY", value_parser = market::burst)]
    pub burst: Option<Burst>,

    /// Chooses the tape; the same seed gives the same ticks [default: at random]
    #[arg(long, env = "TICKERTAPE_SEED")]
    pub seed: Option<u64>,

    /// Least time between two flushes to clients, like 5ms; 0ms flushes as soon as something is there
    #[arg(long, env = "TICKERTAPE_FLUSH_INTERVAL", default_value = "0ms", value_parser = flush_interval)]
    pub flush_interval: Duration,

    /// Memory for recent batches, from which clients resume, like 64MiB; 1024 batches are kept whatever their size
    #[arg(long, env = "TICKERTAPE_JOURNAL", default_value = "64MiB", value_parser = journal)]
    pub journal: usize,

    /// One-second bars that are kept of each symbol, for charts; 56 bytes each
    #[arg(long, env = "TICKERTAPE_BARS", default_value = "900", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub bars: u32,

    /// Silence after which a stream gets a heartbeat, like 5s
    #[arg(long, env = "TICKERTAPE_HEARTBEAT", default_value = "5s", value_parser = heartbeat)]
    pub heartbeat: Duration,

    /// Batches that a client who gets every tick may fall behind before its policy applies
    #[arg(long, env = "TICKERTAPE_MAX_BEHIND", default_value = "10000", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_behind: u64,

    /// How long such a client may not read before its policy applies, like 5s
    #[arg(long, env = "TICKERTAPE_SLOW_AFTER", default_value = "5s", value_parser = slow_after)]
    pub slow_after: Duration,

    /// Symbols that one session may name
    #[arg(long, env = "TICKERTAPE_MAX_SYMBOLS", default_value = "500", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_symbols: u16,

    /// Bytes that a client's WebSocket message may have, like 64KiB
    #[arg(long, env = "TICKERTAPE_MAX_MESSAGE", default_value = "64KiB", value_parser = max_message)]
    pub max_message: usize,

    /// Messages that a WebSocket client may send a second on average; ten seconds' worth may come at once
    #[arg(long, env = "TICKERTAPE_MESSAGE_RATE", default_value = "10", value_parser = clap::value_parser!(u16).range(1..))]
    pub message_rate: u16,

    /// Bad messages in a row after which a WebSocket client is closed
    #[arg(long, env = "TICKERTAPE_MAX_BAD_MESSAGES", default_value = "10", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_bad_messages: u16,

    /// Bytes that a message to `/v1/echo` may have, like 512KiB
    #[arg(long, env = "TICKERTAPE_MAX_ECHO", default_value = "512KiB", value_parser = max_message)]
    pub max_echo: usize,

    /// Silence after which a WebSocket client is pinged; it is closed when two pings go unanswered
    #[arg(long, env = "TICKERTAPE_PING_INTERVAL", default_value = "15s", value_parser = ping_interval)]
    pub ping_interval: Duration,

    /// How long a WebSocket may be open without a symbol to follow, like 30s
    #[arg(long, env = "TICKERTAPE_SUBSCRIBE_TIMEOUT", default_value = "30s", value_parser = timeout)]
    pub subscribe_timeout: Duration,

    /// How long a request's head or body may take to come, like 5s
    #[arg(long, env = "TICKERTAPE_REQUEST_TIMEOUT", default_value = "5s", value_parser = request_timeout)]
    pub request_timeout: Duration,

    /// How long a connection may stay between two requests, like 75s
    #[arg(long, env = "TICKERTAPE_KEEP_ALIVE", default_value = "75s", value_parser = timeout)]
    pub keep_alive: Duration,

    /// How long a client's host may leave what it was sent, or a probe, without an answer, like 30s
    #[arg(long, env = "TICKERTAPE_CLIENT_TIMEOUT", default_value = "30s", value_parser = client_timeout)]
    pub client_timeout: Duration,

    /// The server's name in `welcome`
    #[arg(long, env = "TICKERTAPE_NAME", default_value = "tickertape")]
    pub name: String,

    /// How the log is written
    #[arg(long, env = "TICKERTAPE_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

impl Serve {
    /// What is traded; fails if the symbols file does not say.
    pub fn shares(&self) -> Result<Vec<Share>, SymbolsError> {
        match &self.symbols {
            Symbols::BuiltIn(count) => Ok(Share::built_in(usize::from(*count))),
            Symbols::File(path) => Share::from_file(path),
        }
    }

    /// The simulated market of these shares.
    pub fn market(&self, shares: Vec<Share>) -> simulated::Options {
        simulated::Options {
            shares,
            rate: self.tick_rate,
            arrivals: self.arrivals,
            day: self.day,
            burst: self
                .burst
                .map(|burst| market::within(burst, self.tick_rate)),
            halts: self.halts,
            seed: self.seed.unwrap_or_else(rand::random),
        }
    }

    /// How much of the past the tape keeps.
    pub fn keep(&self) -> Keep {
        Keep {
            journal: self.journal,
            bars: self.bars as usize,
        }
    }

    /// What each worker's hub is told.
    pub fn hub(&self) -> hub::Options {
        hub::Options {
            heartbeat: self.heartbeat,
            flush_interval: self.flush_interval,
            patience: hub::Patience {
                max_behind: self.max_behind,
                slow_after: self.slow_after,
            },
        }
    }

    /// What clients are told and held to.
    pub fn manners(&self) -> Manners {
        Manners {
            server: self.name.clone(),
            heartbeat: self.heartbeat,
            max_symbols: usize::from(self.max_symbols),
            max_message: self.max_message,
            message_rate: u32::from(self.message_rate),
            max_bad_messages: u32::from(self.max_bad_messages),
            max_echo: self.max_echo,
            body_timeout: self.request_timeout,
        }
    }

    /// When connections that are not used are ended.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts {
            silence: Silence {
                ping: self.ping_interval,
                idle: self.subscribe_timeout,
            },
            request: self.request_timeout,
            keep_alive: self.keep_alive,
            client: self.client_timeout,
        }
    }

    /// Worker threads.
    pub fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.workers.map_or_else(cores, usize::from)
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

fn flush_interval(text: &str) -> Result<Duration, String> {
    duration(text, Duration::ZERO, Duration::from_secs(10))
}

fn heartbeat(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_millis(100), Duration::from_secs(60))
}

fn slow_after(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_millis(10), Duration::from_secs(3600))
}

fn ping_interval(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_millis(10), Duration::from_secs(600))
}

fn timeout(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_millis(10), Duration::from_secs(86_400))
}

/// actix reads its clock twice a second.
fn request_timeout(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1), Duration::from_secs(86_400))
}

/// The kernel counts probes in whole seconds, three of them.
fn client_timeout(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(3), Duration::from_secs(3600))
}

fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let bounds = || format!("it takes {least:?} to {most:?}");
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[number.len()..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => {
            let units = "a number with us, ms, s, m or h after it";
            return Err(format!("{units}; {}", bounds()));
        }
    };
    let seconds: f64 = number
        .parse()
        .map_err(|_| format!("{number:?} is no number; {}", bounds()))?;
    match Duration::try_from_secs_f64(seconds * scale) {
        Ok(duration) if (least..=most).contains(&duration) => Ok(duration),
        _ => Err(bounds()),
    }
}

fn journal(text: &str) -> Result<usize, String> {
    bytes(text, 64 << 10, 64 << 30)
}

fn max_message(text: &str) -> Result<usize, String> {
    bytes(text, 125, 64 << 20)
}

fn bytes(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[number.len()..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        unit => return Err(format!("{unit:?} is no unit; it takes B, KiB, MiB or GiB")),
    };
    let count = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(scale));
    match count {
        Some(count) if (least..=most).contains(&count) => Ok(count),
        _ => Err(format!("it takes {least} to {most} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn serve(args: &[&str]) -> Result<Serve, String> {
        let args = ["tickertape"].iter().chain(args);
        let cli = Cli::try_parse_from(args).map_err(|error| error.to_string())?;
        Ok(cli.into_serve())
    }

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_what_happens_without_a_command() {
        let (short, long) = (
            serve(&["--seed", "1"]).unwrap(),
            serve(&["serve", "--seed", "1"]).unwrap(),
        );
        assert_eq!((short.seed, short.bind), (long.seed, long.bind));
    }

    #[test]
    fn units_are_read() {
        let serve = serve(&["--journal", "2MiB", "--heartbeat", "1.5s"]).unwrap();
        assert_eq!(serve.journal, 2 << 20);
        assert_eq!(serve.heartbeat, Duration::from_millis(1_500));
    }

    #[test]
    fn symbols_are_a_number_or_a_file() {
        let symbols = |text| serve(&["--symbols", text]).map(|serve| serve.symbols);
        assert_eq!(symbols("7"), Ok(Symbols::BuiltIn(7)));
        assert_eq!(symbols("my.csv"), Ok(Symbols::File("my.csv".into())));
    }

    #[test]
    fn absurd_values_are_refused_by_the_name_of_their_flag() {
        for (flag, value) in [
            ("--tick-rate", "0"),
            ("--tick-rate", "-3"),
            ("--tick-rate", "nan"),
            ("--tick-rate", "1e9"),
            ("--tick-rate", "abc"),
            ("--symbols", "0"),
            ("--symbols", "100000"),
            ("--workers", "0"),
            ("--journal", "1"),
            ("--journal", "5XB"),
            ("--journal", "99999999999999999999GiB"),
            ("--bars", "0"),
            ("--bars", "86401"),
            ("--heartbeat", "0s"),
            ("--heartbeat", "5"),
            ("--flush-interval", "1h"),
            ("--max-behind", "0"),
            ("--slow-after", "0s"),
            ("--max-symbols", "0"),
            ("--max-message", "1"),
            ("--message-rate", "0"),
            ("--max-bad-messages", "0"),
            ("--max-echo", "65MiB"),
            ("--ping-interval", "0s"),
            ("--subscribe-timeout", "0s"),
            ("--request-timeout", "100ms"),
            ("--keep-alive", "soon"),
            ("--client-timeout", "1s"),
            ("--bind", "localhost"),
            ("--arrivals", "never"),
            ("--day", "0s"),
            ("--day", "10"),
            ("--day", "-10m"),
            ("--day", "25h"),
            ("--day", "nans"),
            ("--halts", "-1"),
            ("--halts", "nan"),
            ("--halts", "1000"),
            ("--burst", "10"),
            ("--burst", "10x/2s"),
            ("--burst", "-1x/2s/30s"),
            ("--burst", "nanx/2s/30s"),
            ("--burst", "1000x/2s/30s"),
            ("--burst", "10x/2/30s"),
            ("--burst", "10x/30s/30s"),
            ("--burst", "10x/0s/30s"),
        ] {
            let flag_and_value = format!("{flag}={value}");
            let error = serve(&[&flag_and_value]).expect_err(&flag_and_value);
            assert!(error.contains(flag), "{flag_and_value}: {error}");
        }
    }
}
