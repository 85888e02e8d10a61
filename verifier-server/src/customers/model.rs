//! A stored customer.

use crate::subscriptions::simulated_renewal::SimulatedRenewal;
use sealpay_protocol::ids::{CustomerId, InstrumentId, MerchantId};

/// A customer of a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer.
    pub id: CustomerId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The merchant's own reference, unique for the merchant; none after the erasure.
    pub reference: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The language for texts (BCP 47).
    pub locale: Option<String>,
    /// The IANA time zone in which the customer's days begin.
    pub time_zone: String,
    /// The instrument for payments that name none.
    pub default_instrument: Option<InstrumentId>,
    /// What the simulated bank does with one renewal of each subscription.
    pub simulate: Option<SimulatedRenewal>,
    /// The number of events about this customer.
    pub sequence: i64,
    /// When the personal data was erased, milliseconds since 1970.
    pub erased_at_ms: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
}
