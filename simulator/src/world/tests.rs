use super::World;
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::secret::Secret;
use sealpay_storage::{Database, Durability, Options};
use sealpay_system::{Clock, Rng};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder of its own, which goes with the test.
pub(in super::super) struct TestFolder(PathBuf);

impl TestFolder {
    pub(in super::super) fn new(name: &str) -> Self {
        let name = format!("sealpay-bank-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(in super::super) fn path(&self) -> String {
        self.0.join("bank.sqlite").to_str().unwrap().to_owned()
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(in super::super) async fn database(folder: &TestFolder) -> Database {
    let migrations = &crate::MIGRATIONS;
    let options = Options::beside_another();
    Database::open(&folder.path(), migrations, Durability::Relaxed, &options)
        .await
        .unwrap()
}

/// Noon of the first of June 2026.
pub(in super::super) const NOON_MS: u64 = 1_780_315_200_000;

/// Randomness that counts up.
pub(in super::super) fn counting() -> Rng {
    let drawn = AtomicU64::new(0);
    Rng::new(move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            let next = drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let length = chunk.len();
            chunk.copy_from_slice(&next[8 - length..]);
        }
    })
}

/// A world with a clock that stands still until it is moved, and bytes that count up.
pub(in super::super) async fn world(folder: &TestFolder) -> (Arc<World>, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(NOON_MS));
    let clock = Arc::clone(&now);
    let world = World::new(
        database(folder).await,
        Secret::new([9; 32]),
        "http://127.0.0.1:8787".parse().unwrap(),
        Clock::new(move || clock.load(Ordering::Relaxed)),
        counting(),
    );
    (Arc::new(world), now)
}

#[tokio::test]
async fn a_card_has_one_account_under_one_key() {
    let folder = TestFolder::new("one-account");
    let (world, _) = world(&folder).await;
    let number = CardNumber::parse("4111111111111111").unwrap();
    let account = world.account_of(&number).await.unwrap();
    assert_eq!(world.account_of(&number).await.unwrap(), account);
    let found = world.account(&account.id).await.unwrap();
    assert_eq!(found, Some(account));
    let persona = CardNumber::parse("4242424242424242").unwrap();
    let account = world.account_of(&persona).await.unwrap();
    assert_eq!(account.id, "persona:ada_approved");
    let other = world.account("persona:mia_approved").await.unwrap();
    assert_eq!(other.unwrap().holder, "Mia Approved");
    for unknown in ["persona:nobody", "card:aaaa", ""] {
        assert_eq!(world.account(unknown).await.unwrap(), None, "{unknown}");
    }
}

#[tokio::test]
async fn a_label_and_its_bytes_are_kept_apart() {
    let folder = TestFolder::new("keyed");
    let (world, _) = world(&folder).await;
    assert_eq!(world.keyed("a", b"b"), world.keyed("a", b"b"));
    assert_ne!(world.keyed("ab", b""), world.keyed("a", b"b"));
    assert_ne!(world.keyed("a", b"b"), world.keyed("b", b"b"));
}
