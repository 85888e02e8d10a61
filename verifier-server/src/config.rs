//! The configuration: a file, and flags that override it. Read once, at startup.

mod check;
mod control;
mod database;
mod file;
mod flags;

pub use control::ControlListen;
pub use flags::{Flags, ServeFlags};

use crate::listener::{ConnectionLimits, Hsts, TlsFiles, TlsVersion};
use crate::listener::{DEFAULT_HOPS, MOST_HOPS, TrustedProxies};
use crate::webhooks::outbox::address::{AddressPolicy, Network};
use sealpay_protocol::origin::Origin;
use sealpay_storage::{PostgresUrl, is_postgres};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The default configuration file, with a comment for each setting.
pub const DEFAULT_FILE: &str = include_str!("../verifier-server.default.toml");

/// The configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The public origin.
    pub public_origin: Origin,
    /// The data folder.
    pub data: PathBuf,
    /// `sqlite`, or a Postgres URL.
    pub database: String,
    /// Permits an unencrypted connection to a Postgres on another machine.
    pub allow_plain_database: bool,
    /// The file with the Postgres URL, if the URL contains a password.
    pub database_file: Option<PathBuf>,
    /// The master key's file; by default in the data folder.
    pub master_key_file: Option<PathBuf>,
    /// The folder with the widget's files.
    pub widget: PathBuf,
    /// Test mode: a simulated bank, requested outcomes, `/sim`.
    pub test_mode: bool,
    /// Permits test mode under a public origin that other machines can reach.
    pub test_mode_in_public: bool,
    /// The operator's listener: `/sim`, `/metrics`, `/readyz`.
    pub control_listen: ControlListen,
    /// The file with the bearer token of the operator's listener.
    pub control_token_file: Option<PathBuf>,
    /// The providers, by the operator's names.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Time limit of a provider call, milliseconds.
    pub provider_timeout_ms: u64,
    /// Permits plain HTTP on an address that is not loopback.
    pub allow_plain_http: bool,
    /// Permits the control token over plain HTTP on an address that is not loopback.
    pub control_allow_plain_http: bool,
    /// Networks of the proxies that append the client's address to `X-Forwarded-For`.
    pub trusted_proxies: Vec<String>,
    /// Maximum number of proxies that a request passes.
    pub trusted_hops: u8,
    /// How long running requests may take at shutdown, milliseconds.
    pub drain_ms: u64,
    /// TLS files.
    pub tls: Tls,
    /// HTTP Strict Transport Security.
    pub hsts: Hsts,
    /// Limits of connections and requests.
    pub connections: ConnectionLimits,
    /// Rate limit per address.
    pub rate_limit: RateLimitConfig,
    /// Permitted webhook destinations.
    pub webhooks: Webhooks,
    /// Logging.
    pub log: Log,
}

/// A provider: its kind and the settings of that kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProviderConfig {
    /// The simulated bank: it approves test cards, and no money moves.
    Simulated {},
}

impl ProviderConfig {
    /// Whether real money moves. Resources created with the provider, including API keys, are
    /// marked accordingly.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self {
            Self::Simulated {} => false,
        }
    }
}

/// TLS files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub certificate: Option<PathBuf>,
    /// The private key, PEM.
    pub key: Option<PathBuf>,
    /// The minimum TLS version.
    pub min_version: TlsVersion,
}

impl Tls {
    /// The files, to load and watch.
    pub(crate) fn files(&self, certificate: &Path, key: &Path) -> TlsFiles {
        TlsFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            min_version: self.min_version,
        }
    }
}

/// Rate limit per address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitConfig {
    /// Requests a second; 0 for no limit.
    pub per_second: u32,
    /// Burst size, requests.
    pub burst: u32,
}

