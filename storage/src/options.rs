//! Options of a database: concurrency, time limits and durability.

use std::time::Duration;

/// Whether an acknowledged write survives a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Yes: the response waits until the write is on disk.
    Full,
    /// Only up to the operating system's last flush. For the simulation of a remote system such as
    /// a bank, which would have its own disk and would not lose power together with us. A killed
    /// server loses nothing; a machine that loses power may lose the last moments, and on SQLite
    /// the file with them.
    Relaxed,
}

/// Limits on concurrency, time and memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Maximum number of waiting operations; further ones fail with
    /// [`Overloaded`](super::DatabaseError::Overloaded). At a few thousand a second the last one
    /// waits about a second, the longest acceptable wait.
    pub queue: usize,
    /// Maximum operations in one commit on SQLite.
    pub batch: usize,
    /// Reader connections on SQLite.
    pub readers: usize,
    /// Reader connections on SQLite for scans of many rows, so that a payment never waits for a
    /// list. None if nothing is listed.
    pub list_readers: usize,
    /// Maximum Postgres connections, of those below, for scans of many rows.
    pub postgres_lists: usize,
    /// Maximum Postgres connections, of all, for background work: deliveries, recovery,
    /// housekeeping. The rest is for payments.
    pub postgres_background: usize,
    /// Time limit of a list query.
    pub list_limit: Duration,
    /// Time limit of sums over all rows of a merchant.
    pub sum_limit: Duration,
    /// Page cache of the SQLite writer connection, KiB. New rows are inserted in order, so few pages
    /// are needed again, however large the database is.
    pub writer_cache_kib: u32,
    /// Postgres connections. More than a few per core only wait for each other.
    pub postgres_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 4096,
            batch: 256,
            readers: 2,
            list_readers: 4,
            postgres_lists: 5,
            postgres_background: 4,
            list_limit: Duration::from_secs(2),
            sum_limit: Duration::from_secs(10),
            writer_cache_kib: 32 * 1024,
            postgres_connections: 16,
        }
    }
}

impl Options {
    /// Options for a database beside a larger one, which gets most of the resources.
    #[must_use]
    pub fn beside_another() -> Self {
        Self {
            readers: 1,
            list_readers: 0,
            writer_cache_kib: 8 * 1024,
            postgres_connections: 8,
            ..Self::default()
        }
    }
}
