//! What is kept: one `Store` for SQLite and Postgres, with one SQL text and one set of operations.
//!
//! Every method takes its times as arguments. What a race decides is an outcome of its own type;
//! a [`StoreError`] means that the database did not do its work.

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
use tx::{Fault, Sql, Tx};
use value::{Value, values};

/// The database did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Too many operations wait already; nothing was changed.
    Overloaded,
    /// The database cannot be reached or refused to work; nothing was changed. The text is for logs.
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
        self.write(async |tx: &mut Tx<'_>| {
            tx.one("SELECT COUNT(*) FROM schema_migrations", &values![])
                .await
                .map(drop)
        })
        .await
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
    async fn write<T, F>(&self, operation: F) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        match &self.connection {
            Connection::Sqlite(sqlite) => sqlite.write(operation).await,
            Connection::Postgres(postgres) => postgres.write(&operation).await,
        }
    }

    /// Runs an operation that changes nothing.
    async fn read<T, F>(&self, operation: F) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        match &self.connection {
            Connection::Sqlite(sqlite) => sqlite.read(operation).await,
            Connection::Postgres(postgres) => postgres.read(&operation).await,
        }
    }

    /// Runs one statement; says whether it changed anything.
    async fn change<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<bool, StoreError> {
        let sql = Sql(sql);
        let changed = self
            .write(async move |tx: &mut Tx<'_>| tx.execute(sql.text(), &values).await)
            .await?;
        Ok(changed > 0)
    }

    /// Runs one `INSERT` that changes nothing when the row is there already.
    async fn add<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Addition, StoreError> {
        let added = self.change(sql, values).await?;
        Ok(if added {
            Addition::Added
        } else {
            Addition::AlreadyThere
        })
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
