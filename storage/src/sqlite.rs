//! SQLite: one writer thread and a few readers.

use super::Extent;
use super::batch::{enqueue, read_one_by_one, write_batches};
use super::error::DatabaseError;
use super::migrate::{self, Migrations};
use super::options::{Durability, Options};
use super::queue::Message;
use super::tx::Operation;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a connection waits for another process, such as the command line, to finish writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Attempts to open a file that other processes are opening: SQLite does not wait by itself while
/// the write-ahead log is being set up.
const OPENING_TRIES: u32 = 250;
const OPENING_PAUSE: Duration = Duration::from_millis(20);

/// How long to wait for another server's migrations.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(60);

/// Pages of the write-ahead log (4 KiB each) before a checkpoint. A checkpoint stalls the writer,
/// so it should be rare; 80 MB of log are recovered quickly after a crash.
const WAL_PAGES: i64 = 20_000;

/// Page cache of each reader, KiB.
const READER_CACHE_KIB: u32 = 4 * 1024;

/// Page cache of each list reader, KiB. Lists mostly read pages that are not read again soon.
const LIST_CACHE_KIB: u32 = 2 * 1024;

/// More than the number of distinct statements, so that none is prepared twice on a connection.
const STATEMENTS: usize = 512;

/// The threads and their queues.
#[derive(Debug)]
pub(super) struct Sqlite {
    write_queue: SyncSender<Message>,
    read_queue: SyncSender<Message>,
    list_queue: SyncSender<Message>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    readers: usize,
    list_readers: usize,
    list_limit: Duration,
    sum_limit: Duration,
}

impl Sqlite {
    /// Opens or creates the file, migrates it and starts the threads.
    pub(super) fn open(
        path: &str,
        migrations: &Migrations,
        durability: Durability,
        options: &Options,
    ) -> Result<Self, DatabaseError> {
        if path.is_empty() || path.starts_with(':') {
            // In memory every connection would have its own database.
            return Err(DatabaseError::Unavailable(
                "the database needs the path of a file".into(),
            ));
        }
        let path = PathBuf::from(path);
        create_private(&path)?;
        let mut writer = connect(&path, durability, options.writer_cache_kib)?;
        writer.busy_timeout(MIGRATION_TIMEOUT).map_err(opening)?;
        migrate::sqlite(&mut writer, migrations)?;
        writer.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
        let (write_queue, write_jobs) = sync_channel(options.queue);
        let (read_queue, read_jobs) = sync_channel(options.queue);
        let batch = options.batch;
        let mut threads = vec![start("database-writer", move || {
            write_batches(&mut writer, &write_jobs, batch);
        })?];
        let mut start_readers = |name: &str, count: usize, cache_kib, jobs| {
            let jobs = Arc::new(Mutex::new(jobs));
            for _ in 0..count {
                let reader = connect(&path, durability, cache_kib)?;
                reader
                    .pragma_update(None, "query_only", true)
                    .map_err(opening)?;
                let jobs = Arc::clone(&jobs);
                threads.push(start(name, move || read_one_by_one(reader, &jobs))?);
            }
            Ok::<(), DatabaseError>(())
        };
        start_readers(
            "database-reader",
            options.readers,
            READER_CACHE_KIB,
            read_jobs,
        )?;
        let list_queue = if options.list_readers == 0 {
            read_queue.clone()
        } else {
            let (list_queue, list_jobs) = sync_channel(options.queue);
            start_readers(
                "database-lists",
                options.list_readers,
                LIST_CACHE_KIB,
                list_jobs,
            )?;
            list_queue
        };
        let threads = Mutex::new(threads);
        Ok(Self {
            write_queue,
            read_queue,
            list_queue,
            threads,
            readers: options.readers,
            list_readers: options.list_readers,
            list_limit: options.list_limit,
            sum_limit: options.sum_limit,
        })
    }

    pub(super) async fn write<I: Send + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        enqueue(&self.write_queue, None, input, operation).await
    }

    pub(super) async fn read<I: Send + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        enqueue(&self.read_queue, None, input, operation).await
    }

    pub(super) async fn scan<I: Send + 'static, T: Send + 'static>(
        &self,
        extent: Extent,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, DatabaseError> {
        let limit = match extent {
            Extent::List => self.list_limit,
            Extent::Sum => self.sum_limit,
        };
        enqueue(&self.list_queue, Some(limit), input, operation).await
    }

    /// Waits for the threads to complete their queues.
    pub(super) fn close(&self) {
        // Sending fails only if the thread has already ended.
        drop(self.write_queue.send(Message::Stop));
        for _ in 0..self.readers {
            drop(self.read_queue.send(Message::Stop));
        }
        for _ in 0..self.list_readers {
            drop(self.list_queue.send(Message::Stop));
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A thread that panicked has nothing left to complete.
            drop(thread.join());
        }
    }
}

fn start(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, DatabaseError> {
    thread::Builder::new()
        .name(name.into())
        .spawn(body)
        .map_err(|error| DatabaseError::Unavailable(format!("no thread for the database: {error}")))
}

fn opening(error: rusqlite::Error) -> DatabaseError {
    DatabaseError::Unavailable(format!("the database could not be opened: {error}"))
}

/// The file contains payment data, so only its owner may read it. SQLite gives the log the same
/// permissions.
pub(super) fn create_private(path: &Path) -> Result<(), DatabaseError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        DatabaseError::Unavailable(format!("{} could not be opened: {error}", path.display()))
    })
}

fn connect(
    path: &Path,
    durability: Durability,
    cache_kib: u32,
) -> Result<Connection, DatabaseError> {
    let is_busy = |error: &rusqlite::Error| {
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    };
    for _ in 1..OPENING_TRIES {
        match try_to_connect(path, durability, cache_kib) {
            Err(error) if is_busy(&error) => thread::sleep(OPENING_PAUSE),
            opened => return opened.map_err(opening),
        }
    }
    try_to_connect(path, durability, cache_kib).map_err(opening)
}

fn try_to_connect(
    path: &Path,
    durability: Durability,
    cache_kib: u32,
) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Relaxed => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A destroyed key must not remain readable in free space of a page.
    connection.pragma_update(None, "secure_delete", "ON")?;
    // Otherwise every statement that compares a parameter with a column of a partial index is
    // prepared again whenever it gets other values, which took a quarter of the writer's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::{Durability, try_to_connect};

    #[test]
    fn only_full_durability_waits_for_the_disk() {
        let name = format!("sealpay-durability-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        for (durability, expected) in [(Durability::Full, 2), (Durability::Relaxed, 0)] {
            let connection = try_to_connect(&path, durability, 1024).unwrap();
            let ask = |pragma: &str| {
                connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            };
            assert_eq!(ask("synchronous"), Ok(expected), "{durability:?}");
            let mode =
                connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
            assert_eq!(mode, Ok("wal".into()), "{durability:?}");
        }
        std::fs::remove_file(path).unwrap();
    }
}
