//! The hub at work: gathering what is published, flushing it, repairing a lag, watching over subscribers.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::market::SymbolSet;
use crate::tape::{CHANNEL_BATCHES, Limit, Since};
use crate::wire::batch::Batch;
use crate::wire::close::CloseReason;
use crate::wire::frame::{Encoding, Frame, Kind};
use crate::wire::json;
use crate::wire::terms::Policy;

use super::subscriber::{Flushed, Subscriber};
use super::{Hub, Options, Sink, State};

/// Batches that leave together at most; half of what the channel holds, so that gathering does not make it lag.
const BATCHES_PER_FLUSH: usize = CHANNEL_BATCHES / 2;

/// Subscribers served between two yields, so that new connections and polls stay prompt.
const SUBSCRIBERS_PER_TURN: usize = 256;

/// Subscribers whose memory is fetched before the first of them is served.
const SUBSCRIBERS_AHEAD: usize = 32;

/// What a worker that lags fetches from the journal at once.
const REPAIR: Limit = Limit {
    bytes: 256 * 1024,
    ticks: u64::MAX,
};

impl<S: Sink + 'static> Hub<S> {
    pub(super) async fn run(
        self: Rc<Self>,
        batches: BroadcastStream<Arc<Batch>>,
        stop: CancellationToken,
    ) {
        let mut batches = batches.ready_chunks(BATCHES_PER_FLUSH);
        let mut watch = interval(self.options.watch_interval());
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut gathered = Gathered::default();
        let mut next_flush = Instant::now();
        loop {
            let group_due = self.state.borrow().groups.next_due();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = watch.tick() => self.watch(),
                () = self.waiting.notified() => {}
                () = sleep_until(group_due.unwrap_or(next_flush)), if group_due.is_some() => {
                    self.flush(&[]).await;
                }
                () = sleep_until(next_flush), if !gathered.is_empty() => {}
                Some(received) = batches.next() => gathered.add(received),
            }
            // What fills a flush does not wait for its time. Timers have steps of a millisecond, so the clock is asked.
            let full = gathered.batches.len() >= BATCHES_PER_FLUSH;
            if full || (!gathered.is_empty() && Instant::now() >= next_flush) {
                self.take(std::mem::take(&mut gathered)).await;
                next_flush = Instant::now() + self.options.flush_interval;
            }
        }
        self.close();
    }

    async fn take(&self, mut gathered: Gathered) {
        if gathered.lagged == 0 {
            // A repair may have been ahead of the channel.
            let at = self.at.get().seq;
            gathered.batches.retain(|batch| batch.cursor.seq > at);
            self.flush(&gathered.batches).await;
            return;
        }
        self.state.borrow_mut().facts.lagged += gathered.lagged;
        // What was missed lies in the journal; all who are live go on from where the worker stood.
        let all = SymbolSet::all(self.tape.listing());
        let mut at = self.at.get();
        loop {
            match self.tape.since(at, &all, REPAIR) {
                Since::Batches {
                    batches,
                    upto,
                    more,
                } => {
                    self.flush(&batches).await;
                    at = upto;
                    if !more {
                        break;
                    }
                }
                // Even there it is gone: each goes on from where it stands itself.
                Since::Gap(_, board) => {
                    at = board.cursor;
                    self.each_in_turns(|state, id| self.catch_up(state, id))
                        .await;
                    break;
                }
            }
        }
        self.at.set(at);
    }

    /// Brings batches without a hole between them, or none, to all who are live.
    async fn flush(&self, batches: &[Arc<Batch>]) {
        let now = Instant::now();
        if let Some(last) = batches.last() {
            self.at.set(last.cursor);
        }
        {
            let State { groups, facts, .. } = &mut *self.state.borrow_mut();
            groups.prepare(&batches.into(), &self.tape, now, &mut facts.encodes);
        }
        self.each_in_turns(|state, id| {
            let State {
                subscribers, facts, ..
            } = state;
            let flushed = (subscribers.get_mut(id))
                .map(|subscriber| subscriber.flush(&self.tape, now, facts));
            if flushed == Some(Flushed::Apart) {
                self.catch_up(state, id);
            }
        })
        .await;
    }

    /// Visits every live subscriber, and yields after each turn. Each time another turn is the first, so that nobody
    /// always comes last. Who subscribes meanwhile is at the head already.
    async fn each_in_turns(&self, mut visit: impl FnMut(&mut State<S>, usize)) {
        let all = self.state.borrow().subscribers.capacity();
        let turns = all.div_ceil(SUBSCRIBERS_PER_TURN);
        let first = self.turn.get();
        self.turn.set(first.wrapping_add(1));
        for turn in (0..turns).map(|turn| first.wrapping_add(turn) % turns) {
            {
                let state = &mut *self.state.borrow_mut();
                let begin = turn * SUBSCRIBERS_PER_TURN;
                let end = all.min(begin + SUBSCRIBERS_PER_TURN);
                for ahead in (begin..end).step_by(SUBSCRIBERS_AHEAD) {
                    let few = ahead..end.min(ahead + SUBSCRIBERS_AHEAD);
                    // Looked at together, the memory of all comes at the same time; one by one it would be waited for
                    // each time, since a `send()` leaves nothing of ours in the nearest caches.
                    let ready = |id| state.subscribers.get(id).is_some_and(Subscriber::is_ready);
                    black_box(few.clone().filter(|id| ready(*id)).count());
                    for id in few {
                        if state.subscribers.get(id).is_some_and(|s| s.live) {
                            visit(state, id);
                        }
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sends heartbeats where it has been silent, and closes those who are too slow and wanted that.
    fn watch(&self) {
        let (now, ts) = (Instant::now(), clock::now());
        for (_, subscriber) in &mut self.state.borrow_mut().subscribers {
            let slow = subscriber.is_slow(&self.tape, self.options.patience, now);
            if slow && subscriber.terms.policy == Policy::Disconnect {
                subscriber.sink.close(CloseReason::SlowConsumer);
            }
            let encoding = subscriber.encoding();
            let due = now.duration_since(subscriber.sent) >= self.options.heartbeat
                && encoding != Encoding::Json
                && subscriber.live
                && subscriber.sink.has_room();
            if let (true, Some(cursor)) = (due, subscriber.cursor()) {
                let json = json::heartbeat(cursor, ts);
                let frame = Frame::message(encoding, Kind::Heartbeat, Some(cursor), &json);
                subscriber.send(&Rc::new(frame), now);
            }
        }
    }

    fn close(&self) {
        self.closed.set(true);
        for (_, subscriber) in &self.state.borrow().subscribers {
            subscriber.sink.close(CloseReason::GoingAway);
        }
    }
}

/// What has come since the last flush.
#[derive(Debug, Default)]
struct Gathered {
    batches: Vec<Arc<Batch>>,
    /// Batches that came too fast for this worker.
    lagged: u64,
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.lagged == 0
    }

    fn add(&mut self, received: Vec<Result<Arc<Batch>, BroadcastStreamRecvError>>) {
        for each in received {
            match each {
                Ok(batch) => self.batches.push(batch),
                Err(BroadcastStreamRecvError::Lagged(missed)) => self.lagged += missed,
            }
        }
    }
}

impl Options {
    /// How often heartbeats and slow subscribers are looked for.
    fn watch_interval(&self) -> Duration {
        self.heartbeat
            .min(self.patience.slow_after)
            .max(LEAST_WATCH)
            / 4
    }
}

/// Looking more often than a few times in this would cost more than it tells.
const LEAST_WATCH: Duration = Duration::from_millis(40);
