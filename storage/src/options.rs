//! How a database is used: how much at once, how long, and what an answer promises.

use std::time::Duration;

/// What is left of an answered change when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// All of it: an answer waits until the change is on the disk.
    Full,
    /// What the system had written by then. Who uses this stands for a system elsewhere, such as a
    /// bank: that would wait for its own disk, not for ours, and would not lose power together with
    /// us. A server that is killed loses nothing; a machine that loses power may lose the last
    /// moments, and on SQLite the file with them.
    Relaxed,
}

/// How much may be under way at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Operations that may wait; one more is answered with [`Overloaded`](super::DatabaseError::Overloaded). At a few
    /// thousand a second the last of them waits about a second, which is as long as anybody should.
    pub queue: usize,
    /// Operations that share one commit on SQLite.
    pub batch: usize,
    /// Connections that read on SQLite.
    pub readers: usize,
    /// Connections on SQLite for what may look at many rows, apart from the readers: a payment never
    /// waits for a list. None where nothing is listed.
    pub list_readers: usize,
    /// Connections to Postgres, of those below, that may look at many rows at once.
    pub postgres_lists: usize,
    /// Connections to Postgres, of all, that work beside requests may have at once: deliveries, recovery,
    /// housekeeping. The rest is for payments.
    pub postgres_background: usize,
    /// How long a list may take before it is ended.
    pub list_limit: Duration,
    /// How long the sums over everything that a merchant ever did may take before they are ended.
    pub sum_limit: Duration,
    /// Memory that the connection that writes on SQLite may come to use for pages, KiB. It grows
    /// with the database.
    pub writer_cache_kib: u32,
    /// Connections to Postgres. More than a few per core only wait for each other.
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
            writer_cache_kib: 256 * 1024,
            postgres_connections: 16,
        }
    }
}

impl Options {
    /// For a database that is used beside a larger one and should leave it the better part.
    #[must_use]
    pub fn beside_another() -> Self {
        Self {
            readers: 1,
            list_readers: 0,
            writer_cache_kib: 64 * 1024,
            postgres_connections: 8,
            ..Self::default()
        }
    }
}
