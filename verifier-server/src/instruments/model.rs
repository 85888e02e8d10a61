//! A saved instrument, and the part of a card that may be stored.

use sealpay_protocol::ids::{CustomerId, InstrumentId, MerchantId};
use sealpay_protocol::method::Method;
use sealpay_provider::CredentialReference;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The part of a card that may be stored (PCI DSS 3.4.1, 3.5.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCard {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `YYYY-MM`.
    pub expiry: String,
    /// HMAC-SHA256 of the number under a separate key, in base64url.
    pub fingerprint: String,
    /// The issuer's country (ISO 3166-1 alpha-2), if its first digits are known.
    pub country: Option<String>,
}

/// The state of a saved instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentState {
    /// It can be charged.
    Active,
    /// The issuer has closed the account.
    Closed,
    /// It was removed; the provider deletes the credential.
    Detached,
}

sealpay_protocol::names! {
    InstrumentState {
        Active = "active",
        Closed = "closed",
        Detached = "detached",
    }
}

impl InstrumentState {
    /// Whether payments may use the instrument.
    #[must_use]
    pub const fn is_chargeable(self) -> bool {
        matches!(self, Self::Active)
    }
}

/// A saved card or bank account of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// The instrument.
    pub id: InstrumentId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The customer.
    pub customer: CustomerId,
    /// The method that it pays with.
    pub method: Method,
    /// What can be shown of the card; of a bank account the brand is the method, and there is no
    /// expiry.
    pub card: StoredCard,
    /// The acquirer that keeps the credential; no other can charge it.
    pub provider: String,
    /// The acquirer's reference of the credential.
    pub credential: CredentialReference,
    /// The current state.
    pub state: InstrumentState,
    /// Counts every change; also the number of the last event.
    pub sequence: i64,
    /// Whether the fraud rules apply; not to a persona's card, whose outcomes are fixed.
    pub is_assessed: bool,
    /// The last payment, milliseconds since 1970.
    pub used_at_ms: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
}
