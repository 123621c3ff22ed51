//! The program: read the command line, build, announce, run until told to end.

use std::fs::File;
use std::io::{BufWriter, IsTerminal};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tickertape::clock;
use tickertape::config::{Cli, Job, LogFormat, Market, Record, Serve};
use tickertape::feed::Plan;
use tickertape::feed::recording::Writer;
use tickertape::market::{Epoch, Listing};
use tickertape::server::{Descriptors, FeedThread, Options, Recorder, Server};
use tickertape::tape::{Keep, Tape};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

/// What the shell is told of a command line that cannot be followed; clap uses the same.
const BAD_USAGE: u8 = 2;

/// Why the process ends.
enum Failure {
    /// A flag names something that cannot be used.
    Usage(String),
    /// Something else.
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

fn main() -> ExitCode {
    let ended = match Cli::job() {
        Job::Serve(serve) => run_server(&serve),
        Job::Record(record) => run_recorder(&record),
    };
    let (code, error) = match ended {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => (ExitCode::from(BAD_USAGE), error),
        Err(Failure::Other(error)) => (ExitCode::FAILURE, format!("{error:#}")),
    };
    eprintln!("error: {error}");
    code
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// The listening socket. Addresses in TIME-WAIT do not count as in use, so that a restart is not held up.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    const BACKLOG: i32 = 4096;
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        None,
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn run_server(serve: &Serve) -> Result<(), Failure> {
    start_log(serve.log_format);
    let (listing, plan) = open(&serve.market)?;
    let listener = bind(serve.bind)
        .map_err(|error| Failure::Usage(format!("--bind {}: {error}", serve.bind)))?;
    let record = match &serve.record {
        Some(path) => Some(create("--record ", path, &listing)?),
        None => None,
    };
    let stop = CancellationToken::new();
    // A recording that fails does not end the server: `tickertape_recording` tells.
    let (server, feed, recorder) = start(
        listing,
        plan,
        serve.keep(),
        record,
        &CancellationToken::new(),
    )?;
    let descriptors = Descriptors::raise();
    let options = Options {
        workers: serve.worker_count(),
        max_connections: serve.max_connections(descriptors),
        hub: serve.hub(),
        manners: serve.manners(),
        timeouts: serve.timeouts(),
    };
    if options.max_connections as u64 > descriptors.limit() {
        warn!(
            "--max-connections {} is more than the {} descriptors that the process may have",
            options.max_connections,
            descriptors.limit()
        );
    }
    let address = listener.local_addr()?;
    actix_web::rt::System::new().block_on(async {
        actix_web::rt::spawn(cancel_on_signal(stop.clone())?);
        info!(
            workers = options.workers,
            max_connections = options.max_connections,
            "serving on http://{address}"
        );
        server.run(listener, options, stop).await
    })?;
    drop(feed);
    finish(recorder)?;
    info!("ended");
    Ok(())
}

fn run_recorder(record: &Record) -> Result<(), Failure> {
    start_log(record.log_format);
    let (listing, plan) = open(&record.market)?;
    let file = create("", &record.file, &listing)?;
    let keep = Keep {
        journal: RECORDER_JOURNAL,
        bars: 1,
    };
    let stop = CancellationToken::new();
    let (_server, feed, recorder) = start(listing, plan, keep, Some(file), &stop)?;
    actix_web::rt::System::new().block_on(async {
        actix_web::rt::spawn(cancel_on_signal(stop.clone())?);
        info!("recording to {}", record.file.display());
        let duration = record.duration.unwrap_or(Duration::MAX);
        // Whichever comes first: the time, a signal, the end of the file that is played, a disk that is full.
        let _ = tokio::time::timeout(duration, async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = feed.ended() => {}
            }
        })
        .await;
        anyhow::Ok(())
    })?;
    drop(feed);
    Ok(finish(recorder)?)
}

/// Memory for what the disk has not taken yet.
const RECORDER_JOURNAL: usize = 64 << 20;

fn open(market: &Market) -> Result<(Listing, Plan), Failure> {
    market
        .open()
        .map_err(|error| Failure::Usage(error.to_string()))
}

fn create(flag: &str, path: &Path, listing: &Listing) -> Result<Writer<BufWriter<File>>, Failure> {
    let created = Writer::create(path, listing, clock::now());
    created.map_err(|error| Failure::Usage(format!("{flag}{}: {error}", path.display())))
}

/// Starts the tape, and the recording of it before its first batch.
fn start(
    listing: Listing,
    plan: Plan,
    keep: Keep,
    record: Option<Writer<BufWriter<File>>>,
    failed: &CancellationToken,
) -> anyhow::Result<(Server, FeedThread, Option<Recorder>)> {
    let epoch = Epoch::new(rand::random());
    let (tape, publisher) = Tape::new(Arc::new(listing), epoch, keep);
    let server = Server::new(tape);
    let recorder = record
        .map(|writer| server.start_recorder(writer, failed.clone()))
        .transpose()
        .context("the recorder's thread cannot be started")?;
    let feed = server
        .start_feed(plan, publisher)
        .context("the feed's thread cannot be started")?;
    Ok((server, feed, recorder))
}

fn finish(recorder: Option<Recorder>) -> anyhow::Result<()> {
    if let Some(recorder) = recorder {
        let recorded = recorder.finish().context("the recording has failed")?;
        info!(
            ticks = recorded.ticks,
            batches = recorded.batches,
            "recorded"
        );
    }
    Ok(())
}

/// Listens for SIGTERM and Ctrl-C from now on.
fn cancel_on_signal(stop: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => info!("ending on SIGTERM"),
            _ = interrupt.recv() => info!("ending on Ctrl-C"),
        }
        stop.cancel();
    })
}
