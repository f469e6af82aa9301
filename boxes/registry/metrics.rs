//! What Prometheus is told about this server. Labels are few: the pattern of an address, never an address.

use std::fmt;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::db::totals::Totals;
use crate::error::Error;

/// Bounds of durations, in seconds: from a look-up to a large transfer.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0, 60.0, 600.0];

/// An answer.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Answered {
    /// `GET` …
    pub method: String,
    /// `/api/v2/box/{owner}/{name}`; `none` where nothing fits.
    pub route: String,
    /// 200 …
    pub status: u16,
}

/// An address, whatever the answer.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Asked {
    /// `GET` …
    pub method: String,
    /// Its pattern.
    pub route: String,
}

/// A kind of transfer.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Direction {
    /// `download` or `upload`.
    pub direction: &'static str,
}

/// Counters of this server since it started.
pub struct Metrics {
    registry: Registry,
    /// Answers.
    pub requests: Family<Answered, Counter>,
    /// From the head of a request to the last byte of its answer, in seconds.
    pub seconds: Family<Asked, Histogram, fn() -> Histogram>,
    /// Bytes of bodies that came in.
    pub received: Counter,
    /// Bytes of bodies that went out.
    pub sent: Counter,
    /// Transfers under way.
    pub transfers: Family<Direction, Gauge>,
    /// Transfers that ended whole.
    pub finished: Family<Direction, Counter>,
    /// Wrong names or passwords.
    pub failed_logins: Counter,
    totals: Family<Kind, Gauge>,
    stored: Gauge,
    connections: Family<State, Gauge>,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct State {
    state: &'static str,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Self {
            registry: Registry::with_prefix("kiste_registry"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            received: Counter::default(),
            sent: Counter::default(),
            transfers: Family::default(),
            finished: Family::default(),
            failed_logins: Counter::default(),
            totals: Family::default(),
            stored: Gauge::default(),
            connections: Family::default(),
        };
        let registry = &mut all.registry;
        registry.register("requests", "Answers by method, address and status", all.requests.clone());
        registry.register_with_unit("request_duration", "Until the last byte of the answer", Unit::Seconds, all.seconds.clone());
        registry.register_with_unit("received", "Bodies that came in", Unit::Bytes, all.received.clone());
        registry.register_with_unit("sent", "Bodies that went out", Unit::Bytes, all.sent.clone());
        registry.register("transfers_running", "Downloads and uploads under way", all.transfers.clone());
        registry.register("transfers_finished", "Downloads and uploads that ended whole", all.finished.clone());
        registry.register("failed_logins", "Wrong names or passwords", all.failed_logins.clone());
        registry.register("things", "What the registry has, by kind", all.totals.clone());
        registry.register_with_unit("stored", "All objects together", Unit::Bytes, all.stored.clone());
        registry.register("database_connections", "Connections of this server to its database", all.connections.clone());
        all
    }
}

impl Metrics {
    /// As text in the OpenMetrics format, with what the registry as a whole has.
    pub fn text(&self, totals: &Totals, open: u32, idle: usize) -> Result<String, Error> {
        for (kind, count) in [
            ("accounts", totals.accounts),
            ("boxes", totals.boxes),
            ("versions", totals.versions),
            ("objects", totals.objects),
            ("unfinished_uploads", totals.uploads),
        ] {
            self.totals.get_or_create(&Kind { kind }).set(count);
        }
        self.stored.set(totals.bytes);
        let idle = i64::try_from(idle).unwrap_or(i64::MAX);
        self.connections.get_or_create(&State { state: "idle" }).set(idle);
        self.connections.get_or_create(&State { state: "busy" }).set(i64::from(open).saturating_sub(idle));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .map_err(|e| Error::Damaged(format!("the metrics can't be written: {e}")))?;
        Ok(text)
    }
}
