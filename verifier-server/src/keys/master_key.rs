//! The master key, from a file or the environment: the one secret that is not in the database.

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

/// What stands before a master key that is being replaced: it still opens what it encrypted.
const PREVIOUS: &str = "previous:";
/// What stands before the root of the keyed hashes, once the master key is another one than they
/// were derived from. A hash cannot be encrypted anew, so its key stays.
const HASHES: &str = "hashes:";

/// The master key, with what a rotation leaves beside it.
#[derive(Debug)]
pub struct MasterKeys {
    /// Encrypts everything from now on.
    pub current: MasterKey,
    /// Those that are being replaced.
    pub previous: Vec<MasterKey>,
    /// The root of the keyed hashes, where it is not derived from the current key.
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
    /// As they are written in a file.
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

/// Reads master keys as they stand in a file or an environment variable, with spaces or lines
/// between: the current one, and what a rotation leaves beside it.
///
/// # Errors
/// A sentence when the text is not 32 bytes in base64url.
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

/// Reads the keys of a file that has to be there.
///
/// # Errors
/// A sentence when the file cannot be read.
pub fn load(path: &Path) -> Result<MasterKeys, String> {
    let text = secret_file::read(path).map_err(|error| format!("master key file {error}"))?;
    parse(&text).map_err(|sentence| format!("{}: {sentence}", path.display()))
}

/// Puts other keys in place of those of a file, all at once: whoever reads it sees the old text or
/// the new one.
///
/// # Errors
/// A sentence when the file cannot be written; the old one is still there then.
pub fn replace(path: &Path, keys: &MasterKeys) -> Result<(), String> {
    let trouble = |error: std::io::Error| format!("master key file {}: {error}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What a rotation that was interrupted left here was never in use.
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

/// Reads the key of a file; makes both, readable by the owner alone, where there is none.
///
/// # Errors
/// A sentence when the file cannot be read or written.
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
