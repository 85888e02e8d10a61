//! Cancels subscriptions.

use super::change::{Effective, prorated};
use super::model::{EndReason, Subscription};
use super::renew::of_lines;
use super::service::{self, Changed, Found};
use super::state::SubscriptionState;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::model::IdempotentRequest;
use crate::invoices::change::{change_each, issue};
use crate::invoices::model::InvoiceReason;
use sealpay_protocol::ids::CustomerId;
use serde::Deserialize;
use utoipa::ToSchema;

/// A cancellation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// When it takes effect; `period_end` if omitted.
    pub effective: Option<Effective>,
    /// Whether the rest of the period becomes credit of the customer, if it takes effect now; false
    /// if omitted.
    #[serde(default)]
    pub prorate: bool,
}

/// Cancels a subscription, once for each `Idempotency-Key`. Open invoices stay open, and are not
/// charged by themselves any more.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] if it has ended.
pub async fn cancel(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    wanted: CancelRequest,
) -> Result<Subscription, ApiError> {
    let before = match service::find(gateway, request, id).await? {
        Found::Made(made) => return Ok(made),
        Found::New(subscription) => subscription,
    };
    if before.state.has_ended() {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let mut after = before.clone();
    // Only a period that is running has an end to wait for.
    let waits = wanted.effective != Some(Effective::Now) && service::is_running(before.state);
    if waits {
        after.cancels_at_period_end = true;
        let changed = Changed::new(gateway, before.sequence, after, "subscription.updated")?;
        return changed.write(gateway, request).await;
    }
    let now_ms = gateway.clock.now_ms_i64();
    after.end(SubscriptionState::Canceled, EndReason::Requested, now_ms);
    let mut changed = Changed::new(gateway, before.sequence, after, "subscription.canceled")?;
    stop_collecting(gateway, &mut changed).await?;
    let is_paid = before.state == SubscriptionState::Active;
    if wanted.prorate && is_paid && now_ms < before.period_end_ms {
        let lines = prorated(&before, None, super::step::whole_second(now_ms))?;
        let at = (
            InvoiceReason::SubscriptionChange,
            changed.subscription.updated_at_ms,
        );
        let invoice = of_lines(gateway, &changed.subscription, lines, at)?;
        changed.issue = Some(issue(gateway, invoice));
    }
    changed.write(gateway, request).await
}

/// Plans nothing more for open invoices.
async fn stop_collecting(gateway: &Gateway, changed: &mut Changed) -> Result<(), ApiError> {
    let unpaid = gateway.store.invoices.unpaid_of(changed.subscription.id);
    let updated = ("invoice.updated", changed.subscription.updated_at_ms);
    change_each(
        gateway,
        unpaid.await?,
        updated,
        &mut changed.rows,
        |invoice, _| {
            // A payment on the invoice's page must not bring back what was planned before it.
            let is_planned = invoice.due.is_some() || invoice.collection.is_pending;
            invoice.collection.postponed = None;
            invoice.schedule(None);
            is_planned
        },
    )
}

/// Cancels all subscriptions of a customer who is erased.
///
/// # Errors
/// The store does not respond; the subscriptions before stay canceled.
pub(crate) async fn cancel_all(gateway: &Gateway, customer: CustomerId) -> Result<(), ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let subscriptions = &gateway.store.subscriptions;
    for before in subscriptions.going_on_of(customer, u32::MAX >> 1).await? {
        let mut after = before.clone();
        after.end(
            SubscriptionState::Canceled,
            EndReason::CustomerErased,
            now_ms,
        );
        let mut changed = Changed::new(gateway, before.sequence, after, "subscription.canceled")?;
        stop_collecting(gateway, &mut changed).await?;
        let change = (before.sequence, &changed.subscription);
        // If something else changes it at this moment, the next charge fails: there is no agreement.
        let _ = subscriptions
            .change(change, changed.rows, None, None)
            .await?;
    }
    Ok(())
}
