//! From what a provider said to what is kept: the new state, the reason, and the event.

use super::event;
use super::gateway::Gateway;
use crate::domain::decline::{self, DeclineClass};
use crate::domain::payment::Payment;
use crate::domain::state::PaymentState;
use crate::gate::refusal::{Code, Refusal};
use crate::provider::{Answer, Inquiry, Silence};
use crate::store::Settled;
use sealpay_protocol::order::Capture;

/// What becomes of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    state: PaymentState,
    decline: Option<&'static str>,
}

impl Outcome {
    const UNKNOWN: Self = Self {
        state: PaymentState::Unknown,
        decline: None,
    };

    fn approved(payment: &Payment) -> Self {
        let state = match payment.capture {
            Capture::Automatic => PaymentState::Captured,
            Capture::Manual => PaymentState::Authorized,
        };
        Self {
            state,
            decline: None,
        }
    }

    fn declined(key: &str) -> Self {
        // A provider with a reason that the table does not know still has said no.
        let known = decline::find(key).map_or("do_not_honor", |decline| decline.key.as_str());
        Self {
            state: PaymentState::Declined,
            decline: Some(known),
        }
    }
}

/// The outcome of an authorization; `None` when the time was up. A reason of the class *unknown*
/// (response code 68) is an unknown outcome: the provider is asked before anything else is done.
#[must_use]
pub fn of_authorization(payment: &Payment, said: Option<Result<Answer, Silence>>) -> Outcome {
    match said {
        Some(Ok(Answer::Approved)) => Outcome::approved(payment),
        Some(Ok(Answer::Declined(key))) => {
            let class = decline::find(&key).map(|decline| decline.class);
            if class == Some(DeclineClass::Unknown) {
                return Outcome::UNKNOWN;
            }
            Outcome::declined(&key)
        }
        Some(Err(Silence(reason))) => {
            tracing::warn!(payment = %payment.id, reason, "the provider did not answer");
            Outcome::UNKNOWN
        }
        None => {
            tracing::warn!(payment = %payment.id, "the provider did not answer in time");
            Outcome::UNKNOWN
        }
    }
}

/// The outcome of an inquiry: final, whatever it is.
#[must_use]
pub fn of_inquiry(payment: &Payment, said: Inquiry) -> Outcome {
    match said {
        Inquiry::Answered(Answer::Approved) => Outcome::approved(payment),
        Inquiry::Answered(Answer::Declined(key)) => Outcome::declined(&key),
        Inquiry::NeverReceived => Outcome::declined("not_processed"),
    }
}

/// Transaction 2: outcome and event together. Where somebody else was first, theirs stands.
///
/// # Errors
/// A refusal when the store does not take it; recovery will find the payment.
pub async fn keep(
    gateway: &Gateway,
    payment: &Payment,
    outcome: Outcome,
) -> Result<Payment, Refusal> {
    let Outcome { state, decline } = outcome;
    if !payment.state.may_become(state) {
        let reason = format!("{} may not become {state}", payment.state);
        return Err(Refusal::because(Code::Internal, reason));
    }
    let now_ms = gateway.clock.now_ms_i64();
    let mut told = payment.clone();
    told.state = state;
    told.decline = decline.map(str::to_owned);
    told.updated_at_ms = now_ms;
    let event = event::of(gateway, &mut told)?;
    let settled = gateway
        .store
        .settle_outcome(
            payment.id,
            payment.state,
            state,
            decline,
            event.as_ref(),
            now_ms,
        )
        .await?;
    match settled {
        Settled::Done(payment) => {
            if event.is_some() {
                gateway.wake_outbox();
            }
            tracing::info!(payment = %payment.id, state = %state, decline, "payment settled");
            Ok(payment)
        }
        Settled::NotInState(stored) => {
            if stored.state != state {
                // Recovery was told that the provider never will book what it now has answered.
                tracing::error!(payment = %stored.id, stored = %stored.state, answered = %state,
                    "the provider answered otherwise than is stored");
            }
            Ok(stored)
        }
    }
}
