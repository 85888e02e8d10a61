//! Agreements as the merchant sees them, and their events.

use super::model::{Agreement, AgreementState};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::webhooks::events::body::NewEvent;
use crate::webhooks::events::model::Event;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::encoding::hex;
use sealpay_system::unix_seconds;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// An agreement.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgreementRecord {
    /// `agr_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// `cus_…`.
    pub customer: String,
    /// `ins_…`: the instrument that it permits to charge.
    pub instrument: String,
    /// What it permits.
    #[serde(rename = "type")]
    pub kind: AgreementKind,
    /// The current state.
    pub state: AgreementState,
    /// The currency of all its payments (ISO 4217).
    pub currency: String,
    /// The largest amount of one payment, minor units; null if there is none.
    pub maximum_amount: Option<i64>,
    /// The scheme's id of the first payment, which every later one quotes.
    pub network_transaction_id: Option<String>,
    /// `pay_…`: the first payment.
    pub first_payment: String,
    /// What the customer agreed to.
    pub consent: ConsentRecord,
    /// The mandate; null if the agreement is not for direct debits.
    pub mandate: Option<MandateRecord>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

/// A mandate for direct debits. It was signed when the customer agreed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MandateRecord {
    /// The reference, unique for the creditor: 1 to 35 characters.
    pub reference: String,
    /// The creditor identifier (EPC262-08).
    pub creditor: String,
    /// When the mandate lapses without another collection, seconds since 1970.
    pub lapses_at: Option<u64>,
}

/// What a customer agreed to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConsentRecord {
    /// The sentence, as the form showed it.
    pub text: String,
    /// SHA-256 of its UTF-8 bytes, lowercase hexadecimal.
    pub sha256: String,
    /// When the customer agreed, seconds since 1970.
    pub accepted_at: u64,
}

impl AgreementRecord {
    /// An agreement as its merchant sees it.
    #[must_use]
    pub fn new(agreement: &Agreement, livemode: bool) -> Self {
        Self {
            id: agreement.id.to_string(),
            livemode,
            merchant: agreement.merchant.to_string(),
            customer: agreement.customer.to_string(),
            instrument: agreement.instrument.to_string(),
            kind: agreement.kind,
            state: agreement.state,
            currency: agreement.currency.to_string(),
            maximum_amount: agreement.maximum_minor,
            network_transaction_id: agreement.network_transaction_id.clone(),
            first_payment: agreement.first_payment.to_string(),
            consent: ConsentRecord {
                text: agreement.consent.clone(),
                sha256: hex(&Sha256::digest(agreement.consent.as_bytes())),
                accepted_at: unix_seconds(agreement.accepted_at_ms),
            },
            mandate: agreement.mandate.as_ref().map(|mandate| MandateRecord {
                reference: mandate.reference.clone(),
                creditor: mandate.creditor.clone(),
                lapses_at: agreement.lapses_at_ms.map(unix_seconds),
            }),
            created_at: unix_seconds(agreement.created_at_ms),
            updated_at: unix_seconds(agreement.updated_at_ms),
        }
    }
}

/// The data of an agreement's event.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgreementEventData {
    /// Counts the agreement's events from 1.
    pub sequence: i64,
    /// The agreement as it was then.
    pub agreement: AgreementRecord,
}

/// The event of an agreement's state.
pub(super) fn event(gateway: &Gateway, agreement: &Agreement) -> Result<Event, ApiError> {
    let kind = match agreement.state {
        AgreementState::Active => "agreement.activated",
        AgreementState::Revoked => "agreement.revoked",
    };
    let data = AgreementEventData {
        sequence: agreement.sequence,
        agreement: AgreementRecord::new(agreement, gateway.livemode()),
    };
    NewEvent {
        kind,
        merchant: agreement.merchant,
        subject: agreement.id.to_string(),
        sequence: agreement.sequence,
        at_ms: agreement.updated_at_ms,
        data,
    }
    .write(gateway)
}
