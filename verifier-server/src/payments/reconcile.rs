//! What became of claims without an outcome: the provider is asked until it is known.
//!
//! The same path serves a provider that never answered and a verifier that died in between. Two
//! recoverers do not disturb each other: the lease is taken by a conditional update.

use super::methods::bank_transfer::incoming;
use super::methods::card::risk::RiskOutcome;
use super::model::Payment;
use super::outcome::{self, PaymentOutcome};
use super::state::PaymentState;
use super::{authenticate, plan};
use crate::error::ApiError;
use crate::gateway::Gateway;
use futures_util::stream::{FuturesUnordered, StreamExt};
use sealpay_protocol::method::Method;
use sealpay_provider::Inquiry;
use std::time::Duration;

/// How many payments are looked into at once.
const BATCH: u32 = 256;
/// How many are asked about at once: a provider that is slow for one is slow for all.
const AT_ONCE: usize = 16;
/// The shortest pause between two questions about one payment, milliseconds.
const SHORTEST_PAUSE_MS: i64 = 2_000;
/// The longest, milliseconds.
const LONGEST_PAUSE_MS: i64 = 10 * 60 * 1000;

/// Looks into every payment whose lease, or whose shopper's time, has run out; how many got an
/// outcome. One that fails does not keep the others waiting.
///
/// # Errors
/// An error when the store does not say which payments those are.
pub async fn recover(gateway: &Gateway) -> Result<usize, ApiError> {
    let by_ms = gateway.clock.now_ms_i64();
    let payments = gateway.store.payments.open(by_ms, BATCH).await?;
    // What arrived in time counts, even when nobody has looked at it yet.
    let are_expected = |payment: &Payment| payment.method == Method::BankTransfer;
    let money_was_looked_at = if payments.iter().any(are_expected) {
        incoming::collect(gateway).await.is_ok()
    } else {
        true
    };
    let mut looking = FuturesUnordered::new();
    let mut waiting = payments.into_iter();
    let mut resolved = 0;
    loop {
        while looking.len() < AT_ONCE {
            let Some(payment) = waiting.next() else { break };
            looking.push(reconcile(gateway, payment, money_was_looked_at));
        }
        match looking.next().await {
            Some(was_resolved) => resolved += usize::from(was_resolved),
            None => return Ok(resolved),
        }
    }
}

async fn reconcile(gateway: &Gateway, payment: Payment, money_was_looked_at: bool) -> bool {
    let looked = async {
        // What the shopper did not do in time is decided by the store alone: the moment stays
        // what it was, and two that look at once do no harm.
        if payment.state == PaymentState::RequiresAction {
            return give_up(gateway, &payment, money_was_looked_at).await;
        }
        let now_ms = gateway.clock.now_ms_i64();
        // Asked is whoever the payment names now: another acquirer may have been asked meanwhile.
        match take_lease(gateway, &payment, now_ms).await? {
            Some(payment) => ask(gateway, &payment).await,
            None => Ok(false),
        }
    };
    let looked: Result<bool, ApiError> = looked.await;
    looked.unwrap_or_else(|error| {
        tracing::error!(payment = %payment.id, ?error, "a payment could not be looked into");
        false
    })
}

/// The shopper's time is up: whoever waits for them is told first.
async fn give_up(
    gateway: &Gateway,
    payment: &Payment,
    money_was_looked_at: bool,
) -> Result<bool, ApiError> {
    match payment.method {
        Method::Card => {
            outcome::keep(
                gateway,
                payment,
                PaymentOutcome::declined("payment_abandoned"),
            )
            .await?;
            Ok(true)
        }
        Method::Wallet => Ok(authenticate::withdraw(gateway, payment).await?.is_some()),
        Method::BankTransfer if money_was_looked_at => {
            let kept = outcome::keep(gateway, payment, PaymentOutcome::EXPIRED).await?;
            if kept.state == PaymentState::Expired {
                incoming::return_funds(gateway, &kept).await;
            }
            Ok(!kept.state.is_open())
        }
        Method::BankTransfer => Ok(false),
    }
}

/// The pause grows with the payment's age, so that a provider that is down is not flooded.
async fn take_lease(
    gateway: &Gateway,
    payment: &Payment,
    now_ms: i64,
) -> Result<Option<Payment>, ApiError> {
    let age_ms = now_ms.saturating_sub(payment.created_at_ms);
    let pause_ms = (age_ms / 4).clamp(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS);
    let timeout = i64::try_from(gateway.settings.provider_timeout.as_millis()).unwrap_or(i64::MAX);
    let until_ms = now_ms.saturating_add(timeout).saturating_add(pause_ms);
    let from_ms = payment.lease_until_ms;
    Ok(gateway
        .store
        .payments
        .extend_lease(payment.id, from_ms, until_ms)
        .await?)
}

async fn ask(gateway: &Gateway, payment: &Payment) -> Result<bool, ApiError> {
    let providers = &gateway.providers;
    let asked = match payment.method {
        // The rules stopped it, and the verifier died before it could say so.
        Method::Card if payment.provider.is_empty() => {
            let blocked = payment
                .risk
                .as_ref()
                .is_some_and(|r| r.outcome == RiskOutcome::Block);
            let reason = if blocked {
                plan::BLOCKED
            } else {
                plan::NO_ROUTE
            };
            outcome::keep(gateway, payment, PaymentOutcome::declined(reason)).await?;
            return Ok(true);
        }
        Method::Card => match providers.acquirer(&payment.provider) {
            Some(acquirer) => acquirer.inquire(payment.id),
            None => {
                tracing::error!(payment = %payment.id, provider = payment.provider,
                    "the acquirer is not configured any more");
                return Ok(false);
            }
        },
        Method::Wallet => providers.wallet.inquire(payment.id),
        // The shopper was told no account, so no money can come.
        Method::BankTransfer => Box::pin(async { Ok(Inquiry::NeverReceived) }),
    };
    match gateway.within(asked).await {
        Ok(said) => match outcome::of_inquiry(payment, said) {
            Some(outcome) => {
                outcome::keep(gateway, payment, outcome).await?;
                Ok(true)
            }
            None => still_waiting(gateway, payment).await,
        },
        Err(error) => {
            tracing::warn!(payment = %payment.id, ?error, "the provider cannot say");
            Ok(false)
        }
    }
}

/// A wallet has the request, and the verifier died before it could say so: nobody has seen the
/// wallet's page, so it is taken back.
async fn still_waiting(gateway: &Gateway, payment: &Payment) -> Result<bool, ApiError> {
    if payment.method == Method::Wallet {
        return Ok(authenticate::withdraw(gateway, payment).await?.is_some());
    }
    Ok(false)
}

/// Recovers again and again, until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    loop {
        if let Err(error) = recover(gateway).await {
            tracing::error!(?error, "recovery failed and will be tried again");
        }
        tokio::time::sleep(every).await;
    }
}