/// Permitted webhook destinations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Non-public networks that are allowed.
    pub allow: Vec<String>,
    /// Networks that are denied, whatever else is allowed.
    pub deny: Vec<String>,
    /// Permitted ports besides those of https.
    pub ports: Vec<u16>,
    /// Permits plain HTTP.
    pub allow_http: bool,
    /// Whether merchants see the responses of hosts in allowed networks.
    pub store_responses_of_allowed: bool,
    /// Whether endpoints in allowed networks are verified.
    pub verify_allowed: bool,
}

/// Logging.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The format.
    pub format: LogFormat,
    /// The filter.
    pub filter: String,
}

/// The log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// JSON lines.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            public_origin: default_origin(),
            data: "data".into(),
            database: "sqlite".into(),
            allow_plain_database: false,
            database_file: None,
            master_key_file: None,
            widget: "dist".into(),
            test_mode: false,
            test_mode_in_public: false,
            control_listen: ControlListen::default(),
            control_token_file: None,
            providers: BTreeMap::from([("simulated".into(), ProviderConfig::Simulated {})]),
            provider_timeout_ms: 10_000,
            allow_plain_http: false,
            control_allow_plain_http: false,
            trusted_proxies: Vec::new(),
            trusted_hops: DEFAULT_HOPS,
            drain_ms: 15_000,
            tls: Tls::default(),
            hsts: Hsts::default(),
            connections: ConnectionLimits::default(),
            rate_limit: RateLimitConfig::default(),
            webhooks: Webhooks::default(),
            log: Log::default(),
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant text, read by a test")]
fn default_origin() -> Origin {
    "http://127.0.0.1:8787"
        .parse()
        .expect("the default origin is an origin")
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        Self {
            per_second: 50,
            burst: 200,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".into(),
        }
    }
}

impl Config {
    /// Loads the file, overridden by the flags.
    ///
    /// # Errors
    /// A sentence that names the file or the setting.
    pub fn load(flags: &Flags) -> Result<Self, String> {
        let mut config = match &flags.config {
            Some(path) => file::read(path)?,
            None => Self::default(),
        };
        set(&mut config.data, flags.data.clone());
        if flags.database.is_some() {
            config.database_file = None;
        }
        set(&mut config.database, flags.database.clone());
        if flags.database_file.is_some() {
            config.database_file.clone_from(&flags.database_file);
            "sqlite".clone_into(&mut config.database);
        }
        config.database = database::resolve(&config.database, config.database_file.as_deref())?;
        if flags.master_key_file.is_some() {
            config.master_key_file.clone_from(&flags.master_key_file);
        }
        Ok(config)
    }

