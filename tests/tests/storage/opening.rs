//! Opening and closing the database.

use super::fixtures::{claimed, merchant, opened, paid, reachable, registered};
use super::test_database::TestDatabase;
use crate::databases::on_both_databases;
use tokio::task::JoinSet;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::{DatabaseError, Options, Store};

async fn committed_data_survives_a_restart(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let captured = paid(&store, merchant.id, PaymentState::Captured).await;
    let session = opened(&store, merchant.id).await;
    let open = claimed(&store, &session).await;
    let events = store.events.list(merchant.id, None, 10).await;
    store.close().await;

    let store = database.open().await;
    assert_eq!(
        store.merchants.get(merchant.id).await,
        Ok(Some(merchant.clone()))
    );
    assert_eq!(
        store.payments.get_owned(merchant.id, captured.id).await,
        Ok(Some(captured))
    );
    assert_eq!(store.payments.open(i64::MAX, 10).await, Ok(vec![open]));
    assert_eq!(store.events.list(merchant.id, None, 10).await, events);
    assert_eq!(store.deliveries.pending().await, Ok(1));
}

async fn store_dropped_without_closing_loses_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    drop(store);
    let store = database.open().await;
    assert_eq!(store.merchants.list().await, Ok(vec![merchant]));
}

async fn closed_store_rejects_operations(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    assert_eq!(store.ping().await, Ok(()));
    store.close().await;
    store.close().await;
    assert!(matches!(
        store.ping().await,
        Err(DatabaseError::Unavailable(_))
    ));
    let read = store.merchants.get(merchant.id).await;
    assert!(
        matches!(read, Err(DatabaseError::Unavailable(_))),
        "{read:?}"
    );
}

async fn closing_finishes_waiting_operations(database: &TestDatabase) {
    let store = database.open().await;
    let merchants: Vec<_> = (0..50).map(|_| merchant()).collect();
    let mut adding: JoinSet<_> = merchants
        .iter()
        .cloned()
        .map(|merchant| {
            let store = store.clone();
            async move { (store.merchants.add(&merchant).await.is_ok(), merchant) }
        })
        .collect();
    let first = adding.join_next().await.unwrap().unwrap();
    store.close().await;
    let mut added: Vec<_> = adding.join_all().await;
    added.push(first);
    let mut kept: Vec<_> = added
        .into_iter()
        .filter(|(added, _)| *added)
        .map(|(_, m)| m)
        .collect();
    kept.sort_by_key(|merchant| merchant.id);
    assert!(!kept.is_empty());
    let store = database.open().await;
    assert_eq!(store.merchants.list().await, Ok(kept));
}

async fn servers_that_start_together_migrate_once(database: &TestDatabase) {
    let starting: JoinSet<_> = (0..5)
        .map(|_| {
            let url = database.url();
            let options = Options {
                postgres_connections: 2,
                ..Options::default()
            };
            async move { Store::open(&url, &options).await }
        })
        .collect();
    for store in starting.join_all().await {
        assert_eq!(store.unwrap().ping().await, Ok(()));
    }
}

async fn database_of_a_newer_version_is_rejected(database: &TestDatabase) {
    let store = database.open().await;
    store.close().await;
    database
        .tamper(
            "INSERT INTO schema_migrations (version, digest) VALUES (999999, 'of a newer version')",
        )
        .await;
    let refused = Store::open(&database.url(), &Options::default()).await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn invalid_database_path_is_rejected() {
    let rows = [
        "",
        "sqlite:",
        ":memory:",
        "sqlite::memory:",
        "/nowhere/to/be/found/sealpay.db",
        "postgres://127.0.0.1:1/sealpay",
        "postgres://not a url",
    ];
    for url in rows {
        let refused = Store::open(url, &Options::default()).await;
        assert!(
            matches!(refused, Err(DatabaseError::Unavailable(_))),
            "{url:?}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn database_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let database = TestDatabase::on_sqlite().await;
    let store = database.open().await;
    registered(&store).await;
    let TestDatabase::Sqlite(folder) = &database else {
        panic!("this is about files")
    };
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        files.len(),
        3,
        "the database, its log and the log's index: {files:?}"
    );
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }
}

on_both_databases! {
    TestDatabase:
    committed_data_survives_a_restart,
    store_dropped_without_closing_loses_nothing,
    closed_store_rejects_operations,
    closing_finishes_waiting_operations,
    servers_that_start_together_migrate_once,
    database_of_a_newer_version_is_rejected,
}
