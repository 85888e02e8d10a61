//! What happens to a subscription when its time has come: a function of the stored subscription and
//! of the time for which it was scheduled, however late it is carried out.

use super::anchor::{Anchor, AnchorError};
use super::model::{Due, EndReason, Plan, StoredAnchor, Subscription, instant};
use super::period::{self, Period, PeriodError};
use super::proration::{self, ProrationError};
use super::state::SubscriptionState;
use crate::invoices::model::{InvoiceLine, LineKind};
use sealpay_protocol::limits::{FIRST_PAYMENT_SECONDS, TRIAL_NOTICE_SECONDS};
use sealpay_protocol::money::{Money, MoneyError};
use std::error::Error;
use std::fmt;

/// Why a subscription cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepError {
    /// The zone of its anchor is gone.
    Anchor(AnchorError),
    /// The periods end.
    Period(PeriodError),
    /// The amounts are too large.
    Proration(ProrationError),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor(error) => error.fmt(f),
            Self::Period(error) => error.fmt(f),
            Self::Proration(error) => error.fmt(f),
        }
    }
}

impl Error for StepError {}

impl From<AnchorError> for StepError {
    fn from(error: AnchorError) -> Self {
        Self::Anchor(error)
    }
}

impl From<PeriodError> for StepError {
    fn from(error: PeriodError) -> Self {
        Self::Period(error)
    }
}

impl From<ProrationError> for StepError {
    fn from(error: ProrationError) -> Self {
        Self::Proration(error)
    }
}

impl From<MoneyError> for StepError {
    fn from(error: MoneyError) -> Self {
        Self::Proration(error.into())
    }
}

/// What a step changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The subscription afterwards.
    pub subscription: Subscription,
    /// The type of the event.
    pub event: &'static str,
    /// The lines of the invoice of the period that begins, if one does.
    pub lines: Option<Vec<InvoiceLine>>,
}

/// A span in seconds, as milliseconds.
const fn ms(seconds: u64) -> i64 {
    seconds.cast_signed().saturating_mul(1000)
}

/// Puts a new subscription into its trial, which ends at `trial_end_ms`.
pub fn begin_trial(subscription: &mut Subscription, trial_end_ms: i64) {
    subscription.state = SubscriptionState::Trialing;
    subscription.period_start_ms = subscription.created_at_ms;
    subscription.period_end_ms = trial_end_ms;
    let notice_ms = trial_end_ms.saturating_sub(ms(TRIAL_NOTICE_SECONDS));
    let next = if notice_ms > subscription.created_at_ms {
        (Due::TrialNotice, notice_ms)
    } else {
        (Due::PeriodEnd, trial_end_ms)
    };
    subscription.schedule(Some(next));
}

/// Puts a new subscription into its first period; it is incomplete until that is paid.
///
/// # Errors
/// The period or its price cannot be computed.
pub fn begin_first_period(subscription: &mut Subscription) -> Result<Vec<InvoiceLine>, StepError> {
    let lines = begin_period(subscription, subscription.created_at_ms)?;
    await_first_payment(subscription, subscription.created_at_ms);
    Ok(lines)
}

/// Leaves a subscription incomplete until its first invoice is paid, or the time for that ends.
fn await_first_payment(subscription: &mut Subscription, at_ms: i64) {
    subscription.state = SubscriptionState::Incomplete;
    let expires_at_ms = at_ms.saturating_add(ms(FIRST_PAYMENT_SECONDS));
    subscription.schedule(Some((Due::Expiry, expires_at_ms)));
}

/// Begins the first charged period at an instant. It may be shorter than its interval, and is then
/// prorated.
fn begin_period(
    subscription: &mut Subscription,
    start_ms: i64,
) -> Result<Vec<InvoiceLine>, StepError> {
    let anchor = subscription.anchor.anchor()?;
    let interval = subscription.plan.interval;
    let first = period::first_period(&anchor, interval, instant(start_ms))?;
    // Periods are numbered from 1, wherever the anchor is.
    subscription.period_number += 1;
    subscription.anchor.base = subscription.period_number - first.index;
    enter(subscription, &first.part);
    Ok(lines(&subscription.plan, &first.part, &first.whole)?)
}

/// The period with the number of the subscription's next one.
fn begin_next_period(subscription: &mut Subscription) -> Result<Vec<InvoiceLine>, StepError> {
    let anchor = subscription.anchor.anchor()?;
    subscription.period_number += 1;
    let interval = subscription.plan.interval;
    let index = subscription.period_number - subscription.anchor.base;
    let whole = period::period(&anchor, interval, index)?;
    enter(subscription, &whole);
    Ok(lines(&subscription.plan, &whole, &whole)?)
}

fn enter(subscription: &mut Subscription, part: &Period) {
    subscription.period_start_ms = part.start().as_millisecond();
    subscription.period_end_ms = part.end().as_millisecond();
    subscription.schedule(Some((Due::PeriodEnd, subscription.period_end_ms)));
}

