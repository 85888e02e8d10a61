//! The authenticated sender of a merchant's request: the merchant and the credential.

use super::scope::Scope;
use sealpay_protocol::ids::{ApiKeyId, MerchantId};

/// An authenticated credential and its permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The merchant.
    pub merchant: MerchantId,
    /// The credential's id: `key_…`, or `order_key:` and the merchant's name for the key. Never the
    /// secret.
    pub credential: String,
    scopes: String,
}

impl Principal {
    /// The principal of an API key with these scopes.
    #[must_use]
    pub fn from_api_key(merchant: MerchantId, key: ApiKeyId, scopes: String) -> Self {
        Self {
            merchant,
            credential: key.to_string(),
            scopes,
        }
    }

    /// The principal of an order key with these scopes.
    #[must_use]
    pub fn from_order_key(merchant: MerchantId, key_id: &str, scopes: String) -> Self {
        Self {
            merchant,
            credential: ["order_key:", key_id].concat(),
            scopes,
        }
    }

    /// Whether the credential has the scope.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        scope.is_in(&self.scopes)
    }
}
