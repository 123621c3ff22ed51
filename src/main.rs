//! The program: read the command line, build, announce, run until told to end.

use std::fmt::Display;
use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use tickertape::config::{Cli, LogFormat, Serve};
use tickertape::feed::Share;
use tickertape::feed::simulated::{GENERATOR, Simulated};
use tickertape::market::Epoch;
use tickertape::server::{Options, Server};
use tickertape::tape::Tape;
use tokio_util::sync::CancellationToken;
use tracing::info;
use tracing_subscriber::EnvFilter;

/// What the shell is told of a command line that cannot be served; clap uses the same.
const BAD_USAGE: u8 = 2;

fn main() -> ExitCode {
    let serve = Cli::parse().into_serve();
    start_log(serve.log_format);
    let shares = match serve.shares() {
        Ok(shares) => shares,
        Err(error) => return bad_usage("--symbols", &error),
    };
    let listener = match bind(serve.bind) {
        Ok(listener) => listener,
        Err(error) => return bad_usage(&format!("--bind {}", serve.bind), &error),
    };
    match run(&serve, shares, listener) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bad_usage(flag: &str, error: &dyn Display) -> ExitCode {
    eprintln!("error: {flag}: {error}");
    ExitCode::from(BAD_USAGE)
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

fn run(serve: &Serve, shares: Vec<Share>, listener: TcpListener) -> anyhow::Result<()> {
    let listing = Share::listing(&shares).context("--symbols")?;
    let market = serve.market(shares);
    info!(
        generator = GENERATOR,
        seed = market.seed,
        symbols = listing.len(),
        rate = market.rate,
        "simulated market"
    );
    let epoch = Epoch::new(rand::random());
    let (tape, publisher) = Tape::new(Arc::new(listing), epoch, serve.keep());
    let server = Server::new(tape);
    let _feed = server
        .start_feed(Simulated::new(market), publisher)
        .context("the feed's thread cannot be started")?;
    let options = Options {
        workers: serve.worker_count(),
        hub: serve.hub(),
        manners: serve.manners(),
        timeouts: serve.timeouts(),
    };
    let address = listener.local_addr()?;
    actix_web::rt::System::new().block_on(async {
        let stop = CancellationToken::new();
        actix_web::rt::spawn(cancel_on_signal(stop.clone())?);
        info!(workers = options.workers, "serving on http://{address}");
        server.run(listener, options, stop).await
    })?;
    info!("ended");
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
