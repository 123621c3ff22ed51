//! The ratios as people read them.

use std::mem::discriminant;

use super::{Contender, RATE_SHARE, Trial, age_p99, cpu_per_tick, ratio, whole};
use crate::cli::Transport;
use crate::outcome::Outcome;
use crate::ratio::Ratio;
use crate::report::{account, dash, line, table};
use crate::units::{bytes, counted, fine_micros, memory};
use crate::warning::Warning;

/// Figures of a contender are medians of its runs; ratios are medians of pairs.
const HEADER: [&str; 9] = [
    "",
    "CPU/tick",
    "× floor",
    "interval",
    "age p99",
    "× floor",
    "interval",
    "per tick",
    "memory/client",
];

/// The whole report.
pub(super) fn render(transports: &[Transport], trials: &[Trial]) -> String {
    let mut contenders = vec![Contender::Floor];
    contenders.extend(transports.iter().copied().map(Contender::Server));
    let rows = contenders.iter().map(|contender| row(*contender, trials));
    let mut text = format!("{}\n\n", table(HEADER, rows));
    let widest = transports
        .iter()
        .filter_map(|transport| ratio(trials, *transport, age_p99))
        .max_by_key(|ratio| ratio.pairs);
    if let Some(ratio) = widest {
        line(&mut text, format_args!("{}", caption(&ratio)));
    }
    let held_up = trials.iter().filter(|trial| !trial.kept_rate).count();
    if held_up > 0 {
        line(
            &mut text,
            format_args!(
                "left out: {held_up} of {} whose rate was more than {:.0} % off, so that they were under another load",
                counted(trials.len() as u64, "run"),
                RATE_SHARE * 100.0
            ),
        );
    }
    for contender in contenders {
        audit(&mut text, contender, trials);
    }
    warnings(&mut text, trials);
    text
}

fn row(contender: Contender, trials: &[Trial]) -> [String; 9] {
    let figure = |figure: fn(&Outcome) -> Option<f64>, show: fn(f64) -> String| {
        let of_runs = whole(trials, contender).filter_map(|trial| figure(&trial.outcome));
        // A figure to one is the figure, so its median is that of the ratios.
        Ratio::of(of_runs.map(|figure| (figure, 1.0))).map_or_else(dash, |all| show(all.median))
    };
    let to_floor = |figure: fn(&Outcome) -> Option<f64>| match contender {
        Contender::Floor => ["1".into(), String::new()],
        Contender::Server(transport) => {
            ratio(trials, transport, figure).map_or_else(|| [dash(), dash()], |ratio| show(&ratio))
        }
    };
    let [cpu, cpu_interval] = to_floor(cpu_per_tick);
    let [age, age_interval] = to_floor(age_p99);
    [
        contender.name().into(),
        figure(cpu_per_tick, fine_micros),
        cpu,
        cpu_interval,
        figure(age_p99, fine_micros),
        age,
        age_interval,
        figure(Outcome::bytes_per_tick, bytes),
        figure(Outcome::memory_per_client, memory),
    ]
}

fn show(ratio: &Ratio) -> [String; 2] {
    [
        format!("{:.2}", ratio.median),
        format!("{:.2}–{:.2}", ratio.low, ratio.high),
    ]
}

fn caption(ratio: &Ratio) -> String {
    format!(
        "× floor: median of {}, each a run beside the floor's of the same round; \
         interval: the sign test's, {:.0} %",
        counted(ratio.pairs as u64, "pair"),
        ratio.coverage * 100.0
    )
}

