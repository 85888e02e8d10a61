//! Runs statements on Postgres, and begins transactions with the first one.

use super::error::{DatabaseError, Fault, full};
use super::value::{Row, Value};
use deadpool_postgres::Object;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// How long a lock of a table may wait, milliseconds. Writers of the table wait behind it.
const LOCK_MS: u32 = 200;

/// A statement and its arguments.
pub type Statement<'a> = (&'static str, &'a [Value]);

/// A transaction that begins together with its first statement.
pub(crate) struct Transaction<'a> {
    pub(super) client: &'a Object,
    pub(super) begin: &'a str,
    /// Whether statements are prepared once for each connection and then executed by name.
    pub(super) prepares: bool,
    pub(super) begun: bool,
}

impl Transaction<'_> {
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<u64, Fault> {
        if !self.prepares {
            return self
                .begin_with(unnamed_execute(self.client, sql, values))
                .await;
        }
        let statement = self.client.prepare_cached(sql).await.map_err(failed)?;
        let changed = self.client.execute_raw(&statement, values);
        self.begin_with(changed).await
    }

    pub(super) async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        if !self.prepares {
            let typed: Vec<_> = values.iter().map(typed).collect();
            let rows = self.client.query_typed(sql, &typed);
            return self.begin_with(rows).await?.iter().map(read).collect();
        }
        let statement = self.client.prepare_cached(sql).await.map_err(failed)?;
        let arguments: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| -> &(dyn ToSql + Sync) { value })
            .collect();
        let rows = self.client.query(&statement, &arguments);
        self.begin_with(rows).await?.iter().map(read).collect()
    }

    pub(super) async fn execute_together(
        &mut self,
        statements: &[Statement<'_>],
    ) -> Result<Vec<u64>, Fault> {
        if !self.prepares {
            let running = statements
                .iter()
                .map(|(sql, values)| unnamed_execute(self.client, sql, values));
            let all = in_order(running.collect());
            return self.begin_with(all).await;
        }
        let mut prepared = Vec::with_capacity(statements.len());
        for (sql, _) in statements {
            prepared.push(self.client.prepare_cached(sql).await.map_err(failed)?);
        }
        let running = prepared
            .iter()
            .zip(statements)
            .map(|(statement, (_, values))| self.client.execute_raw(statement, *values));
        let all = in_order(running.collect());
        self.begin_with(all).await
    }

    /// Statements that wait for the lock see what this transaction has committed: Postgres takes their
    /// snapshot after their locks.
    pub(super) async fn lock_writes(&mut self, table: &str) -> Result<(), Fault> {
        let sql = format!("SET LOCAL lock_timeout = {LOCK_MS}; LOCK TABLE {table} IN SHARE MODE");
        let client = self.client;
        self.begin_with(client.batch_execute(&sql)).await
    }

    /// Sends `BEGIN` and the first statement without waiting in between.
    async fn begin_with<T>(
        &mut self,
        first: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        if self.begun {
            return first.await.map_err(failed);
        }
        self.begun = true;
        let (begun, first) = tokio::join!(biased; self.client.batch_execute(self.begin), first);
        begun.map_err(failed)?;
        first.map_err(failed)
    }
}

/// Sends the statement, its arguments and their types in one message, without leaving a prepared
/// statement behind.
async fn unnamed_execute(
    client: &Object,
    sql: &str,
    values: &[Value],
) -> Result<u64, tokio_postgres::Error> {
    let typed: Vec<_> = values.iter().map(typed).collect();
    client.execute_typed(sql, &typed).await
}

/// The parameter with its type; for null the server infers the type.
fn typed(value: &Value) -> (&(dyn ToSql + Sync), Type) {
    let kind = match value {
        Value::Text(_) => Type::TEXT,
        Value::Integer(_) => Type::INT8,
        Value::Null => Type::UNKNOWN,
    };
    (value, kind)
}

/// Starts all futures in order and awaits them. Messages are sent in the order of the starts.
async fn in_order<T, F>(futures: Vec<F>) -> Result<Vec<T>, tokio_postgres::Error>
where
    F: Future<Output = Result<T, tokio_postgres::Error>>,
{
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut running {
            if output.is_none() {
                match Pin::as_mut(future).poll(context) {
                    Poll::Ready(value) => *output = Some(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Text(text) if *kind == Type::TEXT => text.as_ref().to_sql(kind, out),
            Self::Integer(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Self::Null => Ok(IsNull::Yes),
            value => Err(format!("{value:?} is not a value of type {kind}").into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::TEXT | Type::INT8 | Type::UNKNOWN)
    }

    to_sql_checked!();
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Fault> {
    let columns = row.columns().iter().enumerate().map(|(index, column)| {
        let value = match *column.type_() {
            Type::TEXT => row.try_get::<_, Option<String>>(index).map(Value::from),
            Type::INT8 => row.try_get::<_, Option<i64>>(index).map(Value::from),
            _ => {
                let text = "a column is neither text nor integer";
                return Err(Fault::from(DatabaseError::Corrupt(text.into())));
            }
        };
        value.map_err(|error| DatabaseError::Corrupt(full(&error)).into())
    });
    Ok(Row::new(columns.collect::<Result<_, Fault>>()?))
}

/// Classifies a failure before the commit. Nothing was changed, so transient faults may be retried.
pub(super) fn failed(error: tokio_postgres::Error) -> Fault {
    let unlucky = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
    ];
    // The statement was prepared on another connection, or by another client.
    let not_ours = [
        &SqlState::INVALID_SQL_STATEMENT_NAME,
        &SqlState::DUPLICATE_PSTATEMENT,
    ];
    match error.code() {
        Some(code) if unlucky.contains(&code) => Fault::Retry(full(&error)),
        Some(code) if not_ours.contains(&code) => Fault::Prepared(full(&error)),
        Some(code) if is_away(code) => Fault::Away(full(&error)),
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => DatabaseError::Overloaded.into(),
        Some(code) if *code == SqlState::QUERY_CANCELED => DatabaseError::TooLong.into(),
        Some(code) if code.code().starts_with("23") => DatabaseError::Corrupt(full(&error)).into(),
        Some(_) => DatabaseError::Unavailable(full(&error)).into(),
        None if is_broken(&error) => Fault::Away(full(&error)),
        None => DatabaseError::Unavailable(full(&error)).into(),
    }
}

fn is_broken(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || error
            .source()
            .is_some_and(|cause| cause.is::<std::io::Error>())
}

/// Whether the server is shutting down, was lost by a pooler, or became read-only in a failover; a
/// new connection may reach a working server.
fn is_away(code: &SqlState) -> bool {
    let classes = ["57P0", "08"];
    *code == SqlState::READ_ONLY_SQL_TRANSACTION
        || classes.iter().any(|class| code.code().starts_with(class))
}

/// Classifies a failed connection attempt. Nothing was started on it.
pub(super) fn connection_fault(error: tokio_postgres::Error) -> Fault {
    match error.code() {
        Some(code) if is_away(code) || *code == SqlState::TOO_MANY_CONNECTIONS => {
            Fault::Away(full(&error))
        }
        // A wrong password is not transient.
        Some(_) => connection_trouble(error).into(),
        None => Fault::Away(full(&error)),
    }
}

pub(super) fn connection_trouble(error: tokio_postgres::Error) -> DatabaseError {
    DatabaseError::Unavailable(format!(
        "the database could not be opened: {}",
        full(&error)
    ))
}
