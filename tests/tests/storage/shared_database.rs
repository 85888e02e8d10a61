//! Components that share one database, each with tables of its own.

use super::fixtures::registered;
use super::test_database::TestDatabase;
use crate::databases::on_both_databases;
use sealpay_storage::{Database, DatabaseError, Durability, Migrations, Options};
use tokio::task::JoinSet;
use verifier_server::store::Store;

static NEIGHBOUR: Migrations = Migrations {
    table: "neighbour_migrations",
    steps: &[
        "CREATE TABLE neighbour_first (\n    number BIGINT NOT NULL PRIMARY KEY\n);",
        "INSERT INTO neighbour_first (number) VALUES (1)",
    ],
};

/// Says what its connection was told before it migrated.
static LISTENER: Migrations = Migrations {
    table: "listener_migrations",
    steps: &["CREATE TABLE heard AS SELECT current_setting('synchronous_commit') AS answer"],
};

fn options() -> Options {
    Options {
        postgres_connections: 2,
        ..Options::beside_another()
    }
}

async fn open(url: &str, migrations: &'static Migrations) -> Result<Database, DatabaseError> {
    Database::open(url, migrations, Durability::Relaxed, &options()).await
}

async fn components_started_together_migrate_once_each(database: &TestDatabase) {
    let mut starting: JoinSet<Result<(), DatabaseError>> = JoinSet::new();
    for _ in 0..4 {
        let (url, same) = (database.url(), database.url());
        starting.spawn(async move { Store::open(&url, &options()).await?.ping().await });
        starting.spawn(async move { open(&same, &NEIGHBOUR).await?.ping().await });
    }
    for started in starting.join_all().await {
        assert_eq!(started, Ok(()));
    }
    // It would be refused if it had been there before.
    database
        .tamper("INSERT INTO neighbour_first (number) VALUES (2)")
        .await;
}

async fn newer_schema_of_one_component_does_not_affect_the_other(database: &TestDatabase) {
    let store = database.open().await;
    let neighbour = open(&database.url(), &NEIGHBOUR).await.unwrap();
    registered(&store).await;
    neighbour.close().await;
    let refused = neighbour.ping().await;
    assert!(
        matches!(refused, Err(DatabaseError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(store.ping().await, Ok(()));
    database
        .tamper(
            "INSERT INTO neighbour_migrations (version, digest) VALUES (3, 'of a newer version')",
        )
        .await;
    let refused = open(&database.url(), &NEIGHBOUR).await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(database.open().await.ping().await, Ok(()));
}

async fn database_without_its_tables_is_not_ready(database: &TestDatabase) {
    let neighbour = open(&database.url(), &NEIGHBOUR).await.unwrap();
    assert_eq!(neighbour.ping().await, Ok(()));
    database.tamper("DROP TABLE neighbour_migrations").await;
    let asked = neighbour.ping().await;
    assert!(
        matches!(asked, Err(DatabaseError::Unavailable(_))),
        "{asked:?}"
    );
}

#[tokio::test]
async fn postgres_uses_the_configured_durability() {
    for (durability, expected) in [(Durability::Full, "on"), (Durability::Relaxed, "off")] {
        let Some(database) = TestDatabase::on_postgres().await else {
            eprintln!("skipped without Postgres: postgres_uses_the_configured_durability");
            return;
        };
        // What the server is set to is the opposite of what is wanted.
        let opposite = if expected == "on" { "off" } else { "on" };
        database
            .tamper(&format!(
                "DO $$ BEGIN EXECUTE format(
                     'ALTER DATABASE %I SET synchronous_commit = {opposite}', current_database()
                 ); END $$"
            ))
            .await;
        let (url, options) = (database.url(), options());
        let opened = Database::open(&url, &LISTENER, durability, &options).await;
        assert_eq!(opened.unwrap().ping().await, Ok(()));
        database
            .tamper(&format!(
                "DO $$ BEGIN IF (SELECT answer FROM heard) <> '{expected}' THEN
                     RAISE EXCEPTION 'the connection did not hear {expected}'; END IF; END $$"
            ))
            .await;
    }
}

on_both_databases! {
    TestDatabase:
    components_started_together_migrate_once_each,
    newer_schema_of_one_component_does_not_affect_the_other,
    database_without_its_tables_is_not_ready,
}
