//! Every metric: names, help, buckets, and the verbs that count. Nothing else knows a metric's name.
//!
//! Workers count in [`Local`] values of their own, without atomics, and add them to the shared ones a few times
//! a second, so that neither a fan-out nor a scrape waits for the other.

mod ages;
mod local;

use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use ages::AgesVec;
use clap::ValueEnum;

pub use local::Local;

/// The value of the label `transport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `/v1/ws`
    WebSocket,
    /// `/v1/sse`
    Sse,
    /// `/v1/stream`
    Ndjson,
    /// `/v1/poll`
    LongPoll,
    /// `/v1/quotes`
    ShortPoll,
}

impl Transport {
    /// All of them.
    pub const ALL: [Transport; 5] = [
        Self::WebSocket,
        Self::Sse,
        Self::Ndjson,
        Self::LongPoll,
        Self::ShortPoll,
    ];

    /// The label's text.
    pub const fn label(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::Ndjson => "ndjson",
            Self::LongPoll => "long_poll",
            Self::ShortPoll => "short_poll",
        }
    }
}

/// The value of the label `sink`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Sink {
    /// A response body, which actix writes.
    Body,
    /// The socket itself.
    Direct,
}

impl Sink {
    /// The label's text.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Direct => "direct",
        }
    }
}

/// What there is: a short poll's answer is always a body.
const SINKS: [(Transport, Sink); 9] = [
    (Transport::WebSocket, Sink::Body),
    (Transport::Sse, Sink::Body),
    (Transport::Ndjson, Sink::Body),
    (Transport::LongPoll, Sink::Body),
    (Transport::ShortPoll, Sink::Body),
    (Transport::WebSocket, Sink::Direct),
    (Transport::Sse, Sink::Direct),
    (Transport::Ndjson, Sink::Direct),
    (Transport::LongPoll, Sink::Direct),
];

/// Where in [`SINKS`] it stands.
const fn row(transport: Transport, sink: Sink) -> usize {
    match sink {
        Sink::Body => transport as usize,
        Sink::Direct => Transport::ALL.len() + transport as usize,
    }
}

/// What a transport has carried since the process began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportStats {
    /// The label's text.
    pub transport: &'static str,
    /// Sessions that are open.
    pub connections: i64,
    /// Sessions that were opened.
    pub opened: u64,
    /// Ticks that were due and are settled: the sum of the next four.
    pub due: u64,
    /// Accepted by clients' sinks.
    pub delivered: u64,
    /// Left out for later ones.
    pub conflated: u64,
    /// Told as missing.
    pub gapped: u64,
    /// Not sent when their sessions ended.
    pub unsent: u64,
    /// Bytes of messages.
    pub payload_bytes: u64,
    /// Bytes around messages.
    pub framing_bytes: u64,
}

/// The shared side of all metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    symbols: IntGauge,
    published: IntCounter,
    batches: IntCounter,
    feed_late: Gauge,
    feed_skipped: Gauge,
    recording: IntGauge,
    recorded: IntCounter,
    connections: IntGaugeVec,
    opened: IntCounterVec,
    closed: IntCounterVec,
    due: IntCounterVec,
    delivered: IntCounterVec,
    conflated: IntCounterVec,
    gapped: IntCounterVec,
    unsent: IntCounterVec,
    wire_bytes: IntCounterVec,
    delivery_latency: AgesVec,
    client_latency: AgesVec,
    client_clock_error: AgesVec,
    client_reports: IntCounterVec,
    encodes: IntCounterVec,
    gaps: IntCounter,
    worker_lag: IntCounter,
    messages: IntCounterVec,
    accepted: IntGauge,
    limit: IntGauge,
    rejected: IntCounterVec,
    echo_connections: IntGauge,
    echo_closed: IntCounterVec,
}

