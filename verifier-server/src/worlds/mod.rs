//! Worlds: the whole state of a test, with its clock, its bank and its keys, as a snapshot that can
//! be restored. On SQLite a snapshot is a folder of files, on Postgres a schema
//! (`docs/adr/0038`).
//!
//! A restore replaces the world under a running server. `serve` does that: it waits until no
//! request is in progress, closes the databases, replaces them, and builds the server anew from
//! what is stored, so that nothing in memory is of another world.

mod files;
mod folder;
mod manifest;
pub mod name;
mod schemas;

pub use folder::FolderLock;
pub use manifest::WorldFacts;

use crate::error::{ApiError, ErrorCode};
use files::{Files, StagedFiles, in_use};
use name::WorldName;
use schemas::{Schemas, StagedSchema};
use sealpay_storage::{DatabaseError, is_postgres};
use sealpay_system::Rng;
use serde::Serialize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use utoipa::ToSchema;

/// Maximum number of snapshots: a test needs a few, and a loop that forgets to delete them must not
/// fill the disk.
pub const MOST_WORLDS: usize = 32;
/// Maximum size of all snapshots, bytes.
pub const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// An operation on a world failed; the world and the snapshots are as they were before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldError {
    /// There is no snapshot of this name.
    NotFound,
    /// There is a snapshot of this name already.
    Exists,
    /// There are too many snapshots, or they take too much space.
    LimitReached,
    /// The snapshot is not what it was when it was taken.
    Damaged(String),
    /// The snapshot belongs to other data, another key or another version.
    Foreign(String),
    /// Another process or request uses the data.
    InUse(String),
    /// Requests in progress did not end in time.
    Busy,
    /// A file or the database failed. The text is for logs.
    Failed(String),
}

impl WorldError {
    /// The public code.
    const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Exists => ErrorCode::WorldExists,
            Self::LimitReached => ErrorCode::WorldLimitReached,
            Self::Damaged(_) => ErrorCode::WorldDamaged,
            Self::Foreign(_) => ErrorCode::WorldForeign,
            Self::InUse(_) => ErrorCode::WorldInUse,
            Self::Busy => ErrorCode::Overloaded,
            Self::Failed(_) => ErrorCode::Internal,
        }
    }

    /// The sentence for operators.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound => "there is no world of this name".into(),
            Self::Damaged(why) | Self::Foreign(why) | Self::InUse(why) => {
                format!("{}: {why}", self.code().name())
            }
            Self::Failed(why) => why.clone(),
            _ => format!("{}: {}", self.code().name(), self.code().detail()),
        }
    }
}

impl From<WorldError> for ApiError {
    fn from(error: WorldError) -> Self {
        Self::because(error.code(), error.sentence())
    }
}

impl From<std::io::Error> for WorldError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<DatabaseError> for WorldError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Overloaded => Self::Busy,
            error => Self::Failed(error.to_string()),
        }
    }
}

/// A snapshot in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldRecord {
    /// Its name.
    pub name: String,
    /// Its size, bytes.
    pub bytes: u64,
    /// Its moment; none if it is damaged or foreign.
    pub facts: Option<WorldFacts>,
}

/// A snapshot, as testers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SavedWorld {
    /// Its name.
    pub name: String,
    /// `complete`, or `unusable` if its manifest is damaged or of other data.
    pub state: &'static str,
    /// Its size, bytes.
    pub bytes: u64,
    /// When it was taken, seconds since 1970 by the system clock.
    pub created_at: Option<u64>,
    /// The simulated time then, seconds since 1970.
    pub now: Option<u64>,
    /// The offset of the simulated clock then, seconds.
    pub ahead_seconds: Option<u64>,
}

impl From<WorldRecord> for SavedWorld {
    fn from(record: WorldRecord) -> Self {
        let facts = record.facts.as_ref();
        Self {
            name: record.name,
            state: facts.map_or("unusable", |_| "complete"),
            bytes: record.bytes,
            created_at: facts.map(|facts| facts.created_at),
            now: facts.map(|facts| facts.now),
            ahead_seconds: facts.map(|facts| facts.ahead_seconds),
        }
    }
}

/// A restore for the running server to do, and the caller who waits for it.
#[derive(Debug)]
pub struct RestoreRequest {
    /// The name, for the log.
    pub name: WorldName,
    /// What replaces the world.
    pub staged: StagedWorld,
    /// Gets the offset of the restored clock, milliseconds.
    pub waiting: oneshot::Sender<Result<u64, WorldError>>,
}

/// A verified snapshot that is ready to replace the world.
#[derive(Debug)]
pub struct StagedWorld(Staged);

#[derive(Debug)]
enum Staged {
    Files(StagedFiles),
    Schema(StagedSchema),
}

impl StagedWorld {
    /// Checks that no other process uses the files. On Postgres the caller has asked the database
    /// for other servers.
    ///
    /// # Errors
    /// [`WorldError::InUse`].
    pub fn check_alone(&self, lock: &FolderLock) -> Result<(), WorldError> {
        match &self.0 {
            Staged::Files(files) if !files.is_alone(lock) => Err(in_use()),
            _ => Ok(()),
        }
    }

