//! Creation and rotation of API keys by an operator, with scopes and expiry.

use super::register::MerchantAdmin;
use crate::auth::api_keys::key::{self, NewApiKey};
use crate::auth::api_keys::store::KeyRotation;
use crate::store::Addition;
use sealpay_protocol::ids::{ApiKeyId, MerchantId};

const SECOND_MS: i64 = 1000;
const DAY_MS: i64 = 24 * 60 * 60 * SECOND_MS;

/// Longest life of an API key and longest overlap, days: a hundred years.
const DAYS: u32 = 36_500;

/// The limits of a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The stored form: comma-separated names, or `*`.
    pub scopes: String,
    /// Days until it expires.
    pub expires_in_days: Option<u32>,
}

/// The result of a rotation.
pub struct RotatedApiKey {
    /// The new key, whose plaintext is to be shown once.
    pub made: NewApiKey,
    /// When the old key expires, milliseconds since 1970.
    pub old_expires_at_ms: i64,
}

impl MerchantAdmin<'_> {
    /// Adds an API key with scopes and an optional expiry.
    pub async fn add_limited_api_key(
        &self,
        merchant: MerchantId,
        limits: &Limits,
    ) -> Result<NewApiKey, String> {
        let found = self.store.merchants.get(merchant).await;
        if found.map_err(|error| error.to_string())?.is_none() {
            return Err(format!("there is no merchant {merchant}"));
        }
        let expires_at_ms = self.end_of_days(limits.expires_in_days)?;
        let made = key::make(
            merchant,
            self.livemode,
            self.encryption,
            self.rng,
            self.clock.now_ms(),
        );
        let made = made.limited(&limits.scopes, expires_at_ms);
        match self.store.api_keys.add(&made.record).await {
            Ok(Addition::Added) => Ok(made),
            Ok(Addition::AlreadyThere) => Err(format!("{} exists already", made.record.id)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Creates a key with the same scopes that replaces another. The old one stays valid during the
    /// overlap, so that the merchant's servers can switch.
    pub async fn rotate_api_key(
        &self,
        old: ApiKeyId,
        overlap_seconds: u32,
        expires_in_days: Option<u32>,
    ) -> Result<RotatedApiKey, String> {
        let now_ms = self.clock.now_ms_i64();
        let none = || format!("there is no active API key {old}");
        let found = self.store.api_keys.get(old).await;
        let found = found
            .map_err(|error| error.to_string())?
            .filter(|key| key::is_good_at(key, now_ms))
            .ok_or_else(none)?;
        // Rotation must not turn a temporary key into a permanent one.
        let new_ends_ms = self.end_of_days(expires_in_days)?.or(found.expires_at_ms);
        let made = key::make(
            found.merchant,
            self.livemode,
            self.encryption,
            self.rng,
            self.clock.now_ms(),
        );
        let made = made.limited(&found.scopes, new_ends_ms);
        let overlap_ends_ms =
            now_ms.saturating_add(i64::from(overlap_seconds).saturating_mul(SECOND_MS));
        let rotated = self
            .store
            .api_keys
            .rotate(old, &made.record, now_ms, overlap_ends_ms)
            .await;
        match rotated.map_err(|error| error.to_string())? {
            KeyRotation::Rotated { old_expires_at_ms } => Ok(RotatedApiKey {
                made,
                old_expires_at_ms,
            }),
            KeyRotation::NoSuchKey => Err(none()),
        }
    }

    fn end_of_days(&self, days: Option<u32>) -> Result<Option<i64>, String> {
        let Some(days) = days else { return Ok(None) };
        if !(1..=DAYS).contains(&days) {
            return Err(format!("an API key lives for 1 to {DAYS} days"));
        }
        let lives_ms = i64::from(days).saturating_mul(DAY_MS);
        Ok(Some(self.clock.now_ms_i64().saturating_add(lives_ms)))
    }
}
