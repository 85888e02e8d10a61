use super::manifest::{BANK, GATEWAY, MASTER_KEY};
use super::{FolderLock, MOST_WORLDS, WorldError, WorldFacts, Worlds};
use crate::store::{Options, Store};
use sealpay_system::Rng;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

const KEY: &str = "m0";

/// A data folder with a database, removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

impl Folder {
    async fn new(purpose: &str) -> (Self, Worlds) {
        let folder = format!("sealpay-worlds-{purpose}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(folder));
        fs::create_dir(&folder.0).unwrap();
        fs::write(folder.0.join(MASTER_KEY), "key").unwrap();
        folder.set_clock(0).await;
        let worlds = folder.worlds(true);
        (folder, worlds)
    }

    fn worlds(&self, has_key: bool) -> Worlds {
        Worlds::new(&self.0, "sqlite", has_key, Rng::system())
    }

    async fn store(&self) -> Store {
        let path = self.0.join(GATEWAY).display().to_string();
        Store::open(&path, &Options::default()).await.unwrap()
    }

    async fn set_clock(&self, ahead_ms: i64) {
        let store = self.store().await;
        store.move_clock(ahead_ms).await.unwrap();
        store.close().await;
    }

    async fn clock(&self) -> u64 {
        let store = self.store().await;
        let ahead_ms = store.clock_ahead_ms().await.unwrap();
        store.close().await;
        ahead_ms
    }

    fn path(&self, rest: &str) -> PathBuf {
        self.0.join("worlds").join(rest)
    }
}

fn facts() -> WorldFacts {
    WorldFacts {
        created_at: 1,
        now: 2,
        ahead_seconds: 1,
        encryption_key: KEY.into(),
    }
}

async fn stage(worlds: &Worlds, name: &str) -> Result<(), WorldError> {
    let staged = worlds.stage(&name.parse().unwrap(), vec![KEY.into()]).await;
    staged.map(drop)
}

async fn restore(folder: &Folder, worlds: &Worlds, name: &str) -> Result<(), WorldError> {
    let name = name.parse().unwrap();
    let staged = worlds.stage(&name, vec![KEY.into()]).await?;
    let lock = FolderLock::share(&folder.0).await.unwrap();
    staged.put_in_place(&lock).await
}

#[tokio::test]
async fn restored_world_is_that_of_the_snapshot_and_can_be_restored_again() {
    let (folder, worlds) = Folder::new("restore").await;
    folder.set_clock(1_000).await;
    let a = "a".parse().unwrap();
    let saved = worlds.snapshot(&a, facts()).await.unwrap();
    assert_eq!(saved.facts, Some(facts()));
    fs::write(folder.0.join(MASTER_KEY), "another").unwrap();
    for ahead_ms in [2_000, 3_000] {
        folder.set_clock(ahead_ms).await;
        restore(&folder, &worlds, "a").await.unwrap();
        assert_eq!(folder.clock().await, 1_000);
        assert_eq!(fs::read(folder.0.join(MASTER_KEY)).unwrap(), b"key");
    }
    for private in [GATEWAY, MASTER_KEY, "worlds/a", "worlds/a/world.json"] {
        let mode = fs::metadata(folder.0.join(private)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o077, 0, "{private}");
    }
    assert_eq!(worlds.snapshot(&a, facts()).await, Err(WorldError::Exists));
    worlds.delete(&a).await.unwrap();
    assert_eq!(worlds.delete(&a).await, Err(WorldError::NotFound));
    assert_eq!(stage(&worlds, "a").await, Err(WorldError::NotFound));
    assert_eq!(worlds.list().await, Ok(Vec::new()));
}

/// An alteration of a snapshot, and whether it is damaged; otherwise it is foreign.
type Alteration = (&'static str, fn(&Folder), bool);

fn edit(folder: &Folder, old: &str, new: &str) {
    let path = folder.path("a/world.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(path, text.replace(old, new)).unwrap();
}

fn replace_by_link(folder: &Folder, file: &str) {
    let path = folder.path(&format!("a/{file}"));
    let moved = folder.0.join("moved");
    fs::rename(&path, &moved).unwrap();
    symlink(moved, path).unwrap();
}

#[tokio::test]
async fn altered_snapshots_are_refused_and_the_world_is_unchanged() {
    let rows: [Alteration; 13] = [
        (
            "no manifest",
            |f| fs::remove_file(f.path("a/world.json")).unwrap(),
            true,
        ),
        (
            "half a manifest",
            |f| fs::write(f.path("a/world.json"), "{").unwrap(),
            true,
        ),
        ("a link", |f| replace_by_link(f, GATEWAY), true),
        (
            "a link to a manifest",
            |f| replace_by_link(f, "world.json"),
            true,
        ),
        (
            "no database",
            |f| fs::remove_file(f.path("a/sealpay.sqlite")).unwrap(),
            true,
        ),
        (
            "another key",
            |f| fs::write(f.path("a/master.key"), "kez").unwrap(),
            true,
        ),
        (
            "a shorter file",
            |f| fs::write(f.path("a/sealpay.sqlite"), "").unwrap(),
            true,
        ),
        (
            "a file of the machine",
            |f| edit(f, "master.key", "../../../etc/passwd"),
            true,
        ),
        (
            "another name",
            |f| fs::rename(f.path("b"), f.path("a")).unwrap(),
            false,
        ),
        (
            "another folder's",
            |f| fs::write(f.path("home"), "elsewhere").unwrap(),
            false,
        ),
        (
            "a newer format",
            |f| edit(f, "\"format\":1", "\"format\":2"),
            false,
        ),
        (
            "a newer server",
            |f| edit(f, "\"sealpay.sqlite\":1", "\"sealpay.sqlite\":999"),
            false,
        ),
        (
            "another bank",
            |f| edit(f, "\"forms\":{", "\"forms\":{\"x\":1,"),
            false,
        ),
    ];
    for (row, (what, alter, is_damaged)) in rows.into_iter().enumerate() {
        let (folder, worlds) = Folder::new(&format!("altered-{row}")).await;
        let [a, b] = ["a", "b"].map(|name| name.parse().unwrap());
        worlds.snapshot(&a, facts()).await.unwrap();
        if what == "another name" {
            worlds.delete(&a).await.unwrap();
            worlds.snapshot(&b, facts()).await.unwrap();
        }
        folder.set_clock(5_000).await;
        alter(&folder);
        let refused = restore(&folder, &worlds, "a").await;
        let is_expected = match &refused {
            Err(WorldError::Damaged(_)) => is_damaged,
            Err(WorldError::Foreign(_)) => !is_damaged,
            _ => false,
        };
        assert!(is_expected, "{what}: {refused:?}");
        assert_eq!(folder.clock().await, 5_000, "{what}");
        // It can still be listed and deleted, and leaves nothing behind.
        assert_eq!(worlds.list().await.unwrap().len(), 1, "{what}");
        worlds.delete(&a).await.unwrap();
        let left: Vec<_> = fs::read_dir(folder.path("")).unwrap().collect();
        assert_eq!(left.len(), 1, "{what}: {left:?}");
    }
}

#[tokio::test]
async fn snapshot_under_another_master_key_is_foreign() {
    let (folder, _) = Folder::new("key").await;
    let worlds = folder.worlds(false);
    let a = "a".parse().unwrap();
    worlds.snapshot(&a, facts()).await.unwrap();
    assert!(!folder.path("a/master.key").exists());
    let others = worlds.stage(&a, vec!["m1".into()]).await;
    assert!(matches!(others, Err(WorldError::Foreign(_))), "{others:?}");
    let during_rotation = worlds.stage(&a, vec!["m1".into(), KEY.into()]).await;
    during_rotation.unwrap();
}

#[tokio::test]
async fn snapshots_are_limited_in_number_and_one_change_runs_at_a_time() {
    let (folder, worlds) = Folder::new("limits").await;
    for number in 0..MOST_WORLDS {
        let name = format!("w{number}").parse().unwrap();
        worlds.snapshot(&name, facts()).await.unwrap();
    }
    let more = "more".parse().unwrap();
    let refused = worlds.snapshot(&more, facts()).await;
    assert_eq!(refused, Err(WorldError::LimitReached));
    let first = "w0".parse().unwrap();
    worlds.delete(&first).await.unwrap();
    let staged = worlds.stage(&"w1".parse().unwrap(), vec![KEY.into()]).await;
    let refused = worlds.snapshot(&more, facts()).await;
    assert!(matches!(refused, Err(WorldError::InUse(_))), "{refused:?}");
    drop(staged);
    worlds.snapshot(&more, facts()).await.unwrap();
    // A database file that is larger than all snapshots may be.
    worlds.delete(&more).await.unwrap();
    let bank = fs::File::create(folder.0.join(BANK)).unwrap();
    bank.set_len(super::MOST_BYTES).unwrap();
    let refused = worlds.snapshot(&more, facts()).await;
    assert_eq!(refused, Err(WorldError::LimitReached));
}

#[tokio::test]
async fn fork_is_a_data_folder_and_never_replaces_files() {
    let (folder, worlds) = Folder::new("fork").await;
    folder.set_clock(1_000).await;
    let a = "a".parse().unwrap();
    worlds.snapshot(&a, facts()).await.unwrap();
    let taken = folder.0.join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("file"), "").unwrap();
    let file = folder.0.join(MASTER_KEY);
    for occupied in [&taken, &file] {
        let refused = worlds.fork(&a, occupied).await;
        assert!(matches!(refused, Err(WorldError::Failed(_))), "{refused:?}");
    }
    let empty = folder.0.join("empty");
    fs::create_dir(&empty).unwrap();
    for to in [empty, folder.0.join("new").join("deep")] {
        worlds.fork(&a, &to).await.unwrap();
        let fork = Folder(to);
        assert_eq!(fork.clock().await, 1_000);
        fork.set_clock(9_000).await;
        assert_eq!(folder.clock().await, 1_000, "they are apart");
        let key = fs::read(fork.0.join(MASTER_KEY)).unwrap();
        assert_eq!(key, b"key");
        assert_eq!(fork.worlds(true).list().await, Ok(Vec::new()));
    }
    fs::write(folder.path("a/sealpay.sqlite"), "").unwrap();
    let to = folder.0.join("damaged");
    let refused = worlds.fork(&a, &to).await;
    assert!(
        matches!(refused, Err(WorldError::Damaged(_))),
        "{refused:?}"
    );
    assert!(!to.exists());
}
