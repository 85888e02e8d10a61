//! Payouts and their states.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PayoutId, SettlementId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutState {
    /// To be sent to the bank.
    Pending,
    /// Sent by the bank.
    Paid,
    /// Returned by the merchant's bank; owed again.
    Returned,
}

sealpay_protocol::names! {
    PayoutState {
        Pending = "pending",
        Paid = "paid",
        Returned = "returned",
    }
}

impl PayoutState {
    /// Whether the transition to `next` is permitted.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Paid | Self::Returned) | (Self::Paid, Self::Returned)
        )
    }
}

/// A payout of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// The payout.
    pub id: PayoutId,
    /// The payee.
    pub merchant: MerchantId,
    /// The settlement.
    pub settlement: SettlementId,
    /// The currency.
    pub currency: Currency,
    /// The amount, minor units.
    pub amount_minor: i64,
    /// The merchant's bank account (ISO 13616); empty until one is set.
    pub account: String,
    /// The current state.
    pub state: PayoutState,
    /// Why it was returned.
    pub failure: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// End of the lease; afterwards the payout is sent again.
    pub lease_until_ms: i64,
}
