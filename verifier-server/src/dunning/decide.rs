//! The next step after a declined payment without the customer.
//!
//! In order of precedence: an unknown outcome is queried; another card than the declined one is
//! tried; a card that must not be tried again is not; a customer who has to authenticate is waited
//! for; then the policy has its say, and the scheme the last word.

use super::history::{CardAttempt, CardDecline, History, PastAttempt};
use super::policy::{DunningPolicy, Payday};
use super::scheme_limits::{SchemeAdvice, SchemeLimits, hours_after};
use crate::subscriptions::anchor::first_instant;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sealpay_protocol::money::Money;
use sealpay_provider::decline::DeclineClass;

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try the card of the history at this instant, or at once if it has passed.
    RetryAt(Timestamp),
    /// Ask the account updater for new data of the card.
    AskUpdater,
    /// Wait until the customer authenticates or pays with another card.
    WaitForShopper,
    /// Query the outcome of the last try, and decide again when it is known.
    AskOutcome,
    /// The policy, or the scheme's limit within its horizon, is used up.
    Exhausted,
    /// The card must not be tried again; only another credential helps.
    Never,
}

/// Decides what follows a decline. `history` is without the declined attempt.
///
/// Delays count from the declined attempt. Each class has its own: the third `later` decline of an
/// invoice waits for the third delay of `later`, whatever declines were between. A try that a scheme
/// does not allow moves to the first instant at which it does, and is dropped if that is beyond the
/// policy's horizon.
#[must_use]
pub fn decide(
    policy: &DunningPolicy,
    limits: &SchemeLimits,
    history: &History<'_>,
    declined: &CardAttempt<'_>,
    decline: &CardDecline<'_>,
) -> Next {
    if decline.reason().class == DeclineClass::Unknown {
        return Next::AskOutcome;
    }
    let last = PastAttempt {
        attempt: *declined,
        decline: Some(*decline),
    };
    let attempts: Vec<_> = history.attempts.iter().copied().chain([last]).collect();
    if let Some(stop) = stop(limits, history, &attempts) {
        return stop;
    }
    let is_replaced = declined.credential.reference != history.credential.reference;
    let wanted = if is_replaced {
        history.credential_since.max(declined.at)
    } else if decline.reason().class == DeclineClass::StepUp {
        return Next::WaitForShopper;
    } else {
        let class = effective_class(limits, &last);
        let is_earlier = |past: &&PastAttempt<'_>| {
            past.attempt.invoice_id == declined.invoice_id && effective_class(limits, past) == class
        };
        let earlier = history.attempts.iter().filter(is_earlier).count();
        let hours = class.and_then(|class| policy.delay_hours(class, earlier));
        let Some(hours) = hours else {
            return Next::Exhausted;
        };
        hours_after(declined.at, hours)
    };
    let of_invoice = attempts
        .iter()
        .filter(|past| past.attempt.invoice_id == declined.invoice_id);
    let first = of_invoice.map(|past| past.attempt.at).min();
    let first = first.unwrap_or(declined.at);
    let horizon = hours_after(first, policy.horizon_days().saturating_mul(24));
    let wanted = wanted.max(not_before(limits, history, &attempts));
    let payday = policy
        .payday_for(&decline.reason().key)
        .filter(|_| !is_replaced)
        .and_then(|payday| next_payday(payday, history.zone, wanted));
    // A payday is a preference: where it is too late, the try is made without it.
    let wanted = payday.filter(|payday| *payday <= horizon).unwrap_or(wanted);
    let at = allowed(limits, history, &attempts, declined.amount, wanted);
    if at > horizon {
        return Next::Exhausted;
    }
    Next::RetryAt(at)
}

