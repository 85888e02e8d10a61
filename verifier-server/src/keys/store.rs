//! The verifier's own keys. The private halves arrive encrypted.

use crate::merchants::model::{KeyPurpose, ServerKey};
use sealpay_storage::{Addition, Database, DatabaseError, Fault, Row, Tx, Value, values};

const ADD: &str = "INSERT INTO server_keys
    (key_id, purpose, public_key, private_key_encrypted, not_before, not_after, destroy_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

const OF_PURPOSE: &str = "SELECT
    key_id, public_key, private_key_encrypted, not_before, not_after, destroy_at
    FROM server_keys WHERE purpose = $1 ORDER BY not_before, key_id";

const DESTROY: &str = "UPDATE server_keys SET private_key_encrypted = ''
    WHERE destroy_at <= $1 AND private_key_encrypted <> ''";

/// What ends sooner anyway is not prolonged.
const RETIRE: &str = "UPDATE server_keys SET
    not_after = CASE WHEN not_after > $2 THEN $2 ELSE not_after END,
    destroy_at = CASE WHEN destroy_at > $3 THEN $3 ELSE destroy_at END
    WHERE purpose = $1 AND private_key_encrypted <> ''";

const REVISE: &str = "UPDATE key_revision SET revision = revision + 1 WHERE id = 1";

const REVISION: &str = "SELECT revision FROM key_revision WHERE id = 1";

async fn rotate(tx: &mut Tx<'_>, (retire, new): &([Value; 3], [Value; 7])) -> Result<(), Fault> {
    tx.execute(RETIRE, retire).await?;
    if tx.execute(ADD, new).await? == 0 {
        let what = "a key that takes another's place has a name that is taken";
        return Err(DatabaseError::Corrupt(what.into()).into());
    }
    tx.execute(REVISE, &[]).await?;
    Ok(())
}

fn new_values(key: &ServerKey) -> [Value; 7] {
    values![
        &key.key_id,
        key.purpose.name(),
        &key.public_key,
        &key.private_key_encrypted,
        key.not_before,
        key.not_after,
        key.destroy_at,
    ]
}

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

/// What is stored of the server's own keys.
#[derive(Debug, Clone)]
pub struct KeyStore {
    pub(crate) database: Database,
}

impl KeyStore {
    /// The keys for one purpose, destroyed ones among them, the oldest first.
    pub async fn list(&self, purpose: KeyPurpose) -> Result<Vec<ServerKey>, DatabaseError> {
        let rows = self
            .database
            .rows(OF_PURPOSE, values![purpose.name()])
            .await?;
        rows.into_iter()
            .map(|row| server_key(row, purpose))
            .collect()
    }

    /// Keeps a key. One with the same id stays as it is.
    pub async fn add(&self, key: &ServerKey) -> Result<Addition, DatabaseError> {
        self.database.add(ADD, new_values(key)).await
    }

    /// Destroys the private halves whose time has come by `now`, seconds since 1970, and says how
    /// many. The public halves stay, so that nobody wonders what a key id meant.
    pub async fn destroy(&self, now: i64) -> Result<u64, DatabaseError> {
        self.database.execute(DESTROY, values![now]).await
    }

    /// Puts a key in place of all others of its purpose. They end, and are destroyed, at these
    /// moments, seconds since 1970, or sooner where that was so before. Running servers notice.
    ///
    /// # Errors
    /// The database did not do its work, or there is a key of the new one's id.
    pub async fn rotate(
        &self,
        new: &ServerKey,
        (not_after, destroy_at): (i64, i64),
    ) -> Result<(), DatabaseError> {
        let retire = values![new.purpose.name(), not_after, destroy_at];
        self.database
            .write((retire, new_values(new)), |tx, input| {
                Box::pin(rotate(tx, input))
            })
            .await
    }

    /// Counts the rotations of keys, for servers that run.
    pub async fn revision(&self) -> Result<i64, DatabaseError> {
        self.database.one(REVISION, []).await?.integer()
    }

    /// Makes running servers read their keys again.
    pub async fn revise(&self) -> Result<(), DatabaseError> {
        self.database.execute(REVISE, []).await.map(drop)
    }
}
