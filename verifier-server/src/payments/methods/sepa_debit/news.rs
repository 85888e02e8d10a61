//! News about direct debits: settlements and R-transactions, and the payments that they change.

use super::model::DebitReversal;
use crate::agreements::revoke;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::instruments::updater;
use crate::payments::model::Payment;
use crate::payments::outcome::{PaymentOutcome, record_as};
use crate::payments::state::PaymentState;
use crate::worker;
use sealpay_provider::credential::CredentialStatus;
use sealpay_provider::direct_debit::{CollectionNews, CollectionStatus, Ends};

/// Maximum number of news in one batch.
const BATCH: u32 = 64;

/// Maximum number of news requested at once, if earlier ones cannot be processed.
const MOST: u32 = 64 * BATCH;

/// What to do with news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disposition {
    /// It is recorded, or already was.
    Recorded,
    /// The payment has to change first, or is unknown: the bank reports the news again.
    Later,
}

/// Processes all news that has arrived; returns how many were acknowledged. News is acknowledged
/// after it is recorded; until then the bank reports it again.
///
/// # Errors
/// The store or the bank does not respond; acknowledged news stays processed.
pub async fn collect(gateway: &Gateway) -> Result<usize, ApiError> {
    let Some(bank) = gateway.providers.direct_debits.as_deref() else {
        return Ok(0);
    };
    let (mut acknowledged, mut limit) = (0, BATCH);
    loop {
        let now_ms = gateway.clock.now_ms_i64();
        let found = gateway.within(bank.news(now_ms, limit)).await?;
        let before = acknowledged;
        for news in &found {
            let processed = async {
                if process(gateway, news).await? == Disposition::Later {
                    return Ok(false);
                }
                gateway.within(bank.acknowledge(&news.id)).await?;
                Ok(true)
            };
            // Failed news does not block the others.
            match processed.await {
                Ok(is_done) => acknowledged += usize::from(is_done),
                Err(error) => worker::retries("news of a direct debit", &news.id, &error),
            }
        }
        // If news that has to wait fills the limit, more is requested.
        let is_full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        if acknowledged == before {
            if !is_full || limit >= MOST {
                return Ok(acknowledged);
            }
            limit = limit.saturating_mul(8);
        }
    }
}

async fn process(gateway: &Gateway, news: &CollectionNews) -> Result<Disposition, ApiError> {
    let Some(payment) = gateway.store.payments.get(news.reference).await? else {
        tracing::warn!(payment = %news.reference, "there is news about an unknown direct debit");
        return Ok(Disposition::Later);
    };
    let disposition = record(gateway, &payment, news).await?;
    if disposition == Disposition::Recorded
        && let Some(reversal) = DebitReversal::from_status(news.status, news.at_ms)
        && let Some(ends) = reversal.code.row().and_then(|reason| reason.ends)
    {
        end(gateway, &payment, ends).await?;
    }
    Ok(disposition)
}

async fn record(
    gateway: &Gateway,
    payment: &Payment,
    news: &CollectionNews,
) -> Result<Disposition, ApiError> {
    use PaymentState::{
        Authorizing, Captured, PartiallyRefunded, Pending, Refunded, Returned, Unknown,
    };
    let Some(debit) = payment.details.debit() else {
        return Ok(Disposition::Later);
    };
    let outcome = match (news.status, payment.state) {
        (_, Authorizing | Unknown) => return Ok(Disposition::Later),
        (CollectionStatus::Settled, Pending) => PaymentOutcome::SETTLED,
        (CollectionStatus::Rejected(code), Pending) => PaymentOutcome::declined(code.decline()),
        (CollectionStatus::Returned(_) | CollectionStatus::Refunded(_), Pending) => {
            return Ok(Disposition::Later);
        }
        (
            CollectionStatus::Returned(_) | CollectionStatus::Refunded(_),
            Captured | PartiallyRefunded | Refunded,
        ) if payment.modification.is_none() => PaymentOutcome::RETURNED,
        (
            CollectionStatus::Returned(_) | CollectionStatus::Refunded(_),
            Captured | PartiallyRefunded | Refunded,
        ) => return Ok(Disposition::Later),
        (CollectionStatus::Settled, Captured | PartiallyRefunded | Refunded | Returned)
        | (CollectionStatus::Returned(_) | CollectionStatus::Refunded(_), Returned) => {
            return Ok(Disposition::Recorded);
        }
        (CollectionStatus::Rejected(_), _) => return Ok(Disposition::Recorded),
        (status, state) => {
            tracing::error!(payment = %payment.id, ?status, %state,
                "the bank's news contradicts the stored outcome of a direct debit");
            return Ok(Disposition::Recorded);
        }
    };
    let mut debit = debit.clone();
    if news.status == CollectionStatus::Settled {
        debit.settled_at_ms = Some(news.at_ms);
    }
    debit.reversal = DebitReversal::from_status(news.status, news.at_ms).or(debit.reversal);
    let mut updated = payment.clone();
    if let Some(details) = updated.details.debit_mut() {
        *details = debit;
    }
    let stored = record_as(gateway, payment, outcome, updated).await?;
    // Otherwise the payment was changed concurrently.
    let is_recorded = stored
        .details
        .debit()
        .is_some_and(|debit| match news.status {
            CollectionStatus::Settled => debit.settled_at_ms.is_some(),
            _ => debit.reversal.is_some(),
        });
    Ok(if is_recorded {
        Disposition::Recorded
    } else {
        Disposition::Later
    })
}

/// The account can no longer be debited, or the mandate has ended.
async fn end(gateway: &Gateway, payment: &Payment, ends: Ends) -> Result<(), ApiError> {
    let Some(agreement) = payment.agreement else {
        return Ok(());
    };
    let Some(agreement) = gateway.store.agreements.get(agreement).await? else {
        return Ok(());
    };
    match ends {
        Ends::Mandate => revoke::end(gateway, &agreement).await,
        Ends::Account => {
            let instruments = &gateway.store.instruments;
            if let Some(instrument) = instruments.get(agreement.instrument).await? {
                updater::apply(gateway, instrument, &CredentialStatus::Closed).await?;
            }
            Ok(())
        }
    }
}
