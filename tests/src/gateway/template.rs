//! Empty databases that are made once and copied: to write the schema anew for each test would cost
//! more than most tests do.

use super::building::bank;
use crate::folder::Folder;
use crate::postgres::{self, Database};
use crate::rows;
use crate::time::{TestClock, random};
use sealpay_system::{Clock, Rng};
use std::fs;
use std::path::Path;
use tokio::sync::OnceCell;
use verifier_server::app::Parts;
use verifier_server::config::Config;
use verifier_server::keys::encryption::KeyEncryption;
use verifier_server::keys::master_key::MasterKey;
use verifier_server::store::{Options, Store};
use verifier_server::worlds::FolderLock;

/// Names and bytes of the files of a data folder.
type Files = Vec<(String, Vec<u8>)>;

/// Puts the files of databases that hold nothing yet into a folder.
pub(super) async fn fill(folder: &Path) {
    static FILES: OnceCell<Files> = OnceCell::const_new();
    for (name, bytes) in FILES.get_or_init(files).await {
        let written = fs::write(folder.join(name), bytes);
        written.expect("a test's folder can be written");
    }
}

async fn files() -> Files {
    let folder = Folder::new("template");
    let config = Config {
        data: folder.path().to_owned(),
        test_mode: true,
        ..Config::default()
    };
    write_schema(&config).await;
    let entries = fs::read_dir(folder.path()).expect("a test's folder can be read");
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    // A part of what was written may stand in a log that its last connection has not closed yet.
    let read = |name: String| {
        let copy = folder.path().join("copy");
        let sql = format!("VACUUM INTO '{}'", copy.display());
        let copied = rows::open(&folder.path().join(&name)).execute_batch(&sql);
        copied.expect("a database is copied");
        let bytes = fs::read(&copy).expect("a test's file can be read");
        fs::remove_file(copy).expect("a test's file can be removed");
        (name, bytes)
    };
    let databases = names.filter(|name| name.ends_with(".sqlite"));
    databases.map(read).collect()
}

/// A database on the Postgres of this process that holds nothing yet; none without Postgres.
pub(super) async fn on_postgres() -> Option<Database> {
    static TEMPLATE: OnceCell<Option<Database>> = OnceCell::const_new();
    let template = TEMPLATE.get_or_init(database).await.as_ref();
    match template {
        Some(template) => template.copied().await,
        None => postgres::fresh_database().await,
    }
}

/// Without a server of this process, nothing would remove it.
async fn database() -> Option<Database> {
    let database = postgres::fresh_database().await?;
    database.socket()?;
    let config = Config {
        database: database.url().to_owned(),
        test_mode: true,
        ..Config::default()
    };
    write_schema(&config).await;
    database.disconnect_all().await;
    Some(database)
}

/// Opens what a verifier opens, and closes it.
async fn write_schema(config: &Config) {
    let store = Store::open(&config.database_url(), &Options::default()).await;
    let clock = TestClock::default();
    let parts = Parts {
        store: store.expect("the store opens"),
        encryption: KeyEncryption::new(&MasterKey::new(random())),
        clock: Clock::new(move || clock.now_ms()),
        rng: Rng::system(),
        livemode: false,
        folder: FolderLock::default(),
    };
    drop(bank(config, &parts).await.expect("the bank opens"));
    parts.store.close().await;
}
