//! Customers as the merchant sees them, and their events.

use super::model::Customer;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::subscriptions::simulated_renewal::SimulatedRenewal;
use crate::webhooks::events::body::NewEvent;
use crate::webhooks::events::model::Event;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// A customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CustomerRecord {
    /// `cus_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// The merchant's own reference; null after the erasure.
    pub reference: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The language for texts (BCP 47).
    pub locale: Option<String>,
    /// The IANA time zone in which the customer's days begin.
    pub time_zone: String,
    /// `ins_…`: the instrument for payments that name none.
    pub default_instrument: Option<String>,
    /// What the simulated bank does with one renewal of each subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulate: Option<SimulatedRenewal>,
    /// When the personal data was erased, seconds since 1970.
    pub erased_at: Option<u64>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

impl CustomerRecord {
    /// A customer as its merchant sees it.
    #[must_use]
    pub fn new(customer: &Customer, livemode: bool) -> Self {
        let customer = customer.clone();
        Self {
            id: customer.id.to_string(),
            livemode,
            merchant: customer.merchant.to_string(),
            reference: customer.reference,
            email: customer.email,
            name: customer.name,
            locale: customer.locale,
            time_zone: customer.time_zone,
            default_instrument: customer.default_instrument.map(|id| id.to_string()),
            simulate: customer.simulate,
            erased_at: customer.erased_at_ms.map(unix_seconds),
            created_at: unix_seconds(customer.created_at_ms),
            updated_at: unix_seconds(customer.updated_at_ms),
        }
    }
}

/// The data of a customer's event. Events are stored for weeks and sent to other systems, so they
/// have no personal data: retrieve the customer for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerEventData {
    /// Counts the customer's events from 1.
    pub sequence: i64,
    /// The customer.
    pub customer: CustomerSummary,
}

/// A customer without personal data.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerSummary {
    /// `cus_…`.
    pub id: String,
    /// `ins_…`: the instrument for payments that name none.
    pub default_instrument: Option<String>,
}

/// The event of a customer's latest change.
pub(super) fn event(gateway: &Gateway, kind: &str, customer: &Customer) -> Result<Event, ApiError> {
    let data = CustomerEventData {
        sequence: customer.sequence,
        customer: CustomerSummary {
            id: customer.id.to_string(),
            default_instrument: customer.default_instrument.map(|id| id.to_string()),
        },
    };
    NewEvent {
        kind,
        merchant: customer.merchant,
        subject: customer.id.to_string(),
        sequence: customer.sequence,
        at_ms: customer.updated_at_ms,
        data,
    }
    .write(gateway)
}
