//! Limits of concurrent connections and requests, and their time limits.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Deserialize;
use std::time::Duration;

/// Open files besides client connections: databases, running webhooks, name lookups.
const OTHER_FILES: u64 = 384;
/// Minimum number of open files needed to start.
const FEWEST_FILES: u64 = 64;
/// A network gets at most this fraction of all connections, however few there are.
const NETWORK_PART: u32 = 4;

/// The `[connections]` limits of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionLimits {
    /// Concurrent connections.
    pub max: u32,
    /// Concurrent connections from one network.
    pub max_per_network: u32,
    /// Idle time of a connection, seconds.
    pub idle_seconds: u32,
    /// Concurrent requests.
    pub max_requests: u32,
    /// Concurrent requests from one network.
    pub max_requests_per_network: u32,
    /// Time limit of a request body, seconds.
    pub body_seconds: u32,
    /// Time limit of a stalled request or response, seconds.
    pub response_seconds: u32,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max: 4096,
            max_per_network: 256,
            idle_seconds: 30,
            max_requests: 2048,
            max_requests_per_network: 256,
            body_seconds: 45,
            response_seconds: 120,
        }
    }
}

impl ConnectionLimits {
    /// Validates the settings.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), String> {
        let counts = [
            ("max", self.max),
            ("max_per_network", self.max_per_network),
            ("max_requests", self.max_requests),
            ("max_requests_per_network", self.max_requests_per_network),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!(
                "connections.{name} = 0 would reject every client: set it to at least 1, or omit it"
            ));
        }
        if !(1..=3600).contains(&self.idle_seconds) {
            return Err("connections.idle_seconds must be from 1 to 3600".into());
        }
        if !(1..=60).contains(&self.body_seconds) {
            return Err("connections.body_seconds must be from 1 to 60".into());
        }
        if !(1..=600).contains(&self.response_seconds) {
            return Err("connections.response_seconds must be from 1 to 600".into());
        }
        Ok(())
    }

    /// Idle time of a connection.
    #[must_use]
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds.into())
    }

    /// Time limit of a request body.
    #[must_use]
    pub fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds.into())
    }

    /// Time limit of a stalled request or response.
    #[must_use]
    pub fn response(&self) -> Duration {
        Duration::from_secs(self.response_seconds.into())
    }

    /// Reduces the connections to the limit on open files, with a message for the operator if that
    /// is fewer than configured.
    fn within(&self, files: u64) -> Result<(Self, Option<String>), String> {
        if files < FEWEST_FILES {
            return Err(format!(
                "the limit on open files is {files}, and the server needs at least {FEWEST_FILES}: \
                 raise it with systemd's LimitNOFILE= or with ulimit -n"
            ));
        }
        let room = files.saturating_sub(OTHER_FILES.min(files / 2));
        let max = self.max.min(u32::try_from(room).unwrap_or(u32::MAX));
        let part = max.div_ceil(NETWORK_PART);
        let limits = Self {
            max,
            max_per_network: self.max_per_network.min(part),
            ..self.clone()
        };
        let warning = (max < self.max).then(|| {
            format!(
                "the limit on open files is {files}, which leaves room for {max} connections and \
                 not for connections.max = {}: raise it to {} with LimitNOFILE= of systemd or \
                 ulimit -n, or lower connections.max",
                self.max,
                u64::from(self.max) + OTHER_FILES
            )
        });
        Ok((limits, warning))
    }

    /// Raises the limit on open files as needed and permitted, and adapts to it.
    ///
    /// # Errors
    /// A sentence for the operator if it is far too low.
    pub fn fit_into_file_limit(&self) -> Result<Self, String> {
        let wanted = u64::from(self.max) + OTHER_FILES;
        let (limits, warning) = self.within(raised_file_limit(wanted))?;
        if let Some(warning) = warning {
            tracing::warn!("{warning}");
        }
        Ok(limits)
    }
}

/// The limit on open files, raised as wanted and as the hard limit permits.
fn raised_file_limit(wanted: u64) -> u64 {
    // None means unlimited.
    let present = getrlimit(Resource::Nofile);
    let soft = present.current.unwrap_or(u64::MAX);
    let possible = wanted.min(present.maximum.unwrap_or(u64::MAX));
    let raised = Rlimit {
        current: Some(possible),
        maximum: present.maximum,
    };
    if soft < possible && setrlimit(Resource::Nofile, raised).is_ok() {
        return possible;
    }
    soft
}

#[cfg(test)]
mod tests {
    use super::ConnectionLimits;

    #[test]
    fn connections_are_reduced_to_the_limit_on_open_files() {
        let configured = ConnectionLimits::default();
        let rows = [
            (1_000_000, 4096, 256, false),
            (4480, 4096, 256, false),
            (4479, 4095, 256, true),
            (1024, 640, 160, true),
            (160, 80, 20, true),
            (64, 32, 8, true),
        ];
        for (files, max, max_per_network, warns) in rows {
            let (limits, warning) = configured.within(files).unwrap();
            assert_eq!((limits.max, limits.max_per_network), (max, max_per_network));
            assert_eq!(warning.is_some(), warns, "{files}");
            if let Some(warning) = warning {
                let names = ["connections.max = 4096", "4480", "LimitNOFILE="];
                assert!(names.iter().all(|name| warning.contains(name)), "{warning}");
            }
        }
        let error = configured.within(63).unwrap_err();
        assert!(error.contains("at least 64"), "{error}");
    }

    #[test]
    fn a_small_server_leaves_room_for_a_second_network() {
        let configured = ConnectionLimits {
            max: 1,
            ..ConnectionLimits::default()
        };
        let (limits, _) = configured.within(1024).unwrap();
        assert_eq!((limits.max, limits.max_per_network), (1, 1));
    }

    #[test]
    fn limits_of_zero_are_rejected_by_name() {
        let limits = ConnectionLimits::default;
        let rows = [
            (
                ConnectionLimits { max: 0, ..limits() },
                "connections.max = 0",
            ),
            (
                ConnectionLimits {
                    max_requests_per_network: 0,
                    ..limits()
                },
                "connections.max_requests_per_network = 0",
            ),
            (
                ConnectionLimits {
                    idle_seconds: 0,
                    ..limits()
                },
                "idle_seconds",
            ),
            (
                ConnectionLimits {
                    body_seconds: 61,
                    ..limits()
                },
                "body_seconds",
            ),
            (
                ConnectionLimits {
                    response_seconds: 0,
                    ..limits()
                },
                "response_seconds",
            ),
        ];
        for (limits, expected) in rows {
            let error = limits.check().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(limits().check(), Ok(()));
    }
}
