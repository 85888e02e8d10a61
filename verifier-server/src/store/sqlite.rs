//! SQLite: one writer thread, a few readers, and how they run a statement.

use super::batch::{Message, enqueue, read_one_by_one, write_batches};
use super::tx::{Fault, Operation};
use super::value::{Row, Value};
use super::{Options, StoreError, migrate};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode};
use std::borrow::Cow;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a connection waits for another process, such as the command line, to finish writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often, and how long apart, a file is opened that others are opening: SQLite does not wait by
/// itself while the write-ahead log is being set up.
const OPENING_TRIES: u32 = 250;
const OPENING_PAUSE: Duration = Duration::from_millis(20);

/// How long to wait for another server that migrates.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(60);

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
        let mut writer = connect(&path, WRITER_CACHE_KIB)?;
        writer.busy_timeout(MIGRATION_TIMEOUT).map_err(opening)?;
        migrate::sqlite(&mut writer)?;
        writer.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
        let (write_queue, write_jobs) = sync_channel(options.queue);
        let (read_queue, read_jobs) = sync_channel(options.queue);
        let batch = options.batch;
        let mut threads = vec![start("store-writer", move || {
            write_batches(&mut writer, &write_jobs, batch);
        })?];
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for _ in 0..options.readers {
            let reader = connect(&path, READER_CACHE_KIB)?;
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

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new()
        .name(name.into())
        .spawn(body)
        .map_err(|error| StoreError::Unavailable(format!("no thread for the store: {error}")))
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

pub(super) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
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

fn connect(path: &Path, cache_kib: i64) -> Result<Connection, StoreError> {
    let is_busy = |error: &rusqlite::Error| {
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    };
    for _ in 1..OPENING_TRIES {
        match try_to_connect(path, cache_kib) {
            Err(error) if is_busy(&error) => thread::sleep(OPENING_PAUSE),
            opened => return opened.map_err(opening),
        }
    }
    try_to_connect(path, cache_kib).map_err(opening)
}

fn try_to_connect(path: &Path, cache_kib: i64) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A destroyed key must not stay readable in what a page has free.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