/// Decides about the first try for a new invoice: the card may be blocked or at its limit because of
/// others. Answers [`Next::RetryAt`], [`Next::AskUpdater`] or [`Next::Never`].
#[must_use]
pub fn decide_first(
    limits: &SchemeLimits,
    history: &History<'_>,
    amount: Money,
    wanted: Timestamp,
) -> Next {
    stop(limits, history, history.attempts).unwrap_or_else(|| {
        let wanted = wanted.max(not_before(limits, history, history.attempts));
        let at = allowed(limits, history, history.attempts, amount, wanted);
        Next::RetryAt(at)
    })
}

/// Whether an earlier decline, for any invoice, ended the use of the credential.
fn stop(
    limits: &SchemeLimits,
    history: &History<'_>,
    attempts: &[PastAttempt<'_>],
) -> Option<Next> {
    let brand = history.credential.brand;
    let mut stop = None;
    for (at, decline) in declines_of_credential(history, attempts) {
        let class = decline.reason().class;
        let is_forbidden = limits.is_forbidden(brand, decline, at);
        let is_stopped = is_forbidden
            || matches!(class, DeclineClass::NeverRetry | DeclineClass::FixData)
            || limits.advice(brand, decline, at) == Some(SchemeAdvice::NewData);
        if is_stopped {
            if history.is_updater_asked || !limits.asks_updater(brand, decline, at) {
                return Some(Next::Never);
            }
            stop = Some(Next::AskUpdater);
        }
    }
    stop
}

fn declines_of_credential<'a>(
    history: &'a History<'_>,
    attempts: &'a [PastAttempt<'a>],
) -> impl Iterator<Item = (Timestamp, &'a CardDecline<'a>)> {
    let reference = history.credential.reference;
    attempts
        .iter()
        .filter(move |past| past.attempt.credential.reference == reference)
        .filter_map(|past| Some((past.attempt.at, past.decline.as_ref()?)))
}

/// The class whose delays count. Mastercard's advice 02 turns a decline into `later`.
fn effective_class(limits: &SchemeLimits, past: &PastAttempt<'_>) -> Option<DeclineClass> {
    let decline = past.decline.as_ref()?;
    let advice = limits.advice(past.attempt.credential.brand, decline, past.attempt.at);
    match (decline.reason().class, advice) {
        (DeclineClass::BackOff, Some(SchemeAdvice::Later)) => Some(DeclineClass::Later),
        (class, _) => Some(class),
    }
}

/// The latest instant that an advice code told the merchant to wait for.
fn not_before(
    limits: &SchemeLimits,
    history: &History<'_>,
    attempts: &[PastAttempt<'_>],
) -> Timestamp {
    let brand = history.credential.brand;
    let waits = declines_of_credential(history, attempts).filter_map(|(at, decline)| match limits
        .advice(brand, decline, at)?
    {
        SchemeAdvice::NotBeforeHours(hours) => Some(hours_after(at, hours)),
        _ => None,
    });
    waits.max().unwrap_or(Timestamp::MIN)
}

fn allowed(
    limits: &SchemeLimits,
    history: &History<'_>,
    attempts: &[PastAttempt<'_>],
    amount: Money,
    wanted: Timestamp,
) -> Timestamp {
    let attempts: Vec<_> = attempts.iter().map(|past| past.attempt).collect();
    limits.first_allowed(&history.credential, amount, &attempts, wanted)
}

/// The first payday not before an instant, at the same local time. `None`: after the year 9999.
fn next_payday(payday: &Payday, zone: &TimeZone, wanted: Timestamp) -> Option<Timestamp> {
    let local = zone.to_datetime(wanted);
    let mut day = local.date();
    loop {
        let last = day.days_in_month();
        if payday.on_days.iter().any(|on| day.day() == (*on).min(last)) {
            break;
        }
        // Every month has a payday, so this ends within 31 days.
        day = day.tomorrow().ok()?;
    }
    if day == local.date() {
        return Some(wanted);
    }
    first_instant(zone, day.to_datetime(local.time()))
}

#[cfg(test)]
mod tests;
