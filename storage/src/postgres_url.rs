//! Parses a Postgres URL: the server, and the protection of the connection.
//!
//! The driver supports neither `verify-full` nor root certificates, so both are parsed here, and
//! the driver gets the rest of the URL.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use url::form_urlencoded;

/// Detects a dead connection after about half a minute instead of the system's two hours.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
const UNACKNOWLEDGED_FOR: Duration = Duration::from_secs(30);
/// The driver's default.
const DRIVERS_KEEPALIVE_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// The trusted root certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// The operating system's.
    System,
    /// A PEM file.
    File(PathBuf),
}

/// A parsed Postgres URL.
#[derive(Debug, Clone)]
pub struct PostgresUrl {
    pub(super) config: Config,
    /// `sslmode=verify-full`: TLS, with a certificate that matches the host.
    pub(super) tls: Option<Roots>,
    /// `pgbouncer=true`: a transaction pooler sits between client and server.
    pub(super) pooled: bool,
    /// The first host that is neither a socket nor this machine.
    remote: Option<String>,
}

impl PostgresUrl {
    /// Whether the URL contains a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Parses a URL.
    ///
    /// # Errors
    /// A sentence that names the parameter. It never repeats the URL, which may contain a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut root, mut pooled) = (None, None, false);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(decoded(value)),
                Some(("sslrootcert", value)) => root = Some(decoded(value)),
                Some(("pgbouncer", "true")) => pooled = true,
                Some(("pgbouncer", "false")) => pooled = false,
                Some(("pgbouncer", _)) => {
                    return Err("pgbouncer in the database's URL is true or false".into());
                }
                _ => rest.push(pair),
            }
        }
        let url = format!("{base}?{}", rest.join("&"));
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let why = super::error::full(&error);
            format!("the database's URL cannot be read: {why}")
        })?;
        let tls = protection(mode.as_deref(), root)?;
        config.ssl_mode(match tls {
            Some(_) => SslMode::Require,
            None => SslMode::Disable,
        });
        if tls.is_some() && !has_names(&config) {
            return Err(
                "sslmode=verify-full needs the name of a host that the certificate can be \
                 compared with: the database's URL names a socket or only hostaddr"
                    .into(),
            );
        }
        notice_silence(&mut config);
        // After a failover the old primary may still respond, but read-only.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let remote = remote(&config);
        Ok(Self {
            config,
            tls,
            pooled,
            remote,
        })
    }

    /// Rejects unencrypted connections to another machine, unless they are explicitly allowed.
    ///
    /// # Errors
    /// A sentence with both settings.
    pub fn check(&self, allow_plain_database: bool) -> Result<(), String> {
        match &self.remote {
            Some(host) if self.tls.is_none() && !allow_plain_database => Err(format!(
                "database names the host {host} without TLS and allow_plain_database is false: \
                 add sslmode=verify-full to the URL (and sslrootcert=FILE when the system does \
                 not know the authority), or set allow_plain_database = true on a network where \
                 nobody else can listen"
            )),
            _ => Ok(()),
        }
    }

    /// The remote host of an unencrypted connection.
    pub fn plain_host(&self) -> Option<&str> {
        self.remote.as_deref().filter(|_| self.tls.is_none())
    }
}

/// A `+` is a literal plus in such a URL, as in the driver's own parameters.
fn decoded(value: &str) -> String {
    let value = format!("v={}", value.replace('+', "%2B"));
    let mut pairs = form_urlencoded::parse(value.as_bytes());
    pairs
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn protection(mode: Option<&str>, root: Option<String>) -> Result<Option<Roots>, String> {
    match mode {
        Some("verify-full") => Ok(Some(match root.as_deref() {
            None | Some("system") => Roots::System,
            Some(path) => Roots::File(path.into()),
        })),
        // These modes encrypt without verifying the server.
        Some(weak @ ("require" | "verify-ca")) => Err(format!(
            "sslmode={weak} does not compare the server's certificate with its name: write \
             sslmode=verify-full, and sslrootcert=FILE when the system does not know the \
             authority"
        )),
        None | Some("disable" | "allow" | "prefer") if root.is_some() => Err(
            "sslrootcert is only used with TLS: write sslmode=verify-full as well, or leave it out"
                .into(),
        ),
        None | Some("disable" | "allow" | "prefer") => Ok(None),
        Some(_) => Err("sslmode in the database's URL is disable or verify-full".into()),
    }
}

fn has_names(config: &Config) -> bool {
    let hosts = config.get_hosts();
    !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Tcp(_)))
}

fn remote(config: &Config) -> Option<String> {
    let addresses = config.get_hostaddrs();
    if let Some(address) = addresses.iter().find(|address| !is_this_machine(**address)) {
        return Some(address.to_string());
    }
    let named = config.get_hosts().iter().enumerate();
    let mut remote = named.filter_map(|(index, host)| match host {
        // If an address is given, the name is not resolved.
        Host::Tcp(name) if addresses.get(index).is_none() && !is_loopback_name(name) => {
            Some(name.clone())
        }
        _ => None,
    });
    remote.next()
}

