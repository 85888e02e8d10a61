//! The common preparation of payments of every method.

use super::methods::Attempt;
use super::methods::details::PaymentDetails;
use super::model::Payment;
use super::state::PaymentState;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::sessions::model::Session;
use crate::worker::Lease;
use sealpay_protocol::ids::PaymentId;

/// The end of a lease that starts now, milliseconds since 1970.
pub(crate) fn lease_until_ms(gateway: &Gateway) -> i64 {
    Lease::within(gateway.settings.provider_timeout).until_ms(gateway.clock.now_ms_i64())
}

/// The current time plus a lifetime in seconds, as milliseconds since 1970.
pub(crate) fn deadline_ms(gateway: &Gateway, lifetime_seconds: u64) -> i64 {
    let lifetime_ms = i64::try_from(lifetime_seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    gateway.clock.now_ms_i64().saturating_add(lifetime_ms)
}

/// The payee's name for shoppers.
pub(crate) async fn payee_of(gateway: &Gateway, session: &Session) -> Result<String, ApiError> {
    let merchant = gateway.store.merchants.get(session.merchant).await?;
    Ok(merchant.map(|merchant| merchant.name).unwrap_or_default())
}

/// A new payment, before any provider is asked.
pub(crate) fn new_payment(attempt: Attempt<'_>, details: PaymentDetails) -> Payment {
    let Attempt {
        gateway,
        session,
        request,
    } = attempt;
    let now_ms = gateway.clock.now_ms();
    let created_at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    Payment {
        id: PaymentId::new(now_ms, gateway.rng.bytes()),
        session: Some(session.id),
        agreement: None,
        invoice: session.invoice,
        merchant: session.merchant,
        attempt: request.attempt,
        owner: request.thumbprint.as_str().to_owned(),
        body_digest: request.body_digest.clone(),
        order_ref: session.order_ref.clone(),
        money: session.money,
        capture: session.capture,
        details,
        state: PaymentState::Authorizing,
        decline: None,
        provider: String::new(),
        route_reason: String::new(),
        captured_minor: 0,
        refunded_minor: 0,
        disputed_minor: 0,
        returned_minor: 0,
        modification: None,
        simulate: session.simulate.clone(),
        sequence: 0,
        created_at_ms,
        updated_at_ms: created_at_ms,
        lease_until_ms: lease_until_ms(gateway),
    }
}
