//! Snapshots of a data folder with SQLite: folders below `worlds`.

use super::folder::{self, FolderLock, lock_worlds, make_private, remove_folder, sync};
use super::manifest::{BANK, FORMS, GATEWAY, MASTER_KEY, Manifest, WorldFacts, WorldFile};
use super::name::WorldName;
use super::{MOST_BYTES, MOST_WORLDS, WorldError, WorldRecord};
use crate::store::MIGRATIONS;
use sealpay_protocol::encoding::hex;
use sealpay_storage::{copy_sqlite, sqlite_form};
use sealpay_system::Rng;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "world.json";
/// Names the data folder that its snapshots belong to.
const HOME: &str = "home";
/// A manifest is shorter than a kibibyte on SQLite.
const MOST_MANIFEST_BYTES: u64 = 64 * 1024;

/// The snapshots of a data folder.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) data: PathBuf,
    /// Whether the master key is in the folder, and so part of a world.
    pub(super) has_key: bool,
    pub(super) rng: Rng,
}

/// A verified copy of a snapshot that is ready to replace the world. Dropping it deletes the copy.
#[derive(Debug)]
pub(super) struct StagedFiles {
    data: PathBuf,
    name: String,
    files: Vec<String>,
    /// Held until the restore is over, so that there is only one.
    _lock: File,
}

impl Drop for StagedFiles {
    fn drop(&mut self) {
        // What remains is removed before the next change of the snapshots.
        drop(remove_folder(&folder::worlds(&self.data).join(&self.name)));
    }
}

impl StagedFiles {
    /// Replaces the world. No database in the folder is open.
    pub(super) fn put_in_place(self, lock: &FolderLock) -> Result<(), WorldError> {
        if !lock.take_alone() {
            return Err(in_use());
        }
        let replaced = folder::replace(&self.data, &self.name, &self.files, &mut |_| Ok(()));
        lock.share_again();
        Ok(replaced?)
    }

    /// Whether no other process uses the folder.
    pub(super) fn is_alone(&self, lock: &FolderLock) -> bool {
        let is_alone = lock.take_alone();
        lock.share_again();
        is_alone
    }
}

pub(super) fn in_use() -> WorldError {
    WorldError::InUse("another process uses the same data".into())
}

impl Files {
    fn folder_of(&self, name: &WorldName) -> PathBuf {
        folder::worlds(&self.data).join(name.as_str())
    }

    fn hidden(&self, purpose: &str) -> String {
        format!(".{purpose}-{}", hex(&self.rng.bytes::<8>()))
    }

