//! Prices as the merchant sees them.

use super::model::{Metadata, Price};
use crate::subscriptions::interval::Interval;
use crate::subscriptions::simulated_renewal::SimulatedRenewal;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A price.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PriceRecord {
    /// `pri_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// What the customer pays for, as invoices show it.
    pub name: String,
    /// The price of one unit, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// How long it pays for.
    pub interval: Interval,
    /// Days without a charge at the start of a subscription.
    pub trial_days: u32,
    /// The merchant's own texts.
    pub metadata: Metadata,
    /// What the simulated bank does with renewals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulate: Option<SimulatedRenewal>,
    /// Since when no new subscription may use it, seconds since 1970.
    pub archived_at: Option<u64>,
    /// Seconds since 1970.
    pub created_at: u64,
}

impl PriceRecord {
    /// A price as its merchant sees it.
    #[must_use]
    pub fn new(price: &Price, livemode: bool) -> Self {
        Self {
            id: price.id.to_string(),
            livemode,
            merchant: price.merchant.to_string(),
            name: price.name.clone(),
            amount: price.money.amount_minor(),
            currency: price.money.currency().to_string(),
            interval: price.interval,
            trial_days: price.trial_days,
            metadata: price.metadata.clone(),
            simulate: price.simulate.clone(),
            archived_at: price.archived_at_ms.map(unix_seconds),
            created_at: unix_seconds(price.created_at_ms),
        }
    }
}
