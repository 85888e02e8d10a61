//! Modifications as the merchant sees them.

use super::model::{Modification, ModificationKind, ModificationState};
use sealpay_provider::decline;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A capture, void, refund or expiry.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModificationRecord {
    /// `mod_…`.
    pub id: String,
    /// `pay_…`.
    pub payment: String,
    /// The type of the modification.
    pub kind: ModificationKind,
    /// The amount, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// For a capture: whether the remaining authorization is voided.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The merchant's reference.
    pub reference: Option<String>,
    /// The state. If it is pending, an event reports the outcome later.
    pub state: ModificationState,
    /// Why it failed.
    pub failure: Option<FailureRecord>,
    /// The credential that requested it: `key_…`, or `order_key:` and the name of an order key;
    /// null for an expiry.
    pub created_by: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

/// Why the provider declined it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FailureRecord {
    /// The stable code, from the same table as decline codes.
    pub code: String,
    /// A sentence for the merchant.
    pub detail: String,
}

impl ModificationRecord {
    /// A modification as its merchant sees it.
    #[must_use]
    pub fn new(modification: &Modification) -> Self {
        Self {
            id: modification.id.to_string(),
            payment: modification.payment.to_string(),
            kind: modification.kind,
            amount: modification.money.amount_minor(),
            currency: modification.money.currency().to_string(),
            is_final: modification.is_final,
            reference: modification.reference.clone(),
            state: modification.state,
            failure: modification.failure.as_deref().map(FailureRecord::new),
            created_by: modification.created_by.clone(),
            created_at: unix_seconds(modification.created_at_ms),
            updated_at: unix_seconds(modification.updated_at_ms),
        }
    }
}

impl FailureRecord {
    fn new(key: &str) -> Self {
        let known = decline::find(key);
        Self {
            code: key.to_owned(),
            detail: known.map_or_else(
                || "The provider did not do it.".to_owned(),
                |known| known.detail.clone(),
            ),
        }
    }
}
