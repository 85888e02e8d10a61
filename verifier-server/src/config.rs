//! What an operator decides: a file, and flags that win over it. Read once, at the start.

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

/// The file, with every default in it and a comment for each.
pub const DEFAULT_FILE: &str = include_str!("../verifier-server.default.toml");

/// The configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The origin under which it is reached.
    pub public_origin: Origin,
    /// The folder for what it keeps.
    pub data: PathBuf,
    /// `sqlite`, or a Postgres URL.
    pub database: String,
    /// Plain text to a Postgres on another machine.
    pub allow_plain_database: bool,
    /// The file with the Postgres URL, where that holds a password.
    pub database_file: Option<PathBuf>,
    /// The master key's file; in the data folder when left out.
    pub master_key_file: Option<PathBuf>,
    /// The widget's files.
    pub widget: PathBuf,
    /// Whether this is a test: a simulated bank, outcomes that can be asked for, `/sim`.
    pub test_mode: bool,
    /// Test mode under a public origin that other machines reach as well.
    pub test_mode_in_public: bool,
    /// Where operators and testers are served: `/sim`, `/metrics`, `/readyz`.
    pub control_listen: ControlListen,
    /// The file with the bearer token of the operator's listener.
    pub control_token_file: Option<PathBuf>,
    /// Who is asked for money, by the names that the operator gives them.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// How long the provider may take, milliseconds.
    pub provider_timeout_ms: u64,
    /// Plain HTTP on an address that is not loopback.
    pub allow_plain_http: bool,
    /// The control listener's token in plain text on an address that is not loopback.
    pub control_allow_plain_http: bool,
    /// Networks of the proxies that append the client's address to `X-Forwarded-For`.
    pub trusted_proxies: Vec<String>,
    /// How many of them a request passes at most.
    pub trusted_hops: u8,
    /// How long running requests may take at the end, milliseconds.
    pub drain_ms: u64,
    /// TLS by files.
    pub tls: Tls,
    /// How far the promise of HTTPS goes.
    pub hsts: Hsts,
    /// How many connections and requests there may be.
    pub connections: ConnectionLimits,
    /// How much one address may ask.
    pub rate_limit: RateLimitConfig,
    /// Where webhooks may go.
    pub webhooks: Webhooks,
    /// What is logged.
    pub log: Log,
}

/// A provider: its kind, and what that kind wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProviderConfig {
    /// The simulated bank: it approves invented cards, and no money moves.
    Simulated {},
}

impl ProviderConfig {
    /// Whether real money moves. What is made with a provider, API keys and data included, is
    /// marked with it.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self {
            Self::Simulated {} => false,
        }
    }
}

/// TLS by files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The chain, PEM.
    pub certificate: Option<PathBuf>,
    /// The private key, PEM.
    pub key: Option<PathBuf>,
    /// The oldest version of TLS that is spoken.
    pub min_version: TlsVersion,
}

impl Tls {
    /// The files, to be read and followed.
    pub(crate) fn files(&self, certificate: &Path, key: &Path) -> TlsFiles {
        TlsFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            min_version: self.min_version,
        }
    }
}

/// How much one address may ask.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitConfig {
    /// Requests a second; 0 for no limit.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// Where webhooks may go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Networks that are not public and still allowed.
    pub allow: Vec<String>,
    /// Networks that are refused, whatever else is allowed.
    pub deny: Vec<String>,
    /// Ports besides those of https.
    pub ports: Vec<u16>,
    /// Plain HTTP.
    pub allow_http: bool,
    /// Whether merchants see what hosts in allowed networks answer.
    pub store_responses_of_allowed: bool,
    /// Whether endpoints in allowed networks are asked to prove whose they are.
    pub verify_allowed: bool,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// What.
    pub filter: String,
}

/// For people or for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// Lines of JSON.
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
    /// The file's settings, and the flags over them.
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

    /// The same with the flags of `serve`, checked as a whole.
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

    /// The same for a command that works on the data and serves nobody: its mode is the provider's.
    #[must_use]
    pub fn for_command(mut self) -> Self {
        self.test_mode = !self.livemode();
        self
    }

    /// Whether real money moves: the providers say so, and no setting does.
    #[must_use]
    pub fn livemode(&self) -> bool {
        self.providers.values().any(ProviderConfig::is_live)
    }

    /// The proxies in front.
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

    /// Whether the database may be spoken to as its address says; every command asks.
    ///
    /// # Errors
    /// A sentence with what to write instead.
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
                "allow_plain_database: the database is spoken to in plain text"
            );
        }
        Ok(())
    }

    /// Where webhooks may go.
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

    /// The database's address.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.url_of("sealpay.sqlite")
    }

    /// Where the simulated bank keeps its book: a file of its own, or tables of its own on the same
    /// Postgres, so that all verifiers there share one bank.
    #[must_use]
    pub fn bank_url(&self) -> String {
        self.url_of("simulated-bank.sqlite")
    }

    /// The file of the database, where it is one.
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
    fn the_commented_file_holds_the_defaults() {
        assert!(!Config::default().test_mode);
        assert_eq!(
            toml::from_str::<Config>(DEFAULT_FILE).unwrap(),
            Config::default()
        );
    }
    #[test]
    fn a_file_with_the_databases_password_is_its_readers_alone() {
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
