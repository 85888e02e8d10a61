//! Carries out what is due: trials and periods that end, pauses that end, first payments that never
//! came.

use super::model::{Due, Subscription};
use super::state::SubscriptionState;
use super::step::{self, Step, StepError};
use super::store::{self as subscription_store, Renewal};
use super::view;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::write::{Rows, Written};
use crate::invoices::change::{change_each, issue, void};
use crate::invoices::finalize::{self, Issue};
use crate::invoices::model::{Collection, Invoice, InvoiceLine, InvoiceReason, InvoiceState};
use crate::webhooks::events::model::Event;
use crate::worker::{self, Lease};
use sealpay_protocol::ids::InvoiceId;
use sealpay_protocol::money::{Money, MoneyError};

/// Maximum number of subscriptions in one batch, which is written in one transaction: the numbers of
/// a merchant's invoices are taken one after the other. Shoppers' payments wait for its end.
const BATCH: u32 = 16;

/// Does what is due for one batch of subscriptions; returns how many went on.
///
/// # Errors
/// The store does not respond.
pub async fn renew(gateway: &Gateway) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let until_ms = Lease::within(gateway.settings.provider_timeout).until_ms(now_ms);
    let subscriptions = &gateway.store.subscriptions;
    let due = subscriptions.claim_due(now_ms, until_ms, BATCH).await?;
    let mut renewals = Vec::with_capacity(due.len());
    let mut expired = 0;
    for subscription in &due {
        if subscription.due == Some(Due::Expiry) {
            match expire(gateway, subscription).await {
                Ok(has_expired) => expired += usize::from(has_expired),
                Err(error) => worker::retries("an expiry", &subscription.id, &error),
            }
            continue;
        }
        match prepare(gateway, subscription) {
            Ok(renewal) => renewals.extend(renewal),
            Err(error) => worker::retries("a renewal", &subscription.id, &error),
        }
    }
    if renewals.is_empty() && expired == 0 {
        return Ok(0);
    }
    let renewed = subscriptions.renew(renewals).await?;
    gateway.wake_outbox();
    Ok(renewed + expired)
}

fn prepare(gateway: &Gateway, before: &Subscription) -> Result<Option<Renewal>, ApiError> {
    let Some(due) = before.due else {
        return Ok(None);
    };
    let Step {
        mut subscription,
        event,
        lines,
    } = step::advance(before, due).map_err(failed)?;
    // Events are dated by the time at which they were due, however late that is noticed.
    let at_ms = before.due_at_ms;
    subscription.touch(at_ms);
    let id = gateway.event_origin();
    let event = view::event(id, event, &subscription)?;
    let invoice = lines.map(|lines| of_period(gateway, &subscription, lines, at_ms));
    let issue = match invoice.transpose()? {
        Some(invoice) => Some(issue_of_period(gateway, &subscription, invoice)?),
        None => None,
    };
    Ok(Some(Renewal {
        before_sequence: before.sequence,
        subscription,
        event,
        invoice: issue,
    }))
}

/// Ends a subscription whose first invoice was not paid in time, and voids the invoice. While a
/// payment of it is under way, nothing expires.
async fn expire(gateway: &Gateway, before: &Subscription) -> Result<bool, ApiError> {
    let at_ms = before.due_at_ms;
    let step = step::advance(before, Due::Expiry).map_err(failed)?;
    let mut subscription = step.subscription;
    subscription.touch(at_ms);
    let mut rows = Rows::default();
    let unpaid = gateway.store.invoices.unpaid_of(before.id).await?;
    if unpaid.iter().any(|invoice| invoice.collection.is_pending) {
        release(gateway, before).await?;
        return Ok(false);
    }
    let voided = ("invoice.voided", at_ms);
    change_each(gateway, unpaid, voided, &mut rows, |invoice, rows| {
        void(invoice, rows, at_ms);
        true
    })?;
    let id = gateway.event_origin();
    rows.events
        .push(view::event(id, step.event, &subscription)?);
    let change = (before.sequence, &subscription);
    let subscriptions = &gateway.store.subscriptions;
    let is_done = subscriptions.change(change, rows, None, None).await? == Written::Done;
    if !is_done {
        // An invoice was paid, or the subscription changed.
        release(gateway, before).await?;
    }
    Ok(is_done)
}

