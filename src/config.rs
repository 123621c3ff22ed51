//! The command line: flags, else `TICKERTAPE_*` variables, else defaults.

mod market;
mod units;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::hub;
use crate::metrics::Sink;
use crate::server::{Descriptors, Timeouts};
use crate::tape::Keep;
use crate::transport::{Manners, Silence};

pub use market::{BadFile, Feed, Market, Symbols};
use units::{bytes, duration};

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
    Serve(Box<Serve>),
    /// Write what a feed publishes to a file, without serving it, until Ctrl-C
    Record(Record),
}

/// What is to be done.
#[derive(Debug)]
pub enum Job {
    /// Serve the tape.
    Serve(Box<Serve>),
    /// Record it.
    Record(Record),
}

impl Cli {
    /// The job that the process was started for. Ends the process where the command line is not right, with 2, or asks
    /// for help.
    pub fn job() -> Job {
        Self::job_of(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    fn job_of(args: impl IntoIterator<Item = OsString>) -> Result<Job, clap::Error> {
        let given = Self::command().try_get_matches_from(args)?;
        let cli = Self::from_arg_matches(&given)?;
        let given: &ArgMatches = given.subcommand().map_or(&given, |(_, given)| given);
        let job = match cli.command {
            None => Job::Serve(Box::new(cli.serve)),
            Some(Command::Serve(serve)) => Job::Serve(serve),
            Some(Command::Record(record)) => Job::Record(record),
        };
        let market = match &job {
            Job::Serve(serve) => &serve.market,
            Job::Record(record) => &record.market,
        };
        match market.check(given) {
            Ok(()) => Ok(job),
            Err(reason) => Err(Self::command().error(ErrorKind::ArgumentConflict, reason)),
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

/// Flags of `record`.
#[derive(Clone, Debug, Args)]
pub struct Record {
    /// The file, which must not be there yet
    pub file: PathBuf,

    /// How long, like 60s [default: until Ctrl-C]
    #[arg(long, env = "TICKERTAPE_DURATION", value_parser = timeout)]
    pub duration: Option<Duration>,

    /// What is on the tape
    #[command(flatten)]
    pub market: Market,

    /// How the log is written
    #[arg(long, env = "TICKERTAPE_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
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

    /// Connections of all kinds together, beyond which clients are asked to come back later [default: as many as the
    /// process may open descriptors, its limit being raised to the hard one, but for a tenth, at least 64 and 8 a worker]
    #[arg(long, env = "TICKERTAPE_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: Option<u32>,

    /// What is on the tape
    #[command(flatten)]
    pub market: Market,

    /// Write everything that is published to this new file, for `--feed replay:FILE`
    #[arg(long, env = "TICKERTAPE_RECORD", value_name = "FILE")]
    pub record: Option<PathBuf>,

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

    /// What writes to clients who stream over plain connections: the server to their sockets itself, or actix as it does
    /// with others
    #[arg(long, env = "TICKERTAPE_SINK", default_value = "direct")]
    pub sink: Sink,

    /// The server's name in `welcome`
    #[arg(long, env = "TICKERTAPE_NAME", default_value = "tickertape")]
    pub name: String,

    /// How the log is written
    #[arg(long, env = "TICKERTAPE_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

impl Serve {
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
            sink: self.sink,
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

    /// Connections of all kinds.
    pub fn max_connections(&self, descriptors: Descriptors) -> usize {
        let default = || descriptors.for_connections(self.worker_count());
        self.max_connections.map_or_else(default, |n| n as usize)
    }

    /// Worker threads.
    pub fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.workers.map_or_else(cores, usize::from)
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

fn journal(text: &str) -> Result<usize, String> {
    bytes(text, 64 << 10, 64 << 30)
}

fn max_message(text: &str) -> Result<usize, String> {
    bytes(text, 125, 64 << 20)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn serve(args: &[&str]) -> Result<Serve, String> {
        let args = ["tickertape"].iter().chain(args).map(OsString::from);
        match Cli::job_of(args).map_err(|error| error.to_string())? {
            Job::Serve(serve) => Ok(*serve),
            Job::Record(record) => Err(format!("{record:?}")),
        }
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
        assert_eq!(
            (short.market.seed, short.bind),
            (long.market.seed, long.bind)
        );
    }

    #[test]
    fn units_are_read() {
        let serve = serve(&["--journal", "2MiB", "--heartbeat", "1.5s"]).unwrap();
        assert_eq!(serve.journal, 2 << 20);
        assert_eq!(serve.heartbeat, Duration::from_millis(1_500));
    }

    #[test]
    fn symbols_are_a_number_or_a_file() {
        let symbols = |text| serve(&["--symbols", text]).map(|serve| serve.market.symbols);
        assert_eq!(symbols("7"), Ok(Symbols::BuiltIn(7)));
        assert_eq!(symbols("my.csv"), Ok(Symbols::File("my.csv".into())));
    }

    #[test]
    fn a_feed_is_simulated_or_a_file_that_is_played() {
        let feed = |text| serve(&["--feed", text]).map(|serve| serve.market.feed);
        assert_eq!(feed("simulated"), Ok(Feed::Simulated));
        assert_eq!(feed("replay:a.tape"), Ok(Feed::Replay("a.tape".into())));
    }

    #[test]
    fn a_flag_that_does_not_go_with_the_feed_is_refused() {
        for (args, flag) in [
            (
                &["--feed=replay:a.tape", "--tick-rate=9"][..],
                "--tick-rate",
            ),
            (&["--feed=replay:a.tape", "--seed=9"], "--seed"),
            (&["--speed=10"], "--speed"),
            (&["serve", "--loop"], "--loop"),
            (&["record", "b.tape", "--loop"], "--loop"),
        ] {
            let error = serve(args).unwrap_err();
            assert!(
                error.contains(&format!("{flag} does not go with")),
                "{error}"
            );
        }
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
            ("--max-connections", "0"),
            ("--max-connections", "many"),
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
            ("--feed", "live"),
            ("--feed", "replay:"),
            ("--speed", "0"),
            ("--speed", "inf"),
        ] {
            let flag_and_value = format!("{flag}={value}");
            let error = serve(&[&flag_and_value]).expect_err(&flag_and_value);
            assert!(error.contains(flag), "{flag_and_value}: {error}");
        }
    }
}
