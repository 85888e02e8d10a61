//! Merchants, their order keys and reserves.

use sealpay_protocol::ids::MerchantId;

/// A merchant with everything that a request needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// The merchant.
    pub id: MerchantId,
    /// Its name for shoppers.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// What is kept back of each settlement.
    pub reserve: Reserve,
    /// Where payouts go (ISO 13616), if that was named.
    pub payout_account: Option<String>,
    /// Keys that may sign its orders.
    pub order_keys: Vec<OrderKey>,
    /// Pages that may embed the widget.
    pub origins: Vec<String>,
}

/// What is kept back of what a merchant earns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserve {
    /// Hundredths of a percent of each settlement that is above nothing.
    pub basis_points: u32,
    /// For how many business days.
    pub days: u32,
}

/// A key that may sign a merchant's orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// The merchant's name for the key.
    pub key_id: String,
    /// 32 bytes of Ed25519.
    pub public_key: [u8; 32],
    /// What requests that it signs may do besides: names with commas between, `*`, or nothing.
    pub scopes: String,
}
