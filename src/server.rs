//! Owns every task: joins the feed to the tape and the tape to the workers, binds, runs, ends.

mod accept;
mod descriptors;
mod recorder;

use std::fs::File;
use std::io::BufWriter;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use actix_web::{App, web};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::feed::recording::Writer;
use crate::feed::{Plan, pace};
use crate::http::{self, Readiness};
use crate::hub::{self, Hub};
use crate::metrics::{Local, Metrics};
use crate::tape::{Publisher, Tape};
use crate::transport::capacity::Capacity;
use crate::transport::direct::{Lines, Waits};
use crate::transport::{Manners, Pulses, Silence, Tally, Worker};

use accept::listen;
pub use descriptors::Descriptors;
pub use recorder::{Recorded, Recorder};

/// How long clients have to read the end of their streams when the process ends.
const DRAIN: Duration = Duration::from_secs(2);

/// How often the workers' counts reach the shared metrics.
const METRICS_INTERVAL: Duration = Duration::from_millis(100);

/// What the HTTP side runs with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub workers: usize,
    /// Connections of all kinds.
    pub max_connections: usize,
    /// What each worker's hub is told.
    pub hub: hub::Options,
    /// What clients are told and held to.
    pub manners: Manners,
    /// When connections that are not used are ended.
    pub timeouts: Timeouts,
}

/// When connections that are not used are ended.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// What the silence of a WebSocket client means.
    pub silence: Silence,
    /// How long a request's head or body may take to come.
    pub request: Duration,
    /// How long a connection may stay between two requests; poll loops come back sooner.
    pub keep_alive: Duration,
    /// How long a client's host may leave what it was sent, or a probe, without an answer. Whole seconds count.
    pub client: Duration,
}

/// A server that is about to run.
#[derive(Debug)]
pub struct Server {
    /// The tape that it serves.
    pub tape: Arc<Tape>,
    /// Where everything is counted.
    pub metrics: web::Data<Metrics>,
    /// Whether it takes traffic.
    pub readiness: Readiness,
}

impl Server {
    /// A server of this tape.
    pub fn new(tape: Arc<Tape>) -> Self {
        let metrics = Metrics::new();
        metrics.listed(tape.listing().len());
        Self {
            tape,
            metrics: web::Data::new(metrics),
            readiness: Readiness::default(),
        }
    }

    /// Starts a thread that publishes what the feed emits.
    pub fn start_feed(&self, feed: Plan, mut publisher: Publisher) -> io::Result<FeedThread> {
        let (stop, stopped): (Sender<()>, Receiver<()>) = channel();
        let (metrics, readiness) = (self.metrics.clone(), self.readiness.clone());
        let ended = CancellationToken::new();
        // From here on, not from when the thread has its first turn: until then it would look like one that has ended.
        let running = (Running::new(readiness), ended.clone().drop_guard());
        let run = move || {
            // Dropped by a panic, too: a tape that stands still is not ready.
            let _running = running;
            pace(feed, &stopped, |ticks, now, pace| {
                let batch = publisher.publish(ticks, now);
                metrics.published(batch.ticks().len());
                metrics.paced(pace.late.as_secs_f64(), pace.put_off.as_secs_f64());
            });
        };
        let thread = thread::Builder::new().name("feed".to_owned()).spawn(run)?;
        Ok(FeedThread {
            _stop: stop,
            _thread: thread,
            ended,
        })
    }

    /// Starts a thread that writes what is published. `failed` is cancelled if that cannot go on.
    pub fn start_recorder(
        &self,
        writer: Writer<BufWriter<File>>,
        failed: CancellationToken,
    ) -> io::Result<Recorder> {
        let tape = Arc::clone(&self.tape);
        Recorder::start(tape, writer, self.metrics.clone(), failed)
    }

    /// Serves clients who come to `listener` until `stop` is cancelled; then streams are ended, waiting polls
    /// answered, and it returns.
    pub async fn run(
        self,
        listener: TcpListener,
        options: Options,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let Self {
            tape,
            metrics,
            readiness,
        } = self;
        let (workers, timeouts) = (options.workers, options.timeouts);
        let lines = Arc::new(AtomicUsize::new(0));
        let capacity = Capacity::new(options.max_connections);
        metrics.limited(capacity.limit());
        let accepting = Arc::clone(&capacity);
        let stopping = (stop.clone(), readiness.clone(), Arc::clone(&lines));
        let app = move || {
            let worker = start_worker(&tape, &metrics, &options, &capacity, &lines, &stop);
            App::new()
                .app_data(worker)
                .app_data(metrics.clone())
                .app_data(web::Data::new(readiness.clone()))
                .configure(http::routes)
                .wrap_fn(http::admit)
        };
        let drained = async move {
            let (stop, readiness, lines) = stopping;
            stop.cancelled().await;
            readiness.stopping();
            drain(&lines).await;
        };
        listen(listener, workers, timeouts, accepting, app)?
            .shutdown_signal(drained)
            .run()
            .await
    }
}

/// Tells the readiness that the feed runs, as long as it does.
struct Running(Readiness);

impl Running {
    fn new(readiness: Readiness) -> Self {
        readiness.feed(true);
        Self(readiness)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.feed(false);
    }
}

/// The feed ends when this is dropped.
#[derive(Debug)]
pub struct FeedThread {
    _stop: Sender<()>,
    _thread: JoinHandle<()>,
    ended: CancellationToken,
}

impl FeedThread {
    /// Waits until the plan is at its end; a simulated market never is.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

/// Runs on each worker thread once.
fn start_worker(
    tape: &Arc<Tape>,
    metrics: &web::Data<Metrics>,
    options: &Options,
    capacity: &Arc<Capacity>,
    lines: &Arc<AtomicUsize>,
    stop: &CancellationToken,
) -> Rc<Worker> {
    let waits = Waits {
        request: options.timeouts.request,
        keep_alive: options.timeouts.keep_alive,
    };
    let lines = Lines::start(waits, Arc::clone(lines), stop.clone());
    let lines = lines.expect("a worker needs two descriptors");
    let local = Rc::new(Local::new(metrics, &Worker::encodings()));
    let worker = Rc::new(Worker {
        hub: Hub::start(Arc::clone(tape), options.hub, stop.clone()),
        pulses: Pulses::start(options.timeouts.silence, stop.clone()),
        lines,
        capacity: Arc::clone(capacity),
        tally: Rc::new(Tally::new(Rc::clone(&local))),
        metrics: local,
        manners: options.manners.clone(),
        read_poll: http::read_poll,
    });
    worker.lines.belong_to(&worker);
    actix_web::rt::spawn(keep_flushing(Rc::clone(&worker), stop.clone()));
    worker
}

/// Waits for clients whose sockets are ours: actix, which waits for its own, does not know of them.
async fn drain(lines: &AtomicUsize) {
    let deadline = Instant::now() + DRAIN;
    while lines.load(Ordering::Relaxed) > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn keep_flushing(worker: Rc<Worker>, stop: CancellationToken) {
    let mut interval = tokio::time::interval(METRICS_INTERVAL);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        worker.flush_metrics();
    }
}
