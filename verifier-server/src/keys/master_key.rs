//! The master key, from a file or the environment: the only secret outside the database.

use super::secret_file;
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::secret::Secret;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of the master key.
pub const MASTER_KEY_BYTES: usize = 32;

/// 32 bytes from which every other secret key of the server is derived.
pub type MasterKey = Secret<[u8; MASTER_KEY_BYTES]>;

/// Prefix of a master key that is being replaced and only decrypts.
const PREVIOUS: &str = "previous:";
/// Prefix of the root of the keyed hashes, if it is not the current master key. Hashes cannot be
/// recomputed, so their key stays.
const HASHES: &str = "hashes:";

/// The master key, and other keys during and after a rotation.
#[derive(Debug)]
pub struct MasterKeys {
    /// The key that encrypts.
    pub current: MasterKey,
    /// Keys that are being replaced.
    pub previous: Vec<MasterKey>,
    /// The root of the keyed hashes, if it is not derived from the current key.
    pub hash_root: Option<MasterKey>,
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self {
            current,
            previous: Vec::new(),
            hash_root: None,
        }
    }
}

impl MasterKeys {
    /// The form in a file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.push_str(&Zeroizing::new(base64url(self.current.expose())));
        text.push('\n');
        let previous = self.previous.iter().map(|key| (PREVIOUS, key));
        for (what, key) in previous.chain(self.hash_root.iter().map(|key| (HASHES, key))) {
            text.push_str(what);
            text.push_str(&Zeroizing::new(base64url(key.expose())));
            text.push('\n');
        }
        text
    }
}

fn key(text: &str) -> Result<MasterKey, String> {
    array_from_base64url(text)
        .map(MasterKey::new)
        .ok_or_else(|| "the master key must be 32 bytes in base64url".into())
}

/// Parses master keys from a file or environment variable, separated by spaces or lines.
///
/// # Errors
/// A sentence if the text is not 32 bytes in base64url.
pub fn parse(text: &str) -> Result<MasterKeys, String> {
    let mut words = text.split_whitespace();
    let mut keys = MasterKeys::from(key(words.next().unwrap_or_default())?);
    for word in words {
        if let Some(previous) = word.strip_prefix(PREVIOUS) {
            keys.previous.push(key(previous)?);
        } else if let Some(root) = word.strip_prefix(HASHES) {
            keys.hash_root = Some(key(root)?);
        } else {
            return Err(format!(
                "behind the master key only {PREVIOUS} and {HASHES} with 32 bytes in base64url may \
                 stand"
            ));
        }
    }
    Ok(keys)
}

/// Loads the keys of an existing file.
///
/// # Errors
/// A sentence if the file cannot be read.
pub fn load(path: &Path) -> Result<MasterKeys, String> {
    let text = secret_file::read(path).map_err(|error| format!("master key file {error}"))?;
    parse(&text).map_err(|sentence| format!("{}: {sentence}", path.display()))
}

/// Replaces the keys of a file atomically: readers see the old text or the new one.
///
/// # Errors
/// A sentence if the file cannot be written; the old one is still there.
pub fn replace(path: &Path, keys: &MasterKeys) -> Result<(), String> {
    let trouble = |error: std::io::Error| format!("master key file {}: {error}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // A leftover of an interrupted rotation was never in use.
    std::fs::remove_file(&beside).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(trouble(error)),
    })?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .map_err(trouble)?;
    file.write_all(keys.to_text().as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(trouble)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")));
    folder.and_then(|folder| folder.sync_all()).map_err(trouble)
}

/// Loads the key of a file; creates both, readable only by the owner, if the file does not exist.
///
/// # Errors
/// A sentence if the file cannot be read or written.
pub fn load_or_create(
    path: &Path,
    random: impl FnOnce() -> [u8; MASTER_KEY_BYTES],
) -> Result<MasterKeys, String> {
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
            Ok(key.into())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => load(path),
        Err(error) => Err(trouble(error)),
    }
}
