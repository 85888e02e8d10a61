//! PgBouncer in front of Postgres.

use super::fixtures::{merchant, nonce, paid, registered, session};
use super::test_database::TestDatabase;
use harness::postgres_of_its_own::PgBouncer;
use tokio::task::JoinSet;
use verifier_server::payments::state::PaymentState;
use verifier_server::sessions::store::SessionOpened;
use verifier_server::store::{Addition, Options, Store};

/// A database of our own server with PgBouncer before it.
async fn behind(
    test: &str,
    mode: &str,
    connections: u16,
) -> Option<(TestDatabase, PgBouncer, String)> {
    let database = TestDatabase::on_postgres().await;
    let Some(TestDatabase::Postgres(database)) = database else {
        eprintln!("skipped without Postgres: {test}");
        return None;
    };
    let Some((folder, port, name)) = database.socket() else {
        eprintln!("\n*** SKIPPED, the server is not our own: {test} ***\n");
        return None;
    };
    let pooler = PgBouncer::start(test, (folder, port), mode, connections)?;
    let url = pooler.url(&name);
    Some((TestDatabase::Postgres(database), pooler, url))
}

/// What two verifiers do at once, with values that are missing among the rest.
async fn two_verifiers_work(url: &str) {
    let mut stores = Vec::new();
    for _ in 0..2 {
        stores.push(Store::open(url, &Options::default()).await.unwrap());
    }
    let merchant = registered(&stores[0]).await;
    let mut sessions = JoinSet::new();
    for number in 0..120 {
        let store = stores[number % 2].clone();
        let wanted = session(merchant.id);
        sessions.spawn(async move {
            let opened = store.sessions.open(&wanted, &nonce()).await;
            assert_eq!(opened, Ok(SessionOpened::New(wanted.clone())));
            assert_eq!(store.sessions.get(wanted.id).await, Ok(Some(wanted)));
        });
    }
    sessions.join_all().await;
    for store in &stores {
        let payment = paid(store, merchant.id, PaymentState::Captured).await;
        let read = store.payments.get_owned(merchant.id, payment.id).await;
        assert_eq!(read, Ok(Some(payment)));
        assert_eq!(store.ping().await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transaction_pooling_is_supported() {
    let test = "transactions on any connection of a pooler";
    if let Some((_place, _pooler, url)) = behind(test, "transaction", 4).await {
        two_verifiers_work(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pooler_with_one_connection_serves_two_verifiers() {
    let test = "a pooler with one connection";
    if let Some((_place, _pooler, url)) = behind(test, "transaction", 1).await {
        two_verifiers_work(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn session_pooling_is_supported() {
    let test = "a pooler of sessions";
    if let Some((_place, _pooler, url)) = behind(test, "session", 60).await {
        two_verifiers_work(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn statement_pooling_is_rejected_with_its_reason() {
    let test = "a pooler of single statements";
    if let Some((_place, _pooler, url)) = behind(test, "statement", 4).await {
        let refused = Store::open(&url, &Options::default()).await.unwrap_err();
        let sentence = refused.to_string();
        assert!(sentence.contains("statement pooling"), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pooler_mode_change_is_detected() {
    let test = "a pooler that changes its mode";
    let Some((_place, pooler, url)) = behind(test, "session", 40).await else {
        return;
    };
    let store = Store::open(&url, &Options::default()).await.unwrap();
    let adding = |store: &Store| {
        let mut adding = JoinSet::new();
        for _ in 0..60 {
            let store = store.clone();
            adding.spawn(async move { store.merchants.add(&merchant()).await });
        }
        adding.join_all()
    };
    for outcome in adding(&store).await {
        assert_eq!(outcome, Ok(Addition::Added));
    }
    pooler.command("SET pool_mode = 'transaction'").await;
    for _ in 0..5 {
        for outcome in adding(&store).await {
            assert_eq!(outcome, Ok(Addition::Added));
        }
    }
}
