//! The key that signs orders: made once, kept in a file that only the shop's user can read.

use crate::edge::Edge;
use ed25519_dalek::SigningKey;
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::secret::Secret;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

const FILE_NAME: &str = "order-key";

/// What the verifier has to know of the key.
#[derive(serde::Serialize)]
pub(crate) struct Registration {
    /// The shop's name for the key; it follows from the key, so that it is never given twice.
    pub(crate) kid: String,
    /// The 32 bytes in base64url.
    pub(crate) public_key: String,
}

/// Reads the key of the data folder.
///
/// # Errors
/// When there is no readable key; the text says what to do.
pub(crate) fn read(data: &Path) -> io::Result<SigningKey> {
    let path = data.join(FILE_NAME);
    let text = fs::read_to_string(&path)
        .map(Secret::new)
        .map_err(|error| {
            let advice = "Make a key with `shop keygen` first.";
            io::Error::new(
                error.kind(),
                format!("Cannot read {}: {error}. {advice}", path.display()),
            )
        })?;
    let seed = array_from_base64url::<32>(text.expose().trim())
        .map(Secret::new)
        .ok_or_else(|| {
            io::Error::other(format!(
                "{} does not hold a key of 32 bytes.",
                path.display()
            ))
        })?;
    Ok(SigningKey::from_bytes(seed.expose()))
}

/// Makes the key of the data folder, unless there is one, and tells its public half.
///
/// # Errors
/// When the folder cannot be written, or holds something that is not a key.
pub(crate) fn create(data: &Path, edge: &Edge) -> io::Result<Registration> {
    fs::create_dir_all(data)?;
    match new_private_file(&data.join(FILE_NAME)) {
        Ok(mut file) => {
            let seed = Secret::new(edge.random::<32>()?);
            let text = Secret::new(base64url(seed.expose()) + "\n");
            file.write_all(text.expose().as_bytes())?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let public_key = base64url(read(data)?.verifying_key().as_bytes());
    let kid = format!("shop-{}", public_key.chars().take(10).collect::<String>());
    Ok(Registration { kid, public_key })
}

fn new_private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::{create, read};
    use crate::edge::Edge;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = crate::scratch::Folder::new("order-key");
        let edge = Edge::fixed(1_763_800_000);
        let first = create(folder.path(), &edge).unwrap();
        let second = create(folder.path(), &edge).unwrap();
        assert_eq!(first.public_key, second.public_key);
        assert_eq!(first.kid, second.kid);
        assert_eq!(read(folder.path()).unwrap().to_bytes(), [1; 32]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let metadata = std::fs::metadata(folder.path().join("order-key")).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_missing_key_says_what_to_do() {
        let folder = crate::scratch::Folder::new("no-order-key");
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(
            error.ends_with("Make a key with `shop keygen` first."),
            "{error}"
        );
    }
}
