//! The load test: many clients on each transport, their ticks audited, their ages and bytes measured.
//!
//! It shares no code with the server. It knows the wire from the outside, as any client does.

mod audit;
mod cli;
mod client;
mod clock;
mod cost;
mod counted;
mod export;
#[cfg_attr(not(target_os = "linux"), path = "floor/elsewhere.rs")]
mod floor;
mod group;
mod http;
mod interrupt;
mod launch;
mod observer;
mod outcome;
mod pin;
mod plan;
mod probe;
mod process;
mod progress;
mod ratio;
mod report;
mod rounds;
mod run;
mod server;
mod strain;
mod tally;
mod target;
mod trouble;
mod units;
mod warning;
mod window;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::cli::{Cli, Command, FloorOptions};
use crate::interrupt::Interrupt;
use crate::launch::Launch;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::Site;
use crate::server::Server;
use crate::target::Target;

fn main() -> ExitCode {
    let job = Job::check(Cli::parse().command).unwrap_or_else(|error| error.exit());
    // This thread waits and draws. The clients live on threads of their own, see `group`.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let code = runtime.block_on(LocalSet::new().run_until(async {
        let interrupt = match Interrupt::listen() {
            Ok(interrupt) => interrupt,
            Err(error) => return fail(&error.into()),
        };
        tokio::select! {
            result = job.run(&interrupt) => match result {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => fail(&error),
            },
            // Whatever is under way is dropped, the server with it.
            () = interrupt.second() => ExitCode::from(130),
        }
    }));
    // Clients of a run that was cut off are still at it.
    runtime.shutdown_background();
    code
}

/// What the command line asks for, checked.
enum Job {
    Measure(Box<Plan>),
    Floor(FloorOptions),
}

impl Job {
    /// The error is one for people, with exit code 2.
    fn check(command: Command) -> Result<Self, clap::Error> {
        match command {
            Command::Floor(options) => Ok(Self::Floor(options)),
            Command::Measure(measure) => {
                Plan::check(measure).map(|plan| Self::Measure(Box::new(plan)))
            }
        }
    }

    /// True if all is well.
    async fn run(&self, interrupt: &Interrupt) -> anyhow::Result<bool> {
        match self {
            Self::Measure(plan) => measure(plan, interrupt).await,
            Self::Floor(options) => floor::serve(options, interrupt).await.map(|()| true),
        }
    }
}

/// Measures every transport of the plan and prints the report; true if all is well.
async fn measure(plan: &Plan, interrupt: &Interrupt) -> anyhow::Result<bool> {
    let mut progress = Progress::new(plan.options.quiet);
    if let Some(rounds) = plan.rounds {
        let binary = tokio::select! {
            binary = server_binary(plan, &mut progress) => binary?,
            () = interrupt.first() => bail!("interrupted before anything was measured"),
        };
        return rounds::measure(plan, rounds, binary, &mut progress, interrupt).await;
    }
    let mut server = tokio::select! {
        server = start_server(plan, &mut progress) => server?,
        () = interrupt.first() => bail!("interrupted before anything was measured"),
    };
    let target = server
        .as_ref()
        .map_or(plan.options.url.as_ref(), |server| Some(server.target()));
    let target = target.context("without --url a server is started")?.clone();
    let address = target.resolve()?;
    if let Err(trouble) = probe::ready(&address).await {
        bail!(
            "--url {}: no server that is ready ({trouble}); start one there, or leave --url out and one is started",
            target.url()
        );
    }
    let clock = probe::clock(&address).await?;
    let process = server
        .as_ref()
        .map_or_else(|| plan.process.clone(), Server::process);
    let site = Site {
        address,
        clock,
        process,
    };
    let config = config(plan, &target);

    let mut outcomes: Vec<Outcome> = Vec::new();
    for transport in &plan.transports {
        if interrupt.happened() {
            break;
        }
        outcomes.push(run::run(*transport, plan, &site, &mut progress, interrupt).await?);
        if let Some(export) = &plan.export {
            let results = outcomes
                .iter()
                .map(export::result)
                .collect::<anyhow::Result<Vec<_>>>()?;
            export.write(&config, &results, &Value::Null)?;
        }
        if let Some(server) = &mut server
            && let Err(error) = server.check_alive().await
        {
            print!("{}", report::render(&outcomes));
            return Err(error);
        }
    }
    print!("{}", report::render(&outcomes));
    Ok(outcomes.iter().all(Outcome::is_good))
}

/// Starts a server, unless there is one.
async fn start_server(plan: &Plan, progress: &mut Progress) -> anyhow::Result<Option<Server>> {
    if plan.options.url.is_some() {
        return Ok(None);
    }
    let binary = server_binary(plan, progress).await?;
    progress.say("starting the server".into());
    let launch = Launch::server(binary, plan.options.tick_rate);
    Ok(Some(Server::start(&launch).await?))
}

/// The binary of `--server`, or one built now.
async fn server_binary(plan: &Plan, progress: &mut Progress) -> anyhow::Result<PathBuf> {
    match &plan.options.server {
        Some(path) => Ok(path.clone()),
        None => {
            progress.say("building the server".into());
            server::build().await
        }
    }
}

/// The configuration as it is kept with the figures.
fn config(plan: &Plan, target: &Target) -> Value {
    let options = &plan.options;
    let own_server = options.url.is_none();
    json!({
        "url": target.url(),
        "own_server": own_server,
        "tick_rate": own_server.then_some(options.tick_rate),
        "transports": plan.transports,
        "clients": options.clients,
        "threads": options.threads,
        "warmup_seconds": options.warmup.as_secs_f64(),
        "duration_seconds": options.duration.as_secs_f64(),
        "short_poll_interval_seconds": plan.interval.as_secs_f64(),
    })
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