/// Anchors the subscription anew at an instant, and begins a period there.
///
/// # Errors
/// The period or its price cannot be computed.
pub fn begin_anew(
    subscription: &mut Subscription,
    at_ms: i64,
) -> Result<Vec<InvoiceLine>, StepError> {
    let anchor = Anchor::at(instant(at_ms), &subscription.anchor.zone)?;
    subscription.anchor = StoredAnchor::new(&anchor);
    begin_period(subscription, whole_second(at_ms))
}

/// Anchors have whole seconds.
#[must_use]
pub const fn whole_second(at_ms: i64) -> i64 {
    at_ms.div_euclid(1000).saturating_mul(1000)
}

/// The lines of a part of a period.
fn lines(plan: &Plan, part: &Period, whole: &Period) -> Result<Vec<InvoiceLine>, ProrationError> {
    let Some(currency) = plan.currency() else {
        return Err(ProrationError::NoItems);
    };
    let of_item = |item: &super::model::PlanItem| {
        let value_minor = item
            .unit_minor
            .checked_mul(i64::from(item.quantity))
            .ok_or(MoneyError::Overflow)?;
        let value = Money::new(value_minor, currency);
        let amount = proration::part(value, whole, part.start(), part.end())?;
        Ok(InvoiceLine {
            kind: LineKind::Plan,
            description: item.name.clone(),
            price: Some(item.price),
            quantity: item.quantity,
            amount_minor: amount.amount_minor(),
            is_prorated: part != whole,
            period_start_ms: Some(part.start().as_millisecond()),
            period_end_ms: Some(part.end().as_millisecond()),
        })
    };
    plan.items.iter().map(of_item).collect()
}

/// Carries out what is due.
///
/// # Errors
/// A period or its price cannot be computed.
pub fn advance(before: &Subscription, due: Due) -> Result<Step, StepError> {
    let at_ms = before.due_at_ms;
    let mut after = before.clone();
    let mut lines = None;
    let event = match due {
        Due::TrialNotice => {
            after.schedule(Some((Due::PeriodEnd, before.period_end_ms)));
            "subscription.trial_ending"
        }
        Due::Expiry => {
            let reason = EndReason::FirstPaymentMissing;
            after.end(SubscriptionState::IncompleteExpired, reason, at_ms);
            "subscription.expired"
        }
        Due::PeriodEnd if before.cancels_at_period_end => {
            after.end(SubscriptionState::Canceled, EndReason::Requested, at_ms);
            "subscription.canceled"
        }
        Due::PeriodEnd if before.state == SubscriptionState::Trialing => {
            if before.agreement.is_none() {
                after.state = SubscriptionState::Paused;
                after.paused_at_ms = Some(at_ms);
                after.schedule(None);
                "subscription.paused"
            } else {
                take_queued_plan(&mut after);
                lines = Some(begin_period(&mut after, at_ms)?);
                after.state = SubscriptionState::Active;
                "subscription.activated"
            }
        }
        Due::PeriodEnd => {
            let former = after.plan.interval;
            take_queued_plan(&mut after);
            let begun = if after.plan.interval == former {
                begin_next_period(&mut after)
            } else {
                begin_anew(&mut after, at_ms)
            };
            lines = Some(begun?);
            "subscription.renewed"
        }
        Due::Resume => {
            lines = resume(&mut after, at_ms)?;
            "subscription.resumed"
        }
    };
    Ok(Step {
        subscription: after,
        event,
        lines,
    })
}

fn take_queued_plan(subscription: &mut Subscription) {
    if let Some(plan) = subscription.queued_plan.take() {
        subscription.plan = plan;
    }
}

/// Ends a pause. The current period goes on if it has not ended; otherwise a new one begins, and all
/// later periods follow it. If nobody has agreed to charges yet, the customer has to pay for it first.
///
/// # Errors
/// The period or its price cannot be computed.
pub fn resume(
    subscription: &mut Subscription,
    at_ms: i64,
) -> Result<Option<Vec<InvoiceLine>>, StepError> {
    subscription.paused_at_ms = None;
    subscription.resumes_at_ms = None;
    let is_in_trial = subscription.period_number == 0 && at_ms < subscription.period_end_ms;
    subscription.state = if is_in_trial {
        SubscriptionState::Trialing
    } else {
        SubscriptionState::Active
    };
    if at_ms < subscription.period_end_ms {
        subscription.schedule(Some((Due::PeriodEnd, subscription.period_end_ms)));
        return Ok(None);
    }
    take_queued_plan(subscription);
    let lines = begin_anew(subscription, at_ms)?;
    if subscription.agreement.is_none() {
        await_first_payment(subscription, at_ms);
    }
    Ok(Some(lines))
}

#[cfg(test)]
mod tests;
