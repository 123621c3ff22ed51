//! The result as people read it: one table, then the audit, the troubles and the warnings in sentences.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::outcome::Outcome;
use crate::units::{bytes, count, micros};

/// Kinds of trouble shown for each transport; the rest are summed up.
const SHOWN_TROUBLES: usize = 5;

const HEADER: [&str; 13] = [
    "transport",
    "clients",
    "ticks/s",
    "age p50",
    "p90",
    "p99",
    "p99.9",
    "max",
    "wire",
    "per tick",
    "requests",
    "gaps",
    "skipped",
];

/// The whole report.
pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut text = format!("{}\n\n", table(outcomes));
    for outcome in outcomes {
        let name = outcome.transport.name();
        line(&mut text, format_args!("{name}: {}", outcome.verdict()));
        if outcome.failed + outcome.dropped > 0 {
            line(&mut text, format_args!("{name}: {}", departures(outcome)));
            let troubles = outcome.troubles();
            for (kind, number) in troubles.iter().take(SHOWN_TROUBLES) {
                line(&mut text, format_args!("  {} × {kind}", count(*number)));
            }
            if troubles.len() > SHOWN_TROUBLES {
                line(
                    &mut text,
                    format_args!("  and {} other kinds", troubles.len() - SHOWN_TROUBLES),
                );
            }
        }
        if outcome.tally.reopened > 0 {
            let reopened = count(outcome.tally.reopened);
            line(
                &mut text,
                format_args!(
                    "{name}: {reopened} connections reopened after the server closed them idle"
                ),
            );
        }
    }
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

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    // A table that wraps in a narrow terminal can't be compared or pasted.
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    for outcome in outcomes {
        table.add_row(row(outcome));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(outcome: &Outcome) -> [String; 13] {
    let dash = || "–".to_owned();
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
        format!("{}/s", bytes(outcome.bytes_per_second())),
        outcome.bytes_per_tick().map_or_else(dash, bytes),
        count(outcome.tally.requests),
        count(outcome.tally.findings.missing),
        count(outcome.tally.findings.skipped),
    ]
}

fn departures(outcome: &Outcome) -> String {
    format!(
        "of {} clients {} could not connect and {} did not stay",
        count(u64::from(outcome.asked)),
        count(u64::from(outcome.failed)),
        count(u64::from(outcome.dropped))
    )
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
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
        let row = text.lines().find(|line| line.contains("sse")).unwrap();
        let cells: Vec<_> = row
            .split(['│', '┆'])
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
            "25.0 kB/s",
            "250 B",
            "10",
            "0",
            "0",
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
        assert_eq!(text.matches('–').count(), 6, "{text}");
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
