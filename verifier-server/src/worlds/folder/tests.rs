use super::{FolderLock, Step, complete, lock_worlds, replace, worlds};
use crate::worlds::WorldError;
use crate::worlds::manifest::{BANK, GATEWAY, MASTER_KEY};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// A data folder, removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

const STAGED: &str = ".staged-0";

/// A data folder of the old world, with staged files of the new one.
fn folder(purpose: &str, staged: &[&str]) -> Folder {
    let folder = format!("sealpay-folder-{purpose}-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(folder));
    fs::create_dir(&folder.0).unwrap();
    for file in [GATEWAY, BANK, MASTER_KEY] {
        fs::write(folder.0.join(file), "old").unwrap();
    }
    for log in ["sealpay.sqlite-wal", "simulated-bank.sqlite-shm"] {
        fs::write(folder.0.join(log), "old").unwrap();
    }
    fs::create_dir_all(worlds(&folder.0).join(STAGED)).unwrap();
    for file in staged {
        fs::write(worlds(&folder.0).join(STAGED).join(file), "new").unwrap();
    }
    folder
}

/// Each file of a world with its text.
fn world(data: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(data).unwrap().map(|entry| entry.unwrap());
    files
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect()
}

/// Interrupts after so many steps, as a crash would; none of them is undone.
fn interrupt(after: usize) -> impl FnMut(Step) -> Result<()> {
    let mut steps = 0;
    move |_| {
        steps += 1;
        if steps > after {
            return Err(Error::other("interrupted"));
        }
        Ok(())
    }
}

#[test]
fn restore_interrupted_after_any_step_leaves_the_old_world_or_the_new_one() {
    let rows: [&[&str]; 3] = [
        &[GATEWAY, BANK, MASTER_KEY],
        &[GATEWAY, BANK],
        // Taken before a server had opened the bank.
        &[GATEWAY],
    ];
    for (row, staged) in rows.into_iter().enumerate() {
        let files: Vec<_> = staged.iter().map(|file| (*file).to_owned()).collect();
        let mut new: BTreeMap<_, _> = files
            .iter()
            .map(|file| (file.clone(), "new".to_owned()))
            .collect();
        new.entry(MASTER_KEY.into()).or_insert("old".into());
        let mut outcomes = Vec::new();
        for after in 0.. {
            // A second crash in the middle of the recovery from the first.
            for again in 0..=after {
                let folder = folder(&format!("{row}-{after}-{again}"), staged);
                let data = &folder.0;
                let old = world(data);
                let replaced = replace(data, STAGED, &files, &mut interrupt(after));
                complete(data, &mut interrupt(again)).ok();
                complete(data, &mut |_| Ok(())).unwrap();
                let is_new = world(data) == new;
                assert!(is_new || world(data) == old, "{:?}", world(data));
                assert!(is_new || after == 0, "it was decided, step {after}");
                drop(lock_worlds(data).unwrap());
                assert_eq!(fs::read_dir(worlds(data)).unwrap().count(), 0);
                outcomes.push((is_new, replaced.is_ok()));
            }
            if outcomes.ends_with(&[(true, true)]) {
                break;
            }
        }
        assert!(outcomes.len() > 20, "every step was interrupted");
        assert!(outcomes.contains(&(false, false)) && outcomes.contains(&(true, false)));
    }
}

#[tokio::test]
async fn decided_restore_is_completed_before_the_folder_is_used() {
    let folder = folder("decided", &[GATEWAY, BANK]);
    let files = [GATEWAY.to_owned(), BANK.to_owned()];
    replace(&folder.0, STAGED, &files, &mut interrupt(1)).unwrap_err();
    assert_eq!(fs::read(folder.0.join(GATEWAY)).unwrap(), b"old");
    let lock = FolderLock::share(&folder.0).await.unwrap();
    assert_eq!(fs::read(folder.0.join(GATEWAY)).unwrap(), b"new");
    assert_eq!(fs::read(folder.0.join(BANK)).unwrap(), b"new");
    drop(lock);
}

#[tokio::test]
async fn folder_is_replaced_only_by_a_process_that_has_it_alone() {
    let folder = folder("alone", &[]);
    let first = FolderLock::share(&folder.0).await.unwrap();
    assert!(first.take_alone());
    assert!(first.share_again());
    let second = FolderLock::share(&folder.0).await.unwrap();
    assert!(!first.take_alone());
    assert!(!second.take_alone(), "the first still shares it");
    drop(first);
    assert!(second.take_alone());
    second.share_again();
    let one = lock_worlds(&folder.0).unwrap();
    assert!(matches!(
        lock_worlds(&folder.0).map(drop),
        Err(WorldError::InUse(_))
    ));
    drop(one);
    lock_worlds(&folder.0).unwrap();
}