    /// Applies the flags of `serve` and validates the whole.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn for_serving(mut self, flags: ServeFlags) -> Result<Self, String> {
        set(&mut self.listen, flags.listen);
        set(&mut self.public_origin, flags.public_origin);
        set(&mut self.control_listen, flags.control_listen);
        if flags.control_token_file.is_some() {
            self.control_token_file = flags.control_token_file;
        }
        self.test_mode |= flags.test_mode;
        self.test_mode_in_public |= flags.test_mode_in_public;
        set(&mut self.widget, flags.widget_dir);
        set(&mut self.provider_timeout_ms, flags.provider_timeout_ms);
        set(&mut self.rate_limit.per_second, flags.rate_limit_per_second);
        set(&mut self.log.filter, flags.log_filter);
        self.trusted_proxies.extend(flags.trusted_proxy);
        self.webhooks.allow.extend(flags.webhook_allow);
        self.webhooks.allow_http |= flags.webhook_allow_http;
        self.check()?;
        Ok(self)
    }

    /// The configuration for a command that works on the data without serving: the provider decides
    /// the mode.
    #[must_use]
    pub fn for_command(mut self) -> Self {
        self.test_mode = !self.livemode();
        self
    }

    /// Whether real money moves. Decided by the providers; there is no setting.
    #[must_use]
    pub fn livemode(&self) -> bool {
        self.providers.values().any(ProviderConfig::is_live)
    }

    /// The trusted proxies.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn trusted_proxies(&self) -> Result<TrustedProxies, String> {
        if !(1..=MOST_HOPS).contains(&self.trusted_hops) {
            return Err(format!("trusted_hops must be from 1 to {MOST_HOPS}"));
        }
        let proxies = TrustedProxies::parse(&self.trusted_proxies)?;
        Ok(proxies.walking(self.trusted_hops))
    }

    /// Checks that the database connection is sufficiently protected; every command calls it.
    ///
    /// # Errors
    /// A sentence with a correction.
    pub fn check_database(&self) -> Result<(), String> {
        database::check_form(&self.database)?;
        if !is_postgres(&self.database) {
            return Ok(());
        }
        let url = PostgresUrl::parse(&self.database)?;
        url.check(self.allow_plain_database)?;
        if let Some(host) = url.plain_host() {
            tracing::warn!(
                host,
                "allow_plain_database: the connection to the database is not encrypted"
            );
        }
        Ok(())
    }

    /// Permitted webhook destinations.
    ///
    /// # Errors
    /// A sentence that names the network.
    pub fn address_policy(&self) -> Result<AddressPolicy, String> {
        let webhooks = &self.webhooks;
        let networks = |setting: &str, texts: &[String]| -> Result<Vec<Network>, String> {
            let networks = texts.iter().map(|text| text.parse());
            let networks: Result<_, String> = networks.collect();
            networks.map_err(|error| format!("webhooks.{setting}: {error}"))
        };
        let policy = AddressPolicy::new(networks("allow", &webhooks.allow)?, webhooks.allow_http);
        Ok(policy
            .denying(networks("deny", &webhooks.deny)?)
            .with_ports(webhooks.ports.clone())
            .storing_responses(webhooks.store_responses_of_allowed)
            .verifying_allowed(webhooks.verify_allowed))
    }

    /// The database URL.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.url_of("sealpay.sqlite")
    }

    /// The simulated bank's database: a file of its own, or its own tables in the same Postgres, so
    /// that all servers there share one bank.
    #[must_use]
    pub fn bank_url(&self) -> String {
        self.url_of("simulated-bank.sqlite")
    }

    /// The database file in the data folder, for SQLite.
    #[must_use]
    pub fn database_file_in_data(&self) -> Option<PathBuf> {
        (self.database == "sqlite").then(|| self.data.join("sealpay.sqlite"))
    }

    fn url_of(&self, file: &str) -> String {
        if self.database == "sqlite" {
            format!("sqlite:{}", self.data.join(file).display())
        } else {
            self.database.clone()
        }
    }
}

fn set<T>(setting: &mut T, flag: Option<T>) {
    if let Some(value) = flag {
        *setting = value;
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, DEFAULT_FILE};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_default_file_has_the_default_values() {
        assert!(!Config::default().test_mode);
        assert_eq!(
            toml::from_str::<Config>(DEFAULT_FILE).unwrap(),
            Config::default()
        );
    }
    #[test]
    fn a_file_with_the_database_password_must_be_private() {
        let path = format!("sealpay-configuration-{}", std::process::id());
        let path = std::env::temp_dir().join(path);
        let rows = [
            ("postgres://app:secret@127.0.0.1/a", 0o644, false),
            ("postgres://app@127.0.0.1/a?password=secret", 0o644, false),
            ("postgres://app:secret@h1:1,h2:2/a", 0o644, false),
            ("postgres://app:sec/ret@127.0.0.1/a", 0o644, false),
            ("postgres://app:secret@127.0.0.1/a", 0o600, true),
            ("postgres://app@127.0.0.1/a", 0o644, true),
            ("sqlite", 0o644, true),
        ];
        for (database, mode, is_good) in rows {
            fs::write(&path, format!("database = \"{database}\"\n")).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let read = super::file::read(&path);
            assert_eq!(read.is_ok(), is_good, "{database} {mode:o}: {read:?}");
            let error = read.err().unwrap_or_default();
            assert!(!error.contains("app:secret"), "{error}");
        }
        fs::remove_file(&path).unwrap();
    }
}