    /// The files that make up the world at present.
    fn present(&self) -> Vec<&'static str> {
        let key = self.has_key.then_some(MASTER_KEY);
        let all = [GATEWAY, BANK].into_iter().chain(key);
        all.filter(|name| self.data.join(name).is_file()).collect()
    }

    /// The identity of the data folder, made with its first snapshot.
    fn home(&self) -> Result<String, WorldError> {
        let path = folder::worlds(&self.data).join(HOME);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let home = hex(&self.rng.bytes::<16>());
                folder::write_private(&path, home.as_bytes())?;
                Ok(home)
            }
            read => Ok(read?),
        }
    }

    /// The snapshots, by name.
    pub(super) fn list(&self) -> Result<Vec<WorldRecord>, WorldError> {
        let entries = match fs::read_dir(folder::worlds(&self.data)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut records = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().and_then(|name| name.parse().ok());
            if let Some(name) = name
                && entry.file_type()?.is_dir()
            {
                records.push(WorldRecord {
                    facts: self.manifest(&name).ok().map(|manifest| manifest.facts),
                    bytes: bytes_in(&entry.path())?,
                    name: name.to_string(),
                });
            }
        }
        records.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(records)
    }

    /// Takes a snapshot of one moment, while servers run.
    pub(super) fn snapshot(&self, name: &WorldName, facts: WorldFacts) -> Result<(), WorldError> {
        let _lock = lock_worlds(&self.data)?;
        let worlds = folder::worlds(&self.data);
        if self.folder_of(name).exists() {
            return Err(WorldError::Exists);
        }
        self.check_quota()?;
        let home = self.home()?;
        let new = worlds.join(self.hidden("new"));
        let written = self.write(&new, name, &home, facts).and_then(|()| {
            fs::rename(&new, self.folder_of(name))?;
            Ok(sync(&worlds)?)
        });
        if written.is_err() {
            remove_folder(&new)?;
        }
        written
    }

    fn check_quota(&self) -> Result<(), WorldError> {
        let worlds = self.list()?;
        let stored = worlds
            .iter()
            .fold(0_u64, |sum, world| sum.saturating_add(world.bytes));
        let mut more = 0_u64;
        for name in self.present() {
            more = more.saturating_add(fs::metadata(self.data.join(name))?.len());
        }
        if worlds.len() >= MOST_WORLDS || stored.saturating_add(more) > MOST_BYTES {
            return Err(WorldError::LimitReached);
        }
        Ok(())
    }

    fn write(
        &self,
        new: &Path,
        name: &WorldName,
        home: &str,
        facts: WorldFacts,
    ) -> Result<(), WorldError> {
        make_private(new)?;
        let present = self.present();
        if !present.contains(&GATEWAY) {
            return Err(WorldError::NotFound);
        }
        let mut forms = BTreeMap::new();
        let databases: Vec<_> = FORMS
            .into_iter()
            .filter(|(file, _)| present.contains(file))
            .map(|(file, table)| (self.data.join(file), new.join(file), file, table))
            .collect();
        let copies: Vec<_> = databases
            .iter()
            .map(|(source, copy, ..)| (source.as_path(), copy.as_path()))
            .collect();
        let keys = [self.data.as_path(), new].map(|folder| folder.join(MASTER_KEY));
        let has_key = present.contains(&MASTER_KEY);
        if has_key {
            copy_private(&keys[0], &keys[1])?;
        }
        copy_sqlite(&copies)?;
        // A key that was replaced meanwhile may not open the copies.
        if has_key && sha256_of(&keys[0])? != sha256_of(&keys[1])? {
            return Err(WorldError::InUse("the master key is being rotated".into()));
        }
        for (_, copy, file, table) in &databases {
            forms.insert((*file).to_owned(), sqlite_form(copy, table)?.unwrap_or(0));
        }
        let mut manifest = Manifest::new(name, home, facts, forms);
        for file in present {
            let path = new.join(file);
            manifest.files.push(WorldFile {
                name: file.to_owned(),
                bytes: fs::metadata(&path)?.len(),
                sha256: sha256_of(&path)?,
            });
        }
        folder::write_private(&new.join(MANIFEST), manifest.to_text()?.as_bytes())?;
        Ok(sync(new)?)
    }

    fn manifest(&self, name: &WorldName) -> Result<Manifest, WorldError> {
        let folder = self.folder_of(name);
        if !folder.is_dir() {
            return Err(WorldError::NotFound);
        }
        let damaged = |_| WorldError::Damaged("its manifest cannot be read".into());
        let file = open_regular(&folder.join(MANIFEST)).map_err(damaged)?;
        let mut text = Vec::new();
        file.take(MOST_MANIFEST_BYTES)
            .read_to_end(&mut text)
            .map_err(damaged)?;
        Manifest::parse(&text, name, &self.home()?)
    }

    /// Verifies a snapshot and copies it, so that a restore only has to rename files.
    pub(super) fn stage(
        &self,
        name: &WorldName,
        keys: &[String],
    ) -> Result<StagedFiles, WorldError> {
        let lock = lock_worlds(&self.data)?;
        let manifest = self.manifest(name)?;
        manifest.check_files(keys)?;
        if !self.has_key && manifest.files.iter().any(|file| file.name == MASTER_KEY) {
            let why = "its master key was in the data folder, and no longer is";
            return Err(WorldError::Foreign(why.into()));
        }
        manifest.check_forms(|file, form| self.opens(file, form))?;
        let staged = StagedFiles {
            data: self.data.clone(),
            name: self.hidden("staged"),
            files: manifest
                .files
                .iter()
                .map(|file| file.name.clone())
                .collect(),
            _lock: lock,
        };
        let folder = folder::worlds(&self.data).join(&staged.name);
        copy_verified(&manifest, &self.folder_of(name), &folder)?;
        Ok(staged)
    }

    /// Whether this version can open a database: the server's own migrations are known, and the
    /// bank's are those that it has applied to the present file.
    fn opens(&self, file: &str, form: i64) -> bool {
        let newest = if file == GATEWAY {
            i64::try_from(MIGRATIONS.steps.len()).ok()
        } else {
            let applied = FORMS.iter().find(|(name, _)| *name == file);
            applied.map_or(Some(-1), |(name, table)| {
                sqlite_form(&self.data.join(name), table).ok().flatten()
            })
        };
        newest.is_none_or(|newest| form <= newest)
    }

    /// Makes a data folder of a snapshot. The folder appears complete or not at all.
    pub(super) fn fork(&self, name: &WorldName, to: &Path) -> Result<(), WorldError> {
        let _lock = lock_worlds(&self.data)?;
        let manifest = self.manifest(name)?;
        manifest.check_files(std::slice::from_ref(&manifest.facts.encryption_key))?;
        let taken = || WorldError::Failed(format!("{} exists and is not empty", to.display()));
        match fs::read_dir(to) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(taken());
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or_else(|| Path::new("."));
        make_private(parent)?;
        let new = parent.join(self.hidden("fork"));
        let made = copy_verified(&manifest, &self.folder_of(name), &new).and_then(|()| {
            // Renaming onto an empty folder replaces it (rename(2)).
            fs::rename(&new, to)?;
            Ok(sync(parent)?)
        });
        if made.is_err() {
            remove_folder(&new)?;
        }
        made
    }

    /// Deletes a snapshot, whatever state it is in.
    pub(super) fn delete(&self, name: &WorldName) -> Result<(), WorldError> {
        let _lock = lock_worlds(&self.data)?;
        let worlds = folder::worlds(&self.data);
        let old = worlds.join(self.hidden("old"));
        match fs::rename(self.folder_of(name), &old) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(WorldError::NotFound),
            renamed => renamed?,
        }
        sync(&worlds)?;
        Ok(remove_folder(&old)?)
    }
}

