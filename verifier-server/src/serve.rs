//! Puts the parts together and runs the server until it is asked to stop.

use crate::config::{Config, LogFormat};
use crate::domain::event::DueDelivery;
use crate::edge::{Clock, Entropy};
use crate::flow::register::endpoint_label;
use crate::flow::{Gateway, Settings, maintain, recover};
use crate::gate::master_key::{self, MasterKey};
use crate::gate::vault::Vault;
use crate::http::{self, AppState, Assets, RateLimit};
use crate::metrics::Metrics;
use crate::outbox::{Outbox, Sign};
use crate::provider::simulated::SimulatedBank;
use crate::store::{Options, Store};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use sealpay_protocol::webhook::{self, EndpointSecret};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

const RECOVER_EVERY: Duration = Duration::from_millis(500);
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);
/// How long the headers of a request may take, and how long a connection may wait for its next one.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// Most bytes of headers; a signed request has about two thousand.
const HEADER_BYTES: usize = 32 * 1024;
const BANK_BOOK: &str = "simulated-bank.sqlite";
const MASTER_KEY_FILE: &str = "master.key";

/// What both the server and the other commands need.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// Under which it is kept.
    pub vault: Vault,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Parts {
    /// Opens the data folder, the master key and the store.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn open(config: &Config) -> Result<Self, String> {
        let (clock, entropy) = (Clock::system(), Entropy::system());
        make_private_folder(&config.data)?;
        let vault = Vault::new(&load_master_key(config, &entropy)?);
        let store = Store::open(&config.database_url(), &Options::default())
            .await
            .map_err(|error| format!("the database cannot be opened: {error}"))?;
        Ok(Self {
            store,
            vault,
            clock,
            entropy,
        })
    }
}

fn make_private_folder(path: &Path) -> Result<(), String> {
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| format!("data folder {}: {error}", path.display()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one setting that comes from the environment"
)]
fn load_master_key(config: &Config, entropy: &Entropy) -> Result<MasterKey, String> {
    if let Ok(text) = std::env::var("SEALPAY_MASTER_KEY") {
        let text = Zeroizing::new(text);
        return master_key::parse(&text).map_err(|error| format!("SEALPAY_MASTER_KEY: {error}"));
    }
    let path = config.master_key_file.clone();
    let path = path.unwrap_or_else(|| config.data.join(MASTER_KEY_FILE));
    master_key::load_or_create(&path, || entropy.bytes())
}

/// A server that is ready to answer, for the binary and for tests.
#[derive(Debug)]
pub struct Server {
    /// What the handlers reach.
    pub state: AppState,
    outbox: Arc<Outbox>,
}

impl Server {
    /// Puts the parts together.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn new(config: &Config, parts: Parts) -> Result<Self, String> {
        let Parts {
            store,
            vault,
            clock,
            entropy,
        } = parts;
        let bank = SimulatedBank::open(&config.data.join(BANK_BOOK), clock.clone())?;
        let settings = Settings {
            public_origin: config.public_origin.clone(),
            test_mode: config.test_mode,
            provider_timeout: Duration::from_millis(config.provider_timeout_ms),
        };
        let gateway = Gateway::new(
            settings,
            store.clone(),
            Box::new(bank),
            vault,
            clock.clone(),
            entropy.clone(),
        );
        maintain::refresh_keys(&gateway).await.map_err(|refusal| {
            let reason = refusal.internal.as_deref();
            reason.unwrap_or(refusal.code.sentence()).to_owned()
        })?;
        let gateway = Arc::new(gateway);
        let metrics = Arc::new(Metrics::default());
        let counted = Arc::clone(&metrics);
        let outbox = Outbox::new(
            store,
            config.address_policy()?,
            signer(&gateway),
            Box::new(move |state| counted.delivery(state.name())),
            clock,
            entropy,
        )?;
        let assets = load_assets(&config.widget)?;
        let limits = &config.rate_limit;
        let limit = NonZeroU32::new(limits.per_second)
            .map(|rate| (rate, NonZeroU32::new(limits.burst).unwrap_or(rate)));
        let state = AppState {
            gateway,
            assets: Arc::new(assets),
            metrics,
            rate_limit: Arc::new(RateLimit::new(limit, config.behind_proxy)),
            draining: Arc::new(AtomicBool::new(false)),
        };
        Ok(Self {
            state,
            outbox: Arc::new(outbox),
        })
    }

    /// Runs what goes on beside requests: recovery, housekeeping and the outbox. Until dropped.
    pub async fn run_beside(&self) {
        let gateway = &self.state.gateway;
        tokio::join!(
            recover::run(gateway, RECOVER_EVERY),
            maintain::run(gateway, MAINTAIN_EVERY),
            Arc::clone(&self.outbox).run(gateway.outbox()),
        );
    }
}

