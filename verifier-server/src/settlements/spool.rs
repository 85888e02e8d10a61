//! A temporary file for a report being downloaded: private and unlinked, so that it disappears with
//! the server.

use sealpay_protocol::encoding::base64url;
use std::fs::{File, OpenOptions};
use std::io::{Result, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file that no other process can open. Returns it, rewound, and its length.
///
/// # Errors
/// The folder is missing, or the disk is full.
pub(crate) fn write(folder: &Path, name: [u8; 16], bytes: &[u8]) -> Result<(File, usize)> {
    let path = folder.join(format!(".report-{}", base64url(&name)));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok((file, bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::write;
    use std::io::Read;

    #[test]
    fn the_file_is_readable_after_unlinking() {
        let folder = std::env::temp_dir().join(format!("sealpay-spool-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (mut file, bytes) = write(&folder, [7; 16], b"a report").unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert_eq!((read.as_str(), bytes), ("a report", 8));
        assert!(write(&folder.join("none"), [7; 16], b"").is_err());
        std::fs::remove_dir(&folder).unwrap();
    }
}
