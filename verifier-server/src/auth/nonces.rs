//! Nonces, which make every signature valid only once.

use sealpay_storage::{Database, DatabaseError, Value, integer, values};

/// Rows deleted in one transaction, so that payments do not wait long.
const FORGOTTEN_AT_ONCE: u32 = 2000;

/// The nonce of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// `expires` of the signature, seconds since 1970. A replay has the same.
    pub expires_at: u64,
    /// The nonce, base64url.
    pub value: String,
    /// The thumbprint of the key that signed.
    pub thumbprint: String,
}

/// Consumes a nonce; changes no row if it was consumed before.
pub(crate) const CONSUME: &str = "INSERT INTO nonces (expires_at, nonce, thumbprint)
    VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

impl Nonce {
    pub(crate) fn values(&self) -> Result<[Value; 3], DatabaseError> {
        Ok(values![
            integer(self.expires_at)?,
            &self.value,
            &self.thumbprint
        ])
    }
}

const FORGET: &str = "DELETE FROM nonces WHERE (expires_at, nonce, thumbprint) IN (
        SELECT expires_at, nonce, thumbprint FROM nonces WHERE expires_at < $1
        ORDER BY expires_at LIMIT $2
    )";

/// The repository of nonces of signed requests.
#[derive(Debug, Clone)]
pub struct NonceStore {
    pub(crate) database: Database,
}

impl NonceStore {
    /// Consumes a nonce; false if it was consumed before.
    pub async fn consume(&self, nonce: &Nonce) -> Result<bool, DatabaseError> {
        Ok(self.database.execute(CONSUME, nonce.values()?).await? == 1)
    }

    /// Deletes the nonces of signatures that expired before `now`, seconds since 1970; returns
    /// their number. From then on only the freshness check rejects those signatures.
    ///
    /// # Errors
    /// The database failed; some may be deleted already.
    pub async fn purge(&self, now: u64) -> Result<u64, DatabaseError> {
        let now = integer(now)?;
        let mut forgotten = 0;
        loop {
            let changed = self
                .database
                .execute(FORGET, values![now, FORGOTTEN_AT_ONCE])
                .await?;
            forgotten += changed;
            if changed < u64::from(FORGOTTEN_AT_ONCE) {
                return Ok(forgotten);
            }
        }
    }
}
