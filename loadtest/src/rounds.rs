//! The server beside the floor: rounds in which each is measured once, so that they can be compared in pairs.

mod report;

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::Transport;
use crate::clock::Clock;
use crate::export;
use crate::interrupt::Interrupt;
use crate::launch::Launch;
use crate::outcome::Outcome;
use crate::pin::Cores;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::ratio::Ratio;
use crate::run::{self, Site};
use crate::server::Server;

/// A run whose rate is off by more than this share is no half of a pair.
const RATE_SHARE: f64 = 0.02;

/// What `--floor` asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    pub(crate) number: u32,
    /// Of `--pin`.
    pub(crate) cores: Option<Cores>,
}

/// Who takes part in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contender {
    Floor,
    Server(Transport),
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Server(transport) => transport.name(),
        }
    }

    /// The floor is a WebSocket to those who read it.
    fn transport(self) -> Transport {
        match self {
            Self::Floor => Transport::Websocket,
            Self::Server(transport) => transport,
        }
    }
}

/// One run of one contender.
#[derive(Debug)]
struct Trial {
    round: u32,
    contender: Contender,
    /// As many ticks came as should: otherwise it was under another load than those it is held against.
    kept_rate: bool,
    outcome: Outcome,
}

/// Measures all rounds and prints the ratios; true if all is well. Ends early, with what there is, when interrupted.
///
/// # Errors
/// If a contender can't be started or exits, after the report of those measured so far.
pub(crate) async fn measure(
    plan: &Plan,
    rounds: Rounds,
    binary: PathBuf,
    progress: &mut Progress,
    interrupt: &Interrupt,
) -> anyhow::Result<bool> {
    let rate = plan.options.tick_rate;
    let server = Launch::steady_server(binary, rate).on(rounds.cores);
    let floor = Launch::floor(rate)
        .context("can't find this program to start the floor")?
        .on(rounds.cores);
    let mut trials = Vec::new();
    for (round, contender) in schedule(&plan.transports, rounds.number) {
        if interrupt.happened() {
            break;
        }
        progress.say(format!(
            "round {round} of {}: {}",
            rounds.number,
            contender.name()
        ));
        let launch = match contender {
            Contender::Floor => &floor,
            Contender::Server(_) => &server,
        };
        match trial(contender, launch, plan, progress, interrupt).await {
            Ok(outcome) => trials.push(Trial {
                round,
                contender,
                kept_rate: kept_rate(&outcome, rate),
                outcome,
            }),
            Err(error) => {
                print!("{}", report::render(&plan.transports, &trials));
                return Err(error);
            }
        }
        if let Some(export) = &plan.export {
            let config = config(plan, rounds);
            export.write(&config, &results(&trials)?, &ratios(plan, &trials))?;
        }
    }
    if trials.is_empty() {
        bail!("interrupted before anything was measured");
    }
    print!("{}", report::render(&plan.transports, &trials));
    Ok(trials.iter().all(|trial| trial.outcome.is_good()))
}

/// Who is measured when. Each round begins with another contender, so that none is always the first.
fn schedule(transports: &[Transport], rounds: u32) -> Vec<(u32, Contender)> {
    let mut contenders = vec![Contender::Floor];
    contenders.extend(transports.iter().copied().map(Contender::Server));
    let mut turns = Vec::new();
    for round in 1..=rounds {
        turns.extend(contenders.iter().map(|contender| (round, *contender)));
        contenders.rotate_left(1);
    }
    turns
}

/// A run against a process of its own: what an earlier one left in memory would be in the next one's figures.
async fn trial(
    contender: Contender,
    launch: &Launch,
    plan: &Plan,
    progress: &mut Progress,
    interrupt: &Interrupt,
) -> anyhow::Result<Outcome> {
    let mut server = tokio::select! {
        server = Server::start(launch) => server?,
        () = interrupt.first() => bail!("interrupted before {} was measured", contender.name()),
    };
    let site = Site {
        address: server.target().resolve()?,
        clock: Clock::default(),
        process: server.process(),
    };
    let outcome = run::run(contender.transport(), plan, &site, progress, interrupt).await?;
    server.check_alive().await?;
    server.stop().await?;
    Ok(outcome)
}

/// Whether as many ticks came as were to come. A machine that is held up has them come late, all at once, or never.
fn kept_rate(outcome: &Outcome, tick_rate: u32) -> bool {
    let wanted = f64::from(tick_rate) * f64::from(outcome.connected);
    (outcome.ticks_per_second() - wanted).abs() <= RATE_SHARE * wanted
}

/// The runs of a contender that can be compared with others: of a whole window, at the rate asked for.
fn whole(trials: &[Trial], contender: Contender) -> impl Iterator<Item = &Trial> {
    trials.iter().filter(move |trial| {
        trial.contender == contender && trial.kept_rate && !trial.outcome.interrupted
    })
}