async fn release(gateway: &Gateway, leased: &Subscription) -> Result<(), ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    gateway.store.subscriptions.release(leased, now_ms).await?;
    Ok(())
}

/// The subscription once its first invoice is paid.
pub(super) fn activated(
    gateway: &Gateway,
    subscription: &Subscription,
) -> Result<(Subscription, Event), ApiError> {
    let mut active = subscription.clone();
    active.activate();
    active.touch(subscription.updated_at_ms);
    let id = gateway.event_origin();
    let event = view::event(id, "subscription.activated", &active)?;
    Ok((active, event))
}

/// Issues the invoice of a period. If the customer's credit covers the first one, the subscription
/// begins.
///
/// # Errors
/// Something could not be written as JSON.
pub(super) fn issue_of_period(
    gateway: &Gateway,
    subscription: &Subscription,
    invoice: Invoice,
) -> Result<Issue, ApiError> {
    let issue = issue(gateway, invoice);
    if subscription.state != SubscriptionState::Incomplete {
        return Ok(issue);
    }
    let (active, event) = activated(gateway, subscription)?;
    let mut if_paid = Rows::default();
    let row = subscription_store::update(subscription.sequence, &active)?;
    if_paid.others.push(row);
    if_paid.events.push(event);
    Ok(issue.if_paid(if_paid))
}

/// The invoice of a subscription's current period, which is charged when it is issued. An unpaid
/// subscription's stays a draft; without an agreement, the customer pays it on its page.
///
/// # Errors
/// The sum is too large.
pub(super) fn of_period(
    gateway: &Gateway,
    subscription: &Subscription,
    lines: Vec<InvoiceLine>,
    at_ms: i64,
) -> Result<Invoice, ApiError> {
    let reason = if subscription.period_number == 1 {
        InvoiceReason::SubscriptionStart
    } else {
        InvoiceReason::SubscriptionRenewal
    };
    let mut invoice = of_lines(gateway, subscription, lines, (reason, at_ms))?;
    invoice.period_number = Some(subscription.period_number);
    match subscription.state {
        SubscriptionState::Unpaid => {
            invoice.state = InvoiceState::Draft;
            invoice.schedule(None);
        }
        SubscriptionState::Incomplete if subscription.agreement.is_none() => {
            finalize::leave_to_customer(&mut invoice);
        }
        _ => {}
    }
    Ok(invoice)
}

/// An invoice with these lines, which is charged when it is issued.
pub(super) fn of_lines(
    gateway: &Gateway,
    subscription: &Subscription,
    lines: Vec<InvoiceLine>,
    (reason, at_ms): (InvoiceReason, i64),
) -> Result<Invoice, ApiError> {
    let currency = subscription.plan.currency();
    let currency = currency.ok_or_else(|| failed(MoneyError::Overflow.into()))?;
    let total_minor = lines
        .iter()
        .try_fold(0_i64, |sum, line| sum.checked_add(line.amount_minor));
    let total_minor = total_minor.ok_or_else(|| failed(MoneyError::Overflow.into()))?;
    let made_at_ms = u64::try_from(at_ms).unwrap_or_default();
    let mut invoice = Invoice {
        id: InvoiceId::new(made_at_ms, gateway.rng.bytes()),
        merchant: subscription.merchant,
        customer: subscription.customer,
        subscription: Some(subscription.id),
        period_number: None,
        number: None,
        reason,
        state: InvoiceState::Open,
        lines,
        total: Money::new(total_minor, currency),
        applied_minor: 0,
        paid_minor: 0,
        credited_minor: 0,
        collection: Collection::default(),
        due: None,
        due_at_ms: 0,
        lease_until_ms: 0,
        finalized_at_ms: None,
        closed_at_ms: None,
        sequence: 1,
        created_at_ms: at_ms,
        updated_at_ms: at_ms,
    };
    finalize::charge_at(&mut invoice, at_ms);
    Ok(invoice)
}

/// Prices and intervals are limited, so periods end only with the calendar.
pub(super) fn failed(error: StepError) -> ApiError {
    ApiError::because(ErrorCode::Internal, error)
}
