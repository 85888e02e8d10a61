//! Modifications as the merchant sees them.

use super::model::{Modification, ModificationKind, ModificationState};
use sealpay_provider::decline;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A capture, a void, a refund, or the end of a hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModificationRecord {
    /// `mod_…`.
    pub id: String,
    /// `pay_…`.
    pub payment: String,
    /// What is done.
    pub kind: ModificationKind,
    /// How much is taken, let go or given back, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// For a capture: whether what is left is let go.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The merchant's name for it.
    pub reference: Option<String>,
    /// How far it is. A pending one is done later, and an event tells how it ended.
    pub state: ModificationState,
    /// Why it failed.
    pub failure: Option<FailureRecord>,
    /// The credential that asked for it: `key_…`, or `order_key:` and the name of an order key; null
    /// for an authorization that lapsed.
    pub created_by: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

/// Why the provider did not do it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FailureRecord {
    /// The stable key, of the same table as declines.
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
