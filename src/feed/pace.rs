//! Brings a feed's plan to the wall clock.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Emission;
use crate::clock;
use crate::market::{Micros, Tick};

/// Lateness at which the plan is put off rather than caught up with: a machine that cannot keep the rate would
/// otherwise fall behind without end and answer every stall with a burst.
const MOST_LATE: Duration = Duration::from_secs(1);

/// How well the plan is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// How long after their intended time the last ticks were generated.
    pub late: Duration,
    /// By how much the plan has been put off in all.
    pub put_off: Duration,
}

/// Emits each of the feed's emissions when it is due, until the sender of `stop` is dropped.
///
/// It sleeps on a thread of its own: an async timer would round to milliseconds.
pub fn pace(
    feed: impl Iterator<Item = Emission>,
    stop: &Receiver<()>,
    mut emit: impl FnMut(Vec<Tick>, Micros, Pace),
) {
    let start = Instant::now();
    let mut pace = Pace::default();
    for Emission { at, mut ticks } in feed {
        let due = start + at + pace.put_off;
        let ahead = due.saturating_duration_since(Instant::now());
        // Even without time to wait, whether to stop is asked.
        match stop.recv_timeout(ahead) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        pace.late = due.elapsed();
        if pace.late > MOST_LATE {
            pace.put_off += pace.late;
        }
        let now = clock::now();
        for tick in &mut ticks {
            tick.ts = now;
        }
        emit(ticks, now, pace);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::market::{Price, SymbolId};

    fn plan(step: Duration) -> impl Iterator<Item = Emission> {
        let price = Price::new(100);
        (1..).map(move |n| Emission {
            at: step * n as u32,
            ticks: vec![Tick {
                symbol: SymbolId(0),
                n,
                ts: 0,
                last: price,
                size: 1,
                bid: price,
                ask: price,
                volume: n,
                open: None,
                halted: false,
            }],
        })
    }

    #[test]
    fn nothing_is_emitted_before_it_is_due() {
        let (_stop, stopped) = channel();
        let start = Instant::now();
        let step = Duration::from_millis(1);
        pace(plan(step).take(20), &stopped, |ticks, _, _| {
            assert!(start.elapsed() >= step * ticks[0].n as u32);
        });
    }

    #[test]
    fn a_feed_ends_when_the_other_side_is_gone() {
        let (stop, stopped) = channel();
        let mut stop = Some(stop);
        let mut emitted = 0;
        pace(plan(Duration::ZERO), &stopped, |_, _, _| {
            emitted += 1;
            if emitted == 3 {
                stop.take();
            }
        });
        assert_eq!(emitted, 3);
    }

    #[test]
    fn ticks_carry_the_time_at_which_they_were_generated() {
        let (_stop, stopped) = channel();
        let before = clock::now();
        pace(plan(Duration::ZERO).take(2), &stopped, |ticks, now, _| {
            assert!(ticks[0].ts == now && now >= before);
        });
    }
}
