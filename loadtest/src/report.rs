//! The result as people read it: two tables, then the audit, the troubles and the warnings in sentences.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::outcome::Outcome;
use crate::units::{bytes, count, fine_micros, memory, micros};

/// Kinds of trouble shown for each transport; the rest are summed up.
const SHOWN_TROUBLES: usize = 5;

/// What came, and how old it was.
const TICKS: [&str; 10] = [
    "transport",
    "clients",
    "ticks/s",
    "age p50",
    "p90",
    "p99",
    "p99.9",
    "max",
    "gaps",
    "skipped",
];

/// What that took: a table of its own, since both together are wider than a terminal.
const COST: [&str; 8] = [
    "transport",
    "wire",
    "per tick",
    "requests",
    "CPU/tick",
    "user",
    "system",
    "memory/client",
];

/// The whole report.
pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{}\n{}\n\n",
        table(TICKS, outcomes.iter().map(ticks)),
        table(COST, outcomes.iter().map(cost))
    );
    for outcome in outcomes {
        account(&mut text, outcome.transport.name(), outcome);
    }
    unmeasured(&mut text, outcomes);
    let warnings = outcomes
        .iter()
        .flat_map(|outcome| outcome.warnings().into_iter().map(move |w| (outcome, w)));
    for (place, (outcome, warning)) in warnings.enumerate() {
        if place == 0 {
            text.push('\n');
        }
        line(
            &mut text,
            format_args!("warning: {}: {warning}", outcome.transport.name()),
        );
    }
    text
}

/// What became of a run's ticks and clients, in lines that begin with its name.
pub(crate) fn account(text: &mut String, name: &str, outcome: &Outcome) {
    line(text, format_args!("{name}: {}", outcome.verdict()));
    if outcome.failed + outcome.dropped > 0 {
        line(text, format_args!("{name}: {}", departures(outcome)));
        let troubles = outcome.troubles();
        for (kind, number) in troubles.iter().take(SHOWN_TROUBLES) {
            line(text, format_args!("  {} × {kind}", count(*number)));
        }
        if troubles.len() > SHOWN_TROUBLES {
            line(
                text,
                format_args!("  and {} other kinds", troubles.len() - SHOWN_TROUBLES),
            );
        }
    }
    if outcome.tally.reopened > 0 {
        let reopened = count(outcome.tally.reopened);
        line(
            text,
            format_args!(
                "{name}: {reopened} connections reopened after the server closed them idle"
            ),
        );
    }
}

/// A table with names on the left and figures on the right.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    // A table that wraps in a narrow terminal can't be compared or pasted.
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Stands for a figure that is not known.
pub(crate) fn dash() -> String {
    "–".into()
}

fn ticks(outcome: &Outcome) -> [String; 10] {
    let age = |quantile| outcome.age_us(quantile).map_or_else(dash, micros);
    [
        outcome.transport.name().to_owned(),
        format!(
            "{}/{}",
            count(u64::from(outcome.connected)),
            count(u64::from(outcome.asked))
        ),
        count(outcome.ticks_per_second().round() as u64),
        age(0.5),
        age(0.9),
        age(0.99),
        age(0.999),
        age(1.0),
        count(outcome.tally.findings.missing),
        count(outcome.tally.findings.skipped),
    ]
}

fn cost(outcome: &Outcome) -> [String; 8] {
    let cpu = outcome.cpu_per_tick_us();
    let each = |part: fn((f64, f64)) -> f64| cpu.map(part).map_or_else(dash, fine_micros);
    [
        outcome.transport.name().to_owned(),
        format!("{}/s", bytes(outcome.bytes_per_second())),
        outcome.bytes_per_tick().map_or_else(dash, bytes),
        count(outcome.tally.requests),
        each(|(user, system)| user + system),
        each(|(user, _)| user),
        each(|(_, system)| system),
        outcome.memory_per_client().map_or_else(dash, memory),
    ]
}

/// Says why there are no figures of the server; once, where the reason is the same for all.
fn unmeasured(text: &mut String, outcomes: &[Outcome]) {
    let mut last = None;
    for outcome in outcomes {
        let reason = outcome.cost.as_ref().err();
        if let Some(reason) = reason.filter(|_| reason != last) {
            line(
                text,
                format_args!("the server's CPU time and memory are not known: {reason}"),
            );
        }
        last = reason;
    }
}

fn departures(outcome: &Outcome) -> String {
    format!(
        "of {} clients {} could not connect and {} did not stay",
        count(u64::from(outcome.asked)),
        count(u64::from(outcome.failed)),
        count(u64::from(outcome.dropped))
    )
}

/// Appends a line.
pub(crate) fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::sample;

    #[test]
    fn the_table_holds_every_figure() {
        let mut outcome = sample();
        outcome.tally.requests = 10;
        let text = render(&[outcome]);
        let cells: Vec<_> = text
            .lines()
            .filter(|line| line.contains("│ sse"))
            .flat_map(|row| row.split(['│', '┆']))
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        let want = [
            "sse",
            "10/10",
            "100",
            "500 µs",
            "900 µs",
            "990 µs",
            "1.00 ms",
            "1.00 ms",
            "0",
            "0",
            "sse",
            "25.0 kB/s",
            "250 B",
            "10",
            "10.0 µs",
            "3.00 µs",
            "7.00 µs",
            "10.0 KiB",
        ];
        assert_eq!(cells, want);
        assert!(text.contains("sse: every tick accounted for\n"), "{text}");
    }

    #[test]
    fn a_run_without_ticks_shows_dashes() {
        let silent = Outcome {
            tally: crate::tally::Tally::default(),
            ..sample()
        };
        let text = render(&[silent]);
        assert_eq!(text.matches('–').count(), 9, "{text}");
    }

    #[test]
    fn no_table_is_wider_than_a_terminal_of_120_columns() {
        let mut outcome = Outcome {
            transport: crate::cli::Transport::ShortPoll,
            asked: 100_000,
            connected: 100_000,
            ..sample()
        };
        outcome.tally.ticks = 10_000_000;
        outcome.tally.findings.skipped = 10_000_000;
        outcome.tally.requests = 10_000_000;
        let text = render(&[outcome]);
        let widths = text.lines().filter(|line| line.starts_with('│'));
        assert!(
            widths.map(|line| line.chars().count()).max() <= Some(120),
            "{text}"
        );
    }

    #[test]
    fn why_the_server_was_not_measured_is_said_once() {
        let unmeasured = || Outcome {
            cost: Err(crate::process::Unmeasured::NoPid),
            ..sample()
        };
        let text = render(&[unmeasured(), unmeasured()]);
        assert_eq!(text.matches("--server-pid").count(), 1, "{text}");
    }

    #[test]
    fn troubles_are_shown_by_kind_the_most_frequent_first() {
        let mut outcome = Outcome {
            failed: 3,
            dropped: 1,
            ..sample()
        };
        for kind in ["a", "b", "b", "b"] {
            outcome.tally.trouble(kind.into());
        }
        let text = render(&[outcome]);
        assert!(
            text.contains(
                "of 10 clients 3 could not connect and 1 did not stay\n  3 × b\n  1 × a\n"
            ),
            "{text}"
        );
    }
}
