//! The checked options: what clap can't see in one flag alone is refused here, before anything starts.

use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, ValueEnum};

use crate::cli::{Cli, FloorComparison, Measure, Options, Transport};
use crate::export::Export;
use crate::pin::Cores;
use crate::process::{Process, Unmeasured};
use crate::rounds::Rounds;

/// Descriptors for everything but clients: standard streams, runtimes, probes, the server's pipes.
const SPARE_DESCRIPTORS: u64 = 64;

/// A short poll once a second: what pages that poll do.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

/// Those that can be held against the floor: a poll is more than a `send`.
const STREAMS: [Transport; 3] = [Transport::Websocket, Transport::Sse, Transport::Ndjson];

/// Fewer pairs than this make no interval worth the name.
const DEFAULT_ROUNDS: u32 = 5;

/// What will be done.
#[derive(Debug)]
pub(crate) struct Plan {
    /// In this order.
    pub(crate) transports: Vec<Transport>,
    pub(crate) interval: Duration,
    pub(crate) options: Options,
    /// Of `--floor`.
    pub(crate) rounds: Option<Rounds>,
    /// The one of `--server-pid`.
    pub(crate) process: Result<Process, Unmeasured>,
    /// Open and known to be writable.
    pub(crate) export: Option<Export>,
}

impl Plan {
    /// Checks the options against each other and against this host. The error is one for people, with exit code 2.
    pub(crate) fn check(measure: Measure) -> Result<Self, clap::Error> {
        let (transports, options, rounds) = match measure {
            Measure::Run { transport, options } => (vec![transport], options, None),
            Measure::Compare { beside, options } if beside.floor => {
                (STREAMS.to_vec(), options, Some(rounds(&beside)?))
            }
            Measure::Compare { options, .. } => {
                (Transport::value_variants().to_vec(), options, None)
            }
        };
        if rounds.is_some_and(|rounds| rounds.cores.is_some()) && options.threads > 1 {
            return Err(refuse(format!(
                "--pin gives the generator one core: --threads {} would wait for each other",
                options.threads
            )));
        }
        if options.interval.is_some() && !transports.contains(&Transport::ShortPoll) {
            return Err(refuse("--interval is for --transport short-poll only"));
        }
        if options.threads > options.clients {
            return Err(refuse(format!(
                "--threads {} leaves threads without clients: --clients is {}",
                options.threads, options.clients
            )));
        }
        let process = match options.server_pid.map(Process::find) {
            None => Err(Unmeasured::NoPid),
            Some(found @ (Ok(_) | Err(Unmeasured::NoProc))) => found,
            Some(Err(reason)) => return Err(refuse(format!("--server-pid: {reason}"))),
        };
        make_room_for(options.clients)?;
        let export = options
            .json
            .as_deref()
            .map(Export::prepare)
            .transpose()
            .map_err(refuse)?;
        Ok(Self {
            transports,
            interval: options.interval.unwrap_or(DEFAULT_INTERVAL),
            options,
            rounds,
            process,
            export,
        })
    }
}

fn rounds(beside: &FloorComparison) -> Result<Rounds, clap::Error> {
    let cores = beside.pin.then(Cores::choose).transpose();
    Ok(Rounds {
        number: beside.rounds.unwrap_or(DEFAULT_ROUNDS),
        cores: cores.map_err(|reason| refuse(format!("--pin {reason}")))?,
    })
}

/// Raises the soft descriptor limit as far as the clients need and the hard one lets it.
fn make_room_for(clients: u32) -> Result<(), clap::Error> {
    let need = u64::from(clients) + SPARE_DESCRIPTORS;
    match rlimit::increase_nofile_limit(need) {
        Ok(limit) if limit < need => Err(refuse(too_many(clients, need, limit))),
        Ok(_) => Ok(()),
        Err(error) => Err(refuse(format!(
            "--clients {clients} needs {need} open files: {error}"
        ))),
    }
}

fn too_many(clients: u32, need: u64, limit: u64) -> String {
    format!(
        "--clients {clients} needs {need} open files and this shell allows {limit}: \
         use fewer --clients, or raise the hard limit (ulimit -Hn)"
    )
}

fn refuse(reason: impl std::fmt::Display) -> clap::Error {
    Cli::command().error(ErrorKind::ValueValidation, reason)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Command;

    fn check(arguments: &str) -> Result<Plan, String> {
        let words = format!("loadtest {arguments}");
        let cli =
            Cli::try_parse_from(words.split_whitespace()).map_err(|error| error.to_string())?;
        let Command::Measure(measure) = cli.command else {
            panic!("{arguments} measures nothing");
        };
        Plan::check(measure).map_err(|error| error.to_string())
    }

    #[test]
    fn compare_takes_every_transport() {
        assert_eq!(check("compare").unwrap().transports.len(), 5);
        assert_eq!(
            check("run --transport sse").unwrap().transports,
            [Transport::Sse]
        );
        assert_eq!(check("compare --floor").unwrap().transports, STREAMS);
    }

    #[test]
    fn refusals_name_the_flag() {
        for (arguments, flag) in [
            ("run --transport sse --clients 0", "--clients"),
            ("run --transport sse --duration 0s", "--duration"),
            ("run --transport sse --duration 10", "--duration"),
            ("run --transport pigeon", "--transport"),
            ("run", "--transport"),
            ("run --transport sse --interval 1s", "--interval"),
            ("compare --url ftp://example.org", "--url"),
            ("compare --url http://h --tick-rate 5", "--tick-rate"),
            ("compare --server-pid 1", "--url"),
            ("compare --url http://h --server-pid 0", "--server-pid"),
            ("compare --url http://h --server-pid me", "--server-pid"),
            ("compare --floor --url http://h", "--url"),
            ("compare --floor --rounds 0", "--rounds"),
            ("compare --rounds 3", "--floor"),
            ("compare --pin", "--floor"),
            ("compare --floor --pin --threads 2", "--pin"),
            ("compare --floor --interval 1s", "--interval"),
            ("compare --threads 200 --clients 100", "--threads"),
            ("compare --clients 1000000", "--clients"),
            ("compare --json /nowhere/at/all.json", "--json"),
        ] {
            let error = check(arguments).expect_err(arguments);
            assert!(error.contains(flag), "{arguments}: {error}");
        }
    }
}
