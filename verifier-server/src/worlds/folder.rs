//! The data folder: who uses it, and how its files are replaced so that a crash leaves either the
//! old ones or the new ones.

use super::WorldError;
use super::manifest::{BANK, GATEWAY, MASTER_KEY};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The folder of snapshots in a data folder.
const WORLDS: &str = "worlds";
/// A restore that has been decided: from here on it is completed, whatever happens.
const DECISION: &str = ".restoring";

/// How long to wait for another process to complete a restore, and between two looks.
const RESTORE_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A lock on a data folder (flock(2)): every process that uses the folder shares it, and a restore
/// has it alone. The operating system releases it when the process ends.
#[derive(Debug, Clone, Default)]
pub struct FolderLock(Option<Arc<File>>);

impl FolderLock {
    /// Locks a folder for use, after completing a restore that a crash interrupted.
    ///
    /// # Errors
    /// A sentence: another process restores for too long, or a restore cannot be completed.
    pub async fn share(data: &Path) -> Result<Self, String> {
        let refused = |error: &dyn std::fmt::Display| format!("{}: {error}", data.display());
        let file = File::open(data).map_err(|error| refused(&error))?;
        Self(Some(Arc::new(file))).ready(data).await
    }

    /// The same with a lock that this process has already.
    ///
    /// # Errors
    /// As for [`Self::share`].
    pub async fn ready(self, data: &Path) -> Result<Self, String> {
        let refused = |error: &dyn std::fmt::Display| format!("{}: {error}", data.display());
        let lock = self;
        let mut waited = Duration::ZERO;
        loop {
            // The process that has the folder alone completes what was interrupted.
            let is_decided = decision(data).exists();
            if is_decided && lock.lock(File::try_lock) {
                complete(data, &mut |_| Ok(())).map_err(|error| refused(&error))?;
            } else if !is_decided && lock.share_again() && !decision(data).exists() {
                return Ok(lock);
            }
            if waited >= RESTORE_WITHIN {
                return Err(refused(&"another process is restoring a world"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
    }

    /// Takes the folder alone, if no other process uses it; otherwise it stays shared. The caller
    /// has locked the snapshots, so no other process does this at the same time.
    #[must_use]
    pub(super) fn take_alone(&self) -> bool {
        // A failed upgrade loses the shared lock (flock(2)).
        let is_alone = self.lock(File::try_lock);
        if !is_alone {
            self.share_again();
        }
        is_alone
    }

    /// Shares the folder again.
    pub fn share_again(&self) -> bool {
        self.lock(File::try_lock_shared)
    }

    /// File systems without locks have one user by assumption, as SQLite itself has there.
    fn lock(&self, lock: impl Fn(&File) -> Result<(), TryLockError>) -> bool {
        let Some(file) = &self.0 else { return true };
        match lock(file) {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => error.kind() == ErrorKind::Unsupported,
        }
    }
}

/// The folder of snapshots.
pub(super) fn worlds(data: &Path) -> PathBuf {
    data.join(WORLDS)
}

fn decision(data: &Path) -> PathBuf {
    worlds(data).join(DECISION)
}

/// Creates a folder that only its owner can read.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only its owner can read, durably.
pub(super) fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A decided restore: complete new files in a folder beside, and their names.
#[derive(Debug, Serialize, Deserialize)]
struct Decision {
    staged: String,
    files: Vec<String>,
}

/// The steps of a restore, for tests that interrupt it after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The decision is written, and not yet made.
    Written,
    /// The decision is made: the new world is the world.
    Decided,
    /// A file is in its place, or was removed.
    Replaced,
    /// Every file is in its place.
    Complete,
    /// The decision is deleted.
    Forgotten,
}

/// Called after each step; an error interrupts as a crash would.
pub(super) type AfterStep<'a> = &'a mut dyn FnMut(Step) -> std::io::Result<()>;

/// Replaces the files of a data folder by staged ones. The caller has the folder alone, and no
/// database in it is open.
pub(super) fn replace(
    data: &Path,
    staged: &str,
    files: &[String],
    after: AfterStep<'_>,
) -> std::io::Result<()> {
    let worlds = worlds(data);
    let decided = Decision {
        staged: staged.to_owned(),
        files: files.to_vec(),
    };
    let text = serde_json::to_vec(&decided).map_err(std::io::Error::other)?;
    let written = worlds.join(".restoring-next");
    write_private(&written, &text)?;
    sync(&worlds.join(staged))?;
    after(Step::Written)?;
    fs::rename(&written, decision(data))?;
    sync(&worlds)?;
    after(Step::Decided)?;
    complete(data, after)
}

/// Completes a decided restore, if there is one. It may be interrupted and run again any number of
/// times: nobody opens the folder before it is complete.
pub(super) fn complete(data: &Path, after: AfterStep<'_>) -> std::io::Result<()> {
    let text = match fs::read(decision(data)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let Decision { staged, files } = serde_json::from_slice(&text)?;
    let staged = worlds(data).join(staged);
    for database in [GATEWAY, BANK] {
        // Logs of the old databases: a new database with an old log would be neither.
        for log in ["-wal", "-shm", "-journal"] {
            remove(&data.join([database, log].concat()))?;
        }
        if !files.iter().any(|file| file == database) {
            remove(&data.join(database))?;
        }
        after(Step::Replaced)?;
    }
    for file in [GATEWAY, BANK, MASTER_KEY] {
        if !files.iter().any(|name| name == file) {
            continue;
        }
        match fs::rename(staged.join(file), data.join(file)) {
            // An earlier run has put it in its place.
            Err(error) if error.kind() == ErrorKind::NotFound && data.join(file).exists() => {}
            renamed => renamed?,
        }
        after(Step::Replaced)?;
    }
    sync(data)?;
    after(Step::Complete)?;
    remove(&decision(data))?;
    sync(&worlds(data))?;
    after(Step::Forgotten)?;
    remove_folder(&staged)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

pub(super) fn remove_folder(path: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Locks the folder of snapshots against other changes of it, and removes what an interrupted
/// change left. The lock ends when it is dropped.
pub(super) fn lock_worlds(data: &Path) -> Result<File, WorldError> {
    let folder = worlds(data);
    make_private(&folder)?;
    let lock = File::open(&folder)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let why = "another snapshot, restore or deletion is in progress";
            return Err(WorldError::InUse(why.into()));
        }
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    // A decided restore is completed by the next process that opens the data folder, never here.
    if !decision(data).exists() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                remove_folder(&entry.path())?;
            } else {
                remove(&entry.path())?;
            }
        }
    }
    Ok(lock)
}

#[cfg(test)]
mod tests;
