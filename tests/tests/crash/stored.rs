//! Reads the databases of the server and the bank with SQL of the test's own.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A row as text; NULL is the empty text.
pub(crate) type Row = Vec<String>;

/// Where the verifier keeps its payments.
#[derive(Debug, Clone)]
pub(crate) enum StoredState {
    Sqlite(PathBuf),
    Postgres(String),
}

impl StoredState {
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(file) => sqlite_rows(file, sql),
            Self::Postgres(url) => postgres_rows(url, sql).await,
        }
    }

    /// The only number of the only row.
    pub(crate) async fn number(&self, sql: &str) -> u64 {
        self.rows(sql).await[0][0].parse().unwrap()
    }
}

fn sqlite_rows(file: &Path, sql: &str) -> Vec<Row> {
    // The log beside the file can only be read by somebody who may write the index to it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(file, flags).unwrap();
    connection
        .busy_timeout(std::time::Duration::from_secs(10))
        .unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        let text = |index| {
            Ok(match row.get_ref(index)? {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => panic!("column {index} is {other:?}"),
            })
        };
        (0..width).map(text).collect()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

async fn postgres_rows(url: &str, sql: &str) -> Vec<Row> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let serving = tokio::spawn(connection);
    let messages = client.simple_query(sql).await.unwrap();
    drop(client);
    serving.await.unwrap().unwrap();
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        let text = |index| row.get(index).unwrap_or_default().to_owned();
        (0..row.len()).map(text).collect()
    })
    .collect()
}