/// One line for all runs of a contender that are as they should be, and what is wrong with the others.
fn audit(text: &mut String, contender: Contender, trials: &[Trial]) {
    let name = contender.name();
    let runs: Vec<_> = trials
        .iter()
        .filter(|trial| trial.contender == contender)
        .collect();
    let good = runs.iter().filter(|trial| trial.outcome.is_good()).count();
    line(
        text,
        format_args!(
            "{name}: every tick accounted for in {good} of {}",
            counted(runs.len() as u64, "run")
        ),
    );
    for trial in runs.iter().filter(|trial| !trial.outcome.is_good()) {
        account(
            text,
            &format!("{name}, round {}", trial.round),
            &trial.outcome,
        );
    }
    if let Some(reason) = runs
        .iter()
        .find_map(|trial| trial.outcome.cost.as_ref().err())
    {
        line(
            text,
            format_args!("{name}: CPU time and memory are not known: {reason}"),
        );
    }
}

/// Each kind of warning once, with the number of runs that it is about.
fn warnings(text: &mut String, trials: &[Trial]) {
    let all: Vec<_> = trials
        .iter()
        .flat_map(|trial| {
            trial
                .outcome
                .warnings()
                .into_iter()
                .map(move |w| (trial, w))
        })
        .collect();
    let mut said: Vec<&Warning> = Vec::new();
    for (trial, warning) in &all {
        let is_kind = |other: &Warning| discriminant(other) == discriminant(warning);
        if said.iter().any(|other| is_kind(other)) {
            continue;
        }
        if said.is_empty() {
            text.push('\n');
        }
        said.push(warning);
        line(
            text,
            format_args!(
                "warning: {} of {}, the first of them {} in round {}: {warning}",
                all.iter().filter(|(_, other)| is_kind(other)).count(),
                counted(trials.len() as u64, "run"),
                trial.contender.name(),
                trial.round
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::trial;
    use super::*;

    const SSE: Contender = Contender::Server(Transport::Sse);

    fn five_rounds() -> Vec<Trial> {
        (1..=5)
            .flat_map(|round| {
                let cpu_us = 550 + 50 * u64::from(round);
                [
                    trial(round, Contender::Floor, 500),
                    trial(round, SSE, cpu_us),
                ]
            })
            .collect()
    }

    #[test]
    fn the_table_holds_median_and_interval_of_the_pairs() {
        let text = render(&[Transport::Sse], &five_rounds());
        let row = text.lines().find(|line| line.contains("│ sse")).unwrap();
        let cells: Vec<_> = row.split(['│', '┆']).map(str::trim).collect();
        let want = [
            "",
            "sse",
            "7.00 µs",
            "1.40",
            "1.20–1.60",
            "990 µs",
            "1.00",
            "1.00–1.00",
            "250 B",
            "10.0 KiB",
            "",
        ];
        assert_eq!(cells, want);
        assert!(text.contains("median of 5 pairs"), "{text}");
        assert!(text.contains("the sign test's, 94 %\n"), "{text}");
        assert!(
            text.contains("sse: every tick accounted for in 5 of 5 runs\n"),
            "{text}"
        );
    }

    #[test]
    fn a_run_that_lost_ticks_is_named_with_its_round() {
        let mut trials = five_rounds();
        trials[3].outcome.tally.findings.missing = 3;
        trials[3].outcome.tally.findings.jumps = 1;
        let text = render(&[Transport::Sse], &trials);
        let lines = "sse: every tick accounted for in 4 of 5 runs\nsse, round 2: 3 ticks MISSING in 1 gap\n";
        assert!(text.contains(lines), "{text}");
    }

    #[test]
    fn runs_that_are_left_out_are_told() {
        let mut trials = five_rounds();
        trials[0].kept_rate = false;
        let text = render(&[Transport::Sse], &trials);
        assert!(
            text.contains("left out: 1 of 10 runs whose rate was more than 2 % off"),
            "{text}"
        );
        assert!(text.contains("median of 4 pairs"), "{text}");
    }

    #[test]
    fn a_kind_of_warning_is_said_once() {
        let text = render(&[Transport::Sse], &five_rounds());
        assert_eq!(
            text.matches("p99.9 is just the largest").count(),
            1,
            "{text}"
        );
        assert!(
            text.contains("warning: 10 of 10 runs, the first of them floor in round 1"),
            "{text}"
        );
    }
}
