//! The payment in an event, as far as this shop reads it.

use super::{Attempt, AttemptState, Decline, Details};
use crate::integration::Event;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use serde::Deserialize;

/// The events that change an order here; each is named like the state that it tells of.
const KNOWN: [&str; 6] = [
    "requires_action",
    "authorized",
    "captured",
    "declined",
    "expired",
    "unknown",
];

/// News of one payment.
#[derive(Debug, Clone)]
pub(crate) struct PaymentEvent {
    pub(crate) order_reference: String,
    /// Who was paid.
    pub(crate) merchant: String,
    /// What was paid; the shop compares it with what it asked for.
    pub(crate) amount: Money,
    pub(crate) attempt: Attempt,
}

#[derive(Deserialize)]
struct Data {
    sequence: u64,
    payment: Payment,
}

#[derive(Deserialize)]
struct Payment {
    id: String,
    merchant: String,
    order_ref: String,
    #[serde(flatten)]
    amount: Money,
    state: String,
    method: Method,
    card: Option<Card>,
    decline: Option<DeclineTold>,
    #[serde(flatten)]
    details: Details,
    created_at: u64,
}

#[derive(Deserialize)]
struct Card {
    brand: String,
    last4: String,
}

#[derive(Deserialize)]
struct DeclineTold {
    code: String,
    response_code: Option<String>,
    class: String,
    message: String,
}

/// Reads the payment of an event; `None` when the event is of a kind that changes nothing here.
///
/// # Errors
/// The event is of a known kind and cannot be read.
pub(crate) fn read_payment_event(event: Event) -> Result<Option<PaymentEvent>, serde_json::Error> {
    let Some(kind) = event
        .kind
        .strip_prefix("payment.")
        .filter(|kind| KNOWN.contains(kind))
    else {
        return Ok(None);
    };
    let Data { sequence, payment } = serde_json::from_value(event.data)?;
    let Some(state) = AttemptState::parse(&payment.state) else {
        return Err(serde::de::Error::custom(format!(
            "a {kind} payment in state {}",
            payment.state
        )));
    };
    let decline = payment.decline.map(|told| Decline {
        code: told.code,
        response_code: told.response_code,
        class: told.class,
        message: told.message,
    });
    let card = payment.card.map_or_else(String::new, |card| {
        format!(
            "{} •••• {}",
            card.brand.replace(['-', '_'], " "),
            card.last4
        )
    });
    Ok(Some(PaymentEvent {
        order_reference: payment.order_ref,
        merchant: payment.merchant,
        amount: payment.amount,
        attempt: Attempt {
            payment: payment.id,
            sequence,
            state,
            method: payment.method,
            card,
            decline,
            details: payment.details,
            created_at: payment.created_at,
        },
    }))
}
