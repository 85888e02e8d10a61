//! Reads the databases from outside, with the same queries for SQLite and Postgres.

use harness::folder::Folder;
use harness::postgres::connect;
use harness::rows::{self, Row};
use rusqlite::Connection;
use std::sync::Mutex;
use tokio_postgres::Client;

/// The store and the bank's book. On SQLite the book is attached, so that a table of either is
/// named without saying whose it is.
pub(crate) enum DatabaseReader {
    Sqlite(Mutex<Connection>),
    Postgres(Client),
}

impl DatabaseReader {
    pub(crate) fn on_sqlite(folder: &Folder) -> Self {
        let connection = rows::open(&folder.path().join("sealpay.sqlite"));
        let book = folder.path().join("simulated-bank.sqlite");
        connection
            .execute("ATTACH ?1 AS bank", [book.to_str().unwrap()])
            .unwrap();
        Self::Sqlite(Mutex::new(connection))
    }

    pub(crate) async fn on_postgres(url: &str) -> Self {
        Self::Postgres(connect(url).await.unwrap())
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(connection) => rows::of_sqlite(&connection.lock().unwrap(), sql),
            Self::Postgres(client) => rows::of_postgres(client, sql).await,
        }
    }
}
