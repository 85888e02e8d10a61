//! Nonces: a signature is good once.

use sealpay_storage::{Database, DatabaseError, Value, integer, values};

/// Rows forgotten in one transaction, so that payments need not wait long behind it.
const FORGOTTEN_AT_ONCE: u32 = 2000;

/// What makes a signature good only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// `expires` of the signature, seconds since 1970. A replay carries the same.
    pub expires_at: u64,
    /// The nonce, base64url.
    pub value: String,
    /// The thumbprint of the key that signed.
    pub thumbprint: String,
}

/// Spends a nonce; changes no row when it was spent before.
pub(crate) const CONSUME: &str = "INSERT INTO nonces (expires_at, nonce, thumbprint)
    VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const IS_SPENT: &str = "SELECT COUNT(*) FROM nonces
    WHERE expires_at = $1 AND nonce = $2 AND thumbprint = $3";

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
    /// Whether a nonce was spent before. Nothing is spent here: what decides between two requests at
    /// once is [`consume`](Self::consume) or the claim.
    pub async fn is_consumed(&self, nonce: &Nonce) -> Result<bool, DatabaseError> {
        let spent: u64 = self.database.scalar(IS_SPENT, nonce.values()?).await?;
        Ok(spent > 0)
    }

    /// Spends a nonce; false when it was spent before.
    pub async fn consume(&self, nonce: &Nonce) -> Result<bool, DatabaseError> {
        Ok(self.database.execute(CONSUME, nonce.values()?).await? == 1)
    }

    /// Forgets the nonces of signatures that expired before `now`, seconds since 1970, and says
    /// how many. Only freshness refuses those signatures from then on.
    ///
    /// # Errors
    /// The database did not do its work; some may be forgotten already.
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
