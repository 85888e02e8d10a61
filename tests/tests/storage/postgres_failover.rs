//! Postgres restarts or becomes read-only: the server recovers by itself.

use super::fixtures::{merchant, registered};
use harness::postgres_of_its_own::OwnPostgres;
use harness::time::seen_when;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use verifier_server::store::{Addition, DatabaseError, Options, Store};

async fn store_on(server: &OwnPostgres) -> Store {
    let options = Options {
        postgres_connections: 8,
        ..Options::default()
    };
    let url = server.url("127.0.0.1", "");
    Store::open(&url, &options).await.unwrap()
}

/// Merchants that are added by many at once until it is enough.
struct Load {
    enough: Arc<AtomicBool>,
    added: Arc<AtomicUsize>,
    unknown: Arc<AtomicUsize>,
    writers: JoinSet<Vec<DatabaseError>>,
}

impl Load {
    fn on(store: &Store) -> Self {
        let (enough, added, unknown) = (Arc::default(), Arc::default(), Arc::default());
        let mut load = Self {
            enough,
            added,
            unknown,
            writers: JoinSet::new(),
        };
        for _ in 0..12 {
            let store = store.clone();
            let enough = Arc::clone(&load.enough);
            let (added, unknown) = (Arc::clone(&load.added), Arc::clone(&load.unknown));
            load.writers.spawn(async move {
                let mut failures = Vec::new();
                while !enough.load(Ordering::SeqCst) {
                    match store.merchants.add(&merchant()).await {
                        Ok(Addition::Added) => added.fetch_add(1, Ordering::SeqCst),
                        Err(DatabaseError::OutcomeUnknown) => {
                            unknown.fetch_add(1, Ordering::SeqCst)
                        }
                        Ok(Addition::AlreadyThere) => panic!("ids are unique"),
                        Err(error) => {
                            failures.push(error);
                            0
                        }
                    };
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                failures
            });
        }
        load
    }

    /// Waits until that many more were added.
    async fn add(&self, more: usize) {
        let goal = self.added.load(Ordering::SeqCst) + more;
        let look = async || self.added.load(Ordering::SeqCst);
        seen_when("what was added", look, |added| *added >= goal).await;
    }

    /// What failed; the rest is counted in the database.
    async fn end(self, store: &Store) -> Vec<DatabaseError> {
        self.enough.store(true, Ordering::SeqCst);
        let failures = self.writers.join_all().await.concat();
        let stored = store.merchants.list().await.unwrap().len();
        let added = self.added.load(Ordering::SeqCst);
        let unknown = self.unknown.load(Ordering::SeqCst);
        assert!(stored >= added, "{stored} of {added} are there");
        assert!(stored <= added + unknown, "{stored}, {added}, {unknown}");
        failures
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_cut_under_load_lose_no_operation() {
    let Some(server) = OwnPostgres::start("connections cut under load") else {
        return;
    };
    let store = store_on(&server).await;
    let load = Load::on(&store);
    for _ in 0..10 {
        load.add(20).await;
        let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'sealpay'";
        assert!(server.ask(cut).await > 0);
    }
    load.add(20).await;
    assert_eq!(load.end(&store).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_restart_under_load_is_awaited() {
    let Some(mut server) = OwnPostgres::start("a restart under load") else {
        return;
    };
    let store = store_on(&server).await;
    let load = Load::on(&store);
    load.add(50).await;
    server.stop();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.start_again();
    load.add(50).await;
    assert_eq!(load.end(&store).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unreachable_postgres_is_an_error_in_bounded_time() {
    let Some(mut server) = OwnPostgres::start("a server that stays away") else {
        return;
    };
    let store = store_on(&server).await;
    registered(&store).await;
    server.stop();
    let late = merchant();
    let writing = store.merchants.add(&late);
    let outcome = tokio::time::timeout(Duration::from_secs(15), writing).await;
    let refused = outcome.expect("it ends");
    assert!(
        matches!(refused, Err(DatabaseError::Unavailable(_))),
        "{refused:?}"
    );
    server.start_again();
    registered(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn read_only_connections_are_replaced() {
    let Some(server) = OwnPostgres::start("connections that turned read-only") else {
        return;
    };
    let store = store_on(&server).await;
    let load = Load::on(&store);
    load.add(20).await;
    // Every session takes it over at its next statement, as on a primary that was demoted.
    let turn = |value: &str| {
        let change = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        let server = &server;
        async move {
            server.ask(&change).await;
            server.ask("SELECT COUNT(pg_reload_conf())").await;
        }
    };
    turn("on").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    turn("off").await;
    load.add(20).await;
    assert_eq!(load.end(&store).await, []);

    // Sessions of a database that was read-only when they began stay so: they have to go.
    server
        .ask("ALTER DATABASE postgres SET default_transaction_read_only = on")
        .await;
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = 'sealpay'";
    server.ask(cut).await;
    let refused = store.merchants.add(&merchant()).await;
    let Err(DatabaseError::Unavailable(why)) = &refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains("not allow writes"), "{why}");
    server
        .ask("ALTER DATABASE postgres RESET default_transaction_read_only")
        .await;
    registered(&store).await;
}
