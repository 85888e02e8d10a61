//! The master key, from a file or the environment: the one secret that is not in the database.

use super::secret_file;
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::secret::Secret;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of the master key.
pub const MASTER_KEY_BYTES: usize = 32;

/// 32 bytes from which every other secret key of the server is derived.
pub type MasterKey = Secret<[u8; MASTER_KEY_BYTES]>;

/// Reads a master key as it stands in a file or an environment variable.
///
/// # Errors
/// A sentence when the text is not 32 bytes in base64url.
pub fn parse(text: &str) -> Result<MasterKey, String> {
    array_from_base64url(text.trim())
        .map(MasterKey::new)
        .ok_or_else(|| "the master key must be 32 bytes in base64url".into())
}

/// Reads the key of a file; makes both, readable by the owner alone, where there is none.
///
/// # Errors
/// A sentence when the file cannot be read or written.
pub fn load_or_create(
    path: &Path,
    random: impl FnOnce() -> [u8; MASTER_KEY_BYTES],
) -> Result<MasterKey, String> {
    let trouble = |error: std::io::Error| format!("master key file {}: {error}", path.display());
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(mut file) => {
            let key = MasterKey::new(random());
            let text = Zeroizing::new(base64url(key.expose()));
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(trouble)?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let text =
                secret_file::read(path).map_err(|error| format!("master key file {error}"))?;
            parse(&text).map_err(|sentence| format!("{}: {sentence}", path.display()))
        }
        Err(error) => Err(trouble(error)),
    }
}
