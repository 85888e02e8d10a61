//! The operator's listener, beside the public one.

use super::{cannot_listen, patient_to_a_point, read_tls};
use crate::config::Config;
use crate::gate::secret_file;
use crate::http::{AppState, OperatorAccess, operator_app};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use tokio::task::JoinHandle;

/// Fewest characters of a token: 128 bits, written in hexadecimal.
const TOKEN_CHARACTERS: usize = 32;

/// An open listener that nobody is served by yet: a port in use is said before anything is done.
pub(super) struct Listener {
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    access: OperatorAccess,
}

/// Opens it, unless it is off.
///
/// # Errors
/// A sentence for the operator.
pub(super) async fn open(config: &Config) -> Result<Option<Listener>, String> {
    let Some(address) = config.control_listen.address() else {
        return Ok(None);
    };
    let token_file = config.control_token_file.as_deref();
    let access = token_file.map_or_else(|| Ok(OperatorAccess::default()), read_token)?;
    // No certificate names this machine's own addresses.
    let tls = match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) if !address.ip().is_loopback() => {
            Some(read_tls(certificate, key).await?)
        }
        _ => None,
    };
    let listener = TcpListener::bind(address)
        .map_err(|error| cannot_listen(address, "--control-listen", &error))?;
    Ok(Some(Listener {
        listener,
        tls,
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
    /// Serves until it is aborted.
    pub(super) fn serve(self, state: AppState) -> JoinHandle<()> {
        tokio::spawn(async move {
            if let Err(error) = self.run(state).await {
                tracing::error!(%error, "the operator's listener has ended");
            }
        })
    }

    async fn run(self, state: AppState) -> std::io::Result<()> {
        let service = operator_app(state, self.access);
        let service = service.into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        match self.tls {
            Some(tls) => {
                patient_to_a_point(axum_server::from_tcp_rustls(self.listener, tls)?)
                    .handle(handle)
                    .serve(service)
                    .await
            }
            None => {
                patient_to_a_point(axum_server::from_tcp(self.listener)?)
                    .handle(handle)
                    .serve(service)
                    .await
            }
        }
    }
}
