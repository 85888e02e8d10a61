//! The repository of API keys: keyed hashes, scopes and expiry, never the keys.

use crate::auth::api_keys::model::ApiKey;
use sealpay_protocol::ids::{ApiKeyId, MerchantId};
use sealpay_storage::{Addition, Database, DatabaseError, Entity, Fault, Projection, Tx, Value};
use sealpay_storage::{entity, sql, values};

entity! {
    ApiKey in "api_keys" {
        id,
        merchant,
        prefix,
        hash,
        scopes,
        created_at_ms,
        expires_at_ms,
        last_used_at_ms,
    }
}

pub(crate) const ADD: &str = sql!(ApiKey::INSERT, "ON CONFLICT DO NOTHING");

const REVOKE: &str = "UPDATE api_keys SET revoked_at_ms = $2
    WHERE id = $1 AND revoked_at_ms IS NULL";

const OF_MERCHANT: &str = sql!(
    ApiKey::SELECT,
    "WHERE merchant = $1 AND revoked_at_ms IS NULL ORDER BY id"
);

const BY_HASH: &str = sql!(ApiKey::SELECT, "WHERE hash = $1 AND revoked_at_ms IS NULL");

const BY_ID: &str = sql!(ApiKey::SELECT, "WHERE id = $1 AND revoked_at_ms IS NULL");

/// An earlier expiry stays, and an expired key stays expired.
const END: &str = "UPDATE api_keys SET expires_at_ms =
        CASE WHEN expires_at_ms IS NULL OR expires_at_ms > $3 THEN $3 ELSE expires_at_ms END
    WHERE id = $1 AND revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > $2)
    RETURNING expires_at_ms";

const USED: &str = "UPDATE api_keys SET last_used_at_ms = $2
    WHERE id = $1 AND (last_used_at_ms IS NULL OR last_used_at_ms < $2)";

async fn note_used(tx: &mut Tx<'_>, used: &[[Value; 2]]) -> Result<(), Fault> {
    let statements: Vec<_> = used
        .iter()
        .map(|values| (USED, values.as_slice()))
        .collect();
    tx.execute_together(&statements).await?;
    Ok(())
}

/// The result of a rotation.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRotation {
    /// The new key is valid, and the old one until its expiry.
    Rotated {
        /// Expiry of the old key, milliseconds since 1970.
        old_expires_at_ms: i64,
    },
    /// The old key does not exist, is revoked or has expired; nothing was added.
    NoSuchKey,
}

struct Succession {
    end: [Value; 3],
    new: <ApiKey as Entity>::Values,
}

async fn rotate(tx: &mut Tx<'_>, succession: &Succession) -> Result<KeyRotation, Fault> {
    let Some((old_expires_at_ms,)) = tx.get(END, &succession.end).await? else {
        return Ok(KeyRotation::NoSuchKey);
    };
    if tx.execute(ADD, &succession.new).await? == 0 {
        let what = "an API key that takes another's place has a name that is taken";
        return Err(DatabaseError::Corrupt(what.into()).into());
    }
    Ok(KeyRotation::Rotated { old_expires_at_ms })
}

/// The repository of API keys.
#[derive(Debug, Clone)]
pub struct ApiKeyStore {
    pub(crate) database: Database,
}

impl ApiKeyStore {
    /// Adds an API key.
    pub async fn add(&self, key: &ApiKey) -> Result<Addition, DatabaseError> {
        self.database.add(ADD, key.to_row()?).await
    }

    /// Adds an API key that replaces another. The old one expires at a time, milliseconds since
    /// 1970, or at its own expiry if that is sooner.
    ///
    /// # Errors
    /// The database failed, or an API key with the new id exists.
    pub async fn rotate(
        &self,
        old: ApiKeyId,
        new: &ApiKey,
        now_ms: i64,
        old_expires_at_ms: i64,
    ) -> Result<KeyRotation, DatabaseError> {
        let succession = Succession {
            end: values![old, now_ms, old_expires_at_ms],
            new: new.to_row()?,
        };
        self.database
            .write(succession, |tx, succession| {
                Box::pin(rotate(tx, succession))
            })
            .await
    }

    /// The API key with this id, unless it is revoked. The caller checks its expiry.
    pub async fn get(&self, key: ApiKeyId) -> Result<Option<ApiKey>, DatabaseError> {
        self.database.get(BY_ID, values![key]).await
    }

    /// Revokes an API key; returns whether it was valid before.
    pub async fn revoke(&self, key: ApiKeyId, now_ms: i64) -> Result<bool, DatabaseError> {
        self.database.change(REVOKE, values![key, now_ms]).await
    }

    /// The API key with this hash, unless it is revoked. The caller checks its expiry.
    pub async fn get_by_hash(&self, hash: &str) -> Result<Option<ApiKey>, DatabaseError> {
        self.database.get(BY_HASH, values![hash.to_owned()]).await
    }

    /// A merchant's API keys that are not revoked, oldest first.
    pub async fn list(&self, merchant: MerchantId) -> Result<Vec<ApiKey>, DatabaseError> {
        self.database.list(OF_MERCHANT, values![merchant]).await
    }

    /// Records the last use of keys, milliseconds since 1970; a later recorded time stays.
    pub async fn note_used(
        &self,
        used: impl IntoIterator<Item = (ApiKeyId, i64)>,
    ) -> Result<(), DatabaseError> {
        let used: Vec<_> = used
            .into_iter()
            .map(|(key, at_ms)| values![key, at_ms])
            .collect();
        if used.is_empty() {
            return Ok(());
        }
        self.database
            .write(used, |tx, used| Box::pin(note_used(tx, used)))
            .await
    }
}
