//! What stands in databases, read past the verifier: rows as texts, alike for SQLite and Postgres.

use crate::postgres::connect;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use tokio_postgres::{Client, SimpleQueryMessage};

/// A row; what is null is `NULL`.
pub type Row = Vec<String>;

/// Where a database is.
#[derive(Debug, Clone)]
pub enum StoredState {
    /// In a file.
    Sqlite(PathBuf),
    /// At a URL.
    Postgres(String),
}

impl StoredState {
    /// What a query selects.
    pub async fn rows(&self, sql: &str) -> Vec<Row> {
        self.open().await.rows(sql).await
    }

    /// A connection for many queries: to open one costs more than to ask it.
    pub async fn open(&self) -> Reader {
        match self {
            Self::Sqlite(file) => Reader::Sqlite(Mutex::new(open(file))),
            Self::Postgres(url) => {
                let client = connect(url).await.expect("Postgres takes connections");
                Reader::Postgres(client)
            }
        }
    }

    /// The only number of the only row.
    pub async fn number(&self, sql: &str) -> u64 {
        let number = self.rows(sql).await[0][0].parse();
        number.expect("the query selects a number")
    }

    /// Changes what is there.
    pub async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(file) => {
                let done = open(file).execute_batch(sql);
                done.expect("the statement is right");
            }
            Self::Postgres(url) => {
                let client = connect(url).await.expect("Postgres takes connections");
                let done = client.batch_execute(sql).await;
                done.expect("the statement is right");
            }
        }
    }
}

/// A connection to a database.
#[derive(Debug)]
pub enum Reader {
    /// To a file.
    Sqlite(Mutex<Connection>),
    /// To Postgres.
    Postgres(Client),
}

impl Reader {
    /// What a query selects.
    pub async fn rows(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(connection) => {
                let connection = connection.lock().expect("nobody panicked with it");
                of_sqlite(&connection, sql)
            }
            Self::Postgres(client) => of_postgres(client, sql).await,
        }
    }
}

/// Opens an existing file. Writable, because a reader of the write-ahead log writes its index.
#[must_use]
pub fn open(file: &Path) -> Connection {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection = connection.expect("the file is there");
    let patience = connection.busy_timeout(Duration::from_secs(10));
    patience.expect("a pragma");
    connection
}

/// What a query selects from a file.
#[must_use]
pub fn of_sqlite(connection: &Connection, sql: &str) -> Vec<Row> {
    let statement = connection.prepare_cached(sql);
    let mut statement = statement.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..width)
            .map(|index| row.get::<_, Value>(index).map(text_of))
            .collect()
    });
    let rows = rows.expect("the statement runs");
    rows.collect::<Result<_, _>>().expect("the rows are read")
}

fn text_of(value: Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// What a query selects from Postgres.
pub async fn of_postgres(client: &Client, sql: &str) -> Vec<Row> {
    let messages = client.simple_query(sql).await;
    let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        let text = |index| row.get(index).unwrap_or("NULL").to_owned();
        (0..row.len()).map(text).collect()
    })
    .collect()
}
