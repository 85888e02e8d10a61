//! Postgres: a connection pool, and transactions with few round trips.
//!
//! Nothing relies on the isolation level: unique constraints and conditional updates decide every
//! race, so `READ COMMITTED` suffices, and a Postgres-compatible cluster works as well. The one lock
//! of a table, [`Tx::lock_writes`], needs `READ COMMITTED` and Postgres itself.
//!
//! A connection that breaks, or whose server became read-only, is replaced, and its operation runs
//! again on another. A restart or a failover therefore only costs time.

use super::Extent;
use super::background::is_background;
use super::error::{DatabaseError, Fault, full};
use super::migrate::{self, Migrations};
use super::options::{Durability, Options};
use super::postgres_pooler;
use super::postgres_statement::{Transaction, connection_fault, connection_trouble, failed};
use super::postgres_tls::Tls;
use super::postgres_url::PostgresUrl;
use super::tx::{On, Operation, Tx};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool};
use deadpool_postgres::{PoolError, RecyclingMethod, Runtime};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{Client, Config, NoTls};

/// Maximum attempts of an operation that conflicts with others.
const TRIES: usize = 8;

/// Pauses before an operation is retried after a connection loss, milliseconds. Three seconds in
/// total cover a restart, and are the longest that a shopper should wait without feedback.
const PAUSES_MS: [u64; 8] = [0, 25, 50, 100, 200, 400, 800, 1600];

/// How long to wait for a connection, pooled or new.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Settings of each connection; the timeouts keep statements from waiting forever. A server that is
/// set to respond before a commit is durable is overridden; one that also waits for replicas is
/// not.
const SESSION: &str = "SET statement_timeout = 15000;
    SET idle_in_transaction_session_timeout = 30000;
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'";

const SESSION_RELAXED: &str = "SET statement_timeout = 15000;
    SET idle_in_transaction_session_timeout = 30000;
    SET synchronous_commit TO off";

/// The same settings for one transaction, behind a pooler where the next one may run on another
/// connection.
const BEGIN_POOLED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL statement_timeout = 15000;
    SET LOCAL idle_in_transaction_session_timeout = 30000;
    SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') = 'off'";

const BEGIN_POOLED_RELAXED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL statement_timeout = 15000;
    SET LOCAL idle_in_transaction_session_timeout = 30000;
    SET LOCAL synchronous_commit TO off";

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The type of an operation.
enum Kind<'a> {
    /// Writes, in a transaction that begins with its first statement.
    Write,
    /// Reads, each statement on its own.
    Read,
    /// Scans many rows, in a transaction that begins with this SQL.
    Scan(&'a str),
}

/// The limit applies to this transaction only, also if a proxy shares connections.
fn begin_within(limit: Duration) -> String {
    let limit_ms = limit.as_millis();
    format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {limit_ms}")
}

