//! One transport's run: connect all, warm up, measure, stop.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::cli::Transport;
use crate::clock::Clock;
use crate::cost::Meter;
use crate::group::{self, Course, Outbox};
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::process::{Process, Unmeasured};
use crate::progress::{Progress, status};
use crate::tally::Tally;
use crate::target::Address;

/// How often the progress line is drawn. Outboxes fill twice as often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often to look whether all have connected: short, so that small runs start at once.
const COUNT_EVERY: Duration = Duration::from_millis(20);

/// The server as clients reach it and as the kernel sees it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) address: Address,
    pub(crate) clock: Clock,
    /// Its process, or why that is not known.
    pub(crate) process: Result<Process, Unmeasured>,
}

/// The generator's threads at work.
struct Field {
    course: Arc<Course>,
    threads: Vec<(JoinHandle<std::io::Result<()>>, Outbox)>,
    stop: watch::Sender<bool>,
    total: Tally,
    meter: Meter,
}

/// Measures one transport. Ends early, with what there is, when interrupted or when no client could connect.
pub(crate) async fn run(
    transport: Transport,
    plan: &Plan,
    site: &Site,
    progress: &mut Progress,
    interrupt: &Interrupt,
) -> anyhow::Result<Outcome> {
    let clients = plan.options.clients;
    let meter = Meter::before_clients(&site.process);
    let address = site.address.clone();
    let course = Course::new(transport, address, site.clock, clients, plan.interval);
    let mut field = Field::start(course, plan.options.threads, meter)?;
    tokio::select! {
        () = field.connect(progress) => {}
        () = interrupt.first() => {}
    }
    if field.course.connected.load(Ordering::Relaxed) > 0 && !interrupt.happened() {
        field.measure(plan, progress, interrupt).await;
    }
    progress.clear();
    field.finish(plan.options.threads, interrupt.happened())
}

impl Field {
    /// Spreads the clients over the threads, the first ones taking what is left over.
    fn start(course: Course, threads: u32, meter: Meter) -> anyhow::Result<Self> {
        let course = Arc::new(course);
        let (stop, stopped) = watch::channel(false);
        let mut field = Self {
            course,
            threads: Vec::new(),
            stop,
            total: Tally::default(),
            meter,
        };
        for thread in 0..threads {
            let numbers = share(field.course.clients, threads, thread);
            let (course, stopped) = (Arc::clone(&field.course), stopped.clone());
            let outbox = Outbox::default();
            let theirs = Arc::clone(&outbox);
            let handle = std::thread::Builder::new()
                .name(format!("clients-{thread}"))
                .spawn(move || group::work(course, numbers, &theirs, stopped))
                .context("can't start a generator thread; use fewer --threads")?;
            field.threads.push((handle, outbox));
        }
        Ok(field)
    }

    async fn connect(&mut self, progress: &mut Progress) {
        // Every attempt is bounded, so this is.
        while self.course.settled() < self.course.clients {
            progress.update(|| status(&self.course, "connecting", &Tally::default(), 1.0, 0));
            sleep(COUNT_EVERY).await;
        }
    }

    async fn measure(&mut self, plan: &Plan, progress: &mut Progress, interrupt: &Interrupt) {
        let (warmup, duration) = (plan.options.warmup, plan.options.duration);
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let opens = self.course.clock.now() + micros(warmup);
        self.course.window.set(opens, opens + micros(duration));

        let opening = Instant::now() + warmup;
        let closing = opening + duration;
        let mut before = Instant::now();
        let mut has_opened = false;
        while before < closing && self.is_anyone_left() {
            let next = if has_opened { closing } else { opening };
            tokio::select! {
                () = sleep_until(next.min(before + LOOK_EVERY)) => {}
                () = interrupt.first() => break,
            }
            let now = Instant::now();
            if !has_opened && now >= opening {
                has_opened = true;
                self.meter.opens();
            }
            let latest = self.gather();
            progress.update(|| {
                let phase = if now < opening {
                    "warming up".to_owned()
                } else {
                    format!(
                        "measuring {:.0} of {duration:?}",
                        (now - opening).as_secs_f64()
                    )
                };
                let seconds = (now - before).as_secs_f64();
                status(
                    &self.course,
                    &phase,
                    &latest,
                    seconds,
                    self.total.findings.missing,
                )
            });
            before = now;
        }
        self.meter.closes();
        self.course.window.close(self.course.clock.now());
    }

    /// Whether there is still a client to measure.
    fn is_anyone_left(&self) -> bool {
        self.course.dropped.load(Ordering::Relaxed) < self.course.connected.load(Ordering::Relaxed)
    }

    /// Fetches what the threads have poured out, adds it up and returns the news.
    fn gather(&mut self) -> Tally {
        let mut latest = Tally::default();
        for (_, outbox) in &self.threads {
            latest.add(&group::empty(outbox));
        }
        self.total.add(&latest);
        latest
    }

    fn finish(mut self, threads: u32, interrupted: bool) -> anyhow::Result<Outcome> {
        // Counted before the clients go, since going is not dropping.
        let failed = self.course.failed.load(Ordering::Relaxed);
        let dropped = self.course.dropped.load(Ordering::Relaxed);
        self.stop.send_replace(true);
        for (handle, outbox) in std::mem::take(&mut self.threads) {
            let ended = handle.join();
            ended
                .map_err(|_| anyhow!("a generator thread panicked"))?
                .context("a generator thread")?;
            self.total.add(&group::empty(&outbox));
        }
        Ok(Outcome {
            transport: self.course.transport,
            asked: self.course.clients,
            connected: self.course.connected.load(Ordering::Relaxed),
            failed,
            dropped,
            threads,
            seconds: self.course.window.seconds(),
            interrupted,
            clock: self.course.clock,
            cost: self.meter.cost(),
            tally: self.total,
        })
    }
}

/// The client numbers of one thread.
fn share(clients: u32, threads: u32, thread: u32) -> std::ops::Range<u32> {
    let edge = |thread: u32| {
        let edge = u64::from(clients) * u64::from(thread) / u64::from(threads);
        u32::try_from(edge).expect("no more than the clients")
    };
    edge(thread)..edge(thread + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_one_thread() {
        for (clients, threads) in [(10, 1), (10, 3), (1_000_000, 256), (7, 7)] {
            let mut next = 0;
            for thread in 0..threads {
                let numbers = share(clients, threads, thread);
                assert!(numbers.start == next && !numbers.is_empty());
                next = numbers.end;
            }
            assert_eq!(next, clients);
        }
    }
}
