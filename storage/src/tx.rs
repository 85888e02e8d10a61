//! A transaction on either database, with the same SQL and the same operations.
//!
//! Operations are `async` because Postgres responses have to be awaited. On SQLite they never wait:
//! the writer thread polls each once, and it is ready.

use super::columns::{Column, FromRow};
use super::error::{DatabaseError, Fault};
use super::postgres_statement::{Statement, Transaction};
use super::sqlite_statement as sqlite;
use super::value::{Row, Value};
use rusqlite::Connection;
use std::future::Future;
use std::pin::Pin;

/// A running operation.
pub(crate) type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// A function of a transaction and an input. It may run more than once.
pub type Operation<I, T> = for<'a> fn(&'a mut Tx<'_>, &'a I) -> Running<'a, T>;

/// A transaction; on a SQLite reader, a plain connection.
pub struct Tx<'a>(pub(crate) On<'a>);

/// The underlying database.
pub(crate) enum On<'a> {
    Sqlite(&'a mut Connection),
    Postgres(Transaction<'a>),
}

impl Tx<'_> {
    /// Runs a statement; returns the number of changed rows.
    pub async fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Fault> {
        refuse_nul(values)?;
        match &mut self.0 {
            On::Sqlite(connection) => sqlite::execute(connection, sql, values),
            On::Postgres(transaction) => transaction.execute(sql, values).await,
        }
    }

    /// Runs independent statements; on Postgres they are pipelined.
    pub async fn execute_together(
        &mut self,
        statements: &[Statement<'_>],
    ) -> Result<Vec<u64>, Fault> {
        statements
            .iter()
            .try_for_each(|(_, values)| refuse_nul(values))?;
        match &mut self.0 {
            On::Sqlite(connection) => statements
                .iter()
                .map(|(sql, values)| sqlite::execute(connection, sql, values))
                .collect(),
            On::Postgres(transaction) => transaction.execute_together(statements).await,
        }
    }

    /// Waits until every other transaction that wrote to the table has ended, and keeps others from
    /// writing to it until this one has ended. Does not wait long, because they wait as well: fails
    /// with [`DatabaseError::Overloaded`]. On SQLite there is only one writer.
    pub async fn lock_writes(&mut self, table: &'static str) -> Result<(), Fault> {
        match &mut self.0 {
            On::Sqlite(_) => Ok(()),
            On::Postgres(transaction) => transaction.lock_writes(table).await,
        }
    }

    /// All rows.
    pub async fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        refuse_nul(values)?;
        match &mut self.0 {
            On::Sqlite(connection) => sqlite::query(connection, sql, values),
            On::Postgres(transaction) => transaction.query(sql, values).await,
        }
    }

    /// Checks that a table can be read. Its name comes from the source code, as in every statement.
    pub(super) async fn probe(&mut self, table: &'static str) -> Result<(), Fault> {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows = match &mut self.0 {
            On::Sqlite(connection) => sqlite::query(connection, &sql, &[]),
            On::Postgres(transaction) => transaction.query(&sql, &[]).await,
        };
        rows.map(drop)
    }

    /// All rows, each as a `T`.
    pub async fn list<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Vec<T>, Fault> {
        let rows = self.query(sql, values).await?.into_iter();
        Ok(rows.map(Row::read_as).collect::<Result<_, _>>()?)
    }

    /// The first row as a `T`, if there is one.
    pub async fn get<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<T>, Fault> {
        let row = self.optional(sql, values).await?;
        Ok(row.map(Row::read_as).transpose()?)
    }

    /// The one value of a row that always exists, such as an aggregate.
    pub async fn scalar<T: Column>(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<T, Fault> {
        let row = self.optional(sql, values).await?;
        let none = || DatabaseError::Corrupt("an aggregate has no row".into());
        Ok(row.ok_or_else(none)?.take()?)
    }

    /// The first row, if there is one.
    pub async fn optional(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }
}

/// SQLite accepts NUL bytes in texts and Postgres does not, so they are rejected for both.
fn refuse_nul(values: &[Value]) -> Result<(), Fault> {
    let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if values.iter().any(has_nul) {
        return Err(
            DatabaseError::Corrupt("a text with a NUL byte cannot be stored".into()).into(),
        );
    }
    Ok(())
}
