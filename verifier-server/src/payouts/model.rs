//! Payouts: the states of settled money on its way to the merchant's bank account.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PayoutId, SettlementId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutState {
    /// The bank is being told.
    Pending,
    /// The bank has sent it.
    Paid,
    /// The merchant's bank has sent it back; it is owed again.
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
    /// Whether this state may be followed by `next`.
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
    /// Who is paid.
    pub merchant: MerchantId,
    /// For what.
    pub settlement: SettlementId,
    /// In which currency.
    pub currency: Currency,
    /// How much, minor units.
    pub amount_minor: i64,
    /// The merchant's bank account (ISO 13616); empty while no account is named.
    pub account: String,
    /// Where it stands.
    pub state: PayoutState,
    /// Why it came back.
    pub failure: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// Until when it is somebody's: afterwards the bank is told again.
    pub lease_until_ms: i64,
}
