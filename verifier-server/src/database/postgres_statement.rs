//! How Postgres runs a statement, and begins a transaction with it.

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

/// A statement and its arguments.
pub(crate) type Statement<'a> = (&'static str, &'a [Value]);

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A transaction that begins together with its first statement.
pub(crate) struct Transaction<'a> {
    pub(super) client: &'a Object,
    pub(super) begun: bool,
}

impl Transaction<'_> {
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<u64, Fault> {
        let statement = self.client.prepare_cached(sql).await.map_err(failed)?;
        let changed = self.client.execute_raw(&statement, values);
        self.begin_with(changed).await
    }

    pub(super) async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
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

    /// Sends `BEGIN` and does not wait for its answer before the first statement is sent.
    async fn begin_with<T>(
        &mut self,
        first: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        if self.begun {
            return first.await.map_err(failed);
        }
        self.begun = true;
        let (begun, first) = tokio::join!(biased; self.client.batch_execute(BEGIN), first);
        begun.map_err(failed)?;
        first.map_err(failed)
    }
}

/// Awaits all of them, having started each in turn. What is started in order is sent in order.
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
        matches!(*kind, Type::TEXT | Type::INT8)
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

/// A failure before the commit: nothing was changed, so what was bad luck may be tried again.
pub(super) fn failed(error: tokio_postgres::Error) -> Fault {
    let unlucky = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
    ];
    match error.code() {
        Some(code) if unlucky.contains(&code) => Fault::Retry(full(&error)),
        // The server is going away or went; another connection may reach one that is there.
        Some(code) if code.code().starts_with("57P0") => Fault::Retry(full(&error)),
        Some(code) if code.code().starts_with("23") => DatabaseError::Corrupt(full(&error)).into(),
        Some(_) => DatabaseError::Unavailable(full(&error)).into(),
        None if error.is_closed() => Fault::Retry(full(&error)),
        None => DatabaseError::Unavailable(full(&error)).into(),
    }
}
