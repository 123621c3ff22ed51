//! A worker thread's own counters.

use std::cell::RefCell;

use prometheus::local::LocalIntCounter;
use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::ages::LocalAges;
use super::{Metrics, SINKS, Sink, Transport, row};

/// Counts without atomics; [`Local::flush`] adds the counts to the shared metrics.
#[derive(Debug)]
pub struct Local {
    /// By [`Transport`].
    transports: [PerTransport; 5],
    /// By [`row`].
    sinks: [PerSink; SINKS.len()],
    /// In the order in which [`Local::encoded`] is given its counts.
    encodes: Vec<LocalIntCounter>,
    gaps: LocalIntCounter,
    worker_lag: LocalIntCounter,
    closed: IntCounterVec,
    /// Those of [`Local::closed`] that have been needed: looking one up by its labels costs more than a short poll's
    /// session.
    reasons: RefCell<Vec<(Transport, &'static str, IntCounter)>>,
    followed: LocalIntCounter,
    refused: LocalIntCounter,
    accepted: IntGauge,
    rejected: LocalIntCounter,
    echo_connections: IntGauge,
    echo_closed: IntCounterVec,
}

#[derive(Debug)]
struct PerSink {
    connections: IntGauge,
    latency: LocalAges,
}

#[derive(Debug)]
struct PerTransport {
    opened: LocalIntCounter,
    due: LocalIntCounter,
    delivered: LocalIntCounter,
    conflated: LocalIntCounter,
    gapped: LocalIntCounter,
    unsent: LocalIntCounter,
    payload: LocalIntCounter,
    framing: LocalIntCounter,
}

impl Local {
    /// Counters that end up in `metrics`; `encodings` names the counts that [`Local::encoded`] is given.
    pub fn new(metrics: &Metrics, encodings: &[&str]) -> Self {
        let of = |name: &&str| metrics.encodes.with_label_values(&[*name]).local();
        Self {
            transports: Transport::ALL.map(|transport| PerTransport::new(metrics, transport)),
            sinks: SINKS.map(|(transport, sink)| PerSink::new(metrics, transport, sink)),
            encodes: encodings.iter().map(of).collect(),
            gaps: metrics.gaps.local(),
            worker_lag: metrics.worker_lag.local(),
            closed: metrics.closed.clone(),
            reasons: RefCell::default(),
            followed: metrics.messages.with_label_values(&["followed"]).local(),
            refused: metrics.messages.with_label_values(&["refused"]).local(),
            accepted: metrics.accepted.clone(),
            rejected: metrics.rejected.with_label_values(&["capacity"]).local(),
            echo_connections: metrics.echo_connections.clone(),
            echo_closed: metrics.echo_closed.clone(),
        }
    }

    /// A session began.
    pub fn opened(&self, transport: Transport, sink: Sink) {
        self.of(transport).opened.inc();
        self.sinks[row(transport, sink)].connections.inc();
    }

    /// A session ended.
    pub fn closed(&self, transport: Transport, sink: Sink, reason: &'static str) {
        self.sinks[row(transport, sink)].connections.dec();
        let reasons = &mut *self.reasons.borrow_mut();
        let known = reasons
            .iter()
            .find(|(of, why, _)| (*of, *why) == (transport, reason));
        if let Some((.., counter)) = known {
            return counter.inc();
        }
        let counter = self.closed.with_label_values(&[transport.label(), reason]);
        counter.inc();
        reasons.push((transport, reason, counter));
    }

    /// The process has so many connections.
    pub fn accepted(&self, connections: usize) {
        self.accepted.set(connections as i64);
    }

    /// A connection was turned away.
    pub fn rejected(&self) {
        self.rejected.inc();
    }

    /// A client sent a control message.
    pub fn message(&self, followed: bool) {
        let counter = if followed {
            &self.followed
        } else {
            &self.refused
        };
        counter.inc();
    }

    /// A WebSocket that echoes was opened.
    pub fn echo_opened(&self) {
        self.echo_connections.inc();
    }

    /// One ended.
    pub fn echo_closed(&self, reason: &str) {
        self.echo_connections.dec();
        self.echo_closed.with_label_values(&[reason]).inc();
    }

    /// A client's sink accepted bytes.
    pub fn sent(&self, transport: Transport, payload: u64, framing: u64) {
        let counters = self.of(transport);
        counters.payload.inc_by(payload);
        counters.framing.inc_by(framing);
    }

    /// Ticks that were due have been accepted by a client's sink, left out for later ones, or told as missing.
    pub fn settled(&self, transport: Transport, delivered: u64, conflated: u64, gapped: u64) {
        let counters = self.of(transport);
        counters.due.inc_by(delivered + conflated + gapped);
        counters.delivered.inc_by(delivered);
        counters.conflated.inc_by(conflated);
        counters.gapped.inc_by(gapped);
    }

    /// A session ended with ticks that were due and did not reach its client's sink.
    pub fn unsent(&self, transport: Transport, unsent: u64) {
        let counters = self.of(transport);
        counters.due.inc_by(unsent);
        counters.unsent.inc_by(unsent);
    }

    /// Live ticks were this many microseconds old when the sink accepted them.
    pub fn aged(&self, transport: Transport, sink: Sink, micros: u64, ticks: u64) {
        let latency = &self.sinks[row(transport, sink)].latency;
        latency.observe(micros, ticks);
    }

    /// Encodings were made.
    pub fn encoded(&self, counts: &[u64]) {
        for (counter, count) in self.encodes.iter().zip(counts) {
            counter.inc_by(*count);
        }
    }

    /// Clients were told of gaps, and the worker fetched batches that it had been too late for.
    pub fn repaired(&self, gaps: u64, lagged: u64) {
        self.gaps.inc_by(gaps);
        self.worker_lag.inc_by(lagged);
    }

    /// Adds everything to the shared metrics.
    pub fn flush(&self) {
        for each in &self.transports {
            let settled = [&each.delivered, &each.conflated, &each.gapped, &each.unsent];
            let others = [&each.due, &each.opened, &each.payload, &each.framing];
            for counter in settled.into_iter().chain(others) {
                counter.flush();
            }
        }
        self.sinks.iter().for_each(|sink| sink.latency.flush());
        self.encodes.iter().for_each(LocalIntCounter::flush);
        self.gaps.flush();
        self.worker_lag.flush();
        self.rejected.flush();
        self.followed.flush();
        self.refused.flush();
    }

    fn of(&self, transport: Transport) -> &PerTransport {
        &self.transports[transport as usize]
    }
}

impl PerTransport {
    fn new(metrics: &Metrics, transport: Transport) -> Self {
        let name = transport.label();
        let of = |counters: &IntCounterVec| counters.with_label_values(&[name]).local();
        let layer = |layer| (metrics.wire_bytes.with_label_values(&[name, layer, "out"])).local();
        Self {
            opened: of(&metrics.opened),
            due: of(&metrics.due),
            delivered: of(&metrics.delivered),
            conflated: of(&metrics.conflated),
            gapped: of(&metrics.gapped),
            unsent: of(&metrics.unsent),
            payload: layer("payload"),
            framing: layer("framing"),
        }
    }
}

impl PerSink {
    fn new(metrics: &Metrics, transport: Transport, sink: Sink) -> Self {
        let labels = [transport.label(), sink.label()];
        Self {
            connections: metrics.connections.with_label_values(&labels),
            latency: LocalAges::new(metrics.delivery_latency.at(row(transport, sink))),
        }
    }
}
