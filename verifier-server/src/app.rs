//! Assembles a server from its parts, for the binary and for tests.

mod master_key_file;
mod providers;
mod webhooks;

pub use master_key_file::{is_master_key_in_environment, master_key_path};
pub use webhooks::{challenging, disabling, signer};

use crate::config::Config;
use crate::error::ApiError;
use crate::gateway::{Companion, Gateway, Settings};
use crate::http::assets::Assets;
use crate::http::client::Clients;
use crate::http::frame_origins::FrameOrigins;
use crate::http::in_flight::InFlight;
use crate::http::rate_limit::RateLimit;
use crate::http::security_headers::SecurityHeaders;
use crate::http::state::AppState;
use crate::http::writes::Writes;
use crate::keys::encryption::KeyEncryption;
use crate::metrics::Metrics;
use crate::payments::methods::{bank_transfer, sepa_debit};
use crate::settlements::close::Cutoff;
#[cfg(feature = "simulator")]
use crate::simulation::follow_clock;
use crate::store::{Options, Store};
use crate::webhooks::outbox::Outbox;
use crate::widget_builds::routes::OtherBuilds;
use crate::worker::{every, every_batch};
use crate::worlds::{FolderLock, Worlds};
use crate::{
    agreements, attention, disputes, instruments, invoices, keys, maintain, modifications,
    payments, payouts, settlements, subscriptions, widget_builds,
};
use sealpay_protocol::encoding::base64url;
use sealpay_provider::Providers;
use sealpay_storage::in_background;
use sealpay_system::{Clock, Rng};
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use master_key_file::{MASTER_KEY_FILE, key_source, load_master_keys};

const RECOVER_EVERY: Duration = Duration::from_millis(500);
const COLLECT_EVERY: Duration = Duration::from_secs(1);
const EXPIRE_EVERY: Duration = Duration::from_secs(5);
const SETTLE_EVERY: Duration = Duration::from_secs(5);
const PAY_OUT_EVERY: Duration = Duration::from_secs(2);
#[cfg(feature = "simulator")]
const FOLLOW_CLOCK_EVERY: Duration = Duration::from_secs(1);
const REVERSE_EVERY: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How often a server checks for rotated keys.
pub const FOLLOW_KEYS_EVERY: Duration = Duration::from_secs(1);
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);

/// The common dependencies of the server and the other commands.
#[derive(Debug)]
pub struct Parts {
    /// The store.
    pub store: Store,
    /// The encryption of stored secrets.
    pub encryption: KeyEncryption,
    /// The clock.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
    /// Whether the data is of live payments.
    pub livemode: bool,
    /// Keeps other processes from replacing the data folder meanwhile.
    pub folder: FolderLock,
}

impl Parts {
    /// The same for an existing database: a command started in the wrong folder must not create one
    /// and report success.
    pub async fn open_existing(config: &Config) -> Result<Self, String> {
        if config
            .database_file_in_data()
            .is_some_and(|file| !file.exists())
        {
            return Err(format!(
                "there is no database in {}: name the server's configuration (--config) or its \
                 folder (--data)",
                config.data.display()
            ));
        }
        Self::open(config).await
    }

    /// Opens the data folder, the master key and the store.
    pub async fn open(config: &Config) -> Result<Self, String> {
        config.check_database()?;
        make_private_folder(&config.data)?;
        Self::open_locked(config, FolderLock::share(&config.data).await?).await
    }

    /// The same in a data folder that is locked.
    pub(crate) async fn open_locked(config: &Config, folder: FolderLock) -> Result<Self, String> {
        let (clock, rng) = (Clock::system(), Rng::system());
        let encryption = KeyEncryption::from_keys(&load_master_keys(config, &rng)?);
        let store = Store::open(&config.database_url(), &Options::default())
            .await
            .map_err(|error| format!("the database cannot be opened: {error}"))?;
        let livemode = config.livemode();
        bind_mode(&store, livemode).await?;
        Ok(Self {
            store,
            encryption,
            clock,
            rng,
            livemode,
            folder,
        })
    }
}

/// Test and live data are never mixed: the first start sets the mode permanently.
async fn bind_mode(store: &Store, livemode: bool) -> Result<(), String> {
    let bound = store.bind_mode(livemode).await;
    let bound = bound.map_err(|error| format!("the database cannot be read: {error}"))?;
    match (bound, livemode) {
        (false, true) => {
            let ahead_ms = ahead_ms(store).await?;
            let clock = if ahead_ms == 0 {
                String::new()
            } else {
                format!(
                    ", its clock was moved and is {} ahead for good",
                    in_words(ahead_ms)
                )
            };
            Err(format!(
                "this data is a test's: its payments, API keys and settlements are not real{clock}, \
                 and [providers] names one that moves real money; begin with an empty \
                 folder (--data) or database, and register merchants there"
            ))
        }
        (true, false) => Err(
            "this data is of real payments, and a provider of the kind \"simulated\" is for tests; give \
             the test a folder (--data) or database of its own"
                .into(),
        ),
        _ => Ok(()),
    }
}

