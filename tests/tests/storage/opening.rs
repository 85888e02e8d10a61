//! Opening, closing and opening again.

use super::fixtures::{claimed, merchant, opened, paid, reachable, registered};
use super::on_both_databases;
use super::test_database::Place;
use tokio::task::JoinSet;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::{DatabaseError, Options, Store};

async fn what_was_answered_is_there_after_a_restart(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    let captured = paid(&store, merchant.id, PaymentState::Captured).await;
    let session = opened(&store, merchant.id).await;
    let open = claimed(&store, &session).await;
    let events = store.events.list(merchant.id, None, 10).await;
    store.close().await;

    let store = place.open().await;
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

async fn a_store_that_is_dropped_without_being_closed_loses_nothing(place: &Place) {
    let store = place.open().await;
    let merchant = registered(&store).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.merchants.list().await, Ok(vec![merchant]));
}

async fn a_closed_store_refuses(place: &Place) {
    let store = place.open().await;
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

async fn closing_lets_what_waits_finish(place: &Place) {
    let store = place.open().await;
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
    let store = place.open().await;
    assert_eq!(store.merchants.list().await, Ok(kept));
}

async fn servers_that_start_together_migrate_once(place: &Place) {
    let starting: JoinSet<_> = (0..5)
        .map(|_| {
            let url = place.url();
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

async fn a_database_of_a_newer_server_is_refused(place: &Place) {
    let store = place.open().await;
    store.close().await;
    place
        .tamper("INSERT INTO schema_migrations (version) VALUES (999999)")
        .await;
    let refused = Store::open(&place.url(), &Options::default()).await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_place_where_no_database_can_be_is_refused() {
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
async fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::sqlite();
    let store = place.open().await;
    registered(&store).await;
    let Place::Sqlite(folder) = &place else {
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
    what_was_answered_is_there_after_a_restart,
    a_store_that_is_dropped_without_being_closed_loses_nothing,
    a_closed_store_refuses,
    closing_lets_what_waits_finish,
    servers_that_start_together_migrate_once,
    a_database_of_a_newer_server_is_refused,
}
