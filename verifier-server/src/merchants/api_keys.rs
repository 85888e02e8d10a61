//! API keys as an operator makes them: for some scopes, for a while, and one in place of another.

use super::register::MerchantAdmin;
use crate::auth::api_keys::key::{self, NewApiKey};
use crate::auth::api_keys::store::KeyRotation;
use crate::store::Addition;
use sealpay_protocol::ids::{ApiKeyId, MerchantId};

const SECOND_MS: i64 = 1000;
const DAY_MS: i64 = 24 * 60 * 60 * SECOND_MS;

/// Longest life of an API key and longest overlap, days: a hundred years.
const DAYS: u32 = 36_500;

/// What a new key is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// As they are kept: names with commas between, or `*`.
    pub scopes: String,
    /// After how many days it stops being good.
    pub expires_in_days: Option<u32>,
}

/// A key in place of another.
pub struct RotatedApiKey {
    /// The new one; its plaintext is to be shown once.
    pub made: NewApiKey,
    /// Until when the old one is good, milliseconds since 1970.
    pub old_expires_at_ms: i64,
}

impl MerchantAdmin<'_> {
    /// Adds an API key that is good for these scopes and, it may be, for a while.
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

    /// Makes a key in place of another: good for the same scopes, while the other one stays good
    /// for an overlap, in which the merchant's servers change from one to the other.
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
        // A key that was lent for a time does not become one without an end by being rotated.
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
