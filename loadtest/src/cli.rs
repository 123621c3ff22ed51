//! The command line as typed. The doc comments are the help.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use serde::Serialize;

use crate::target::Target;
use crate::units::parse_duration;

/// Measures tickertape's transports: age at the client, bytes at the wire, every tick accounted for
///
/// Exit codes: 0 all well; 1 ticks lost or repeated, clients failed, nothing measured, or no server;
/// 2 a wrong flag; 130 interrupted twice.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Measure(Measure),
    /// Push ticks with nothing but send(2): what a server's cost is held against (Linux)
    Floor(FloorOptions),
}

/// The commands that measure a server.
#[derive(Debug, Subcommand)]
pub(crate) enum Measure {
    /// Measure one transport
    Run {
        /// Which transport
        #[arg(long, value_enum)]
        transport: Transport,
        #[command(flatten)]
        options: Options,
    },
    /// Measure every transport in turn against the same server
    Compare {
        #[command(flatten)]
        beside: FloorComparison,
        #[command(flatten)]
        options: Options,
    },
}

/// What `compare` takes to hold the streams against the floor.
#[derive(Args, Debug)]
pub(crate) struct FloorComparison {
    /// Measure the streams beside the floor and tell what they cost in its measure (Linux)
    #[arg(long, conflicts_with = "url")]
    pub(crate) floor: bool,

    /// How often each is measured beside the floor [default: 5]
    #[arg(long, value_name = "N", requires = "floor", value_parser = value_parser!(u32).range(1..=1_000))]
    pub(crate) rounds: Option<u32>,

    /// Keep what is measured on one core and the load test on another
    #[arg(long, requires = "floor")]
    pub(crate) pin: bool,
}

/// How ticks travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Transport {
    /// WebSocket text frames on /v1/ws
    Websocket,
    /// Server-Sent Events on /v1/sse
    Sse,
    /// NDJSON over one long response on /v1/stream
    Ndjson,
    /// Long polls on /v1/poll
    LongPoll,
    /// The whole board at intervals, from /v1/quotes
    ShortPoll,
}

impl Transport {
    /// The name in flags, tables and files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Websocket => "websocket",
            Self::Sse => "sse",
            Self::Ndjson => "ndjson",
            Self::LongPoll => "long-poll",
            Self::ShortPoll => "short-poll",
        }
    }
}

/// What both measuring commands take.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// How many clients connect and stay
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) clients: u32,

    /// How long to measure, like 10s or 2m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = window_time)]
    pub(crate) duration: Duration,

    /// How long to let clients run before measuring
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = warmup_time)]
    pub(crate) warmup: Duration,

    /// Time between two short polls of one client (short-poll only) [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = interval_time)]
    pub(crate) interval: Option<Duration>,

    /// The server to measure; without it one is built and started
    #[arg(long, value_name = "URL", conflicts_with_all = ["server", "tick_rate"])]
    pub(crate) url: Option<Target>,

    /// The process of the server at --url, on this host: then its CPU time and memory are measured
    #[arg(long, value_name = "PID", requires = "url", value_parser = value_parser!(u32).range(1..))]
    pub(crate) server_pid: Option<u32>,

    /// The server binary to start instead of building one
    #[arg(long, value_name = "PATH")]
    pub(crate) server: Option<PathBuf>,

    /// Ticks a second, over all symbols, of the server that is started
    #[arg(long, value_name = "R", default_value_t = 200, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) tick_rate: u32,

    /// Threads of the generator; clients are spread over them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=256))]
    pub(crate) threads: u32,

    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// No progress, only the result
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// What the floor takes.
#[derive(Args, Debug)]
pub(crate) struct FloorOptions {
    /// Where to listen; port 0 is any free one, and the address is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) bind: SocketAddr,

    /// Ticks a second
    #[arg(long, value_name = "R", default_value_t = 200, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) tick_rate: u32,

    /// Ticks in each send, every one a frame of its own
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(crate) batch: u32,

    /// How long to run, like 10s or 2m [default: until Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = window_time)]
    pub(crate) duration: Option<Duration>,
}

fn window_time(text: &str) -> Result<Duration, String> {
    parse_duration(
        text,
        Duration::from_millis(100),
        Duration::from_secs(24 * 3600),
    )
}

fn warmup_time(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::ZERO, Duration::from_secs(3600))
}

fn interval_time(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_millis(1), Duration::from_secs(3600))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names_are_what_the_flag_takes() {
        for transport in Transport::value_variants() {
            let flag = transport.to_possible_value().unwrap();
            assert_eq!(flag.get_name(), transport.name());
        }
    }
}