impl Metrics {
    /// All metrics at zero, with every series that is known beforehand.
    pub fn new() -> Self {
        let registry = Registry::new();
        let of = Registered(&registry);
        #[cfg(target_os = "linux")]
        of.register(ProcessCollector::for_self());
        let build = of.gauges(
            "build_info",
            "Constant 1; the labels say what runs.",
            &["version"],
        );
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let metrics = Self {
            symbols: of.gauge("symbols", "Symbols on the tape."),
            published: of.counter("ticks_published_total", "Ticks that the tape published."),
            batches: of.counter(
                "batches_published_total",
                "Batches that the tape published: ticks that share one seq.",
            ),
            feed_late: of.float_gauge(
                "feed_lateness_seconds",
                "How long after its intended time the last tick was generated.",
            ),
            feed_skipped: of.float_gauge(
                "feed_skipped_seconds",
                "Time that the feed gave up because the machine could not keep its rate.",
            ),
            recording: of.gauge(
                "recording",
                "1 while what is published is written to a file; 0 without a recording, or once it has failed.",
            ),
            recorded: of.counter("ticks_recorded_total", "Ticks that were written to a recording."),
            connections: of.gauges(
                "connections",
                "Open sessions; of long_poll, polls that wait.",
                &["transport", "sink"],
            ),
            opened: of.counters(
                "connections_opened_total",
                "Sessions opened; each poll is one.",
                &["transport"],
            ),
            closed: of.counters(
                "connections_closed_total",
                "Sessions ended, by reason.",
                &["transport", "reason"],
            ),
            due: of.counters(
                "ticks_due_total",
                "Ticks that sessions were due and that are settled: the sum of delivered, conflated, gapped and unsent.",
                &["transport"],
            ),
            delivered: of.counters(
                "ticks_delivered_total",
                "Ticks that a client's sink accepted, replayed ones too; snapshots hold quotes, not ticks.",
                &["transport"],
            ),
            conflated: of.counters(
                "ticks_conflated_total",
                "Ticks left out for a later one of the same symbol, as a session wanted or since it was slow.",
                &["transport"],
            ),
            gapped: of.counters(
                "ticks_gapped_total",
                "Ticks that a session was told to have missed, before a snapshot; as far as they can be counted.",
                &["transport"],
            ),
            unsent: of.counters(
                "ticks_unsent_total",
                "Ticks that were due to a session and had not reached its client's sink when it ended.",
                &["transport"],
            ),
            wire_bytes: of.counters(
                "wire_bytes_total",
                "Bytes to clients: payload is messages, framing is WebSocket headers, SSE fields, line ends and chunk headers.",
                &["transport", "layer", "direction"],
            ),
            delivery_latency: of.ages(
                "delivery_latency_seconds",
                "Age of a tick when the sink accepted it; ticks sent live, once each; of long_poll, those up to 5 s old.",
                ["transport", "sink"],
                &SINKS.map(|(transport, sink)| [transport.label(), sink.label()]),
            ),
            client_latency: of.ages(
                "client_latency_seconds",
                "Age of a tick where the client read it, by the client's own measurement; ticks that clients have reported.",
                ["transport"],
                &Transport::ALL.map(|transport| [transport.label()]),
            ),
            client_clock_error: of.ages(
                "client_clock_error_seconds",
                "How far off the ages in client_latency_seconds may be, since clients know the server's clock only so well; once for each tick.",
                ["transport"],
                &Transport::ALL.map(|transport| [transport.label()]),
            ),
            client_reports: of.counters(
                "client_reports_total",
                "Reports of ages that clients sent, by what became of them.",
                &["outcome"],
            ),
            encodes: of.counters(
                "encodes_total",
                "Encodings made: batch is one for each published batch; the others are joins for a symbol set, of several batches, and snapshots.",
                &["encoding"],
            ),
            gaps: of.counter("gaps_total", "Gaps told to clients, each followed by a snapshot."),
            worker_lag: of.counter(
                "worker_lagged_batches_total",
                "Batches that a worker was too late for and fetched from the journal.",
            ),
            messages: of.counters(
                "client_messages_total",
                "Control messages that WebSocket clients sent, by what became of them.",
                &["outcome"],
            ),
            accepted: of.gauge(
                "connections_accepted",
                "Open connections of all kinds: sessions, requests, idle ones, and those that are being turned away.",
            ),
            limit: of.gauge("connections_limit", "How many of them there may be."),
            rejected: of.counters(
                "connections_rejected_total",
                "Connections turned away, by what there was not enough of.",
                &["reason"],
            ),
            echo_connections: of.gauge(
                "echo_connections",
                "Open WebSockets that echo; they are no sessions.",
            ),
            echo_closed: of.counters(
                "echo_connections_closed_total",
                "WebSockets that echoed and ended, by reason.",
                &["reason"],
            ),
            registry: registry.clone(),
        };
        for transport in Transport::ALL {
            metrics
                .closed
                .with_label_values(&[transport.label(), "client"]);
        }
        metrics
    }

