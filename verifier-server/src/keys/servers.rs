//! The running servers of this database, and the master key under which each encrypts.

use crate::keys::store::KeyStore;
use sealpay_storage::{DatabaseError, values};

const NOTE: &str = "INSERT INTO running_servers (server, master_key, seen_at) VALUES ($1, $2, $3)
    ON CONFLICT (server) DO UPDATE SET master_key = excluded.master_key, seen_at = excluded.seen_at";

const WITHOUT: &str =
    "SELECT COUNT(*) FROM running_servers WHERE seen_at >= $1 AND master_key <> $2";

const FORGET: &str = "DELETE FROM running_servers WHERE seen_at < $1";

const STOPPED: &str = "DELETE FROM running_servers WHERE server = $1";

const OTHERS: &str = "SELECT COUNT(*) FROM running_servers WHERE seen_at >= $1 AND server <> $2";

impl KeyStore {
    /// Counts the servers other than this one that were seen since a time.
    pub async fn other_servers(&self, server: &str, since: i64) -> Result<u64, DatabaseError> {
        let values = values![since, server.to_owned()];
        self.database.scalar(OTHERS, values).await
    }

    /// Records that a server runs, its master key, and the time, seconds since 1970.
    pub async fn note_server(
        &self,
        server: &str,
        master_key: &str,
        now: i64,
    ) -> Result<(), DatabaseError> {
        let values = values![server.to_owned(), master_key.to_owned(), now];
        self.database.execute(NOTE, values).await.map(drop)
    }

    /// Counts the servers seen since a time that do not encrypt under this master key.
    pub async fn servers_without_key(
        &self,
        master_key: &str,
        since: i64,
    ) -> Result<u64, DatabaseError> {
        let values = values![since, master_key.to_owned()];
        self.database.scalar(WITHOUT, values).await
    }

    /// Deletes this server, which stops.
    pub async fn forget_server(&self, server: &str) -> Result<(), DatabaseError> {
        let values = values![server.to_owned()];
        self.database.execute(STOPPED, values).await.map(drop)
    }

    /// Deletes the servers that were not seen since a time.
    pub async fn purge_servers(&self, since: i64) -> Result<(), DatabaseError> {
        self.database
            .execute(FORGET, values![since])
            .await
            .map(drop)
    }
}
