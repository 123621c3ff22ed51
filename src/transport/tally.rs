//! What a worker's clients have accepted, on its way to the counters.

use std::cell::RefCell;
use std::rc::Rc;

use crate::metrics::{Local, Sink, Transport};
use crate::wire::frame::{Frame, Ledger};

/// Counts frames. One that many clients get in turn is multiplied out when the next one comes.
#[derive(Debug)]
pub struct Tally {
    metrics: Rc<Local>,
    /// By [`Transport`].
    runs: RefCell<[Option<Run>; Transport::ALL.len()]>,
}

/// The same frame, so many times.
#[derive(Debug)]
struct Run {
    frame: Rc<Frame>,
    /// Bytes around each of them.
    around: usize,
    times: u64,
}

impl Tally {
    /// Counts for these counters.
    pub fn new(metrics: Rc<Local>) -> Self {
        Self {
            metrics,
            runs: RefCell::default(),
        }
    }

    /// A session began.
    pub(super) fn opened(&self, transport: Transport, sink: Sink) {
        self.metrics.opened(transport, sink);
    }

    /// A client has accepted a frame, with so many bytes around it.
    pub(super) fn delivered(&self, transport: Transport, frame: &Rc<Frame>, around: usize) {
        let run = &mut self.runs.borrow_mut()[transport as usize];
        match run {
            Some(run) if Rc::ptr_eq(&run.frame, frame) && run.around == around => run.times += 1,
            _ => {
                let next = Run {
                    frame: Rc::clone(frame),
                    around,
                    times: 1,
                };
                self.count(transport, run.replace(next));
            }
        }
    }

    /// Live ticks were so many microseconds old when a client's sink accepted them.
    pub(super) fn aged(&self, transport: Transport, sink: Sink, micros: u64, ticks: u64) {
        self.metrics.aged(transport, sink, micros, ticks);
    }

    /// A session ended, with so many ticks that were due and not accepted.
    pub(super) fn closed(
        &self,
        transport: Transport,
        sink: Sink,
        reason: &'static str,
        unsent: u64,
    ) {
        self.metrics.unsent(transport, unsent);
        self.metrics.closed(transport, sink, reason);
    }

    /// Brings everything to the counters.
    pub fn settle(&self) {
        let runs = std::mem::take(&mut *self.runs.borrow_mut());
        for (transport, run) in Transport::ALL.into_iter().zip(runs) {
            self.count(transport, run);
        }
    }

    fn count(&self, transport: Transport, run: Option<Run>) {
        let Some(Run {
            frame,
            around,
            times,
        }) = run
        else {
            return;
        };
        let framing = (frame.bytes.len() - frame.payload - frame.head + around) as u64;
        let payload = frame.payload as u64;
        self.metrics
            .sent(transport, payload * times, framing * times);
        let Ledger {
            delivered,
            conflated,
            gapped,
        } = frame.ledger;
        let [delivered, conflated, gapped] = [delivered, conflated, gapped].map(|n| n * times);
        self.metrics
            .settled(transport, delivered, conflated, gapped);
    }
}