    /// The tape carries this many symbols.
    pub fn listed(&self, symbols: usize) {
        self.symbols.set(symbols as i64);
    }

    /// There may be this many connections.
    pub fn limited(&self, connections: usize) {
        self.limit
            .set(i64::try_from(connections).unwrap_or(i64::MAX));
    }

    /// The tape published a batch of `ticks`.
    pub fn published(&self, ticks: usize) {
        self.published.inc_by(ticks as u64);
        self.batches.inc();
        self.encodes.with_label_values(&["batch"]).inc();
    }

    /// The feed kept its plan but for `late` seconds, and has given up `skipped` seconds in all.
    pub fn paced(&self, late: f64, skipped: f64) {
        self.feed_late.set(late);
        self.feed_skipped.set(skipped);
    }

    /// A recording goes on, or has ended.
    pub fn recording(&self, goes_on: bool) {
        self.recording.set(goes_on.into());
    }

    /// So many ticks have been recorded in all.
    pub fn recorded(&self, ticks: u64) {
        self.recorded.inc_by(ticks - self.recorded.get());
    }

    /// A client reported ages: `(seconds, ticks)`, wrong by at most `clock_error` seconds.
    pub fn reported(
        &self,
        transport: Transport,
        clock_error: f64,
        ages: impl Iterator<Item = (f64, u64)>,
    ) {
        let row = transport as usize;
        for (seconds, ticks) in ages {
            self.client_latency.at(row).observe(seconds, ticks);
            self.client_clock_error.at(row).observe(clock_error, ticks);
        }
    }

    /// A client sent a report.
    pub fn report(&self, accepted: bool) {
        let outcome = if accepted { "accepted" } else { "refused" };
        self.client_reports.with_label_values(&[outcome]).inc();
    }

    /// What each transport has carried so far, as its workers have told.
    pub fn stats(&self) -> Vec<TransportStats> {
        let of = |transport: Transport| {
            let name = transport.label();
            let get = |counters: &IntCounterVec| counters.with_label_values(&[name]).get();
            let bytes = |layer| (self.wire_bytes.with_label_values(&[name, layer, "out"])).get();
            TransportStats {
                transport: name,
                connections: (SINKS.iter())
                    .filter(|(of, _)| *of == transport)
                    .map(|(_, sink)| {
                        self.connections
                            .with_label_values(&[name, sink.label()])
                            .get()
                    })
                    .sum(),
                opened: get(&self.opened),
                due: get(&self.due),
                delivered: get(&self.delivered),
                conflated: get(&self.conflated),
                gapped: get(&self.gapped),
                unsent: get(&self.unsent),
                payload_bytes: bytes("payload"),
                framing_bytes: bytes("framing"),
            }
        };
        Transport::ALL.map(of).into()
    }

    /// The text that Prometheus scrapes (exposition format 0.0.4).
    pub fn expose(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 * 1024);
        let written = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        written.expect("writing to memory does not fail");
        out
    }

    /// The content type of [`Metrics::expose`].
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes metrics under the prefix and registers them.
struct Registered<'a>(&'a Registry);

impl Registered<'_> {
    fn register(&self, collector: impl prometheus::core::Collector + 'static) {
        (self.0.register(Box::new(collector))).expect("each name is registered once");
    }

    fn made<C>(&self, made: prometheus::Result<C>) -> C
    where
        C: prometheus::core::Collector + Clone + 'static,
    {
        let collector = made.expect("names and labels are well-formed");
        self.register(collector.clone());
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.made(IntCounter::with_opts(opts(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.made(IntCounterVec::new(opts(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.made(IntGauge::with_opts(opts(name, help)))
    }

    fn float_gauge(&self, name: &str, help: &str) -> Gauge {
        self.made(Gauge::with_opts(opts(name, help)))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.made(IntGaugeVec::new(opts(name, help), labels))
    }

    fn ages<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        rows: &[[&str; N]],
    ) -> AgesVec {
        self.made(AgesVec::new(prefixed(name), help, labels, rows))
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(prefixed(name), help)
}

fn prefixed(name: &str) -> String {
    format!("tickertape_{name}")
}
