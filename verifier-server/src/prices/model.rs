//! A price, and the texts that a merchant attaches to it.

use crate::subscriptions::interval::Interval;
use crate::subscriptions::simulated_renewal::SimulatedRenewal;
use sealpay_protocol::ids::{MerchantId, PriceId};
use sealpay_protocol::limits::{METADATA_KEY_CHARACTERS, METADATA_KEYS, METADATA_VALUE_CHARACTERS};
use sealpay_protocol::money::Money;
use sealpay_protocol::text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The price of one unit for one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The price.
    pub id: PriceId,
    /// The merchant.
    pub merchant: MerchantId,
    /// What the customer pays for, as invoices show it.
    pub name: String,
    /// The price of one unit.
    pub money: Money,
    /// How long it pays for.
    pub interval: Interval,
    /// Days without a charge at the start of a subscription.
    pub trial_days: u32,
    /// The merchant's own texts.
    pub metadata: Metadata,
    /// What the simulated bank does with renewals.
    pub simulate: Option<SimulatedRenewal>,
    /// Since when no new subscription may use it, milliseconds since 1970.
    pub archived_at_ms: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A merchant's own keys and values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Metadata(pub BTreeMap<String, String>);

impl Metadata {
    /// Checks number and length of keys and values.
    ///
    /// # Errors
    /// A sentence for the merchant.
    pub fn check(&self) -> Result<(), String> {
        if self.0.len() > METADATA_KEYS {
            return Err(format!("metadata must have at most {METADATA_KEYS} keys."));
        }
        for (key, value) in &self.0 {
            let is_key = (1..=METADATA_KEY_CHARACTERS).contains(&key.len())
                && key.bytes().all(|c| c.is_ascii_graphic());
            if !is_key {
                return Err(format!(
                    "Keys of metadata must be 1 to {METADATA_KEY_CHARACTERS} visible ASCII characters."
                ));
            }
            if !value.is_empty() {
                text::check(value, METADATA_VALUE_CHARACTERS)
                    .map_err(|fault| format!("A value of metadata {fault}."))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Metadata;

    #[test]
    fn metadata_is_limited() {
        let one =
            |key: &str, value: &str| Metadata([(key.to_owned(), value.to_owned())].into()).check();
        let many: Metadata = Metadata((0..21).map(|n| (n.to_string(), String::new())).collect());
        assert_eq!(one("plan", "gold"), Ok(()));
        assert_eq!(one("plan", ""), Ok(()));
        assert_eq!(one(&"k".repeat(40), &"v".repeat(200)), Ok(()));
        for refused in [
            one("", "x"),
            one("two words", "x"),
            one(&"k".repeat(41), "x"),
            one("plan", &"v".repeat(201)),
            one("plan", "a\u{0}b"),
            many.check(),
        ] {
            assert!(refused.is_err(), "{refused:?}");
        }
    }
}
