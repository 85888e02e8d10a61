//! A folder for one test, removed when the test ends.

use std::fs;
use std::path::{Path, PathBuf};

/// Removes its folder when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty folder; the name keeps tests of one process apart.
    pub(crate) fn new(name: &str) -> Self {
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("sealpay-shop-{name}-{process}"));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is in nobody's way; a panic while dropping would be.
        drop(fs::remove_dir_all(&self.0));
    }
}
