//! The repository of the server's own keys. Private keys arrive encrypted.

use crate::keys::model::{KeyPurpose, ServerKey};
use sealpay_storage::{
    Addition, ByName, Database, DatabaseError, Entity, Fault, Projection, Tx, Value,
};
use sealpay_storage::{entity, sql, values};

entity! {
    ServerKey in "server_keys" {
        key_id,
        purpose as ByName,
        public_key,
        private_key_encrypted,
        not_before,
        not_after,
        destroy_at,
    }
}

const ADD: &str = sql!(ServerKey::INSERT, "ON CONFLICT DO NOTHING");

const OF_PURPOSE: &str = sql!(
    ServerKey::SELECT,
    "WHERE purpose = $1 ORDER BY not_before, key_id"
);

const DESTROY: &str = "UPDATE server_keys SET private_key_encrypted = ''
    WHERE destroy_at <= $1 AND private_key_encrypted <> ''";

/// An earlier end stays.
const RETIRE: &str = "UPDATE server_keys SET
    not_after = CASE WHEN not_after > $2 THEN $2 ELSE not_after END,
    destroy_at = CASE WHEN destroy_at > $3 THEN $3 ELSE destroy_at END
    WHERE purpose = $1 AND private_key_encrypted <> ''";

const REVISE: &str = "UPDATE key_revision SET revision = revision + 1 WHERE id = 1";

const REVISION: &str = "SELECT revision FROM key_revision WHERE id = 1";

async fn rotate(
    tx: &mut Tx<'_>,
    (retire, new): &([Value; 3], <ServerKey as Entity>::Values),
) -> Result<(), Fault> {
    tx.execute(RETIRE, retire).await?;
    if tx.execute(ADD, new).await? == 0 {
        let what = "a key that takes another's place has a name that is taken";
        return Err(DatabaseError::Corrupt(what.into()).into());
    }
    tx.execute(REVISE, &[]).await?;
    Ok(())
}

/// The repository of the server's own keys.
#[derive(Debug, Clone)]
pub struct KeyStore {
    pub(crate) database: Database,
}

impl KeyStore {
    /// The keys for one purpose, including destroyed ones, oldest first.
    pub async fn list(&self, purpose: KeyPurpose) -> Result<Vec<ServerKey>, DatabaseError> {
        self.database
            .list(OF_PURPOSE, values![purpose.name()])
            .await
    }

    /// Adds a key. An existing key with the same id is unchanged.
    pub async fn add(&self, key: &ServerKey) -> Result<Addition, DatabaseError> {
        self.database.add(ADD, key.to_row()?).await
    }

    /// Destroys the private keys that are due at `now`, seconds since 1970; returns their number.
    /// Public keys stay for reference.
    pub async fn destroy(&self, now: i64) -> Result<u64, DatabaseError> {
        self.database.execute(DESTROY, values![now]).await
    }

    /// Adds a key that replaces all others of its purpose. Those end and are destroyed at these
    /// times, seconds since 1970, or earlier if already set. Running servers notice.
    ///
    /// # Errors
    /// The database failed, or a key with the new id exists.
    pub async fn rotate(
        &self,
        new: &ServerKey,
        (not_after, destroy_at): (i64, i64),
    ) -> Result<(), DatabaseError> {
        let retire = values![new.purpose.name(), not_after, destroy_at];
        self.database
            .write((retire, new.to_row()?), |tx, input| {
                Box::pin(rotate(tx, input))
            })
            .await
    }

    /// The revision of the keys, which running servers follow.
    pub async fn revision(&self) -> Result<i64, DatabaseError> {
        self.database.scalar(REVISION, []).await
    }

    /// Makes running servers reload their keys.
    pub async fn revise(&self) -> Result<(), DatabaseError> {
        self.database.execute(REVISE, []).await.map(drop)
    }
}
