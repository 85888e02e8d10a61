//! The verifier's own keys. The private halves arrive encrypted.

use super::Store;
use crate::database::{Addition, DatabaseError, Row, values};
use crate::domain::merchant::{KeyPurpose, ServerKey};

const ADD: &str = "INSERT INTO server_keys
    (key_id, purpose, public_key, private_key_encrypted, not_before, not_after, destroy_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

const OF_PURPOSE: &str = "SELECT
    key_id, public_key, private_key_encrypted, not_before, not_after, destroy_at
    FROM server_keys WHERE purpose = $1 ORDER BY not_before, key_id";

const DESTROY: &str = "UPDATE server_keys SET private_key_encrypted = ''
    WHERE destroy_at <= $1 AND private_key_encrypted <> ''";

fn server_key(mut row: Row, purpose: KeyPurpose) -> Result<ServerKey, DatabaseError> {
    Ok(ServerKey {
        key_id: row.text()?,
        purpose,
        public_key: row.text()?,
        private_key_encrypted: row.text()?,
        not_before: row.integer()?,
        not_after: row.integer()?,
        destroy_at: row.integer()?,
    })
}

impl Store {
    /// The keys for one purpose, destroyed ones among them, the oldest first.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn server_keys(&self, purpose: KeyPurpose) -> Result<Vec<ServerKey>, DatabaseError> {
        let rows = self
            .database
            .rows(OF_PURPOSE, values![purpose.name()])
            .await?;
        rows.into_iter()
            .map(|row| server_key(row, purpose))
            .collect()
    }

    /// Keeps a key. One with the same id stays as it is.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn add_server_key(&self, key: &ServerKey) -> Result<Addition, DatabaseError> {
        let values = values![
            &key.key_id,
            key.purpose.name(),
            &key.public_key,
            &key.private_key_encrypted,
            key.not_before,
            key.not_after,
            key.destroy_at,
        ];
        self.database.add(ADD, values).await
    }

    /// Destroys the private halves whose time has come by `now`, seconds since 1970, and says how
    /// many. The public halves stay, so that nobody wonders what a key id meant.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn destroy_server_keys(&self, now: i64) -> Result<u64, DatabaseError> {
        self.database.execute(DESTROY, values![now]).await
    }
}
