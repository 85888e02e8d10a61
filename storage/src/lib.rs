//! A SQLite or Postgres database: opening, migrating, and running operations in transactions. This
//! crate has no tables.
//!
//! The server's store and the simulated bank use it, each with its own tables and migrations.

mod background;
mod batch;
mod columns;
mod entity;
mod error;
mod id_range;
mod migrate;
mod options;
mod postgres;
mod postgres_copy;
mod postgres_pooler;
mod postgres_statement;
mod postgres_tls;
mod postgres_url;
mod queue;
#[doc(hidden)]
pub mod sql;
mod sqlite;
mod sqlite_copy;
mod sqlite_statement;
mod time_limit;
mod tx;
mod value;

pub use background::in_background;
pub use columns::{AsJson, AsOptionalJson, AsText, ByName, ByOptionalName, Codec, Column, Empty};
pub use columns::{Entity, FromRow, Plain, Projection, With, insert, to_rows};
pub use error::DatabaseError;
pub use migrate::Migrations;
pub use options::{Durability, Options};

pub use error::Fault;
pub use id_range::IdRange;
pub use postgres_copy::{OwnTables, RowCounts, SchemaCopies, SchemaCopy};
pub use postgres_statement::Statement;
pub use postgres_url::PostgresUrl;
pub use sqlite_copy::{copy_sqlite, sqlite_form};
pub use tx::{Operation, Tx};
pub use value::{Row, Value, integer};

use postgres::Postgres;
use sqlite::Sqlite;
use std::sync::Arc;

/// The result of an insert that ignores conflicts.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addition {
    /// The row was inserted.
    Added,
    /// A row with this key already exists and is unchanged.
    AlreadyThere,
}

/// The connections and the time limit of a read that may scan many rows. Payments use other
/// connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A page of a list.
    List,
    /// Sums over all rows of a merchant.
    Sum,
}

/// An open database. Clones share it.
#[derive(Debug, Clone)]
pub struct Database {
    connection: Connection,
    /// The table that records the applied migrations.
    journal: &'static str,
}

#[derive(Debug, Clone)]
enum Connection {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Database {
    /// Opens `postgres://…`, `sqlite:` and a path, or a path, and applies missing migrations.
    ///
    /// # Errors
    /// The database cannot be opened, or was written by a newer version.
    pub async fn open(
        url_or_path: &str,
        migrations: &'static Migrations,
        durability: Durability,
        options: &Options,
    ) -> Result<Self, DatabaseError> {
        let connection = if is_postgres(url_or_path) {
            let opening = Postgres::open(url_or_path, migrations, durability, options);
            Connection::Postgres(Arc::new(opening.await?))
        } else {
            let path = url_or_path
                .strip_prefix("sqlite:")
                .unwrap_or(url_or_path)
                .to_owned();
            let options = options.clone();
            let open = move || Sqlite::open(&path, migrations, durability, &options);
            Connection::Sqlite(Arc::new(blocking(open).await??))
        };
        Ok(Self {
            connection,
            journal: migrations.table,
        })
    }

    /// Checks that the database responds and accepts writes.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.write(self.journal, |tx, journal| Box::pin(tx.probe(journal)))
            .await
    }

    /// Completes waiting operations and closes the database; later operations are rejected.
    pub async fn close(&self) {
        match &self.connection {
            Connection::Sqlite(sqlite) => {
                let sqlite = Arc::clone(sqlite);
                // If the runtime is shutting down, nobody waits for the threads; dropping the last
                // clone of the database ends them.
                drop(blocking(move || sqlite.close()).await);
            }
            Connection::Postgres(postgres) => postgres.close(),
        }
    }

    /// Runs a write operation atomically and returns when it is durable. On Postgres it may run
    /// more than once.
    pub async fn write<I: Send + Sync + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        match &self.connection {
            Connection::Sqlite(sqlite) => sqlite.write(input, operation).await,
            Connection::Postgres(postgres) => postgres.write(&input, operation).await,
        }
    }

    /// Runs a read-only operation.
    pub async fn read<I: Send + Sync + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        match &self.connection {
            Connection::Sqlite(sqlite) => sqlite.read(input, operation).await,
            Connection::Postgres(postgres) => postgres.read(&input, operation).await,
        }
    }

    /// Runs a read-only operation that may scan many rows, on connections apart from those of
    /// payments and with a time limit.
    pub async fn scan<I: Send + Sync + 'static, T: Send + 'static>(
        &self,
        extent: Extent,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        match &self.connection {
            Connection::Sqlite(sqlite) => sqlite.scan(extent, input, operation).await,
            Connection::Postgres(postgres) => postgres.scan(extent, &input, operation).await,
        }
    }

    /// Runs one `SELECT` that may scan many rows.
    pub async fn scanned_rows<const N: usize>(
        &self,
        extent: Extent,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<Row>, DatabaseError> {
        self.scan(extent, (sql, values), |tx, (sql, values)| {
            Box::pin(tx.query(sql, values))
        })
        .await
    }

    /// The same, with each row as a `T`.
    pub async fn scan_list<T: FromRow, const N: usize>(
        &self,
        extent: Extent,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<T>, DatabaseError> {
        let rows = self.scanned_rows(extent, sql, values).await?;
        rows.into_iter().map(Row::read_as).collect()
    }

    /// Runs one statement; returns the number of changed rows.
    pub async fn execute<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<u64, DatabaseError> {
        self.write((sql, values), |tx, (sql, values)| {
            Box::pin(tx.execute(sql, values))
        })
        .await
    }

    /// Runs one statement; returns whether it changed a row.
    pub async fn change<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<bool, DatabaseError> {
        Ok(self.execute(sql, values).await? > 0)
    }

    /// Runs one `INSERT` that does nothing if the row already exists.
    pub async fn add<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Addition, DatabaseError> {
        let added = self.execute(sql, values).await?;
        Ok(if added > 0 {
            Addition::Added
        } else {
            Addition::AlreadyThere
        })
    }

    /// Runs one `SELECT`.
    pub async fn rows<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<Row>, DatabaseError> {
        self.read((sql, values), |tx, (sql, values)| {
            Box::pin(tx.query(sql, values))
        })
        .await
    }

    /// Runs one `SELECT`, with each row as a `T`.
    pub async fn list<T: FromRow, const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<T>, DatabaseError> {
        let rows = self.rows(sql, values).await?;
        rows.into_iter().map(Row::read_as).collect()
    }

    /// Runs one `SELECT` of one row, as a `T`.
    pub async fn get<T: FromRow, const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Option<T>, DatabaseError> {
        self.row(sql, values).await?.map(Row::read_as).transpose()
    }

    /// Runs one `SELECT` of one row.
    pub async fn row<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Option<Row>, DatabaseError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Runs one `SELECT` of one value that always exists, such as an aggregate.
    pub async fn scalar<T: Column, const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<T, DatabaseError> {
        self.one(sql, values).await?.take()
    }

    /// Runs one `SELECT` of an aggregate, which always has a row.
    pub async fn one<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Row, DatabaseError> {
        let row = self.row(sql, values).await?;
        row.ok_or_else(|| DatabaseError::Corrupt("an aggregate has no row".into()))
    }
}

/// Tells Postgres from SQLite by the URL; the only place that does.
pub fn is_postgres(url_or_path: &str) -> bool {
    url_or_path.starts_with("postgres://") || url_or_path.starts_with("postgresql://")
}

/// Waits for files and threads without blocking the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DatabaseError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| DatabaseError::Unavailable(error.to_string()))
}
