//! Postgres: a pool of connections, and transactions that travel in as few journeys as they can.
//!
//! Nothing relies on the isolation level: unique constraints and conditional updates decide every
//! race, so `READ COMMITTED` is enough and a Postgres-compatible cluster serves as well.
//! Connections are not encrypted: use a socket, the same machine or a private network.

use super::error::{DatabaseError, Fault, full};
use super::migrate::{self, Migrations};
use super::options::{Durability, Options};
use super::postgres_statement::{Transaction, failed};
use super::tx::{Operation, Tx};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool};
use deadpool_postgres::{PoolError, RecyclingMethod, Runtime};
use std::error::Error;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_postgres::{Config, NoTls};

/// How often an operation is run that others got in the way of, or whose connection was lost.
const TRIES: usize = 8;

/// How long to wait for a connection, a free one or a new one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Said once for each connection, so that nobody waits for ever.
const TIMEOUTS: &str = "SET statement_timeout = 15000;
    SET idle_in_transaction_session_timeout = 30000";

/// A server that is set to answer before it is durable is told otherwise; one that waits for
/// replicas as well is left alone.
const FULL: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'";

const RELAXED: &str = "SET synchronous_commit TO off";

/// The pool, and how many may wait for it.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: Pool,
    queue: Semaphore,
}

impl Postgres {
    pub(super) async fn open(
        url: &str,
        migrations: &Migrations,
        durability: Durability,
        options: &Options,
    ) -> Result<Self, DatabaseError> {
        let refused = |error: &dyn Error| {
            DatabaseError::Unavailable(format!("the database could not be opened: {}", full(error)))
        };
        let mut config: Config = url.parse().map_err(|error| refused(&error))?;
        config.connect_timeout(CONNECTION_TIMEOUT);
        if config.get_application_name().is_none() {
            config.application_name("sealpay");
        }
        let synchronous = match durability {
            Durability::Full => FULL,
            Durability::Relaxed => RELAXED,
        };
        let method = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let pool = Pool::builder(Manager::from_config(config, NoTls, method))
            .max_size(options.postgres_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECTION_TIMEOUT))
            .create_timeout(Some(CONNECTION_TIMEOUT))
            .recycle_timeout(Some(CONNECTION_TIMEOUT))
            .post_create(Hook::async_fn(move |client, _| {
                Box::pin(async move {
                    let told = client.batch_execute(TIMEOUTS).await;
                    told.map_err(HookError::Backend)?;
                    let told = client.batch_execute(synchronous).await;
                    told.map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| refused(&error))?;
        let mut connection = pool.get().await.map_err(|error| refused(&error))?;
        migrate::postgres(&mut connection, migrations).await?;
        Ok(Self {
            pool,
            queue: Semaphore::new(options.queue),
        })
    }

    pub(super) async fn write<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        self.run(input, operation, true).await
    }

    pub(super) async fn read<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
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
    ) -> Result<T, DatabaseError> {
        if self.queue.is_closed() {
            return Err(DatabaseError::Unavailable("the database is closed".into()));
        }
        let _place = self
            .queue
            .try_acquire()
            .map_err(|_| DatabaseError::Overloaded)?;
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.attempt(input, operation, writes).await {
                Ok(value) => return Ok(value),
                Err(Fault::Failed(error)) => return Err(error),
                Err(Fault::Retry(why)) => last = why,
            }
        }
        Err(DatabaseError::Unavailable(last))
    }

    async fn attempt<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
        writes: bool,
    ) -> Result<T, Fault> {
        let connection = self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(_) => Fault::from(DatabaseError::Overloaded),
            error => DatabaseError::Unavailable(full(&error)).into(),
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
    fn client(&self) -> Result<&Object, DatabaseError> {
        self.connection
            .as_ref()
            .ok_or_else(|| DatabaseError::Unavailable("no connection".into()))
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

/// A failure of the commit itself. Only an answer of the server says that nothing was changed.
fn not_committed(error: tokio_postgres::Error) -> Fault {
    match error.code() {
        Some(code) if code.code().starts_with("57P0") => DatabaseError::OutcomeUnknown.into(),
        Some(_) => failed(error),
        None => DatabaseError::OutcomeUnknown.into(),
    }
}
