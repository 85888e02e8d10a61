//! One transaction, on either database: the same SQL and the same operations.
//!
//! Operations are `async` because Postgres has to be waited for. On SQLite they never wait: the
//! writer thread polls each once, and it is ready.

use super::value::{Row, Value};
use super::{StoreError, postgres, sqlite};
use rusqlite::Connection;
use std::future::Future;
use std::pin::Pin;

/// Why an operation did not end.
#[derive(Debug)]
pub(super) enum Fault {
    /// Somebody else was there first: roll back and run the operation again from its beginning.
    Retry(String),
    /// It will not work this time.
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An operation under way.
pub(super) type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// What is done with a transaction and an input. It may be run more than once.
pub(super) type Operation<I, T> = for<'a> fn(&'a mut Tx<'_>, &'a I) -> Running<'a, T>;

/// A statement and its arguments.
pub(super) type Statement<'a> = (&'static str, &'a [Value]);

/// A transaction, or on a reader a plain connection.
pub(super) enum Tx<'a> {
    Sqlite(&'a mut Connection),
    Postgres(postgres::Transaction<'a>),
}

impl Tx<'_> {
    /// Runs a statement and says how many rows it changed.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<u64, Fault> {
        refuse_nul(values)?;
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, values),
            Self::Postgres(transaction) => transaction.execute(sql, values).await,
        }
    }

    /// Runs statements that do not depend on each other; on Postgres they travel together.
    pub(super) async fn execute_together(
        &mut self,
        statements: &[Statement<'_>],
    ) -> Result<Vec<u64>, Fault> {
        statements
            .iter()
            .try_for_each(|(_, values)| refuse_nul(values))?;
        match self {
            Self::Sqlite(connection) => statements
                .iter()
                .map(|(sql, values)| sqlite::execute(connection, sql, values))
                .collect(),
            Self::Postgres(transaction) => transaction.execute_together(statements).await,
        }
    }

    /// All rows.
    pub(super) async fn query(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, Fault> {
        refuse_nul(values)?;
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, sql, values),
            Self::Postgres(transaction) => transaction.query(sql, values).await,
        }
    }

    /// The first row, if there is one.
    pub(super) async fn optional(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }
}

/// SQLite would keep a NUL byte and Postgres would not, so neither gets one.
fn refuse_nul(values: &[Value]) -> Result<(), Fault> {
    let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if values.iter().any(has_nul) {
        return Err(StoreError::Corrupt("a text with a NUL byte cannot be kept".into()).into());
    }
    Ok(())
}
