//! Copies of SQLite databases that other connections are using.

use super::error::DatabaseError;
use super::sqlite::create_private;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Pause between two attempts to get the write lock. A busy writer leaves it free for less than a
/// millisecond, so the default pauses of up to 100 ms could miss it for seconds.
const PAUSE: Duration = Duration::from_micros(200);
/// Attempts: ten seconds and more.
const TRIES: i32 = 50_000;

/// Copies databases as they are at one moment, to files that do not exist yet.
///
/// The write locks of all of them are taken, and while nothing can be committed in any, a read
/// transaction begins on each. In the write-ahead log a read transaction sees the commits before it
/// and none after it, so the locks are released at once, and the copies are made from the read
/// transactions while writers go on. What was acknowledged before the call is in the copies.
///
/// # Errors
/// A database does not exist, stays locked, or cannot be read or copied.
pub fn copy_sqlite(files: &[(&Path, &Path)]) -> Result<(), DatabaseError> {
    let sources = || files.iter().map(|(source, _)| *source);
    let locks = sources().map(lock).collect::<Result<Vec<_>, _>>()?;
    let readers = sources()
        .map(begin_to_read)
        .collect::<Result<Vec<_>, _>>()?;
    drop(locks);
    let mut copies = files.iter().zip(&readers);
    copies.try_for_each(|((_, copy), reader)| copy_to(reader, copy))
}

fn failed(error: &rusqlite::Error) -> DatabaseError {
    DatabaseError::Unavailable(format!("the database cannot be copied: {error}"))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(|tries| {
        thread::sleep(PAUSE);
        tries < TRIES
    }))?;
    Ok(connection)
}

/// Dropping the connection releases the lock.
fn lock(path: &Path) -> Result<Connection, DatabaseError> {
    let locked = open(path).and_then(|connection| {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(connection)
    });
    locked.map_err(|error| failed(&error))
}

/// A transaction begins with its first statement.
fn begin_to_read(path: &Path) -> Result<Connection, DatabaseError> {
    let begun = open(path).and_then(|connection| {
        connection.execute_batch("BEGIN")?;
        connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    begun.map_err(|error| failed(&error))
}

fn copy_to(reader: &Connection, path: &Path) -> Result<(), DatabaseError> {
    create_private(path)?;
    let copied = Connection::open(path).and_then(|mut copy| {
        // One step copies everything within the reader's transaction.
        let step = Backup::new(reader, &mut copy)?.step(-1)?;
        if step != StepResult::Done {
            return Ok(false);
        }
        // One file, without a log beside it.
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        copy.close().map_err(|(_, error)| error)?;
        Ok(true)
    });
    match copied {
        Ok(true) => Ok(()),
        Ok(false) => Err(DatabaseError::Overloaded),
        Err(error) => Err(failed(&error)),
    }
}

/// The number of the last migration in a file, by the table that records them; none if there is no
/// such table.
///
/// # Errors
/// The file is not a database.
pub fn sqlite_form(path: &Path, table: &'static str) -> Result<Option<i64>, DatabaseError> {
    let corrupt = |error: rusqlite::Error| DatabaseError::Corrupt(error.to_string());
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = connection.map_err(corrupt)?;
    let count = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let is_there = connection.query_row(count, [table], |row| row.get::<_, i64>(0));
    if is_there.map_err(corrupt)? == 0 {
        return Ok(None);
    }
    let newest = format!("SELECT MAX(version) FROM {table}");
    connection
        .query_row(&newest, [], |row| row.get(0))
        .map_err(corrupt)
}

#[cfg(test)]
mod tests {
    use super::{copy_sqlite, sqlite_form};
    use rusqlite::Connection;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    fn folder(name: &str) -> PathBuf {
        let folder = format!("sealpay-copy-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn database(path: &PathBuf) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .unwrap();
        let sql = "CREATE TABLE IF NOT EXISTS steps (number INTEGER PRIMARY KEY) STRICT";
        connection.execute_batch(sql).unwrap();
        connection
    }

    fn newest(path: &PathBuf) -> i64 {
        let sql = "SELECT COALESCE(MAX(number), 0) FROM steps";
        let copy = Connection::open(path).unwrap();
        copy.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// The writer commits a number in the first file and then in the second, without a pause. At
    /// any one moment the second is at most one behind, and never ahead.
    #[test]
    fn copies_of_two_databases_are_of_one_moment() {
        let folder = folder("moment");
        let files = ["first", "second"].map(|name| folder.join(name));
        let connections = [database(&files[0]), database(&files[1])];
        let is_over = AtomicBool::new(false);
        let copied: Vec<_> = thread::scope(|scope| {
            let ended = &is_over;
            scope.spawn(move || {
                for number in 1_i64.. {
                    for connection in &connections {
                        let insert = "INSERT INTO steps (number) VALUES (?1)";
                        connection.execute(insert, [number]).unwrap();
                    }
                    if ended.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
            let copies = (0..20).map(|round| {
                let copies = ["first", "second"].map(|name| folder.join(format!("{name}-{round}")));
                copy_sqlite(&[(&files[0], &copies[0]), (&files[1], &copies[1])]).unwrap();
                (newest(&copies[0]), newest(&copies[1]))
            });
            let copied = copies.collect();
            ended.store(true, Ordering::Relaxed);
            copied
        });
        for (first, second) in &copied {
            assert!((0..=1).contains(&(first - second)), "{copied:?}");
        }
        assert!(copied[0].0 < copied[19].0, "the writer went on: {copied:?}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_missing_database_is_not_created() {
        let folder = folder("missing");
        let (missing, copy) = (folder.join("missing"), folder.join("copy"));
        assert!(copy_sqlite(&[(&missing, &copy)]).is_err());
        assert!(!missing.exists() && !copy.exists());
        fs::write(&missing, "no database, but long enough to be one").unwrap();
        assert!(sqlite_form(&missing, "steps").is_err());
        assert!(copy_sqlite(&[(&missing, &copy)]).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
