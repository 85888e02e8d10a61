//! TLS from files: the minimum version, and certificates that are replaced without a restart.

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use serde::Deserialize;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How often the files are checked: certificates are replaced weeks before they expire.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(60);

/// A TLS version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    V1_3,
}

/// The TLS files and the minimum version.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) min_version: TlsVersion,
}

impl TlsFiles {
    /// Loads the files.
    pub(crate) fn load(&self) -> Result<RustlsConfig, String> {
        let config = self.read()?.config(self.min_version)?;
        Ok(RustlsConfig::from_config(Arc::new(config)))
    }

    fn read(&self) -> Result<Pem, String> {
        not_everybodys(&self.key)
            .map_err(|error| format!("the TLS files cannot be used: {error}"))?;
        let read = |path: &Path| {
            let trouble =
                |error| format!("the TLS files cannot be used: {}: {error}", path.display());
            std::fs::read(path).map_err(trouble)
        };
        Ok(Pem {
            chain: read(&self.certificate)?,
            key: zeroize::Zeroizing::new(read(&self.key)?),
        })
    }

    /// Reloads changed files until dropped. New connections use the new certificate; invalid files
    /// are logged, and the previous certificate stays.
    pub(crate) async fn follow(self, active: RustlsConfig) {
        let mut seen = self.read().ok();
        let mut hangup = signal(SignalKind::hangup()).ok();
        loop {
            // SIGHUP reloads immediately.
            let asked = async {
                match &mut hangup {
                    Some(hangup) => drop(hangup.recv().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(LOOKED_AT_EVERY) => {}
                () = asked => {}
            }
            match self.renewed(seen.as_ref()) {
                Ok(None) => {}
                Ok(Some((pem, config))) => {
                    active.reload_from_config(Arc::new(config));
                    seen = Some(pem);
                    tracing::info!("the TLS files have changed: new connections use them");
                }
                Err(error) => {
                    tracing::error!(
                        error,
                        "the TLS files have changed but cannot be used; the previous ones stay in \
                         use"
                    );
                }
            }
        }
    }

    /// The new configuration, if the files have changed.
    fn renewed(&self, seen: Option<&Pem>) -> Result<Option<(Pem, ServerConfig)>, String> {
        let pem = self.read()?;
        if seen.is_some_and(|seen| seen.chain == pem.chain && seen.key == pem.key) {
            return Ok(None);
        }
        let config = pem.config(self.min_version)?;
        Ok(Some((pem, config)))
    }
}

struct Pem {
    chain: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
}

impl Pem {
    fn config(&self, min_version: TlsVersion) -> Result<ServerConfig, String> {
        let trouble = |error: String| format!("the TLS files cannot be used: {error}");
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.chain).collect();
        let chain = chain.map_err(|error| trouble(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|error| trouble(error.to_string()))?;
        let versions = match min_version {
            TlsVersion::V1_2 => &[&TLS13, &TLS12][..],
            TlsVersion::V1_3 => &[&TLS13][..],
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|error| trouble(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| trouble(error.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}
/// Rejects a private key that all users can read. A key shared with other services may be readable
/// by its group.
fn not_everybodys(path: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path);
    let metadata = metadata.map_err(|error| format!("{}: {error}", path.display()))?;
    let rights = metadata.mode() & 0o777;
    if rights & 0o007 == 0 {
        return Ok(());
    }
    Err(format!(
        "{} may be used by everybody on this machine (mode {rights:04o}): use chmod 600, or 640 \
         with a group of its own",
        path.display()
    ))
}
