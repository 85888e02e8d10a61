//! What is kept: one `Store` for SQLite and Postgres, with one SQL text and one set of operations.
//!
//! Every method takes its times as arguments. What a race decides is an outcome of its own type;
//! a [`StoreError`] means that the database did not do its work.

mod batch;
mod claim;
mod events;
mod keys;
mod merchants;
mod migrate;
mod nonces;
mod payments;
mod postgres;
mod sessions;
mod settle;
mod sqlite;
mod tx;
mod value;

pub use claim::Claim;
pub use merchants::Addition;
pub use nonces::Nonce;
pub use payments::PaymentFilter;
pub use sessions::SessionOpened;
pub use settle::Settled;

use postgres::Postgres;
use sqlite::Sqlite;
use std::fmt;
use std::sync::Arc;
use tx::Operation;
use value::{Row, Value};

/// The database did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Too many operations wait already; nothing was changed.
    Overloaded,
    /// The database cannot be reached or refused to work; nothing was changed. The text is for
    /// logs.
    Unavailable(String),
    /// The answer to a commit was lost: it may have happened or not.
    OutcomeUnknown,
    /// What is stored, or should be, is not what it has to be; nothing was changed. The text is
    /// for logs.
    Corrupt(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded => f.write_str("Too many operations wait for the database."),
            Self::Unavailable(why) => write!(f, "The database is not available: {why}."),
            Self::OutcomeUnknown => {
                f.write_str("The database did not say whether the change was made.")
            }
            Self::Corrupt(what) => write!(f, "The database holds what it should not: {what}."),
        }
    }
}

impl std::error::Error for StoreError {}

/// How much may be under way at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Operations that may wait; one more is answered with [`StoreError::Overloaded`]. At a few
    /// thousand a second the last of them waits about a second, which is as long as anybody should.
    pub queue: usize,
    /// Operations that share one commit on SQLite.
    pub batch: usize,
    /// Connections that read on SQLite.
    pub readers: usize,
    /// Connections to Postgres. More than a few per core only wait for each other.
    pub postgres_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 4096,
            batch: 256,
            readers: 2,
            postgres_connections: 16,
        }
    }
}

/// The database. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    connection: Connection,
}

#[derive(Debug, Clone)]
enum Connection {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Store {
    /// Opens `postgres://…`, `sqlite:` and a path, or a path, and brings it to the present form.
    ///
    /// # Errors
    /// The database cannot be opened, or was written by a newer version.
    pub async fn open(url_or_path: &str, options: &Options) -> Result<Self, StoreError> {
        let connection = if is_postgres(url_or_path) {
            Connection::Postgres(Arc::new(Postgres::open(url_or_path, options).await?))
        } else {
            let path = url_or_path
                .strip_prefix("sqlite:")
                .unwrap_or(url_or_path)
                .to_owned();
            let options = options.clone();
            let opening = blocking(move || Sqlite::open(&path, &options)).await?;
            Connection::Sqlite(Arc::new(opening?))
        };
        Ok(Self { connection })
    }

    /// Says whether the database answers and takes changes.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const ASK: &str = "SELECT COUNT(*) FROM schema_migrations";
        let asked = self.write((), |tx, ()| Box::pin(tx.query(ASK, &[]))).await;
        asked.map(drop)
    }

    /// Finishes what waits and closes the database; what comes later is refused.
    pub async fn close(&self) {
        match &self.connection {
            Connection::Sqlite(sqlite) => {
                let sqlite = Arc::clone(sqlite);
                // The runtime is going down: then nobody waits for the threads, and the last
                // clone of the store that is dropped ends them.
                drop(blocking(move || sqlite.close()).await);
            }
            Connection::Postgres(postgres) => postgres.close(),
        }
    }

    /// Runs an operation that changes something, all of it or nothing, and answers when that is
    /// durable. On Postgres it may run more than once.
    async fn write<I: Send + Sync + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, StoreError> {
        match &self.connection {
            Connection::Sqlite(sqlite) => sqlite.write(input, operation).await,
            Connection::Postgres(postgres) => postgres.write(&input, operation).await,
        }
    }

    /// Runs an operation that changes nothing.
    async fn read<I: Send + Sync + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, StoreError> {
        match &self.connection {
            Connection::Sqlite(sqlite) => sqlite.read(input, operation).await,
            Connection::Postgres(postgres) => postgres.read(&input, operation).await,
        }
    }

    /// Runs one statement and says how many rows it changed.
    async fn execute<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<u64, StoreError> {
        self.write((sql, values), |tx, (sql, values)| {
            Box::pin(tx.execute(sql, values))
        })
        .await
    }

    /// Runs one statement and says whether it changed anything.
    async fn change<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<bool, StoreError> {
        Ok(self.execute(sql, values).await? > 0)
    }

    /// Runs one `INSERT` that changes nothing when the row is there already.
    async fn add<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Addition, StoreError> {
        let added = self.execute(sql, values).await?;
        Ok(if added > 0 {
            Addition::Added
        } else {
            Addition::AlreadyThere
        })
    }

    /// Runs one `SELECT`.
    async fn rows<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<Row>, StoreError> {
        self.read((sql, values), |tx, (sql, values)| {
            Box::pin(tx.query(sql, values))
        })
        .await
    }

    /// Runs one `SELECT` of one row.
    async fn row<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Runs one `SELECT` of an aggregate, which always has a row.
    async fn one<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Row, StoreError> {
        let row = self.row(sql, values).await?;
        row.ok_or_else(|| StoreError::Corrupt("an aggregate has no row".into()))
    }
}

/// The one place that asks which database it is; the URL decides.
fn is_postgres(url_or_path: &str) -> bool {
    url_or_path.starts_with("postgres://") || url_or_path.starts_with("postgresql://")
}

/// Waits for files and threads without holding up the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| StoreError::Unavailable(error.to_string()))
}
