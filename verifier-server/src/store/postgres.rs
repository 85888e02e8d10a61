//! Postgres: a pool of connections, and transactions that travel in as few journeys as they can.
//!
//! Nothing relies on the isolation level: unique constraints and conditional updates decide every
//! race, so `READ COMMITTED` is enough and a Postgres-compatible cluster serves as well.
//! Connections are not encrypted: use a socket, the same machine or a private network.

use super::tx::{Fault, Operation, Statement, Tx};
use super::value::{Row, Value};
use super::{Options, StoreError, migrate};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool};
use deadpool_postgres::{PoolError, RecyclingMethod, Runtime};
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls};

/// How often an operation is run that others got in the way of, or whose connection was lost.
const TRIES: usize = 8;

/// How long to wait for a connection, a free one or a new one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Said once for each connection. A server that is set to answer before it is durable is told
/// otherwise; one that waits for replicas as well is left alone.
const CONNECTED: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off';
    SET statement_timeout = 15000;
    SET idle_in_transaction_session_timeout = 30000";

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The pool, and how many may wait for it.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: Pool,
    queue: Semaphore,
}

impl Postgres {
    pub(super) async fn open(url: &str, options: &Options) -> Result<Self, StoreError> {
        let refused = |error: &dyn Error| {
            StoreError::Unavailable(format!("the database could not be opened: {}", full(error)))
        };
        let mut config: Config = url.parse().map_err(|error| refused(&error))?;
        config.connect_timeout(CONNECTION_TIMEOUT);
        if config.get_application_name().is_none() {
            config.application_name("sealpay");
        }
        let method = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let pool = Pool::builder(Manager::from_config(config, NoTls, method))
            .max_size(options.postgres_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECTION_TIMEOUT))
            .create_timeout(Some(CONNECTION_TIMEOUT))
            .recycle_timeout(Some(CONNECTION_TIMEOUT))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    client
                        .batch_execute(CONNECTED)
                        .await
                        .map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| refused(&error))?;
        let mut connection = pool.get().await.map_err(|error| refused(&error))?;
        migrate::postgres(&mut connection).await?;
        Ok(Self {
            pool,
            queue: Semaphore::new(options.queue),
        })
    }

    pub(super) async fn write<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
    ) -> Result<T, StoreError> {
        self.run(input, operation, true).await
    }

    pub(super) async fn read<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
    ) -> Result<T, StoreError> {
        self.run(input, operation, false).await
    }

    pub(super) fn close(&self) {
        self.queue.close();
        self.pool.close();
    }

    async fn run<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
        writes: bool,
    ) -> Result<T, StoreError> {
        if self.queue.is_closed() {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        let _place = self
            .queue
            .try_acquire()
            .map_err(|_| StoreError::Overloaded)?;
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.attempt(input, operation, writes).await {
                Ok(value) => return Ok(value),
                Err(Fault::Store(error)) => return Err(error),
                Err(Fault::Retry(why)) => last = why,
            }
        }
        Err(StoreError::Unavailable(last))
    }

    async fn attempt<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
        writes: bool,
    ) -> Result<T, Fault> {
        let connection = self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(_) => Fault::from(StoreError::Overloaded),
            error => StoreError::Unavailable(full(&error)).into(),
        })?;
        let mut lease = Lease {
            connection: Some(connection),
            whole: false,
        };
        let client = lease.client()?;
        let mut tx = Tx::Postgres(Transaction {
            client,
            begun: !writes,
        });
        let outcome = operation(&mut tx, input).await;
        let begun = matches!(tx, Tx::Postgres(Transaction { begun: true, .. }));
        let outcome = match outcome {
            Ok(value) if writes && begun => {
                client
                    .batch_execute("COMMIT")
                    .await
                    .map_err(not_committed)?;
                Ok(value)
            }
            Err(fault) if writes && begun => {
                // Without an answer the connection is given up, which rolls back as well.
                if client.batch_execute("ROLLBACK").await.is_err() {
                    return Err(fault);
                }
                Err(fault)
            }
            outcome => outcome,
        };
        lease.whole = true;
        outcome
    }
}

/// A connection out of the pool. One that is left in the middle of a transaction, because its
/// task was dropped or panicked, does not go back there: it is closed, and the server rolls back.
struct Lease {
    connection: Option<Object>,
    whole: bool,
}

impl Lease {
    fn client(&self) -> Result<&Object, StoreError> {
        self.connection
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("no connection".into()))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.whole
        {
            drop(Object::take(connection));
        }
    }
}

/// A transaction that begins together with its first statement.
pub(super) struct Transaction<'a> {
    client: &'a Object,
    begun: bool,
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

    pub(super) async fn query(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, Fault> {
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
                return Err(Fault::from(StoreError::Corrupt(text.into())));
            }
        };
        value.map_err(|error| StoreError::Corrupt(full(&error)).into())
    });
    Ok(Row::new(columns.collect::<Result<_, Fault>>()?))
}

/// A failure before the commit: nothing was changed, so what was bad luck may be tried again.
fn failed(error: tokio_postgres::Error) -> Fault {
    let unlucky = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
    ];
    match error.code() {
        Some(code) if unlucky.contains(&code) => Fault::Retry(full(&error)),
        // The server is going away or went; another connection may reach one that is there.
        Some(code) if code.code().starts_with("57P0") => Fault::Retry(full(&error)),
        Some(code) if code.code().starts_with("23") => StoreError::Corrupt(full(&error)).into(),
        Some(_) => StoreError::Unavailable(full(&error)).into(),
        None if error.is_closed() => Fault::Retry(full(&error)),
        None => StoreError::Unavailable(full(&error)).into(),
    }
}

/// A failure of the commit itself. Only an answer of the server says that nothing was changed.
fn not_committed(error: tokio_postgres::Error) -> Fault {
    match error.code() {
        Some(code) if code.code().starts_with("57P0") => StoreError::OutcomeUnknown.into(),
        Some(_) => failed(error),
        None => StoreError::OutcomeUnknown.into(),
    }
}

/// The error with its causes; the driver keeps what the server said one level down.
pub(super) fn full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
