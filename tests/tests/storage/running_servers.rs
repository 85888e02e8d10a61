//! Servers that share one database.

use super::test_database::TestDatabase;
use crate::databases::on_both_databases;

on_both_databases! {
    TestDatabase:
    running_servers_are_known_by_their_encryption_key,
}

async fn running_servers_are_known_by_their_encryption_key(database: &TestDatabase) {
    let store = database.open().await;
    let without = |key: &'static str, since| store.keys.servers_without_key(key, since);
    assert_eq!(without("new", 0).await, Ok(0));
    store.keys.note_server("a", "old", 100).await.unwrap();
    store.keys.note_server("b", "old", 110).await.unwrap();
    assert_eq!(without("new", 100).await, Ok(2));
    assert_eq!(without("new", 105).await, Ok(1), "the other has stopped");
    store.keys.note_server("b", "new", 120).await.unwrap();
    assert_eq!(without("new", 105).await, Ok(0));
    assert_eq!(without("new", 100).await, Ok(1));
    let others = |server: &'static str, since| store.keys.other_servers(server, since);
    assert_eq!(others("a", 0).await, Ok(1));
    assert_eq!(others("c", 100).await, Ok(2));
    assert_eq!(others("b", 101).await, Ok(0), "the other has stopped");
    store.keys.purge_servers(105).await.unwrap();
    assert_eq!(without("none", 0).await, Ok(1));
    store.keys.forget_server("b").await.unwrap();
    assert_eq!(without("none", 0).await, Ok(0));
}