    /// Replaces the world. The caller has closed its databases.
    ///
    /// # Errors
    /// The world is the old one, or the new one if it was decided already.
    pub async fn put_in_place(self, lock: &FolderLock) -> Result<(), WorldError> {
        match self.0 {
            Staged::Files(files) => {
                let lock = lock.clone();
                blocking(move || files.put_in_place(&lock)).await
            }
            Staged::Schema(schema) => schema.put_in_place().await,
        }
    }
}

/// The snapshots of one data folder or database.
#[derive(Debug)]
pub struct Worlds {
    place: Place,
    restores: Mutex<Option<mpsc::Sender<RestoreRequest>>>,
}

#[derive(Debug, Clone)]
enum Place {
    Files(Files),
    Schemas(Schemas),
}

/// Waits for files without blocking the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WorldError> + Send + 'static,
) -> Result<T, WorldError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(WorldError::Failed(error.to_string())))
}

impl Worlds {
    /// The snapshots of a data folder, or those in a Postgres database. `has_key`: whether the
    /// master key is in the data folder.
    #[must_use]
    pub fn new(data: &Path, database: &str, has_key: bool, rng: Rng) -> Self {
        let place = if is_postgres(database) {
            Place::Schemas(Schemas {
                url: database.to_owned(),
            })
        } else {
            Place::Files(Files {
                data: data.to_owned(),
                has_key,
                rng,
            })
        };
        Self {
            place,
            restores: Mutex::default(),
        }
    }

    /// Sends restores to the server from now on.
    pub fn send_restores_to(&self, server: mpsc::Sender<RestoreRequest>) {
        let mut restores = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        *restores = Some(server);
    }

    /// The snapshots, by name.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn list(&self) -> Result<Vec<WorldRecord>, WorldError> {
        match self.place.clone() {
            Place::Files(files) => blocking(move || files.list()).await,
            Place::Schemas(schemas) => schemas.list().await,
        }
    }

    /// Takes a snapshot while servers run; what was acknowledged before is in it.
    ///
    /// # Errors
    /// The name is taken, a limit is reached, or it cannot be written; then nothing was.
    pub async fn snapshot(
        &self,
        name: &WorldName,
        facts: WorldFacts,
    ) -> Result<WorldRecord, WorldError> {
        match self.place.clone() {
            Place::Files(files) => {
                let name = name.clone();
                blocking(move || files.snapshot(&name, facts)).await?;
            }
            Place::Schemas(schemas) => schemas.snapshot(name, facts).await?,
        }
        let worlds = self.list().await?.into_iter();
        let mut worlds = worlds.filter(|world| world.name == name.as_str());
        worlds.next().ok_or(WorldError::NotFound)
    }

    /// Verifies a snapshot and prepares its restore. `keys` are the names of the encryption keys in
    /// use.
    ///
    /// # Errors
    /// It does not exist, is damaged or foreign, or another operation is in progress.
    pub async fn stage(
        &self,
        name: &WorldName,
        keys: Vec<String>,
    ) -> Result<StagedWorld, WorldError> {
        let staged = match self.place.clone() {
            Place::Files(files) => {
                let name = name.clone();
                Staged::Files(blocking(move || files.stage(&name, &keys)).await?)
            }
            Place::Schemas(schemas) => Staged::Schema(schemas.stage(name, &keys).await?),
        };
        Ok(StagedWorld(staged))
    }

    /// Restores a snapshot under the running server, and waits until it serves the restored world;
    /// the offset of its clock, milliseconds.
    ///
    /// # Errors
    /// As for [`Self::stage`], or requests in progress did not end in time. The world is unchanged.
    pub async fn restore(&self, name: &WorldName, keys: Vec<String>) -> Result<u64, WorldError> {
        let server = {
            let restores = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
            restores.clone()
        };
        let no_server = || WorldError::InUse("no server here replaces worlds".into());
        let server = server.ok_or_else(no_server)?;
        let staged = self.stage(name, keys).await?;
        let (waiting, outcome) = oneshot::channel();
        let request = RestoreRequest {
            name: name.clone(),
            staged,
            waiting,
        };
        server.send(request).await.map_err(|_| no_server())?;
        outcome.await.unwrap_or_else(|_| Err(no_server()))
    }

    /// Makes a new data folder of a snapshot, for another server.
    ///
    /// # Errors
    /// As for [`Self::stage`], the folder is not empty, or the world is in Postgres.
    pub async fn fork(&self, name: &WorldName, to: &Path) -> Result<(), WorldError> {
        let Place::Files(files) = self.place.clone() else {
            let why = "a world in Postgres is forked with createdb --template or pg_dump \
                       (docs/guides/worlds.md)";
            return Err(WorldError::Failed(why.into()));
        };
        let (name, to) = (name.clone(), to.to_owned());
        blocking(move || files.fork(&name, &to)).await
    }

    /// Deletes a snapshot, whatever state it is in.
    ///
    /// # Errors
    /// There is none of this name, or another operation is in progress.
    pub async fn delete(&self, name: &WorldName) -> Result<(), WorldError> {
        match self.place.clone() {
            Place::Files(files) => {
                let name = name.clone();
                blocking(move || files.delete(&name)).await
            }
            Place::Schemas(schemas) => schemas.delete(name).await,
        }
    }
}

#[cfg(test)]
mod tests;