fn is_loopback_name(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(is_this_machine)
}

fn is_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn notice_silence(config: &mut Config) {
    if config.get_keepalives_idle() == DRIVERS_KEEPALIVE_IDLE {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::{PostgresUrl, Roots};

    /// A row: the URL, and the results without and with `allow_plain_database`.
    #[test]
    fn unencrypted_remote_connections_need_explicit_permission() {
        let (plain, tls, refused) = ("plain", "tls", "refused");
        let rows = [
            ("postgres://u@%2Frun%2Fpostgresql/d", plain, plain),
            ("postgres://u@/d?host=/run/postgresql", plain, plain),
            ("postgres://u@localhost/d", plain, plain),
            ("postgres://u@LOCALHOST:5433/d", plain, plain),
            ("postgres://u@127.0.0.1/d", plain, plain),
            ("postgres://u@127.8.8.8/d", plain, plain),
            ("postgres://u@[::1]/d", plain, plain),
            ("postgres://u@[::ffff:127.0.0.1]/d", plain, plain),
            ("postgres://u@localhost/d?sslmode=prefer", plain, plain),
            ("postgres://u@localhost/d?sslmode=verify-full", tls, tls),
            ("postgres://u@db.example/d", refused, plain),
            ("postgresql://u:p@db.example/d", refused, plain),
            ("postgres://u@10.0.0.5/d", refused, plain),
            ("postgres://u@[fd00::5]/d", refused, plain),
            ("postgres://u@localhost.example/d", refused, plain),
            ("postgres://u@db.example/d?sslmode=disable", refused, plain),
            ("postgres://u@db.example/d?sslmode=allow", refused, plain),
            ("postgres://u@db.example/d?sslmode=prefer", refused, plain),
            ("postgres://u@db.example/d?sslmode=verify-full", tls, tls),
            (
                "postgres://u@db.example/d?connect_timeout=3&sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem",
                tls,
                tls,
            ),
            ("postgres://u@localhost,db.example/d", refused, plain),
            ("postgres://u@%2Frun%2Fpg,db.example/d", refused, plain),
            (
                "postgres://u@a.example,b.example/d?sslmode=verify-full",
                tls,
                tls,
            ),
            ("postgres://u@localhost/d?hostaddr=10.0.0.5", refused, plain),
            ("postgres://u@db.example/d?hostaddr=127.0.0.1", plain, plain),
        ];
        for (url, without, with) in rows {
            let read = PostgresUrl::parse(url).unwrap();
            for (allowed, expected) in [(false, without), (true, with)] {
                let outcome = match (read.check(allowed), &read.tls) {
                    (Err(sentence), _) => {
                        assert!(sentence.contains("allow_plain_database"), "{sentence}");
                        assert!(sentence.contains("sslmode=verify-full"), "{sentence}");
                        refused
                    }
                    (Ok(()), Some(_)) => tls,
                    (Ok(()), None) => plain,
                };
                assert_eq!(outcome, expected, "{url} {allowed}");
            }
        }
    }

    #[test]
    fn tls_modes_without_verification_are_rejected_with_a_suggestion() {
        let rows = [
            ("sslmode=require", "write sslmode=verify-full"),
            ("sslmode=verify-ca", "write sslmode=verify-full"),
            ("sslmode=VERIFY-FULL", "disable or verify-full"),
            ("sslmode=", "disable or verify-full"),
            ("sslrootcert=/etc/ca.pem", "write sslmode=verify-full"),
            (
                "sslmode=prefer&sslrootcert=/etc/ca.pem",
                "write sslmode=verify-full",
            ),
            ("pgbouncer=yes", "true or false"),
            ("nonsense=1", "nonsense"),
        ];
        for (query, expected) in rows {
            let url = format!("postgres://u:secret@db.example/d?{query}");
            let refused = PostgresUrl::parse(&url).map(drop).unwrap_err();
            assert!(refused.contains(expected), "{query}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
        for url in [
            "postgres://u@%2Frun%2Fpg/d?sslmode=verify-full",
            "postgres://u@/d?hostaddr=10.0.0.5&sslmode=verify-full",
        ] {
            let refused = PostgresUrl::parse(url).map(drop).unwrap_err();
            assert!(refused.contains("needs the name of a host"), "{refused}");
        }
    }

    #[test]
    fn root_certificates_come_from_a_file_or_the_system() {
        let rows = [
            ("", Roots::System),
            ("&sslrootcert=system", Roots::System),
            (
                "&sslrootcert=%2Fa%20b%2Fca%2B.pem",
                Roots::File("/a b/ca+.pem".into()),
            ),
            (
                "&sslrootcert=/a+b/ca.pem",
                Roots::File("/a+b/ca.pem".into()),
            ),
        ];
        for (query, expected) in rows {
            let url = format!("postgres://u@db.example/d?sslmode=verify-full{query}");
            assert_eq!(PostgresUrl::parse(&url).unwrap().tls, Some(expected));
        }
    }
}
