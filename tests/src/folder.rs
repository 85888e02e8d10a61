//! Folders that go away with the test that made them.

use crate::time::random;
use sealpay_protocol::encoding::hex;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A folder of a test; it is removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder among the temporary ones of the system.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        let name = format!("sealpay-{purpose}-{}", hex(&random::<8>()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder can be made");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed is the system's to clean up.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Writes a file that only its owner may use.
pub fn write_secret(path: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let file = options.open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("the file is written");
}
