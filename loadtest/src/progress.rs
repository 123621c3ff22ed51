//! What is seen while a run lasts: one line on a terminal, a plain one every few seconds elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::group::Course;
use crate::tally::Tally;
use crate::units::{bytes, count, micros};

/// Between two plain lines: enough for a log to show life.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Where progress goes.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nowhere.
    Quiet,
    /// One line that is drawn over. It has no colours, so there is nothing for `NO_COLOR` to turn off.
    Line(ProgressBar),
    /// Plain lines on stderr.
    Plain { last: Instant },
}

impl Progress {
    /// Chooses by flag and terminal.
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() {
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            line.set_style(
                ProgressStyle::with_template("{spinner} {wide_msg}")
                    .expect("the template is valid"),
            );
            Self::Line(line)
        } else {
            Self::Plain {
                last: Instant::now(),
            }
        }
    }

    /// Something that happens once.
    pub(crate) fn say(&mut self, text: String) {
        match self {
            Self::Quiet => {}
            Self::Line(line) => {
                line.set_message(text);
                line.tick();
            }
            Self::Plain { .. } => eprintln!("{text}"),
        }
    }

    /// Something that changes all the time: plain lines show it every few seconds only.
    pub(crate) fn update(&mut self, text: impl FnOnce() -> String) {
        match self {
            Self::Quiet => {}
            Self::Line(line) => {
                line.set_message(text());
                line.tick();
            }
            Self::Plain { last } => {
                if last.elapsed() >= PLAIN_EVERY {
                    *last = Instant::now();
                    eprintln!("{}", text());
                }
            }
        }
    }

    /// Removes the line, so that the result stands alone.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Quiet => {}
            Self::Line(line) => line.finish_and_clear(),
            Self::Plain { last } => *last = Instant::now(),
        }
    }
}

/// The line of a run under way, from what the last `seconds` brought.
pub(crate) fn status(
    course: &Course,
    phase: &str,
    latest: &Tally,
    seconds: f64,
    missing: u64,
) -> String {
    let connected = course.connected.load(std::sync::atomic::Ordering::Relaxed);
    let name = course.transport.name();
    let mut text = format!(
        "{name}: {phase}, {}/{} clients",
        count(connected.into()),
        count(course.clients.into())
    );
    if latest.ticks > 0 {
        let ticks = count((latest.ticks as f64 / seconds).round() as u64);
        let wire = bytes(latest.bytes() as f64 / seconds);
        let age = |quantile| micros(latest.ages.value_at_quantile(quantile));
        text += &format!(
            ", {ticks} ticks/s, {wire}/s, p50 {}, p99 {}",
            age(0.5),
            age(0.99)
        );
    }
    text + &format!(", gaps {}", count(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_holds_what_the_last_second_brought() {
        let mut latest = Tally {
            bytes_in: 4_000_000,
            ..Tally::default()
        };
        for _ in 0..2_000 {
            latest.tick(0, 150);
        }
        let text = status(&Course::for_tests(), "measuring", &latest, 2.0, 3);
        assert_eq!(
            text,
            "websocket: measuring, 0/1 clients, 1,000 ticks/s, 2.00 MB/s, p50 150 µs, p99 150 µs, gaps 3"
        );
    }

    #[test]
    fn before_the_first_tick_there_are_no_figures() {
        let text = status(
            &Course::for_tests(),
            "connecting",
            &Tally::default(),
            1.0,
            0,
        );
        assert_eq!(text, "websocket: connecting, 0/1 clients, gaps 0");
    }
}
