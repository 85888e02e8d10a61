//! Metrics for operators, in the OpenMetrics text format. No label contains client input.

use crate::attention::Attention;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Bounds of the duration buckets, seconds: from a cached file to a slow provider.
const DURATION_SECONDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// Why a connection was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedConnection {
    /// The connection limit was reached.
    Limit,
    /// The limit of its network was reached.
    NetworkLimit,
    /// The client did not finish the TLS handshake.
    Handshake,
    /// The system rejected it, for example with too many open files.
    Accept,
}

impl RefusedConnection {
    const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::NetworkLimit => "network_limit",
            Self::Handshake => "handshake",
            Self::Accept => "accept",
        }
    }
}

/// The metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    payments: Family<StateLabels, Counter>,
    errors: Family<CodeLabels, Counter>,
    deliveries: Family<StateLabels, Counter>,
    connections: Gauge,
    refused_connections: Family<ReasonLabels, Counter>,
    stuck_modifications: Gauge,
    oldest_modification: Gauge,
    late_approvals: Gauge,
}

fn duration_histogram() -> Histogram {
    Histogram::new(DURATION_SECONDS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sealpay");
        let requests = Family::default();
        let durations = Family::<_, _, fn() -> Histogram>::new_with_constructor(duration_histogram);
        let payments = Family::default();
        let errors = Family::default();
        let deliveries = Family::default();
        let stuck_modifications = Gauge::default();
        let oldest_modification = Gauge::default();
        let late_approvals = Gauge::default();
        registry.register(
            "stuck_modifications",
            "Captures, voids and refunds that have been pending for an hour",
            stuck_modifications.clone(),
        );
        registry.register(
            "oldest_stuck_modification_seconds",
            "Age of the oldest of them",
            oldest_modification.clone(),
        );
        registry.register(
            "late_approvals",
            "Approvals after the end of their payment that the provider has not voided yet",
            late_approvals.clone(),
        );
        registry.register(
            "http_requests",
            "Answered requests",
            Family::clone(&requests),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from the headers to the answer",
            Family::clone(&durations),
        );
        registry.register(
            "payment_answers",
            "Answers about payments",
            Family::clone(&payments),
        );
        registry.register("errors", "Refused requests", Family::clone(&errors));
        registry.register(
            "webhook_attempts",
            "Sent webhooks",
            Family::clone(&deliveries),
        );
        let connections = Gauge::default();
        let refused_connections = Family::default();
        registry.register(
            "connections_open",
            "Open connections",
            Gauge::clone(&connections),
        );
        registry.register(
            "connections_refused",
            "Connections that did not come about",
            Family::clone(&refused_connections),
        );
        Self {
            registry,
            requests,
            durations,
            payments,
            errors,
            deliveries,
            connections,
            refused_connections,
            stuck_modifications,
            oldest_modification,
            late_approvals,
        }
    }
}

impl Metrics {
    /// Counts a response. The route is the pattern, not the path.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.durations
            .get_or_create(&RouteLabels {
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        let labels = RequestLabels {
            route,
            method: method.to_owned(),
            status,
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a payment state shown to a shopper.
    pub fn payment_answer(&self, state: &'static str) {
        self.payments.get_or_create(&StateLabels { state }).inc();
    }

    /// Counts an error response.
    pub fn error(&self, code: &'static str) {
        self.errors.get_or_create(&CodeLabels { code }).inc();
    }

    /// Counts a webhook attempt.
    pub fn delivery(&self, state: &'static str) {
        self.deliveries.get_or_create(&StateLabels { state }).inc();
    }

    /// Counts an opened connection.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// Counts a closed connection.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// Counts a rejected connection.
    pub fn connection_refused(&self, reason: RefusedConnection) {
        let labels = ReasonLabels {
            reason: reason.name(),
        };
        self.refused_connections.get_or_create(&labels).inc();
    }

    /// Sets the attention gauges.
    pub fn attention(&self, attention: Attention) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.stuck_modifications.set(gauge(attention.modifications));
        self.oldest_modification
            .set(gauge(attention.oldest_seconds));
        self.late_approvals.set(gauge(attention.approvals));
    }

    /// The metrics as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let written = encode(&mut text, &self.registry);
        debug_assert!(written.is_ok(), "a string takes everything");
        text
    }
}
