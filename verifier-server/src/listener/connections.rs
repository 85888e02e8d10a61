//! The connections of a listener: who gets one, and what is told of those who do not.

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

/// How often the log says the same of connections.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// How long a proxy's connection may stay without a request: longer than proxies keep theirs, which is
/// a minute in most, so that none of them sends a request into a connection that is just closed.
const PROXY_IDLE: Duration = Duration::from_secs(120);

/// Connections of operators at once: a page of a browser and what watches over the server.
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
    /// Of the public listener. A proxy's connections are many clients', so that only all of them
    /// together are limited.
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

    /// Of the operator's listener: it stays open to operators when the public one is full.
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

    /// How long the longest of them may wait for a request and its headers.
    pub(super) fn longest_wait(&self) -> Duration {
        (self.idle * 2).max(PROXY_IDLE * 2)
    }

    /// How long a handshake may take.
    pub(super) const fn handshake_within(&self) -> Duration {
        self.idle.saturating_mul(2)
    }

    /// Takes a connection, or lets it go at once.
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
        // Answers are written whole; waiting for more to write would only delay them.
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

    /// A connection did not come about. A stranger can cause that, so the log has a line in a while.
    pub(super) fn failed(&self, peer: Option<&SocketAddr>, error: &Error) {
        if error.get_ref().is_some_and(|inner| inner.is::<Refused>()) {
            // Counted and told of already.
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
            tracing::error!(%error, left_out, "connections cannot be accepted; where too many files \
                are open, raise LimitNOFILE= of systemd or ulimit -n");
        }
    }
}

/// There was no permit.
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
    fn connections_that_do_not_come_about_are_counted_by_reason() {
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
        // Counted when it was refused.
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