fn load_assets(folder: &Path) -> Result<Assets, String> {
    if folder.exists() {
        return Assets::load(folder);
    }
    tracing::warn!(folder = %folder.display(), "no widget there: the server has only its API");
    Ok(Assets::default())
}

/// Webhooks are signed with the gateway's keys and the endpoint's secret.
fn signer(gateway: &Arc<Gateway>) -> Box<Sign> {
    let gateway = Arc::clone(gateway);
    Box::new(move |delivery: &DueDelivery, timestamp| {
        let label = endpoint_label(delivery.endpoint);
        let secret = gateway
            .vault()
            .decrypt(&label, &delivery.secret_encrypted)
            .ok()?;
        let secret = EndpointSecret::new(secret.as_slice().try_into().ok()?);
        let ring = gateway.keys();
        let keys: Vec<_> = ring.webhook_keys(timestamp).collect();
        let id = delivery.event.to_string();
        Some(webhook::sign(
            &id,
            timestamp,
            delivery.body.as_bytes(),
            &keys,
            &[&secret],
        ))
    })
}

/// Runs the server until SIGTERM or SIGINT.
///
/// # Errors
/// A sentence for the operator.
pub async fn serve(config: Config) -> Result<(), String> {
    start_log(&config)?;
    let parts = Parts::open(&config).await?;
    let server = Arc::new(Server::new(&config, parts).await?);
    let handle = Handle::new();
    let drain = Duration::from_millis(config.drain_ms);
    tokio::spawn(stop_on_signal(
        handle.clone(),
        Arc::clone(&server.state.draining),
        drain,
    ));
    let beside = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.run_beside().await })
    };
    tracing::info!(listen = %config.listen, origin = %config.public_origin,
        test_mode = config.test_mode, "listening");
    let listened = listen(&config, http::app(server.state.clone()), handle).await;
    beside.abort();
    // Everything that was answered is durable already; closing only ends the threads in order.
    server.state.gateway.store().close().await;
    tracing::info!("stopped");
    listened
}

async fn listen(
    config: &Config,
    app: axum::Router,
    handle: Handle<SocketAddr>,
) -> Result<(), String> {
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let address = config.listen;
    let trouble = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            return format!("{address} is in use; choose another one with --listen");
        }
        format!("{address}: {error}")
    };
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => {
            let tls = RustlsConfig::from_pem_file(certificate, key)
                .await
                .map_err(|error| format!("the TLS files cannot be used: {error}"))?;
            patient_to_a_point(axum_server::bind_rustls(address, tls))
                .handle(handle)
                .serve(service)
                .await
        }
        _ => {
            patient_to_a_point(axum_server::bind(address))
                .handle(handle)
                .serve(service)
                .await
        }
    }
    .map_err(trouble)
}

/// A connection that sends its headers drop by drop is let go, and may not fill the memory before.
fn patient_to_a_point<A>(
    mut server: axum_server::Server<SocketAddr, A>,
) -> axum_server::Server<SocketAddr, A> {
    server
        .http_builder()
        .http1()
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADER_BYTES);
    server.first_request_timeout(HEADERS_WITHIN)
}

async fn stop_on_signal(handle: Handle<SocketAddr>, draining: Arc<AtomicBool>, drain: Duration) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals cannot be heard; the server stops only when it is killed");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: running requests are finished first");
    draining.store(true, Ordering::Relaxed);
    handle.graceful_shutdown(Some(drain));
}

fn start_log(config: &Config) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.filter)
        .map_err(|error| format!("log filter: {error}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match config.log.format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| format!("the log cannot be started: {error}"))
}