async fn ahead_ms(store: &Store) -> Result<u64, String> {
    let ahead = store.clock_ahead_ms().await;
    ahead.map_err(|error| format!("the database cannot be read: {error}"))
}

fn make_private_folder(path: &Path) -> Result<(), String> {
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| format!("data folder {}: {error}", path.display()))
}

/// A server that is ready to serve, for the binary and for tests.
#[derive(Debug)]
pub struct Server {
    /// The state of the handlers.
    pub state: AppState,
    /// Its name among the servers of a database.
    pub(crate) name: String,
    pub(crate) folder: FolderLock,
    outbox: Arc<Outbox>,
}

impl Server {
    /// Assembles the parts.
    pub async fn new(config: &Config, parts: Parts) -> Result<Self, String> {
        Self::counting(config, parts, Arc::default()).await
    }

    /// The same with the metrics of an earlier server of this process.
    pub(crate) async fn counting(
        config: &Config,
        parts: Parts,
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        config.check_providers()?;
        let (providers, companion) = providers::open(config, &parts).await?;
        Self::assemble(config, parts, (providers, companion), metrics).await
    }

    /// The same with other providers, and their resources, which are closed with the server.
    pub async fn with_providers(
        config: &Config,
        parts: Parts,
        providers: Providers,
        companion: Option<Arc<dyn Companion>>,
    ) -> Result<Self, String> {
        Self::assemble(config, parts, (providers, companion), Arc::default()).await
    }

    async fn assemble(
        config: &Config,
        parts: Parts,
        (providers, companion): (Providers, Option<Arc<dyn Companion>>),
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        let Parts {
            store,
            encryption,
            clock,
            rng,
            livemode: _,
            folder,
        } = parts;
        bind_mode(&store, providers.livemode).await?;
        let settings = Settings {
            public_origin: config.public_origin.clone(),
            test_mode: config.test_mode,
            spool: config.data.clone(),
            provider_timeout: Duration::from_millis(config.provider_timeout_ms),
        };
        let gateway = Gateway::new(
            settings,
            store.clone(),
            providers,
            encryption,
            clock.clone(),
            rng.clone(),
        );
        // The active keys depend on the time, and the time on the testers' clock.
        if config.test_mode {
            #[cfg(feature = "simulator")]
            follow_clock::refresh(&gateway).await.map_err(sentence)?;
        } else {
            refuse_moved_clock(&store).await?;
        }
        maintain::refresh_keys(&gateway).await.map_err(sentence)?;
        let policy = config.address_policy()?;
        let (addresses, named) = (policy.clone(), policy.clone());
        let mut gateway = gateway
            .with_webhook_addresses(
                Box::new(move |url| addresses.check(url).map_err(|refused| refused.to_string())),
                Box::new(move |url| named.vouches_for(url)),
            )
            .with_key_source(key_source(config));
        if let Some(companion) = companion {
            gateway = gateway.with_companion(companion);
        }
        let gateway = Arc::new(gateway);
        let name = base64url(&gateway.rng().bytes::<12>());
        let counted = Arc::clone(&metrics);
        let outbox = Outbox::new(
            store,
            policy,
            signer(&gateway),
            Box::new(move |state| counted.delivery(state.name())),
            clock,
            rng,
        )?;
        let outbox = outbox
            .with_disabling(disabling(&gateway))
            .with_challenges(challenging(&gateway));
        let outbox = if config.test_mode {
            outbox.with_webhook_faults()
        } else {
            outbox
        };
        let state = state_of(config, gateway, metrics).await?;
        Ok(Self {
            state,
            name,
            folder,
            outbox: Arc::new(outbox),
        })
    }

