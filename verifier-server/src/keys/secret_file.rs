//! Files with secrets, which are rejected if other users can read or write them.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Permissions of the group and of others.
const OTHERS: u32 = 0o077;
/// The same for a file owned by the administrator: the group may read it, which is how systemd and
/// Kubernetes pass credentials to a service.
const OTHERS_BUT_READING_GROUP: u32 = 0o037;
const ADMINISTRATOR: u32 = 0;
/// Largest accepted file, bytes; a larger one is not one of our secrets.
const MOST_BYTES: u64 = 64 * 1024;

/// Reads a secret.
///
/// # Errors
/// A sentence that names the file, if others can access it or if it cannot be read.
pub fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let trouble = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(trouble)?;
    check(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES)
        .read_to_string(&mut text)
        .map_err(trouble)?;
    Ok(text)
}

/// Checks that only its reader can access an open file.
///
/// # Errors
/// A sentence that says what to do.
pub fn check(path: &Path, file: &File) -> Result<(), String> {
    let metadata = file
        .metadata()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let complaint = complaint(
        rustix::process::geteuid().as_raw(),
        metadata.uid(),
        rights(&metadata),
    );
    complaint.map_or(Ok(()), |complaint| {
        Err(format!("{} {complaint}", path.display()))
    })
}

fn rights(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o777
}

fn complaint(reader: u32, owner: u32, rights: u32) -> Option<String> {
    if owner != reader && owner != ADMINISTRATOR {
        return Some(format!(
            "belongs to user {owner}, and this runs as user {reader}: a secret must be its \
             reader's own; run this as user {owner}, or use chown"
        ));
    }
    let forbidden = if owner == reader {
        OTHERS
    } else {
        OTHERS_BUT_READING_GROUP
    };
    (rights & forbidden != 0).then(|| {
        format!(
            "may be used by others (mode {rights:04o}): a secret must be its owner's alone; use \
             chmod 600"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn secret_files_must_be_private_to_their_reader_or_the_administrator() {
        let rows = [
            // reader, owner, permissions, error
            (1000, 1000, 0o600, None),
            (1000, 1000, 0o400, None),
            (0, 0, 0o600, None),
            (1000, 1000, 0o640, Some("mode 0640")),
            (1000, 1000, 0o604, Some("mode 0604")),
            (1000, 1000, 0o620, Some("mode 0620")),
            (0, 0, 0o640, Some("mode 0640")),
            (1000, 0, 0o440, None),
            (1000, 0, 0o640, None),
            (1000, 0, 0o660, Some("mode 0660")),
            (1000, 0, 0o444, Some("mode 0444")),
            (1000, 1001, 0o600, Some("belongs to user 1001")),
            (0, 1000, 0o600, Some("belongs to user 1000")),
        ];
        for (reader, owner, rights, expected) in rows {
            let message = complaint(reader, owner, rights);
            let what = format!("{reader} {owner} {rights:o}: {message:?}");
            match expected {
                Some(part) => assert!(
                    message.is_some_and(|message| message.contains(part)),
                    "{what}"
                ),
                None => assert_eq!(message, None, "{what}"),
            }
        }
    }
}
