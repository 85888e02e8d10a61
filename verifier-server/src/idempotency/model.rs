//! Idempotent requests of merchants: their key and their content.

use sealpay_protocol::ids::MerchantId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set when a write finds nothing to change: the request was repeated, or the state is already as
/// requested. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ChangedNothing(Arc<AtomicBool>);

impl ChangedNothing {
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Resets the flag at the start of a transaction, which may be retried.
    pub(crate) fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Not part of the request's identity.
impl PartialEq for ChangedNothing {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ChangedNothing {}

/// The identity of a merchant's write request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The merchant; keys of different merchants are independent.
    pub merchant: MerchantId,
    /// The credential, as in [`crate::auth::principal::Principal`].
    pub credential: String,
    /// `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of method, path and body in base64url: the same key of the same credential with
    /// another digest is a conflict.
    pub digest: String,
    /// Reports to the caller whether anything was changed.
    pub changed_nothing: ChangedNothing,
}

/// The result of an earlier request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyReplay {
    /// The same request was made before.
    Same {
        /// The created resource.
        resource: String,
        /// The stored response, if it exists and the credential is the same: a response may contain
        /// a secret that only its credential has seen.
        response: Option<String>,
    },
    /// The same credential used the key for another request.
    Other,
}
