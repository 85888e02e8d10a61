//! The published public keys, for clients that seal cards or verify webhooks.

use super::key_ring::webhook_key_text;
use crate::gateway::Gateway;
use serde::Serialize;
use utoipa::ToSchema;

/// The verifier's public keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedKeys {
    /// Keys that cards are sealed to: the current one and the next.
    pub sealing_keys: Vec<PublishedSealingKey>,
    /// Keys that webhooks are signed with.
    pub webhook_keys: Vec<PublishedWebhookKey>,
}

/// A key that cards are sealed to.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedSealingKey {
    /// Key id.
    pub kid: String,
    /// Always `X-Wing` (0x647a).
    pub kem: &'static str,
    /// Always `HKDF-SHA256` (0x0001).
    pub kdf: &'static str,
    /// Always `ChaCha20Poly1305` (0x0003).
    pub aead: &'static str,
    /// 1216 bytes in base64url.
    pub public_key: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
}

/// A key that webhooks are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedWebhookKey {
    /// Key id.
    pub kid: String,
    /// `whpk_…`.
    pub public_key: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970; null if no end is set.
    pub not_after: Option<i64>,
}

/// The public keys.
#[must_use]
pub fn published_keys(gateway: &Gateway) -> PublishedKeys {
    let keys = gateway.keys();
    let sealing_keys = keys
        .published_sealing_keys(gateway.clock.now())
        .map(|key| PublishedSealingKey {
            kid: key.key_id.clone(),
            kem: "X-Wing",
            kdf: "HKDF-SHA256",
            aead: "ChaCha20Poly1305",
            public_key: key.public_key.clone(),
            not_before: key.not_before,
            not_after: key.not_after,
        })
        .collect();
    let webhook_keys = keys
        .published_webhook_keys()
        .filter_map(|key| {
            Some(PublishedWebhookKey {
                kid: key.key_id.clone(),
                public_key: webhook_key_text(key)?,
                not_before: key.not_before,
                not_after: (key.not_after != i64::MAX).then_some(key.not_after),
            })
        })
        .collect();
    PublishedKeys {
        sealing_keys,
        webhook_keys,
    }
}
