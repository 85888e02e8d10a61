//! Reads the databases from outside, with the same queries for SQLite and Postgres.

use harness::folder::Folder;
use rusqlite::{Connection, OpenFlags};
use std::sync::Mutex;
use std::time::Duration;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A row, as texts; what is null is empty.
pub(crate) type Row = Vec<String>;

/// The store and the bank's book. On SQLite the book is attached, so that a table of either is
/// named without saying whose it is.
pub(crate) enum DatabaseReader {
    Sqlite(Mutex<Connection>),
    Postgres(Client),
}

impl DatabaseReader {
    pub(crate) fn on_sqlite(folder: &Folder) -> Self {
        let file = folder.path().join("sealpay.sqlite");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(file, flags).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        let book = folder.path().join("simulated-bank.sqlite");
        connection
            .execute("ATTACH ?1 AS bank", [book.to_str().unwrap()])
            .unwrap();
        Self::Sqlite(Mutex::new(connection))
    }

    pub(crate) async fn on_postgres(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self::Postgres(client)
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(connection) => sqlite_rows(&connection.lock().unwrap(), sql),
            Self::Postgres(client) => {
                let messages = client.simple_query(sql).await;
                let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                let rows = messages.into_iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                rows.map(|row| {
                    let texts = (0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned());
                    texts.collect()
                })
                .collect()
            }
        }
    }
}

fn sqlite_rows(connection: &Connection, sql: &str) -> Vec<Row> {
    let statement = connection.prepare_cached(sql);
    let mut statement = statement.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut found = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let texts = (0..width).map(|at| {
            use rusqlite::types::ValueRef;
            match row.get_ref(at).unwrap() {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => panic!("{sql}: {other:?}"),
            }
        });
        found.push(texts.collect());
    }
    found
}
