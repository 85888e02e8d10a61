//! Incoming bank transfers, and the payments that expect them.

use super::model::AmountMatch;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::event;
use crate::payments::methods::details::PaymentDetails;
use crate::payments::model::Payment;
use crate::payments::outcome::{PaymentOutcome, record_as};
use crate::payments::state::PaymentState;
use crate::payments::store::outcome::{OutcomeEffects, Recorded};
use crate::worker;
use futures_util::stream::{self, StreamExt};
use sealpay_provider::transfer::IncomingCredit;
use sealpay_provider::{ProviderError, TransferProvider};

/// Maximum number of credits in one batch.
const BATCH: u32 = 64;

/// Concurrent acknowledgements, so that a few that hang leave room for the others.
const AT_ONCE: usize = 4;

/// What to do with an incoming credit.
enum CreditDisposition {
    /// It is, or already was, counted for a payment.
    Counted,
    /// No payment expects it: it is returned.
    Returned,
    /// The payment was changed concurrently: try again.
    RetryLater,
}

/// Processes all credits that have arrived; returns how many were completed. Those whose
/// acknowledgement fails are reported again and completed next time.
///
/// # Errors
/// The store or the bank does not respond, or a full batch has credits that fail, which hide later
/// ones; completed credits stay completed.
pub async fn collect(gateway: &Gateway) -> Result<usize, ApiError> {
    let Some(bank) = gateway.providers.transfers.as_deref() else {
        return Ok(0);
    };
    let mut completed = 0;
    loop {
        let now_ms = gateway.clock.now_ms_i64();
        let arrivals = gateway.within(bank.arrivals(now_ms, BATCH)).await?;
        let before = completed;
        let mut failed = None;
        let mut is_hanging = false;
        let mut counted = Vec::with_capacity(arrivals.len());
        for arrival in &arrivals {
            match count(gateway, arrival).await {
                Ok(CreditDisposition::Counted) => counted.push((arrival, false)),
                Ok(CreditDisposition::Returned) => counted.push((arrival, true)),
                Ok(CreditDisposition::RetryLater) => {}
                // A failed credit does not block the others.
                Err(error) => {
                    worker::retries("a credit", &arrival.id, &error);
                    failed = Some(error);
                }
            }
        }
        // One that hangs ends the batch, so that the time limits do not add up. The newest go first:
        // those that hang every time do not hold up later ones.
        let asked: Vec<_> = counted
            .into_iter()
            .rev()
            .map(|(arrival, returned)| acknowledge(gateway, bank, arrival, returned))
            .collect();
        let mut acknowledged = stream::iter(asked).buffer_unordered(AT_ONCE);
        while let Some((arrival, response)) = acknowledged.next().await {
            match response {
                Ok(()) => completed += 1,
                Err(error) => {
                    is_hanging = matches!(error, ProviderError::OutcomeUnknown(_));
                    let error = error.into();
                    worker::retries("a credit", &arrival.id, &error);
                    failed = Some(error);
                }
            }
            if is_hanging {
                break;
            }
        }
        // Another batch would wait for the same acknowledgements again.
        if completed == before || is_hanging {
            let is_full = u32::try_from(arrivals.len()).is_ok_and(|count| count >= BATCH);
            return failed.filter(|_| is_full).map_or(Ok(completed), Err);
        }
    }
}

async fn acknowledge<'a>(
    gateway: &Gateway,
    bank: &dyn TransferProvider,
    credit: &'a IncomingCredit,
    returned: bool,
) -> (&'a IncomingCredit, Result<(), ProviderError>) {
    let asked = bank.acknowledge(&credit.id, returned);
    (credit, gateway.within(asked).await)
}

/// Counts a credit for the payment with its reference. The bank's id of the credit is stored with
/// the payment, so that a crash before the acknowledgement cannot count it twice.
async fn count(gateway: &Gateway, arrival: &IncomingCredit) -> Result<CreditDisposition, ApiError> {
    let found = gateway
        .store
        .payments
        .get_by_transfer(&arrival.reference)
        .await?;
    let Some(payment) = found else {
        tracing::warn!(
            arrival = arrival.id,
            "a credit arrived with a reference that no payment expects"
        );
        return Ok(CreditDisposition::Returned);
    };
    let Some(expected) = payment.details.transfer() else {
        return Ok(CreditDisposition::Returned);
    };
    if expected.arrivals.contains(&arrival.id) {
        return Ok(if payment.ended_with_funds() {
            CreditDisposition::Returned
        } else {
            CreditDisposition::Counted
        });
    }
    let is_welcome = payment.state == PaymentState::RequiresAction
        && payment.money.currency() == arrival.money.currency()
        && arrival.arrived_at_ms < payment.lease_until_ms;
    if !is_welcome {
        tracing::warn!(payment = %payment.id, arrival = arrival.id, "an unexpected credit arrived");
        return Ok(CreditDisposition::Returned);
    }
    let mut updated = payment.clone();
    let mut counted = expected.clone();
    counted.received_minor = counted
        .received_minor
        .saturating_add(arrival.money.amount_minor());
    counted.arrivals.push(arrival.id.clone());
    let sum = counted.sum(payment.money.amount_minor());
    updated.details = PaymentDetails::BankTransfer {
        transfer: Some(counted),
    };
    match sum {
        AmountMatch::Short(_) => record_short(gateway, &payment, updated).await,
        AmountMatch::Exact | AmountMatch::Over(_) => {
            let stored = record_as(gateway, &payment, PaymentOutcome::arrived(), updated).await?;
            Ok(disposition_of(&stored, arrival))
        }
    }
}

/// Returns the money that arrived for a payment which has ended without it.
pub(super) async fn return_funds(gateway: &Gateway, payment: &Payment) -> Result<(), ApiError> {
    let bank = gateway.providers.transfers()?;
    for arrival in payment
        .details
        .transfer()
        .into_iter()
        .flat_map(|expected| &expected.arrivals)
    {
        gateway.within(bank.acknowledge(arrival, true)).await?;
    }
    Ok(())
}

/// The payment is underpaid: it keeps waiting, and the shopper sees the remaining amount.
async fn record_short(
    gateway: &Gateway,
    payment: &Payment,
    mut updated: Payment,
) -> Result<CreditDisposition, ApiError> {
    updated.updated_at_ms = gateway.clock.now_ms_i64();
    // The event tells the merchant the remaining amount, which its own page may show.
    let event = event::for_payment(gateway, &mut updated)?;
    let recorded = gateway
        .store
        .payments
        .record_outcome(payment, &updated, OutcomeEffects::new(event.as_ref(), None))
        .await?;
    Ok(match recorded {
        Recorded::Done(_) => {
            gateway.wake_outbox();
            CreditDisposition::Counted
        }
        Recorded::NotInState(_) => CreditDisposition::RetryLater,
    })
}

fn disposition_of(stored: &Payment, arrival: &IncomingCredit) -> CreditDisposition {
    let counted = stored
        .details
        .transfer()
        .is_some_and(|t| t.arrivals.contains(&arrival.id));
    if counted {
        CreditDisposition::Counted
    } else {
        CreditDisposition::RetryLater
    }
}
