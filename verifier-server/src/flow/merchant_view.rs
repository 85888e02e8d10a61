//! Payments and events as the merchant sees them.

use crate::domain::authentication::Authentication;
use crate::domain::decline::{self, DeclineClass};
use crate::domain::event::{Delivery, Event};
use crate::domain::payment::{KeptCard, Payment};
use crate::domain::risk::Assessment;
use crate::domain::state::PaymentState;
use crate::domain::transfer::Sum;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentRecord {
    /// `pay_…`.
    pub id: String,
    /// `chk_…`.
    pub session: String,
    /// `att_…`.
    pub attempt: String,
    /// `mer_…`.
    pub merchant: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// When the money is taken.
    pub capture: Capture,
    /// The way to pay.
    pub method: Method,
    /// Where it stands.
    pub state: PaymentState,
    /// The card, as far as it is kept; only with the method `card`.
    pub card: Option<CardRecord>,
    /// Why not.
    pub decline: Option<DeclineRecord>,
    /// Who was asked, and why.
    pub route: RouteRecord,
    /// What the fraud rules say; none for a persona's card and for other methods.
    pub risk: Option<Assessment>,
    /// What the issuer says of the shopper, where it was asked.
    pub authentication: Option<Authentication>,
    /// The money that is expected; only with the method `bank_transfer`.
    pub transfer: Option<TransferRecord>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub updated_at: i64,
}

/// A card, as far as it is kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CardRecord {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `YYYY-MM`.
    pub expiry: String,
    /// Recognizes the same card again; says nothing about its number.
    pub fingerprint: String,
}

/// Who was asked, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RouteRecord {
    /// The provider's name.
    pub provider: String,
    /// The key of the rule that chose it, and what came in between.
    pub reason: String,
}

/// Money that is expected by bank transfer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TransferRecord {
    /// The account (ISO 13616).
    pub iban: String,
    /// What has to stand on the transfer (ISO 11649).
    pub reference: String,
    /// What has come, minor units.
    pub received: i64,
    /// What came too much, minor units; the merchant has to send it back.
    pub overpaid: i64,
}

/// Why a payment was declined.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeclineRecord {
    /// The stable key.
    pub code: String,
    /// ISO 8583 response code, where the issuer sent one.
    pub response_code: Option<String>,
    /// Whether a retry can help.
    pub class: DeclineClass,
    /// A sentence for the merchant.
    pub message: String,
}

/// An event with its deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRecord {
    /// `evt_…`; also the `webhook-id`.
    pub id: String,
    /// Such as `payment.captured`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `pay_…`.
    pub payment: String,
    /// Counts the payment's events from 1.
    pub sequence: i64,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The exact body that is sent.
    #[schema(value_type = Object)]
    pub body: Box<RawValue>,
    /// Where it went and how that ended.
    pub deliveries: Vec<DeliveryRecord>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryRecord {
    /// `whe_…`.
    pub endpoint: String,
    /// `pending`, `delivered` or `failed`.
    pub state: &'static str,
    /// Attempts made.
    pub attempts: i64,
    /// The last HTTP status.
    pub last_status: Option<i64>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it is tried next, seconds since 1970.
    pub next_at: Option<i64>,
}

impl PaymentRecord {
    /// A payment as its merchant sees it.
    #[must_use]
    pub fn of(payment: &Payment) -> Self {
        Self {
            id: payment.id.to_string(),
            session: payment.session.to_string(),
            attempt: payment.attempt.to_string(),
            merchant: payment.merchant.to_string(),
            order_ref: payment.order_ref.clone(),
            amount: payment.money.amount_minor(),
            currency: payment.money.currency().to_string(),
            capture: payment.capture,
            method: payment.method,
            state: payment.state,
            card: payment.card.as_ref().map(CardRecord::of),
            decline: payment.decline.as_deref().and_then(decline_record),
            route: RouteRecord {
                provider: payment.provider.clone(),
                reason: payment.route_reason.clone(),
            },
            risk: payment.risk.clone(),
            authentication: payment.authentication.clone(),
            transfer: payment.transfer.as_ref().map(|expected| TransferRecord {
                iban: expected.iban.clone(),
                reference: expected.reference.clone(),
                received: expected.received_minor,
                overpaid: match expected.sum(payment.money.amount_minor()) {
                    Sum::Over(minor) => minor,
                    Sum::Short(_) | Sum::Exact => 0,
                },
            }),
            created_at: payment.created_at_ms.div_euclid(1000),
            updated_at: payment.updated_at_ms.div_euclid(1000),
        }
    }
}

impl CardRecord {
    fn of(card: &KeptCard) -> Self {
        Self {
            brand: card.brand.clone(),
            last4: card.last4.clone(),
            expiry: card.expiry.clone(),
            fingerprint: card.fingerprint.clone(),
        }
    }
}

fn decline_record(key: &str) -> Option<DeclineRecord> {
    let decline = decline::find(key)?;
    Some(DeclineRecord {
        code: decline.key.clone(),
        response_code: decline.response_code.clone(),
        class: decline.class,
        message: decline.merchant_message.clone(),
    })
}

impl EventRecord {
    /// An event as its merchant sees it; `None` when the stored body is not JSON.
    #[must_use]
    pub fn of(event: Event, deliveries: &[Delivery]) -> Option<Self> {
        Some(Self {
            id: event.id.to_string(),
            kind: event.kind,
            payment: event.payment.to_string(),
            sequence: event.sequence,
            created_at: event.created_at_ms.div_euclid(1000),
            body: RawValue::from_string(event.body).ok()?,
            deliveries: deliveries.iter().map(DeliveryRecord::of).collect(),
        })
    }
}

impl DeliveryRecord {
    fn of(delivery: &Delivery) -> Self {
        let pending = delivery.state == crate::domain::event::DeliveryState::Pending;
        Self {
            endpoint: delivery.endpoint.to_string(),
            state: delivery.state.name(),
            attempts: delivery.attempts,
            last_status: delivery.last_status,
            last_error: delivery.last_error.clone(),
            next_at: pending.then(|| delivery.next_at_ms.div_euclid(1000)),
        }
    }
}
