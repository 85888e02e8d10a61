//! Runs the server: logging, listeners and graceful shutdown.

mod operator;
mod restore;

use crate::app::{Parts, Server};
use crate::config::{Config, LogFormat};
use crate::core_dump;
use crate::listener::{Connections, limited, patient};
use axum_server::Handle;
use restore::{Listener, Serving};
use sealpay_storage::is_postgres;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the server until SIGTERM or SIGINT.
pub async fn serve(config: Config) -> Result<(), String> {
    start_log(&config)?;
    core_dump::forbid();
    if config.test_mode {
        warn_of_test_mode(&config);
    }
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let limits = config.connections.fit_into_file_limit()?;
    let operators = operator::open(&config)?;
    let parts = Parts::open(&config).await?;
    let server = Server::new(&config, parts).await?;
    let connections = Connections::of_public_listener(
        &limits,
        config.trusted_proxies()?,
        Arc::clone(&server.state.metrics),
        server.state.gateway.clock().clone(),
    );
    let access = operators.as_ref().map(operator::Listener::access);
    let (serving, restores) = Serving::new(config.clone(), access.unwrap_or_default(), server);
    let operators = operators.map(|operators| operators.serve(&serving));
    // Clients that wait for the port find a ready server.
    let listener = TcpListener::bind(config.listen)
        .map_err(|error| cannot_listen(config.listen, "--listen", &error))?;
    let handle = Handle::new();
    let drain = Duration::from_millis(config.drain_ms);
    let stopping_since = Arc::new(OnceLock::new());
    tokio::spawn(stop_on_signal(
        handle.clone(),
        Arc::clone(&serving),
        Arc::clone(&stopping_since),
        drain,
    ));
    tracing::info!(listen = %config.listen, origin = %config.public_origin,
        control = %config.control_listen, test_mode = config.test_mode, "listening");
    let app = serving.app(Listener::Public);
    let mut running = Box::pin(serving.run(restores));
    let listened = tokio::select! {
        listened = listen(&config, listener, app, &connections, handle) => listened,
        ended = &mut running => Err(ended),
    };
    let server = serving.server();
    // Waits for writes whose clients have disconnected.
    let gateway = &server.state.gateway;
    let clock = gateway.clock();
    let since_ms = stopping_since
        .get()
        .copied()
        .unwrap_or_else(|| clock.wall_ms());
    let passed = Duration::from_millis(clock.wall_ms().saturating_sub(since_ms));
    let left = drain.saturating_sub(passed);
    for write in server.state.writes.finish(left).await {
        let (request_id, method, route) = (write.request, write.method, &write.route);
        tracing::warn!(%request_id, method, route,
            "a write was under way at the end: check its outcome");
    }
    // Ends the background work.
    drop(running);
    if is_postgres(&config.database)
        && let Err(error) = gateway.store().keys.forget_server(&server.name).await
    {
        tracing::debug!(%error, "others count this server as running for a while");
    }
    // Kept open until the end, to report that the server is stopping.
    if let Some(operators) = operators {
        operators.abort();
    }
    // Acknowledged writes are durable already; closing only ends the threads in order.
    gateway.close().await;
    tracing::info!("stopped");
    listened
}

/// Logged at every start, so that a test server is not mistaken for a live one.
fn warn_of_test_mode(config: &Config) {
    let origin = &config.public_origin;
    tracing::warn!(
        %origin,
        "test mode: payments are simulated, test cards are approved and no money moves"
    );
    if !origin.is_local() {
        tracing::warn!(
            %origin,
            "test mode in public: anyone who reaches the public origin can pay with test cards"
        );
    }
}

async fn listen(
    config: &Config,
    listener: TcpListener,
    app: axum::Router,
    connections: &Arc<Connections>,
    handle: Handle<SocketAddr>,
) -> Result<(), String> {
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let failed = |error| cannot_listen(config.listen, "--listen", &error);
    listener.set_nonblocking(true).map_err(failed)?;
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => {
            let files = config.tls.files(certificate, key);
            let tls = files.load()?;
            let server = axum_server::from_tcp_rustls(listener, tls.clone()).map_err(failed)?;
            let server = limited(server.map(|tls| patient(tls, connections)), connections);
            tokio::select! {
                served = server.handle(handle).serve(service) => served,
                () = files.follow(tls) => Ok(()),
            }
        }
        _ => {
            limited(
                axum_server::from_tcp(listener).map_err(failed)?,
                connections,
            )
            .handle(handle)
            .serve(service)
            .await
        }
    }
    .map_err(failed)
}

fn cannot_listen(address: SocketAddr, flag: &str, error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return format!("{address} is in use; choose another one with {flag}");
    }
    format!("{address}: {error}")
}

async fn stop_on_signal(
    handle: Handle<SocketAddr>,
    serving: Arc<Serving>,
    since_ms: Arc<OnceLock<u64>>,
    drain: Duration,
) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals cannot be received; the server stops only when it is killed");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: running requests are finished first");
    let server = serving.server();
    server.state.draining.store(true, Ordering::Relaxed);
    since_ms.get_or_init(|| server.state.gateway.clock().wall_ms());
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