/// The pool, and the limits on waiting operations.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: Pool,
    queue: Semaphore,
    /// The SQL to begin a transaction; it includes the settings behind a pooler.
    begin: &'static str,
    /// Whether a transaction pooler sits between client and server.
    pooled: AtomicBool,
    /// Connections available for scans of many rows; the rest is for payments.
    lists: Semaphore,
    /// Connections available for background work.
    background: Semaphore,
    /// The SQL to begin a scan of many rows.
    begin_list: String,
    begin_sum: String,
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
        let mut url = PostgresUrl::parse(url).map_err(DatabaseError::Unavailable)?;
        url.config.connect_timeout(CONNECTION_TIMEOUT);
        if url.config.get_application_name().is_none() {
            url.config.application_name("sealpay");
        }
        let tls = url.tls.as_ref().map(Tls::new).transpose();
        let tls = tls.map_err(DatabaseError::Unavailable)?;
        let pooled = url.pooled || is_pooled(&url.config, tls.clone()).await?;
        let (session, begin) = match durability {
            Durability::Full => (SESSION, BEGIN_POOLED),
            Durability::Relaxed => (SESSION_RELAXED, BEGIN_POOLED_RELAXED),
        };
        let method = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match tls {
            Some(tls) => Manager::from_config(url.config, tls, method),
            None => Manager::from_config(url.config, NoTls, method),
        };
        let mut pool = Pool::builder(manager)
            .max_size(options.postgres_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECTION_TIMEOUT))
            .create_timeout(Some(CONNECTION_TIMEOUT))
            .recycle_timeout(Some(CONNECTION_TIMEOUT));
        if pooled {
            tracing::info!(
                "a pooler is in front of Postgres: statements are not prepared, which is slower"
            );
        } else {
            pool = pool.post_create(Hook::async_fn(move |client, _| {
                Box::pin(async move {
                    let set = client.batch_execute(session).await;
                    set.map_err(HookError::Backend)
                })
            }));
        }
        let pool = pool.build().map_err(|error| refused(&error))?;
        let mut connection = pool.get().await.map_err(|error| refused(&error))?;
        migrate::postgres(&mut connection, migrations).await?;
        Ok(Self {
            pool,
            queue: Semaphore::new(options.queue),
            begin,
            pooled: AtomicBool::new(pooled),
            lists: Semaphore::new(options.postgres_lists),
            background: Semaphore::new(options.postgres_background),
            begin_list: begin_within(options.list_limit),
            begin_sum: begin_within(options.sum_limit),
        })
    }

    pub(super) async fn write<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        self.run(input, operation, &Kind::Write).await
    }

    pub(super) async fn read<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        self.run(input, operation, &Kind::Read).await
    }

    pub(super) async fn scan<I: Sync, T>(
        &self,
        extent: Extent,
        input: &I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        let waiting = tokio::time::timeout(CONNECTION_TIMEOUT, self.lists.acquire());
        let place = waiting.await.map_err(|_| DatabaseError::Overloaded)?;
        let _place = place.map_err(|_| closed())?;
        let begin = match extent {
            Extent::List => &self.begin_list,
            Extent::Sum => &self.begin_sum,
        };
        self.run(input, operation, &Kind::Scan(begin)).await
    }

    pub(super) fn close(&self) {
        self.queue.close();
        self.lists.close();
        self.background.close();
        self.pool.close();
    }

    async fn run<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
        kind: &Kind<'_>,
    ) -> Result<T, DatabaseError> {
        if self.queue.is_closed() {
            return Err(closed());
        }
        let _background = self.background_place().await?;
        let _place = self
            .queue
            .try_acquire()
            .map_err(|_| DatabaseError::Overloaded)?;
        let (mut tries, mut pauses) = (1..TRIES, PAUSES_MS.iter());
        loop {
            let prepares = !self.pooled.load(Ordering::Relaxed);
            match self.attempt(input, operation, kind).await {
                Ok(value) => return Ok(value),
                // Only a scan can take too long by itself; other operations were waiting for locks.
                Err(Fault::Failed(DatabaseError::TooLong)) if !matches!(kind, Kind::Scan(_)) => {
                    return Err(DatabaseError::Overloaded);
                }
                Err(Fault::Failed(error)) => return Err(error),
                Err(Fault::Retry(why)) if tries.next().is_none() => {
                    return Err(DatabaseError::Unavailable(why));
                }
                Err(Fault::Retry(_)) => {}
                Err(Fault::Prepared(why)) if !prepares => {
                    return Err(DatabaseError::Unavailable(why));
                }
                Err(Fault::Prepared(why)) => {
                    if !self.pooled.swap(true, Ordering::Relaxed) {
                        tracing::warn!(
                            why,
                            "a pooler is in front of Postgres: statements are no longer prepared"
                        );
                    }
                }
                Err(Fault::Away(why)) => {
                    // The other connections may lead to the same failed server.
                    self.pool.retain(|_, _| false);
                    let Some(pause) = pauses.next() else {
                        return Err(DatabaseError::Unavailable(why));
                    };
                    tokio::time::sleep(Duration::from_millis(*pause)).await;
                }
            }
        }
    }

    /// A connection slot for background work. Requests need none.
    async fn background_place(&self) -> Result<Option<SemaphorePermit<'_>>, DatabaseError> {
        if !is_background() {
            return Ok(None);
        }
        let place = self.background.acquire().await;
        place.map(Some).map_err(|_| closed())
    }

    async fn attempt<I: Sync, T>(
        &self,
        input: &I,
        operation: Operation<I, T>,
        kind: &Kind<'_>,
    ) -> Result<T, Fault> {
        let connection = self.pool.get().await.map_err(no_connection)?;
        let mut lease = Lease {
            connection: Some(connection),
            whole: false,
        };
        let client = lease.client()?;
        let pooled = self.pooled.load(Ordering::Relaxed);
        // Behind a pooler a read is a transaction as well, to have the timeouts.
        let transacts = pooled || !matches!(kind, Kind::Read);
        let mut tx = Tx(On::Postgres(Transaction {
            client,
            begin: match kind {
                Kind::Scan(begin) => begin,
                _ if pooled => self.begin,
                _ => BEGIN,
            },
            prepares: !pooled,
            begun: !transacts,
        }));
        let outcome = operation(&mut tx, input).await;
        let begun = matches!(tx.0, On::Postgres(Transaction { begun: true, .. }));
        let outcome = match outcome {
            Ok(value) if transacts && begun => {
                client
                    .batch_execute("COMMIT")
                    .await
                    .map_err(not_committed)?;
                Ok(value)
            }
            // Dropping the connection releases everything that it holds.
            Err(fault @ Fault::Away(_)) => return Err(fault),
            Err(fault) if transacts && begun => {
                // If the rollback fails, dropping the connection rolls back as well.
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

/// Uses two extra connections to detect a pooler.
async fn is_pooled(config: &Config, tls: Option<Tls>) -> Result<bool, DatabaseError> {
    let first = connect(config, tls.clone()).await?;
    let second = connect(config, tls).await?;
    postgres_pooler::is_between(&first, &second).await
}

pub(super) async fn connect(config: &Config, tls: Option<Tls>) -> Result<Client, DatabaseError> {
    match tls {
        Some(tls) => {
            let connected = config.connect(tls).await;
            let (client, connection) = connected.map_err(connection_trouble)?;
            tokio::spawn(connection);
            Ok(client)
        }
        None => {
            let connected = config.connect(NoTls).await;
            let (client, connection) = connected.map_err(connection_trouble)?;
            tokio::spawn(connection);
            Ok(client)
        }
    }
}

fn closed() -> DatabaseError {
    DatabaseError::Unavailable("the database is closed".into())
}

fn no_connection(error: PoolError) -> Fault {
    match error {
        PoolError::Timeout(_) => DatabaseError::Overloaded.into(),
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            connection_fault(error)
        }
        error => DatabaseError::Unavailable(full(&error)).into(),
    }
}

/// A pooled connection. If its task is dropped or panics within a transaction, it is closed instead
/// of returned to the pool, and the server rolls back.
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

/// Classifies a failed commit. Only an error response of the server proves that nothing was
/// changed.
fn not_committed(error: tokio_postgres::Error) -> Fault {
    match error.code() {
        // The server is shutting down, or a pooler lost the server.
        Some(code) if code.code().starts_with("57P0") || code.code().starts_with("08") => {
            DatabaseError::OutcomeUnknown.into()
        }
        Some(_) => failed(error),
        None => DatabaseError::OutcomeUnknown.into(),
    }
}
