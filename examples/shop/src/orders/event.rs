//! The payment in an event, as far as this shop reads it.

use super::news::{DisputeTold, ModificationTold};
use super::{Attempt, AttemptState, Decline, Details, News};
use crate::integration::Event;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use serde::Deserialize;

/// What the events are about that change an order here. All of them carry the payment as it was
/// then; of others, such as payouts, this shop keeps no books.
const KNOWN: [&str; 2] = ["payment.", "dispute."];

/// News of one payment.
#[derive(Debug, Clone)]
pub(crate) struct PaymentEvent {
    pub(crate) order_reference: String,
    /// What was paid; the shop compares it with what it asked for.
    pub(crate) amount: Money,
    pub(crate) attempt: Attempt,
    /// What happened, for the list below the payment.
    pub(crate) news: News,
}

#[derive(Deserialize)]
struct Data {
    sequence: u64,
    payment: Payment,
    modification: Option<ModificationTold>,
    dispute: Option<DisputeTold>,
}

#[derive(Deserialize)]
struct Payment {
    id: String,
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
    if !KNOWN.iter().any(|about| event.kind.starts_with(about)) {
        return Ok(None);
    }
    let Data {
        sequence,
        payment,
        modification,
        dispute,
    } = serde_json::from_value(event.data)?;
    // A state of a later version: what the shop knows already is the better answer.
    let Some(state) = AttemptState::parse(&payment.state) else {
        return Ok(None);
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
        amount: payment.amount,
        news: News::of(event.kind, sequence, modification, dispute),
        attempt: Attempt {
            payment: payment.id,
            sequence,
            state,
            method: payment.method,
            card,
            decline,
            details: payment.details,
            created_at: payment.created_at,
            news: Vec::new(),
        },
    }))
}
