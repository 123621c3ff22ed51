//! Writes what the tape publishes to a file, beside whoever else reads it.

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::web;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::feed::recording::Writer;
use crate::market::{Cursor, SymbolSet};
use crate::metrics::Metrics;
use crate::tape::{Limit, Since, Tape};

/// How often what was published is written. The journal holds it until then.
const INTERVAL: Duration = Duration::from_millis(10);

/// What is taken from the journal at once.
const PIECE: Limit = Limit {
    bytes: 1 << 20,
    ticks: u64::MAX,
};

/// A thread that records; [`Recorder::finish`] ends it.
#[derive(Debug)]
pub struct Recorder {
    stop: Sender<()>,
    thread: JoinHandle<io::Result<Recorded>>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Batches.
    pub batches: u64,
    /// Ticks.
    pub ticks: u64,
}

impl Recorder {
    /// Records the tape from its start on. `failed` is cancelled if that cannot go on: the disk is full, or slower than
    /// the journal is long.
    pub(super) fn start(
        tape: Arc<Tape>,
        writer: Writer<BufWriter<File>>,
        metrics: web::Data<Metrics>,
        failed: CancellationToken,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let run = move || {
            metrics.recording(true);
            let recorded = record(&tape, writer, &metrics, &stopped);
            metrics.recording(false);
            if let Err(error) = &recorded {
                error!(%error, "the recording has ended");
                failed.cancel();
            }
            recorded
        };
        let thread = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(run)?;
        Ok(Self { stop, thread })
    }

    /// Writes what has been published until now, and ends.
    pub fn finish(self) -> io::Result<Recorded> {
        drop(self.stop);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the recorder has panicked")))
    }
}

fn record(
    tape: &Tape,
    mut writer: Writer<BufWriter<File>>,
    metrics: &Metrics,
    stopped: &Receiver<()>,
) -> io::Result<Recorded> {
    let all = SymbolSet::all(tape.listing());
    let mut cursor = tape.head().at(0);
    let mut recorded = Recorded::default();
    loop {
        let is_last = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        loop {
            let (upto, more) = write_piece(tape, cursor, &all, &mut writer, &mut recorded)?;
            cursor = upto;
            if !more {
                break;
            }
        }
        writer.flush()?;
        metrics.recorded(recorded.ticks);
        if is_last {
            writer.finish()?;
            return Ok(recorded);
        }
    }
}

/// Writes a piece of what came after a cursor. Returns how far it went, and whether there is more.
fn write_piece(
    tape: &Tape,
    cursor: Cursor,
    all: &SymbolSet,
    writer: &mut Writer<BufWriter<File>>,
    recorded: &mut Recorded,
) -> io::Result<(Cursor, bool)> {
    match tape.since(cursor, all, PIECE) {
        Since::Batches {
            batches,
            upto,
            more,
        } => {
            for batch in &batches {
                writer.write(batch.generated, batch.ticks())?;
                recorded.batches += 1;
                recorded.ticks += batch.ticks().len() as u64;
            }
            Ok((upto, more))
        }
        Since::Gap(..) => Err(io::Error::other(
            "the disk is slower than the tape; a longer --journal bridges a pause",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::market::testing::{listing, tick};
    use crate::market::{Epoch, SymbolId};
    use crate::tape::{CHANNEL_BATCHES, Keep, Publisher};

    fn tape() -> (Arc<Tape>, Publisher) {
        let keep = Keep {
            journal: 1,
            bars: 1,
        };
        Tape::new(listing(&["A"]), Epoch::new(1), keep)
    }

    fn publish(publisher: &mut Publisher, ticks: u64) {
        for n in 1..=ticks {
            publisher.publish(vec![tick(SymbolId(0), n)], n);
        }
    }

    /// Records into a device that takes what is written but not, like a full disk, what is kept; or that is full.
    fn record_into(device: &str, tape: &Tape) -> io::Result<Recorded> {
        let file = File::options().write(true).open(device)?;
        let writer = Writer::new(BufWriter::new(file), tape.listing(), 0)?;
        let (_, stopped) = channel();
        record(tape, writer, &Metrics::new(), &stopped)
    }

    #[test]
    fn what_the_journal_has_lost_ends_a_recording() {
        let (tape, mut publisher) = tape();
        publish(&mut publisher, CHANNEL_BATCHES as u64 + 1);
        let error = record_into("/dev/null", &tape).unwrap_err();
        assert!(
            error.to_string().contains("slower than the tape"),
            "{error}"
        );
    }

    #[test]
    fn a_full_disk_ends_a_recording() {
        let (tape, mut publisher) = tape();
        publish(&mut publisher, 1);
        let error = record_into("/dev/full", &tape).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}
