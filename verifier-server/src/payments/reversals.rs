//! Reverses approvals that arrive after a payment has ended, and returns partial amounts of
//! payments that ended unpaid.
//!
//! The row that schedules the inquiry is written together with the end of the payment, so that a
//! crash loses none.

pub mod model;
pub mod store;

use super::methods;
use super::model::Payment;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::worker;
use model::{Reversal, ReversalState};
use sealpay_provider::{Inquiry, ModificationRequest, ProviderDecision, ProviderError};

/// Maximum number of reversals in one batch.
const BATCH: u32 = 64;

/// Longest pause before a reversal is retried, milliseconds.
const LONGEST_PAUSE_MS: i64 = 10 * 60 * 1000;

/// Processes all due reversals; returns how many succeeded.
///
/// # Errors
/// The store cannot list them.
pub async fn reverse(gateway: &Gateway) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let mut reversed = 0;
    for reversal in gateway.store.reversals.due(now_ms, BATCH).await? {
        match reconcile(gateway, &reversal, now_ms).await {
            Ok(is_reversed) => reversed += usize::from(is_reversed),
            Err(error) => {
                worker::retries("a reversal", &reversal.payment, &error);
            }
        }
    }
    Ok(reversed)
}

async fn reconcile(gateway: &Gateway, seen: &Reversal, now_ms: i64) -> Result<bool, ApiError> {
    let pause_ms = match seen.state {
        ReversalState::Watched => Reversal::pause_ms(seen.tries.saturating_add(1)),
        _ => now_ms
            .saturating_sub(seen.created_at_ms)
            .clamp(10_000, LONGEST_PAUSE_MS),
    };
    let until_ms = now_ms.saturating_add(pause_ms);
    if !gateway.store.reversals.take(seen, until_ms).await? {
        return Ok(false);
    }
    let payment = gateway.store.payments.get(seen.payment).await?;
    let missing = || ApiError::because(ErrorCode::Internal, "a late approval has no payment");
    let payment = payment.ok_or_else(missing)?;
    if seen.state == ReversalState::Approved {
        return give_back(gateway, seen, &payment).await;
    }
    match ask(gateway, seen, &payment).await {
        Some(Ok(Inquiry::Answered(ProviderDecision::Approved(_)))) => {
            gateway
                .store
                .reversals
                .mark(seen, ReversalState::Approved)
                .await?;
            give_back(gateway, seen, &payment).await
        }
        Some(Ok(_)) if seen.is_over() => {
            gateway.store.reversals.remove(seen).await?;
            Ok(false)
        }
        Some(Ok(_)) => Ok(false),
        Some(Err(error)) => {
            tracing::warn!(payment = %payment.id, ?error, "the provider could not be queried");
            Ok(false)
        }
        None => {
            tracing::error!(payment = %payment.id, provider = seen.provider,
                "the provider is no longer configured and may have authorized the payment");
            Ok(false)
        }
    }
}

async fn ask(
    gateway: &Gateway,
    seen: &Reversal,
    payment: &Payment,
) -> Option<Result<Inquiry, ProviderError>> {
    let method = methods::find(payment.details.method());
    let asked = method.inquire(&gateway.providers, &seen.provider, payment)?;
    Some(gateway.within(asked).await)
}

/// Returns what arrived for a payment; voids an authorization; refunds a captured payment.
async fn give_back(
    gateway: &Gateway,
    seen: &Reversal,
    payment: &Payment,
) -> Result<bool, ApiError> {
    let method = methods::find(payment.details.method());
    if payment.ended_with_funds() {
        method.return_funds(gateway, payment).await?;
        let reversals = &gateway.store.reversals;
        return Ok(reversals.mark(seen, ReversalState::Reversed).await?);
    }
    let Some(operations) = method.operations(&gateway.providers, &seen.provider) else {
        tracing::error!(payment = %payment.id, provider = seen.provider,
            "the provider is no longer configured and has authorized the payment");
        return Ok(false);
    };
    let request = ModificationRequest {
        modification: seen.modification,
        payment: payment.id,
        kind: method.reversal(payment),
        money: payment.money,
        is_final: false,
    };
    match gateway.within(operations.modify(request)).await {
        Ok(ProviderDecision::Approved(_)) => {
            tracing::warn!(payment = %payment.id, provider = seen.provider,
                "a late approval was reversed");
        }
        Ok(ProviderDecision::Declined(rejection))
            if rejection.reason == crate::modifications::perform::NOT_HELD =>
        {
            tracing::warn!(payment = %payment.id, provider = seen.provider,
                "a late approval is no longer authorized at the provider");
        }
        Ok(ProviderDecision::Declined(rejection)) => {
            let reason = rejection.reason;
            tracing::error!(payment = %payment.id, provider = seen.provider, reason,
                "the provider declined to reverse a late approval and will be asked again");
            return Ok(false);
        }
        Err(error) => {
            tracing::warn!(payment = %payment.id, ?error, "the provider did not respond");
            return Ok(false);
        }
    }
    Ok(gateway
        .store
        .reversals
        .mark(seen, ReversalState::Reversed)
        .await?)
}
