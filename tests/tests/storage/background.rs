//! Work beside requests takes few connections to Postgres, however much of it waits: a request finds
//! one.

use super::fixtures::{NOW_MS, merchant, reachable};
use super::test_database::TestDatabase;
use harness::postgres::connect;
use harness::time::seen_when;
use sealpay_protocol::ids::EndpointId;
use sealpay_storage::in_background;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::Client;
use verifier_server::store::{Addition, Options};

pub(crate) async fn client(place: &TestDatabase) -> Client {
    connect(&place.url()).await.unwrap()
}

/// Writes to an endpoint's row and does not come to an end.
pub(crate) async fn lock(place: &TestDatabase, endpoint: EndpointId) -> Client {
    let client = client(place).await;
    let sql = format!("BEGIN; UPDATE webhook_endpoints SET url = url WHERE id = '{endpoint}'");
    client.batch_execute(&sql).await.unwrap();
    client
}

/// Connections that wait for somebody's row.
pub(crate) async fn waiting(client: &Client) -> i64 {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    seen_when(what, is_so, |is_so| *is_so).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_finds_a_connection_whatever_waits_beside_it() {
    let Some(place) = TestDatabase::on_postgres().await else {
        return;
    };
    let options = Options::default();
    let store = place.open_with(&options).await;
    let (_, endpoint) = reachable(&store).await;
    let locked = lock(&place, endpoint.id).await;
    let mut working = tokio::task::JoinSet::new();
    for _ in 0..2 * options.postgres_connections {
        let (store, id) = (store.clone(), endpoint.id);
        working.spawn(in_background(async move {
            store.endpoints.disable(id, NOW_MS).await
        }));
    }
    let observer = client(&place).await;
    until("some wait", async || waiting(&observer).await > 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let most = i64::try_from(options.postgres_background).unwrap();
    assert_eq!(waiting(&observer).await, most);
    let added = timeout(Duration::from_secs(2), async {
        store.merchants.add(&merchant()).await
    });
    assert_eq!(added.await.unwrap(), Ok(Addition::Added));
    locked.batch_execute("ROLLBACK").await.unwrap();
    let disabled = working.join_all().await;
    assert_eq!(disabled.iter().filter(|done| **done == Ok(true)).count(), 1);
}
