//! The operator's listener.

use super::cannot_listen;
use super::restore::{self, Serving};
use crate::config::Config;
use crate::http::operator::OperatorAccess;
use crate::keys::secret_file;
use crate::listener::{ConnectionLimits, Connections, TlsFiles, limited, patient};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Minimum length of a token: 128 bits in hexadecimal.
const TOKEN_CHARACTERS: usize = 32;

/// A bound listener that does not serve yet, so that a port in use is reported first.
pub(super) struct Listener {
    listener: TcpListener,
    tls: Option<(TlsFiles, RustlsConfig)>,
    limits: ConnectionLimits,
    access: OperatorAccess,
}

/// Binds the listener, unless it is disabled.
pub(super) fn open(config: &Config) -> Result<Option<Listener>, String> {
    let Some(address) = config.control_listen.address() else {
        return Ok(None);
    };
    let token_file = config.control_token_file.as_deref();
    let access = token_file.map_or_else(|| Ok(OperatorAccess::default()), read_token)?;
    // Certificates do not cover loopback addresses.
    let tls = match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) if !address.ip().is_loopback() => {
            let files = config.tls.files(certificate, key);
            let active = files.load()?;
            Some((files, active))
        }
        _ => None,
    };
    let listener = TcpListener::bind(address)
        .map_err(|error| cannot_listen(address, "--control-listen", &error))?;
    Ok(Some(Listener {
        listener,
        tls,
        limits: config.connections.clone(),
        access,
    }))
}

fn read_token(path: &Path) -> Result<OperatorAccess, String> {
    let text = secret_file::read(path)?;
    let token = text.trim();
    if token.len() < TOKEN_CHARACTERS || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(format!(
            "control_token_file {}: a token is at least {TOKEN_CHARACTERS} printable characters",
            path.display()
        ));
    }
    Ok(OperatorAccess::with_token(token))
}

impl Listener {
    /// Who may use it.
    pub(super) fn access(&self) -> OperatorAccess {
        self.access.clone()
    }

    /// Serves until it is aborted.
    pub(super) fn serve(self, serving: &Arc<Serving>) -> JoinHandle<()> {
        let serving = Arc::clone(serving);
        tokio::spawn(async move {
            if let Err(error) = self.run(&serving).await {
                tracing::error!(%error, "the operator's listener has stopped");
            }
        })
    }

    async fn run(self, serving: &Arc<Serving>) -> std::io::Result<()> {
        let state = serving.server().state.clone();
        let (metrics, clock) = (state.metrics.clone(), state.gateway.clock().clone());
        drop(state);
        let connections = Connections::of_operators_listener(&self.limits, metrics, clock);
        let service = serving.app(restore::Listener::Operators);
        let service = service.into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        match self.tls {
            Some((files, active)) => {
                let server = axum_server::from_tcp_rustls(self.listener, active.clone())?;
                let server = limited(server.map(|tls| patient(tls, &connections)), &connections);
                tokio::select! {
                    served = server.handle(handle).serve(service) => served,
                    () = files.follow(active) => Ok(()),
                }
            }
            None => {
                limited(axum_server::from_tcp(self.listener)?, &connections)
                    .handle(handle)
                    .serve(service)
                    .await
            }
        }
    }
}
