//! SQLite: one writer thread that commits many jobs at once, and a few readers.
//!
//! A disk that has to be asked for durability is slow to answer and does not care how much it is
//! asked to make durable. So the writer takes every job that waits, runs each in a savepoint of
//! one transaction, commits once, and only then answers them all.

use super::tx::{Fault, Operation, Tx};
use super::value::{Row, Value};
use super::{Options, StoreError, migrate};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode};
use std::borrow::Cow;
use std::fs::OpenOptions;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a connection waits for another process, such as the command line, to finish writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages of the write-ahead log (4 KiB each) before they are copied into the database. The copy
/// stalls the writer, so it should be rare; 80 MB of log are read back quickly after a crash.
const WAL_PAGES: i64 = 20_000;

/// Memory that the writer may come to use for pages, KiB. It grows with the database.
const WRITER_CACHE_KIB: i64 = 256 * 1024;

/// Memory that each reader may come to use for pages, KiB.
const READER_CACHE_KIB: i64 = 16 * 1024;

/// Distinct statements are fewer than this, so none is ever prepared twice on a connection.
const STATEMENTS: usize = 128;

/// The threads and the queues to them.
#[derive(Debug)]
pub(super) struct Sqlite {
    write_queue: SyncSender<Message>,
    read_queue: SyncSender<Message>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    readers: usize,
}

enum Message {
    Job(Box<dyn Job>),
    Stop,
}

/// Something to do on a connection, and somebody who waits for it.
trait Job: Send {
    /// Runs it and keeps what came out; says whether its changes should stay.
    fn run(&mut self, connection: &mut Connection) -> bool;

    /// Hands out what came out, or the fate of the batch when that is an error.
    fn answer(self: Box<Self>, batch: &Result<(), StoreError>);
}

struct Task<I, T> {
    input: I,
    operation: Operation<I, T>,
    outcome: Option<Result<T, StoreError>>,
    waiting: oneshot::Sender<Result<T, StoreError>>,
}

impl<I: Send, T: Send> Job for Task<I, T> {
    fn run(&mut self, connection: &mut Connection) -> bool {
        let mut tx = Tx::Sqlite(connection);
        let (operation, input) = (self.operation, &self.input);
        // After a panic only the connection is looked at again, and its savepoint is rolled back.
        let ran = catch_unwind(AssertUnwindSafe(|| poll_once(operation(&mut tx, input))));
        let outcome = match ran {
            Ok(Some(Ok(value))) => Ok(value),
            Ok(Some(Err(Fault::Store(error)))) => Err(error),
            Ok(Some(Err(Fault::Retry(why)))) => Err(StoreError::Unavailable(why)),
            Ok(None) => Err(StoreError::Unavailable(
                "an operation waited on SQLite".into(),
            )),
            Err(_) => Err(StoreError::Unavailable("an operation panicked".into())),
        };
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, batch: &Result<(), StoreError>) {
        let never_ran = || Err(StoreError::Unavailable("the operation did not run".into()));
        let answer = match (self.outcome, batch) {
            (Some(Ok(_)) | None, Err(error)) => Err(error.clone()),
            (outcome, _) => outcome.unwrap_or_else(never_ran),
        };
        // Nobody may be waiting any more: a client that went away does not undo what was done.
        drop(self.waiting.send(answer));
    }
}

/// Polls a future that has nothing to wait for.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

impl Sqlite {
    /// Opens the file, makes it when it is not there, migrates it and starts the threads.
    pub(super) fn open(path: &str, options: &Options) -> Result<Self, StoreError> {
        if path.is_empty() || path.starts_with(':') {
            // In memory every connection would have a database of its own.
            return Err(StoreError::Unavailable(
                "the database needs the path of a file".into(),
            ));
        }
        let path = PathBuf::from(path);
        create_private(&path)?;
        let mut writer = connect(&path, WRITER_CACHE_KIB).map_err(opening)?;
        migrate::sqlite(&mut writer)?;
        let (write_queue, write_jobs) = sync_channel(options.queue);
        let (read_queue, read_jobs) = sync_channel(options.queue);
        let batch = options.batch;
        let mut threads = vec![start("store-writer", move || {
            write_batches(&mut writer, &write_jobs, batch);
        })?];
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for _ in 0..options.readers {
            let reader = connect(&path, READER_CACHE_KIB).map_err(opening)?;
            reader
                .pragma_update(None, "query_only", true)
                .map_err(opening)?;
            let jobs = Arc::clone(&read_jobs);
            threads.push(start("store-reader", move || {
                read_one_by_one(reader, &jobs)
            })?);
        }
        let threads = Mutex::new(threads);
        Ok(Self {
            write_queue,
            read_queue,
            threads,
            readers: options.readers,
        })
    }

    pub(super) async fn write<I: Send + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, StoreError> {
        enqueue(&self.write_queue, input, operation).await
    }

    pub(super) async fn read<I: Send + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, StoreError> {
        enqueue(&self.read_queue, input, operation).await
    }

    /// Lets the threads finish what waits and ends them.
    pub(super) fn close(&self) {
        // A queue without a reader belongs to a thread that has ended already.
        drop(self.write_queue.send(Message::Stop));
        for _ in 0..self.readers {
            drop(self.read_queue.send(Message::Stop));
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A thread that panicked has nothing left to finish.
            drop(thread.join());
        }
    }
}

