//! A request that a merchant may send again: the key that names it, and what it asked for.

use sealpay_protocol::ids::MerchantId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Noted when a write finds that there is nothing to change: the same request came before, or what it
/// asks for is so already. Clones share the note.
#[derive(Debug, Clone, Default)]
pub struct ChangedNothing(Arc<AtomicBool>);

impl ChangedNothing {
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// A transaction begins, perhaps not for the first time.
    pub(crate) fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// It says nothing about what was asked for.
impl PartialEq for ChangedNothing {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ChangedNothing {}

/// A write of a merchant's, as it is recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// Whose it is; keys of different merchants have nothing to do with each other.
    pub merchant: MerchantId,
    /// The credential that was shown, as [`crate::auth::principal::Principal`] names it.
    pub credential: String,
    /// `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of method, path and body in base64url: the same key of the same credential with another
    /// one is a conflict.
    pub digest: String,
    /// What whoever answers the request learns of it.
    pub changed_nothing: ChangedNothing,
}

/// What a request with this key has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyReplay {
    /// The same request came before.
    Same {
        /// What it made.
        resource: String,
        /// What it was answered, where that was kept and the credential is the same: a stored
        /// response may hold a secret that only the one who made it has seen.
        response: Option<String>,
    },
    /// Another request of the same credential came with this key.
    Other,
}
