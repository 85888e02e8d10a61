//! Reconciles payments without an outcome: queries the provider until it is known.
//!
//! The same code handles a provider that never responded and a server that crashed. Several servers
//! can run it at once: a conditional update decides who takes the lease.

use super::methods;
use super::model::Payment;
use super::outcome::{self, PaymentOutcome};
use super::state::PaymentState;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::worker::Lease;
use futures_util::stream::{FuturesUnordered, StreamExt};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::method::Method;
use sealpay_provider::Inquiry;

/// Maximum number of payments in one batch.
const BATCH: u32 = 256;
/// Maximum number of concurrent inquiries: a provider that is slow for one is slow for all.
const AT_ONCE: usize = 16;

/// Reconciles every payment whose lease or whose shopper's time has run out; returns how many got
/// an outcome. A failure does not stop the others.
///
/// # Errors
/// The store cannot list the payments.
pub async fn recover(gateway: &Gateway) -> Result<usize, ApiError> {
    let by_ms = gateway.clock.now_ms_i64();
    let payments = gateway.store.payments.open(by_ms, BATCH).await?;
    // If a method cannot fetch its latest credits, its payments do not expire yet.
    let mut unready = Vec::new();
    for method in Method::ALL {
        let is_there = payments
            .iter()
            .any(|payment| payment.details.method() == method);
        if is_there && methods::find(method).before_expiry(gateway).await.is_err() {
            unready.push(method);
        }
    }
    let mut looking = FuturesUnordered::new();
    let mut waiting = payments.into_iter();
    let mut resolved = 0;
    loop {
        while looking.len() < AT_ONCE {
            let Some(payment) = waiting.next() else { break };
            let is_ready = !unready.contains(&payment.details.method());
            looking.push(reconcile(gateway, payment, is_ready));
        }
        match looking.next().await {
            Some(was_resolved) => resolved += usize::from(was_resolved),
            None => return Ok(resolved),
        }
    }
}

/// Reconciles one payment now, because its provider sent a notification. A request that is still in
/// progress is left alone: its own response decides, and an earlier inquiry would make the provider
/// reject it.
///
/// # Errors
/// The store or the provider does not respond.
pub async fn look_at(gateway: &Gateway, id: PaymentId) -> Result<(), ApiError> {
    let Some(payment) = gateway.store.payments.get(id).await? else {
        tracing::warn!(payment = %id, "a provider sent a notification about an unknown payment");
        return Ok(());
    };
    let now_ms = gateway.clock.now_ms_i64();
    match payment.state {
        PaymentState::RequiresAction => {
            let method = methods::find(payment.details.method());
            method.refresh(gateway, payment).await?;
        }
        PaymentState::Unknown | PaymentState::Authorizing
            if payment.state == PaymentState::Unknown || payment.lease_until_ms <= now_ms =>
        {
            if let Some(payment) = take_lease(gateway, &payment, now_ms).await? {
                ask(gateway, &payment).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

async fn reconcile(gateway: &Gateway, payment: Payment, is_ready: bool) -> bool {
    let looked = async {
        // An expired shopper's time is decided by the store alone, so concurrent calls do no harm.
        if payment.state == PaymentState::RequiresAction {
            let method = methods::find(payment.details.method());
            return Ok(is_ready && method.expire(gateway, &payment).await?);
        }
        let now_ms = gateway.clock.now_ms_i64();
        // Asks the provider that the payment names now; it may be another acquirer than before.
        match take_lease(gateway, &payment, now_ms).await? {
            Some(payment) => ask(gateway, &payment).await,
            None => Ok(false),
        }
    };
    let looked: Result<bool, ApiError> = looked.await;
    looked.unwrap_or_else(|error| {
        tracing::warn!(payment = %payment.id, ?error,
            "a payment could not be reconciled and will be retried");
        false
    })
}

async fn take_lease(
    gateway: &Gateway,
    payment: &Payment,
    now_ms: i64,
) -> Result<Option<Payment>, ApiError> {
    let lease = Lease::within(gateway.settings.provider_timeout);
    let until_ms = lease.again_until_ms(now_ms, payment.created_at_ms);
    let payments = &gateway.store.payments;
    let taken = payments.extend_lease(payment.id, payment.lease_until_ms, until_ms);
    Ok(taken.await?)
}

async fn ask(gateway: &Gateway, payment: &Payment) -> Result<bool, ApiError> {
    match find_outcome(gateway, payment).await? {
        Some(outcome) => outcome::record(gateway, payment, outcome)
            .await
            .map(|_| true),
        None => Ok(false),
    }
}

async fn find_outcome(
    gateway: &Gateway,
    payment: &Payment,
) -> Result<Option<PaymentOutcome>, ApiError> {
    let method = methods::find(payment.details.method());
    if let Some(outcome) = method.outcome_unasked(payment) {
        return Ok(Some(outcome));
    }
    let asked = method.inquire(&gateway.providers, &payment.provider, payment);
    let Some(asked) = asked else {
        tracing::error!(payment = %payment.id, provider = payment.provider,
            "the provider is no longer configured");
        return Ok(None);
    };
    match gateway.within(asked).await {
        // The server crashed before it showed the action, so the shopper never saw it: withdraw it.
        Ok(Inquiry::Waiting) => method.withdraw(gateway, payment).await,
        Ok(inquiry) => Ok(outcome::of_inquiry(payment, inquiry)),
        Err(error) => Err(error.into()),
    }
}
