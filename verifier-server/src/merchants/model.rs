//! Merchants, with their order keys and reserves.

use sealpay_protocol::ids::MerchantId;

/// A merchant with everything that requests need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// The merchant.
    pub id: MerchantId,
    /// Its name for shoppers.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// The reserve of each settlement.
    pub reserve: Reserve,
    /// Bank account for payouts (ISO 13616), if set.
    pub payout_account: Option<String>,
    /// Creditor identifier for direct debits (EPC262-08), if set.
    pub creditor_identifier: Option<String>,
    /// Keys that may sign its orders.
    pub order_keys: Vec<OrderKey>,
    /// Pages that may embed the widget.
    pub origins: Vec<String>,
}

/// A merchant's rolling reserve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserve {
    /// Basis points of each positive settlement.
    pub basis_points: u32,
    /// Holding period, business days.
    pub days: u32,
}

/// A key that may sign a merchant's orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// The merchant's name for the key.
    pub key_id: String,
    /// 32 bytes of Ed25519.
    pub public_key: [u8; 32],
    /// API scopes of requests signed with it: comma-separated names, `*`, or empty.
    pub scopes: String,
}
