//! Saved instruments as the merchant and the shopper see them, and their events.

use super::model::{Instrument, InstrumentState, StoredCard};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::webhooks::events::body::NewEvent;
use crate::webhooks::events::model::Event;
use sealpay_protocol::api::InstrumentView;
use sealpay_protocol::method::Method;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// The stored part of a card.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoredCardRecord {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `YYYY-MM`.
    pub expiry: String,
    /// Identifies the same card without revealing its number.
    pub fingerprint: String,
    /// The issuer's country (ISO 3166-1 alpha-2), if its first digits are known.
    pub country: Option<String>,
}

impl StoredCardRecord {
    /// A card as the merchant sees it.
    #[must_use]
    pub fn new(card: &StoredCard) -> Self {
        let card = card.clone();
        Self {
            brand: card.brand,
            last4: card.last4,
            expiry: card.expiry,
            fingerprint: card.fingerprint,
            country: card.country,
        }
    }
}

/// The stored part of a bank account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoredAccountRecord {
    /// The country (ISO 3166-1 alpha-2).
    pub country: String,
    /// The last four characters of the IBAN.
    pub last4: String,
    /// Identifies the same account without revealing its IBAN.
    pub fingerprint: String,
}

impl StoredAccountRecord {
    /// An account as the merchant sees it.
    #[must_use]
    pub fn new(account: &StoredCard) -> Self {
        let account = account.clone();
        Self {
            country: account.country.unwrap_or_default(),
            last4: account.last4,
            fingerprint: account.fingerprint,
        }
    }
}

/// A saved instrument.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InstrumentRecord {
    /// `ins_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// `cus_…`.
    pub customer: String,
    /// The method that it pays with.
    pub method: Method,
    /// The stored part of the card; null for a bank account.
    pub card: Option<StoredCardRecord>,
    /// The stored part of the bank account; null for a card.
    pub sepa_debit: Option<StoredAccountRecord>,
    /// The acquirer that keeps the credential.
    pub provider: String,
    /// The current state.
    pub state: InstrumentState,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

impl InstrumentRecord {
    /// An instrument as its merchant sees it.
    #[must_use]
    pub fn new(instrument: &Instrument, livemode: bool) -> Self {
        let is_account = instrument.method.is_direct_debit();
        Self {
            id: instrument.id.to_string(),
            livemode,
            merchant: instrument.merchant.to_string(),
            customer: instrument.customer.to_string(),
            method: instrument.method,
            card: (!is_account).then(|| StoredCardRecord::new(&instrument.card)),
            sepa_debit: is_account.then(|| StoredAccountRecord::new(&instrument.card)),
            provider: instrument.provider.clone(),
            state: instrument.state,
            created_at: unix_seconds(instrument.created_at_ms),
            updated_at: unix_seconds(instrument.updated_at_ms),
        }
    }
}

/// An instrument as its shopper sees it.
pub(crate) fn shopper_view(instrument: &Instrument) -> InstrumentView {
    let card = instrument.card.clone();
    InstrumentView {
        id: instrument.id,
        brand: card.brand,
        last4: card.last4,
        expiry: card.expiry,
    }
}

/// The data of an instrument's event.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstrumentEventData {
    /// Increases with every change of the instrument, so that receivers can ignore stale events.
    pub sequence: i64,
    /// The instrument as it was then.
    pub instrument: InstrumentRecord,
    /// The card before it was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_card: Option<StoredCardRecord>,
}

/// The event of an instrument's latest change.
pub(crate) fn event(
    gateway: &Gateway,
    kind: &str,
    instrument: &Instrument,
    previous: Option<&StoredCard>,
) -> Result<Event, ApiError> {
    let data = InstrumentEventData {
        sequence: instrument.sequence,
        instrument: InstrumentRecord::new(instrument, gateway.livemode()),
        previous_card: previous.map(StoredCardRecord::new),
    };
    NewEvent {
        kind,
        merchant: instrument.merchant,
        subject: instrument.id.to_string(),
        sequence: instrument.sequence,
        at_ms: instrument.updated_at_ms,
        data,
    }
    .write(gateway)
}