fn bytes_in(folder: &Path) -> Result<u64, WorldError> {
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder)? {
        bytes = bytes.saturating_add(entry?.metadata()?.len());
    }
    Ok(bytes)
}

/// A link could lead out of the folder.
fn open_regular(path: &Path) -> std::io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    File::open(path)
}

/// Copies a file, readable only by its owner, durably.
fn copy_private(from: &Path, to: &Path) -> std::io::Result<u64> {
    let mut source = open_regular(from)?;
    let mut copy = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    // The kernel copies, and shares the blocks where the file system can.
    let bytes = std::io::copy(&mut source, &mut copy)?;
    copy.sync_all()?;
    Ok(bytes)
}

/// Copies the files of a snapshot and verifies the copies.
fn copy_verified(manifest: &Manifest, from: &Path, to: &Path) -> Result<(), WorldError> {
    make_private(to)?;
    for WorldFile {
        name,
        bytes,
        sha256,
    } in &manifest.files
    {
        let damaged = || WorldError::Damaged(format!("{name} is not the file it was"));
        let copy = to.join(name);
        let copied = match copy_private(&from.join(name), &copy) {
            Err(error) if error.kind() == ErrorKind::StorageFull => return Err(error.into()),
            copied => copied.map_err(|_| damaged())?,
        };
        if copied != *bytes || sha256_of(&copy)? != *sha256 {
            return Err(damaged());
        }
    }
    Ok(sync(to)?)
}

fn sha256_of(path: &Path) -> Result<String, WorldError> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(hex(&hash.finalize()));
        };
        hash.update(bytes);
    }
}
