//! Servers that run on one database.

use super::on_both_databases;
use super::test_database::Place;

on_both_databases! {
    servers_that_run_are_known_by_the_key_they_encrypt_under,
}

async fn servers_that_run_are_known_by_the_key_they_encrypt_under(place: &Place) {
    let store = place.open().await;
    let without = |key: &'static str, since| store.keys.servers_without_key(key, since);
    assert_eq!(without("new", 0).await, Ok(0));
    store.keys.note_server("a", "old", 100).await.unwrap();
    store.keys.note_server("b", "old", 110).await.unwrap();
    assert_eq!(without("new", 100).await, Ok(2));
    assert_eq!(without("new", 105).await, Ok(1), "the other has stopped");
    store.keys.note_server("b", "new", 120).await.unwrap();
    assert_eq!(without("new", 105).await, Ok(0));
    assert_eq!(without("new", 100).await, Ok(1));
    store.keys.purge_servers(105).await.unwrap();
    assert_eq!(without("none", 0).await, Ok(1));
}