async fn enqueue<I: Send + 'static, T: Send + 'static>(
    queue: &SyncSender<Message>,
    input: I,
    operation: Operation<I, T>,
) -> Result<T, StoreError> {
    let (waiting, answer) = oneshot::channel();
    let task = Task {
        input,
        operation,
        outcome: None,
        waiting,
    };
    queue
        .try_send(Message::Job(Box::new(task)))
        .map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => StoreError::Unavailable("the store is closed".into()),
        })?;
    // The sender is only dropped unused when the thread died with the job in its hands.
    answer.await.unwrap_or(Err(StoreError::OutcomeUnknown))
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new()
        .name(name.into())
        .spawn(body)
        .map_err(|error| StoreError::Unavailable(format!("no thread for the store: {error}")))
}

fn write_batches(connection: &mut Connection, queue: &Receiver<Message>, limit: usize) {
    let mut jobs = Vec::with_capacity(limit);
    while let Ok(Message::Job(job)) = queue.recv() {
        let mut stopped = false;
        let fate = write_batch(
            connection,
            job,
            &mut jobs,
            || match queue.try_recv() {
                Ok(Message::Job(job)) => Some(job),
                Ok(Message::Stop) => {
                    stopped = true;
                    None
                }
                Err(_) => None,
            },
            limit,
        );
        for job in jobs.drain(..) {
            job.answer(&fate);
        }
        if stopped {
            break;
        }
    }
    let closed = Err(StoreError::Unavailable("the store is closed".into()));
    while let Ok(Message::Job(job)) = queue.try_recv() {
        job.answer(&closed);
    }
}

/// Runs the first job and those that wait behind it, up to the limit, in one transaction.
fn write_batch(
    connection: &mut Connection,
    first: Box<dyn Job>,
    jobs: &mut Vec<Box<dyn Job>>,
    mut next: impl FnMut() -> Option<Box<dyn Job>>,
    limit: usize,
) -> Result<(), StoreError> {
    let mut current = Some(first);
    let mut fate = control(connection, "BEGIN IMMEDIATE").map_err(unavailable);
    while let Some(mut job) = current {
        if fate.is_ok() {
            fate = run_in_savepoint(connection, job.as_mut());
        }
        jobs.push(job);
        // What waits behind a failure shares it, and does not wait for the next one.
        current = if jobs.len() < limit { next() } else { None };
    }
    if fate.is_ok() {
        fate = control(connection, "COMMIT").map_err(not_committed);
    }
    if fate.is_err() && !connection.is_autocommit() {
        // Should this fail too, the next BEGIN fails and says so.
        drop(control(connection, "ROLLBACK"));
    }
    fate
}

/// The error is one of the whole batch; that of the job is kept in the job.
fn run_in_savepoint(connection: &mut Connection, job: &mut dyn Job) -> Result<(), StoreError> {
    control(connection, "SAVEPOINT job").map_err(unavailable)?;
    let keep = job.run(connection);
    if connection.is_autocommit() {
        // SQLite gives up the whole transaction when the disk is full or broken.
        return Err(StoreError::Unavailable(
            "the transaction was given up".into(),
        ));
    }
    if !keep {
        control(connection, "ROLLBACK TO job").map_err(unavailable)?;
    }
    control(connection, "RELEASE job").map_err(unavailable)
}

fn read_one_by_one(mut connection: Connection, queue: &Mutex<Receiver<Message>>) {
    loop {
        let message = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Message::Job(mut job)) = message else {
            return;
        };
        let begun = control(&connection, "BEGIN").map_err(unavailable);
        if begun.is_ok() {
            job.run(&mut connection);
            // Nothing was written, so nothing is lost by a failure.
            drop(control(&connection, "ROLLBACK"));
        }
        job.answer(&begun);
    }
}

/// A statement that steers the transaction.
fn control(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(drop)
}

pub(super) fn execute(connection: &Connection, sql: &str, values: &[Value]) -> Result<u64, Fault> {
    let changed = bound(connection, sql, values)
        .and_then(|mut statement| statement.raw_execute())
        .map_err(failed)?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

pub(super) fn query(
    connection: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, Fault> {
    let mut statement = bound(connection, sql, values).map_err(failed)?;
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let columns = (0..width).map(|index| read(row.get_ref(index).map_err(failed)?));
        found.push(Row::new(columns.collect::<Result<_, Fault>>()?));
    }
    Ok(found)
}

/// Binds by name, because SQLite numbers `$2` as 1 when it is the first to appear.
fn bound<'c>(
    connection: &'c Connection,
    sql: &str,
    values: &[Value],
) -> rusqlite::Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql)?;
    for (value, name) in values.iter().zip(PARAMETERS) {
        let index = statement.parameter_index(name)?;
        let index = index.ok_or_else(|| rusqlite::Error::InvalidParameterName(name.into()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(statement)
}

const PARAMETERS: [&str; 24] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
    "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24",
];

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Null => ValueRef::Null,
        }))
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, Fault> {
    match value {
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(Cow::Owned(text.into()))),
            Err(_) => Err(StoreError::Corrupt("a text is not UTF-8".into()).into()),
        },
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(StoreError::Corrupt("a column is neither text nor integer".into()).into())
        }
    }
}

fn failed(error: rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Corrupt(error.to_string()).into(),
        _ => unavailable(error).into(),
    }
}

fn opening(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(format!("the database could not be opened: {error}"))
}

fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// After an error of the disk the log may or may not hold the transaction's last page.
fn not_committed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::OutcomeUnknown,
        _ => unavailable(error),
    }
}

/// The file holds what a merchant earns: nobody else on the machine may read it. SQLite gives
/// the log beside it the same permissions.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        StoreError::Unavailable(format!("{} could not be opened: {error}", path.display()))
    })
}

fn connect(path: &Path, cache_kib: i64) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
