//! A request that a merchant may send again: the key that names it, and what it asked for.

use sealpay_protocol::ids::MerchantId;

/// A write of a merchant's, as it is recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// Whose it is; keys of different merchants have nothing to do with each other.
    pub merchant: MerchantId,
    /// The credential that was shown, as [`crate::auth::principal::Principal`] names it.
    pub credential: String,
    /// `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of method, path and body in base64url: the same key with another one is a conflict.
    pub digest: String,
}

/// What a request with this key has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyReplay {
    /// The same request came before.
    Same {
        /// What it made.
        resource: String,
        /// What it was answered, where that was kept and the credential is the same: a stored
        /// answer may hold a secret that only the one who made it has seen.
        answer: Option<String>,
    },
    /// Another request came with this key.
    Other,
}
