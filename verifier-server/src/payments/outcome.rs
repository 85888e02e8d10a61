//! From a provider's response to what is recorded: the new state, the reason and the event.

use super::event;
use super::model::Payment;
use super::state::PaymentState;
use super::store::outcome::Recorded;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::ledger::posting;
use sealpay_protocol::order::Capture;
use sealpay_provider::decline;
use sealpay_provider::decline::DeclineClass;
use sealpay_provider::{Inquiry, ProviderDecision, ProviderError};

/// What becomes of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentOutcome {
    state: PaymentState,
    decline: Option<&'static str>,
}

impl PaymentOutcome {
    /// Nobody knows: the provider is asked until it is known.
    pub const UNKNOWN: Self = Self {
        state: PaymentState::Unknown,
        decline: None,
    };

    /// The shopper has something to do.
    pub const REQUIRES_ACTION: Self = Self {
        state: PaymentState::RequiresAction,
        decline: None,
    };

    /// The time was up.
    pub const EXPIRED: Self = Self {
        state: PaymentState::Expired,
        decline: None,
    };

    /// The money is held or taken, as the order asks.
    #[must_use]
    pub fn approved(payment: &Payment) -> Self {
        let state = match payment.capture {
            Capture::Automatic => PaymentState::Captured,
            Capture::Manual => PaymentState::Authorized,
        };
        Self {
            state,
            decline: None,
        }
    }

    /// The money has arrived: there is nothing to hold.
    #[must_use]
    pub const fn arrived() -> Self {
        Self {
            state: PaymentState::Captured,
            decline: None,
        }
    }

    /// No, for the reason with this key.
    #[must_use]
    pub fn declined(key: &str) -> Self {
        // A provider with a reason that the table does not know still has said no.
        let known = decline::find(key).map_or("do_not_honor", |decline| decline.key.as_str());
        Self {
            state: PaymentState::Declined,
            decline: Some(known),
        }
    }
}

fn is_of_unknown_outcome(key: &str) -> bool {
    decline::find(key).is_some_and(|decline| decline.class == DeclineClass::Unknown)
}

/// The outcome of an authorization; `None` when the time was up. A reason of the class *unknown*
/// (response code 68) is an unknown outcome: the provider is asked before anything else is done.
#[must_use]
pub fn of_authorization(
    payment: &Payment,
    response: Option<Result<ProviderDecision, ProviderError>>,
) -> PaymentOutcome {
    match response {
        Some(Ok(ProviderDecision::Approved)) => PaymentOutcome::approved(payment),
        Some(Ok(ProviderDecision::Declined(key))) if is_of_unknown_outcome(&key) => {
            PaymentOutcome::UNKNOWN
        }
        Some(Ok(ProviderDecision::Declined(key))) => PaymentOutcome::declined(&key),
        Some(Err(ProviderError::NotSent(reason))) => {
            tracing::warn!(payment = %payment.id, reason, "no provider could be reached");
            PaymentOutcome::declined("system_malfunction")
        }
        Some(Err(ProviderError::OutcomeUnknown(reason))) => {
            tracing::warn!(payment = %payment.id, reason, "the provider did not answer");
            PaymentOutcome::UNKNOWN
        }
        None => {
            tracing::warn!(payment = %payment.id, "the provider did not answer in time");
            PaymentOutcome::UNKNOWN
        }
    }
}

/// The outcome of an inquiry: final, whatever it is; none while the shopper has something to do.
#[must_use]
pub fn of_inquiry(payment: &Payment, response: Inquiry) -> Option<PaymentOutcome> {
    match response {
        Inquiry::Answered(ProviderDecision::Approved) => Some(PaymentOutcome::approved(payment)),
        // Asked again, the provider still has no answer of the issuer's: it has taken the request
        // back (ISO 8583 reversal), and nothing was approved.
        Inquiry::Answered(ProviderDecision::Declined(key)) if is_of_unknown_outcome(&key) => {
            Some(PaymentOutcome::declined("not_processed"))
        }
        Inquiry::Answered(ProviderDecision::Declined(key)) => Some(PaymentOutcome::declined(&key)),
        Inquiry::NeverReceived => Some(PaymentOutcome::declined("not_processed")),
        Inquiry::Waiting => None,
    }
}

/// Transaction 2: outcome and event together. If another request was first, its outcome stays.
///
/// # Errors
/// An error when the store does not take it; recovery will find the payment.
pub async fn record(
    gateway: &Gateway,
    payment: &Payment,
    outcome: PaymentOutcome,
) -> Result<Payment, ApiError> {
    record_as(gateway, payment, outcome, payment.clone()).await
}

/// The same with everything else that has changed since `payment` was read.
pub async fn record_as(
    gateway: &Gateway,
    payment: &Payment,
    outcome: PaymentOutcome,
    mut updated: Payment,
) -> Result<Payment, ApiError> {
    let PaymentOutcome { state, decline } = outcome;
    if !payment.state.may_become(state) {
        let reason = format!("{} may not become {state}", payment.state);
        return Err(ApiError::because(ErrorCode::Internal, reason));
    }
    updated.state = state;
    updated.decline = decline.map(str::to_owned);
    updated.updated_at_ms = gateway.clock.now_ms_i64();
    let posting = (state == PaymentState::Captured).then(|| {
        updated.captured_minor = updated.money.amount_minor();
        let context = gateway.posting_context(Some(&updated.provider));
        posting::of_capture(
            &context,
            &updated,
            updated.id.to_string(),
            updated.captured_minor,
        )
    });
    let event = event::for_payment(gateway, &mut updated)?;
    let settled = gateway
        .store
        .payments
        .record_outcome(payment, &updated, event.as_ref(), posting.as_ref())
        .await?;
    match settled {
        Recorded::Done(payment) => {
            if event.is_some() {
                gateway.wake_outbox();
            }
            tracing::info!(payment = %payment.id, state = %state, decline, "payment settled");
            Ok(payment)
        }
        Recorded::NotInState(stored) => {
            let is_approved = matches!(state, PaymentState::Authorized | PaymentState::Captured);
            let elsewhere = stored.provider != payment.provider;
            if stored.state != state || (is_approved && elsewhere) {
                // Recovery was told that the provider never will book what it now has answered.
                tracing::error!(payment = %stored.id, stored = %stored.state, answered = %state,
                    provider = payment.provider, "the provider answered otherwise than is stored");
            }
            let came_to_nothing =
                matches!(stored.state, PaymentState::Declined | PaymentState::Expired);
            if is_approved && (came_to_nothing || elsewhere) {
                let now_ms = gateway.clock.now_ms_i64();
                gateway
                    .store
                    .reversals
                    .note_late_approval(payment, now_ms)
                    .await?;
            }
            Ok(stored)
        }
    }
}