/// A figure of a transport to the floor's in the same round, over all rounds.
fn ratio(
    trials: &[Trial],
    transport: Transport,
    figure: impl Fn(&Outcome) -> Option<f64>,
) -> Option<Ratio> {
    let pairs = whole(trials, Contender::Server(transport)).filter_map(|trial| {
        let floor = whole(trials, Contender::Floor).find(|floor| floor.round == trial.round)?;
        Some((figure(&trial.outcome)?, figure(&floor.outcome)?))
    });
    Ratio::of(pairs)
}

fn cpu_per_tick(outcome: &Outcome) -> Option<f64> {
    outcome
        .cpu_per_tick_us()
        .map(|(user, system)| user + system)
}

fn age_p99(outcome: &Outcome) -> Option<f64> {
    outcome.age_us(0.99).map(|us| us as f64)
}

fn config(plan: &Plan, rounds: Rounds) -> Value {
    let options = &plan.options;
    json!({
        "own_server": true,
        "tick_rate": options.tick_rate,
        "symbols": 1,
        "arrivals": "steady",
        "transports": plan.transports,
        "rounds": rounds.number,
        "cores": rounds.cores.map(|cores| json!({ "server": cores.server, "generator": cores.generator })),
        "clients": options.clients,
        "threads": options.threads,
        "warmup_seconds": options.warmup.as_secs_f64(),
        "duration_seconds": options.duration.as_secs_f64(),
    })
}

/// Every run, with who it was and in which round.
fn results(trials: &[Trial]) -> anyhow::Result<Vec<Value>> {
    trials
        .iter()
        .map(|trial| {
            let mut result = export::result(&trial.outcome)?;
            result["contender"] = trial.contender.name().into();
            result["round"] = trial.round.into();
            result["kept_rate"] = trial.kept_rate.into();
            Ok(result)
        })
        .collect()
}

fn ratios(plan: &Plan, trials: &[Trial]) -> Value {
    plan.transports
        .iter()
        .map(|transport| {
            json!({
                "transport": transport,
                "cpu_per_tick_to_floor": ratio(trials, *transport, cpu_per_tick),
                "age_p99_to_floor": ratio(trials, *transport, age_p99),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::sample;

    /// A run that cost this much CPU time for its hundred ticks.
    pub(super) fn trial(round: u32, contender: Contender, cpu_us: u64) -> Trial {
        let mut outcome = Outcome {
            transport: contender.transport(),
            ..sample()
        };
        let cost = outcome.cost.as_mut().unwrap();
        (cost.user_us, cost.system_us) = (cpu_us / 4, cpu_us - cpu_us / 4);
        Trial {
            round,
            contender,
            kept_rate: true,
            outcome,
        }
    }

    const SSE: Contender = Contender::Server(Transport::Sse);

    #[test]
    fn every_round_has_everyone_once_and_begins_with_another() {
        let turns = schedule(&[Transport::Websocket, Transport::Sse], 2);
        let names: Vec<_> = turns
            .iter()
            .map(|(round, contender)| format!("{round} {}", contender.name()))
            .collect();
        assert_eq!(
            names,
            [
                "1 floor",
                "1 websocket",
                "1 sse",
                "2 websocket",
                "2 sse",
                "2 floor"
            ]
        );
    }

    #[test]
    fn a_run_is_held_against_the_floor_of_its_own_round() {
        let trials = [
            trial(1, Contender::Floor, 400),
            trial(1, SSE, 600),
            trial(2, SSE, 1_600),
            trial(2, Contender::Floor, 800),
        ];
        let ratio = ratio(&trials, Transport::Sse, cpu_per_tick).unwrap();
        assert_eq!((ratio.low, ratio.median, ratio.high), (1.5, 1.75, 2.0));
    }

    #[test]
    fn more_or_fewer_ticks_than_asked_for_are_another_rate() {
        // A hundred ticks in a second, for ten clients.
        let outcome = sample();
        assert_eq!(
            [9, 10, 11].map(|rate| kept_rate(&outcome, rate)),
            [false, true, false]
        );
    }

    #[test]
    fn a_run_at_another_rate_is_no_pair() {
        let mut held_up = trial(1, Contender::Floor, 400);
        held_up.kept_rate = false;
        let trials = [held_up, trial(1, SSE, 600)];
        assert_eq!(ratio(&trials, Transport::Sse, cpu_per_tick), None);
    }

    #[test]
    fn a_run_without_its_floor_or_cut_short_is_no_pair() {
        let mut cut = trial(2, SSE, 600);
        cut.outcome.interrupted = true;
        let trials = [trial(1, SSE, 600), trial(2, Contender::Floor, 400), cut];
        assert_eq!(ratio(&trials, Transport::Sse, cpu_per_tick), None);
    }
}