    /// Runs background work until dropped: recovery, housekeeping and the outbox.
    pub async fn run_beside(&self) {
        let gateway = &self.state.gateway;
        let follow_clock = async {
            #[cfg(feature = "simulator")]
            if gateway.settings().test_mode {
                follow_clock::run(gateway, FOLLOW_CLOCK_EVERY).await;
            }
        };
        let record_build = async {
            if let Some(digest) = self.state.assets.digest() {
                widget_builds::run(gateway, digest).await;
            }
        };
        let beside = async {
            tokio::join!(
                record_build,
                follow_clock,
                keys::follow::run(gateway, &self.name, FOLLOW_KEYS_EVERY),
                every(RECOVER_EVERY, "reconcile payments", || {
                    gateway.unless_stopped(payments::reconcile::recover(gateway))
                }),
                every(COLLECT_EVERY, "collect credits", || {
                    gateway.unless_stopped(bank_transfer::incoming::collect(gateway))
                }),
                every(COLLECT_EVERY, "collect news of direct debits", || {
                    gateway.unless_stopped(sepa_debit::news::collect(gateway))
                }),
                every(LOOK_EVERY, "end lapsed mandates", || {
                    gateway.unless_stopped(agreements::revoke::end_lapsed(gateway))
                }),
                every(RECOVER_EVERY, "reconcile modifications", || {
                    gateway.unless_stopped(modifications::reconcile::recover(gateway))
                }),
                every(EXPIRE_EVERY, "expire authorizations", || {
                    gateway.unless_stopped(modifications::expire::expire(gateway))
                }),
                every(COLLECT_EVERY, "update saved cards", || {
                    gateway.unless_stopped(instruments::updater::collect(gateway))
                }),
                every(REVERSE_EVERY, "delete credentials", || {
                    instruments::revocation::revoke_due(gateway)
                }),
                every(REVERSE_EVERY, "reverse late approvals", || {
                    payments::reversals::reverse(gateway)
                }),
                attention::run(gateway, LOOK_EVERY, |seen| self
                    .state
                    .metrics
                    .attention(seen)),
                every(EXPIRE_EVERY, "close overdue disputes", || {
                    gateway.unless_stopped(disputes::service::give_up(gateway))
                }),
                every_batch(COLLECT_EVERY, "renew subscriptions", || {
                    gateway.unless_stopped(subscriptions::renew::renew(gateway))
                }),
                every_batch(COLLECT_EVERY, "collect invoices", || {
                    gateway.unless_stopped(invoices::collect::collect(gateway))
                }),
                every(SETTLE_EVERY, "close settlements", || {
                    gateway.unless_stopped(settlements::close::settle(gateway, Cutoff::Now))
                }),
                every(PAY_OUT_EVERY, "send payouts", || {
                    gateway.unless_stopped(payouts::service::pay_out(gateway))
                }),
                maintain::run(gateway, MAINTAIN_EVERY),
                Arc::clone(&self.outbox).run(gateway.outbox()),
                Arc::clone(&self.outbox).run_verification(),
            );
        };
        in_background(beside).await;
    }
}

/// The error for operators.
fn sentence(error: ApiError) -> String {
    error
        .internal
        .unwrap_or_else(|| error.code.detail().to_owned())
}

/// Data dated by an advanced clock is in the future of the system clock: keys, leases,
/// authorizations.
async fn refuse_moved_clock(store: &Store) -> Result<(), String> {
    match ahead_ms(store).await? {
        0 => Ok(()),
        ahead_ms => Err(format!(
            "the clock of this data was moved in test mode: it is {} ahead, never goes back, and \
             what the data holds is dated by it; start with test_mode = true (--test-mode) to go \
             on testing, or with an empty folder (--data) or database to begin anew",
            in_words(ahead_ms)
        )),
    }
}

/// A duration in milliseconds, in its largest unit.
fn in_words(span_ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (24 * 60 * 60 * 1000, "day"),
        (60 * 60 * 1000, "hour"),
        (60 * 1000, "minute"),
        (1000, "second"),
    ];
    let unit = UNITS.iter().find(|(size, _)| span_ms >= *size);
    let (size, name) = unit.unwrap_or(&UNITS[3]);
    let count = span_ms / size;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// Builds the state of the handlers.
async fn state_of(
    config: &Config,
    gateway: Arc<Gateway>,
    metrics: Arc<Metrics>,
) -> Result<AppState, String> {
    let assets = load_assets(&config.widget)?;
    if let Some(digest) = assets.digest()
        && let Err(error) =
            widget_builds::record(&gateway, digest, assets.count(), || assets.files()).await
    {
        tracing::warn!(%error, "other servers cannot serve the files of this widget");
    }
    let worlds = worlds(config, gateway.rng());
    let limits = &config.rate_limit;
    let limit = NonZeroU32::new(limits.per_second)
        .map(|rate| (rate, NonZeroU32::new(limits.burst).unwrap_or(rate)));
    Ok(AppState {
        gateway,
        assets: Arc::new(assets),
        other_builds: Arc::new(OtherBuilds::default()),
        frame_origins: Arc::new(FrameOrigins::default()),
        metrics,
        clients: Arc::new(Clients::new(config.trusted_proxies()?)),
        security_headers: Arc::new(SecurityHeaders::new(&config.public_origin, &config.hsts)),
        in_flight: Arc::new(InFlight::new(&config.connections)),
        rate_limit: Arc::new(RateLimit::new(limit)),
        writes_without_effect: Arc::default(),
        readiness: Arc::default(),
        draining: Arc::new(AtomicBool::new(false)),
        in_progress: Arc::default(),
        worlds: Arc::new(worlds),
        writes: Writes::default(),
    })
}

/// The snapshots of a configuration's data.
pub(crate) fn worlds(config: &Config, rng: &Rng) -> Worlds {
    let has_key = !is_master_key_in_environment()
        && master_key_path(config) == config.data.join(MASTER_KEY_FILE);
    Worlds::new(&config.data, &config.database, has_key, rng.clone())
}

fn load_assets(folder: &Path) -> Result<Assets, String> {
    if folder.exists() {
        return Assets::load(folder);
    }
    tracing::warn!(folder = %folder.display(), "no widget found: the server has only its API");
    Ok(Assets::default())
}
