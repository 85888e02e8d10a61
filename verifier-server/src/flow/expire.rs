//! Money that was held and never taken: the hold ends, and the merchant is told.

use super::gateway::Gateway;
use super::outcome::{Outcome, keep};
use crate::domain::payment::Payment;
use crate::gate::refusal::Refusal;
use crate::provider::Answer;
use sealpay_protocol::limits::HOLD_LIFETIME_SECONDS;
use sealpay_protocol::method::Method;
use std::time::Duration;

/// How many payments are looked at in one go.
const BATCH: u32 = 64;

/// Ends every hold that has lasted too long, at most a batch of them; how many.
///
/// # Errors
/// A refusal when the store does not say which those are.
pub async fn expire(gateway: &Gateway) -> Result<usize, Refusal> {
    let lifetime_ms = i64::try_from(HOLD_LIFETIME_SECONDS)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    let made_by_ms = gateway.clock.now_ms_i64().saturating_sub(lifetime_ms);
    let mut expired = 0;
    for payment in gateway.store.held_payments(made_by_ms, BATCH).await? {
        match end(gateway, &payment).await {
            Ok(has_ended) => expired += usize::from(has_ended),
            Err(refusal) => {
                tracing::error!(payment = %payment.id, ?refusal, "a hold could not be ended");
            }
        }
    }
    end_at_the_bank(gateway).await;
    Ok(expired)
}

/// The simulated bank ends holds that nobody has asked it to let go, as banks do.
async fn end_at_the_bank(gateway: &Gateway) {
    let Some(bank) = gateway.simulation() else {
        return;
    };
    let now_ms = gateway.clock.now_ms_i64();
    if let Err(silence) = bank.expire_holds(now_ms, BATCH).await {
        tracing::warn!(?silence, "the bank ends its holds later");
    }
}

/// The provider lets the money go first: a merchant who hears of it must not find it held.
async fn end(gateway: &Gateway, payment: &Payment) -> Result<bool, Refusal> {
    if !let_go(gateway, payment).await {
        return Ok(false);
    }
    keep(gateway, payment, Outcome::EXPIRED).await?;
    Ok(true)
}

async fn let_go(gateway: &Gateway, payment: &Payment) -> bool {
    let acquirer = match payment.method {
        Method::Card => gateway.providers.acquirer(&payment.provider),
        // Wallets end their holds by the same rule, unasked.
        Method::Wallet | Method::BankTransfer => return true,
    };
    let Some(acquirer) = acquirer else {
        tracing::error!(payment = %payment.id, provider = payment.provider,
            "the acquirer is not configured any more");
        return false;
    };
    match gateway.within(acquirer.void(payment.id)).await {
        Ok(Answer::Approved) => true,
        Ok(Answer::Declined(reason)) => {
            tracing::error!(payment = %payment.id, reason, "the acquirer does not let a hold go");
            false
        }
        Err(silence) => {
            tracing::warn!(payment = %payment.id, ?silence, "a hold is let go later");
            false
        }
    }
}

/// Ends holds again and again, until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    loop {
        if let Err(refusal) = expire(gateway).await {
            tracing::error!(
                ?refusal,
                "holds could not be looked at and will be tried again"
            );
        }
        tokio::time::sleep(every).await;
    }
}
