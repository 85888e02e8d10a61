//! The connections of a listener: limits, and metrics and logs of rejected ones.

use super::activity::{Activity, Patience};
use super::limits::ConnectionLimits;
use super::networks::network_of;
use super::permits::{Full, Holder, Permits};
use super::proxies::TrustedProxies;
use super::stream::{OpenConnection, TimedStream};
use super::throttle::Throttle;
use crate::metrics::{Metrics, RefusedConnection};
use sealpay_system::Clock;
use std::io::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// Interval of repeated log lines about connections.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// Idle time of a proxy's connection. Longer than proxies keep theirs, mostly a minute, so that
/// they do not send requests into a connection that is being closed.
const PROXY_IDLE: Duration = Duration::from_secs(120);

/// Concurrent connections of operators: a browser page and monitoring.
const OF_OPERATORS: u32 = 64;

/// The connections of a listener.
#[derive(Debug)]
pub struct Connections {
    permits: Arc<Permits>,
    proxies: TrustedProxies,
    idle: Duration,
    stalled: Duration,
    metrics: Arc<Metrics>,
    clock: Clock,
    refused: Throttle,
    failed: Throttle,
}

impl Connections {
    /// For the public listener. Connections of proxies serve many clients, so only the total is
    /// limited for them.
    #[must_use]
    pub fn of_public_listener(
        limits: &ConnectionLimits,
        proxies: TrustedProxies,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Arc<Self> {
        let permits = Permits::new(limits.max, limits.max_per_network);
        Arc::new(Self::new(permits, proxies, limits, metrics, clock))
    }

    /// For the operator's listener, which is available when the public one is full.
    #[must_use]
    pub fn of_operators_listener(
        limits: &ConnectionLimits,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Arc<Self> {
        let permits = Permits::new(OF_OPERATORS, OF_OPERATORS);
        let proxies = TrustedProxies::default();
        Arc::new(Self::new(permits, proxies, limits, metrics, clock))
    }

    fn new(
        permits: Arc<Permits>,
        proxies: TrustedProxies,
        limits: &ConnectionLimits,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Self {
        Self {
            permits,
            proxies,
            idle: limits.idle(),
            stalled: limits.response(),
            metrics,
            clock,
            refused: Throttle::new(SAID_EVERY),
            failed: Throttle::new(SAID_EVERY),
        }
    }

    /// Longest time to wait for a request and its headers.
    pub(super) fn longest_wait(&self) -> Duration {
        (self.idle * 2).max(PROXY_IDLE * 2)
    }

    /// Time limit of a handshake.
    pub(super) const fn handshake_within(&self) -> Duration {
        self.idle.saturating_mul(2)
    }

    /// Accepts a connection, or closes it immediately.
    pub(super) fn admit(&self, stream: TcpStream) -> Result<(TimedStream, Activity), Error> {
        let peer = stream.peer_addr()?.ip();
        let is_proxy = self.proxies.contains(peer);
        let holder = if is_proxy {
            Holder::Many
        } else {
            Holder::Network(network_of(peer))
        };
        let permit = self
            .permits
            .take(holder)
            .map_err(|full| self.refuse(full, peer))?;
        // Responses are written whole; Nagle's algorithm would only delay them.
        stream.set_nodelay(true)?;
        let open = OpenConnection::new(Arc::clone(&self.metrics), permit);
        let idle = if is_proxy {
            self.idle.max(PROXY_IDLE)
        } else {
            self.idle
        };
        let activity = Activity::new(Patience {
            idle,
            stalled: self.stalled,
            is_paced: !is_proxy,
        });
        Ok((TimedStream::new(stream, activity.clone(), open), activity))
    }

    fn refuse(&self, full: Full, peer: std::net::IpAddr) -> Error {
        let (reason, sentence) = match full {
            Full::All => (
                RefusedConnection::Limit,
                "a connection was refused: connections.max are open",
            ),
            Full::Network => (
                RefusedConnection::NetworkLimit,
                "a connection was refused: connections.max_per_network are open from its network",
            ),
        };
        self.metrics.connection_refused(reason);
        if let Some(left_out) = self.refused.pass(self.clock.wall_ms()) {
            tracing::warn!(network = %network_of(peer), left_out, "{sentence}");
        }
        Error::other(Refused)
    }

    /// Records a failed connection. Strangers can cause these, so the log is throttled.
    pub(super) fn failed(&self, peer: Option<&SocketAddr>, error: &Error) {
        if error.get_ref().is_some_and(|inner| inner.is::<Refused>()) {
            // Already counted and logged.
            return;
        }
        if peer.is_some() {
            self.metrics
                .connection_refused(RefusedConnection::Handshake);
            tracing::debug!(%error, "a connection was not established");
            return;
        }
        self.metrics.connection_refused(RefusedConnection::Accept);
        if let Some(left_out) = self.failed.pass(self.clock.wall_ms()) {
            tracing::error!(%error, left_out,
                "connections cannot be accepted; if too many files are open, raise LimitNOFILE= \
                 of systemd or ulimit -n");
        }
    }
}

/// No permit was available.
#[derive(Debug)]
struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("too many connections")
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::{ConnectionLimits, Connections, Refused};
    use crate::metrics::Metrics;
    use sealpay_system::Clock;
    use std::io::Error;
    use std::sync::Arc;

    #[test]
    fn rejected_connections_are_counted_by_reason() {
        const TOO_MANY_FILES: i32 = 24;
        let metrics = Arc::new(Metrics::default());
        let limits = ConnectionLimits::default();
        let clock = Clock::new(|| 1_000);
        let connections = Connections::of_operators_listener(&limits, Arc::clone(&metrics), clock);
        let peer = "192.0.2.1:4711".parse().unwrap();
        for _ in 0..3 {
            connections.failed(None, &Error::from_raw_os_error(TOO_MANY_FILES));
        }
        connections.failed(Some(&peer), &Error::other("no handshake"));
        // Counted when it was rejected.
        connections.failed(Some(&peer), &Error::other(Refused));
        let text = metrics.text();
        for (reason, count) in [("accept", 3), ("handshake", 1)] {
            let line =
                format!("sealpay_connections_refused_total{{reason=\"{reason}\"}} {count}\n");
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("\"limit\""), "{text}");
    }
}
