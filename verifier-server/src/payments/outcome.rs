//! Maps a provider's response to the new state, the decline reason and the event.

use super::event;
use super::methods::card::model::CardCodes;
use super::methods::sepa_debit::model::DebitDetails;
use super::model::Payment;
use super::state::PaymentState;
use super::store::outcome::{OutcomeEffects, Recorded};
use crate::agreements::record::{self as agreement, FirstPayment, NewAgreement};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::write::is_outdated;
use crate::invoices::settle;
use crate::ledger::posting::{self, Posting};
use sealpay_provider::decline;
use sealpay_provider::decline::DeclineClass;
use sealpay_provider::{
    Approval, CredentialReference, Inquiry, ProviderDecision, ProviderError, Rejection,
};

/// How often an outcome is written again because the instrument that it stores, or the invoice that
/// it pays, has changed.
const STORING_TRIES: u32 = 5;

/// The outcome of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentOutcome {
    state: PaymentState,
    decline: Option<&'static str>,
    /// The provider's codes of an approval.
    approval: Approval,
    /// The merchant advice code of a decline.
    advice_code: Option<String>,
}

impl PaymentOutcome {
    /// Unknown: the provider is queried until it is known.
    pub const UNKNOWN: Self = Self::in_state(PaymentState::Unknown);

    /// The shopper has to act.
    pub const REQUIRES_ACTION: Self = Self::in_state(PaymentState::RequiresAction);

    /// A direct debit is settled.
    pub const SETTLED: Self = Self::in_state(PaymentState::Captured);

    /// The debtor's bank has taken back a direct debit.
    pub const RETURNED: Self = Self::in_state(PaymentState::Returned);

    /// The time to act has passed.
    pub const EXPIRED: Self = Self::in_state(PaymentState::Expired);

    const fn in_state(state: PaymentState) -> Self {
        Self {
            state,
            decline: None,
            approval: Approval::NONE,
            advice_code: None,
        }
    }

    /// The amount is authorized or captured, as the order requests, or its collection is accepted.
    #[must_use]
    pub fn approved(payment: &Payment, approval: Approval) -> Self {
        Self {
            approval,
            ..Self::in_state(payment.details.approved_state(payment.capture))
        }
    }

    /// The transfer has arrived; there is no authorization to capture.
    #[must_use]
    pub const fn arrived() -> Self {
        Self::in_state(PaymentState::Captured)
    }

    /// Declined for the reason with this key.
    #[must_use]
    pub fn declined(key: &str) -> Self {
        // A decline with an unknown reason is still a decline.
        let known = decline::find(key).map_or("do_not_honor", |decline| decline.key.as_str());
        Self {
            decline: Some(known),
            ..Self::in_state(PaymentState::Declined)
        }
    }

    /// Declined by the provider.
    fn rejected(rejection: Rejection) -> Self {
        Self {
            advice_code: rejection.advice_code,
            ..Self::declined(&rejection.reason)
        }
    }
}

/// Whether the provider has approved a payment in this state.
const fn is_approval(state: PaymentState) -> bool {
    matches!(
        state,
        PaymentState::Authorized | PaymentState::Captured | PaymentState::Pending
    )
}

fn is_of_unknown_outcome(key: &str) -> bool {
    decline::find(key).is_some_and(|decline| decline.class == DeclineClass::Unknown)
}

/// The outcome of an authorization request; `None` stands for a timeout. A reason of the class
/// *unknown* (response code 68) is an unknown outcome, which is queried before anything else is
/// done.
#[must_use]
pub fn of_authorization(
    payment: &Payment,
    response: Option<Result<ProviderDecision, ProviderError>>,
) -> PaymentOutcome {
    match response {
        Some(Ok(ProviderDecision::Approved(approval))) => {
            PaymentOutcome::approved(payment, approval)
        }
        Some(Ok(ProviderDecision::Declined(rejection)))
            if is_of_unknown_outcome(&rejection.reason) =>
        {
            PaymentOutcome::UNKNOWN
        }
        Some(Ok(ProviderDecision::Declined(rejection))) => PaymentOutcome::rejected(rejection),
        Some(Err(ProviderError::NotSent(reason))) => {
            tracing::warn!(payment = %payment.id, reason, "no provider could be reached");
            PaymentOutcome::declined("system_malfunction")
        }
        Some(Err(ProviderError::OutcomeUnknown(reason))) => {
            tracing::warn!(payment = %payment.id, reason, "the provider did not respond");
            PaymentOutcome::UNKNOWN
        }
        None => {
            tracing::warn!(payment = %payment.id, "the provider did not respond in time");
            PaymentOutcome::UNKNOWN
        }
    }
}

/// The final outcome of an inquiry; none while the shopper has to act.
#[must_use]
pub fn of_inquiry(payment: &Payment, response: Inquiry) -> Option<PaymentOutcome> {
    match response {
        Inquiry::Answered(ProviderDecision::Approved(approval)) => {
            Some(PaymentOutcome::approved(payment, approval))
        }
        // The issuer still did not respond: the provider has reversed the request (ISO 8583
        // reversal), and nothing was approved.
        Inquiry::Answered(ProviderDecision::Declined(rejection))
            if is_of_unknown_outcome(&rejection.reason) =>
        {
            Some(PaymentOutcome::declined("not_processed"))
        }
        Inquiry::Answered(ProviderDecision::Declined(rejection)) => {
            Some(PaymentOutcome::rejected(rejection))
        }
        Inquiry::NeverReceived => Some(PaymentOutcome::declined("not_processed")),
        Inquiry::Waiting => None,
    }
}

/// Transaction 2: records the outcome and its event. If another request was first, its outcome
/// stays.
///
/// # Errors
/// The store does not accept it; recovery will find the payment.
pub async fn record(
    gateway: &Gateway,
    payment: &Payment,
    outcome: PaymentOutcome,
) -> Result<Payment, ApiError> {
    record_as(gateway, payment, outcome, payment.clone()).await
}

/// The same, including all other changes since `payment` was read.
pub async fn record_as(
    gateway: &Gateway,
    payment: &Payment,
    outcome: PaymentOutcome,
    mut updated: Payment,
) -> Result<Payment, ApiError> {
    let PaymentOutcome {
        state,
        decline,
        approval,
        advice_code,
    } = outcome;
    if !payment.state.may_become(state) {
        let reason = format!("{} may not become {state}", payment.state);
        return Err(ApiError::because(ErrorCode::Internal, reason));
    }
    let credential = approval.credential;
    updated.state = state;
    updated.decline = decline.map(str::to_owned);
    if let Some(card) = updated.details.card_mut() {
        card.codes = CardCodes {
            authorization_code: approval.authorization_code,
            acquirer_reference: approval.acquirer_reference,
            network_transaction_id: approval.network_transaction_id,
            advice_code,
        };
    }
    if let (Some(debit), Some(date)) = (updated.details.debit_mut(), approval.collection_date) {
        debit.collection_date = date.to_string();
    }
    updated.updated_at_ms = gateway.clock.now_ms_i64();
    let posting = post(gateway, &mut updated);
    let (recorded, is_published) = store_outcome(
        gateway,
        payment,
        &updated,
        (posting.as_ref(), credential.as_ref()),
    )
    .await?;
    match recorded {
        Recorded::Done(payment) => {
            if is_published {
                gateway.wake_outbox();
            }
            tracing::info!(payment = %payment.id, state = %state, decline, "outcome recorded");
            Ok(payment)
        }
        Recorded::NotInState(stored) => {
            contradicted(gateway, (payment, state), &stored, credential.as_ref()).await?;
            Ok(stored)
        }
    }
}

/// Moves the money of a payment's new state.
fn post(gateway: &Gateway, payment: &mut Payment) -> Option<Posting> {
    let context = || gateway.posting_context(Some(&payment.provider));
    match payment.state {
        PaymentState::Captured => {
            let context = context();
            payment.captured_minor = payment.money.amount_minor();
            let source = payment.id.to_string();
            let amount_minor = payment.captured_minor;
            Some(posting::of_capture(&context, payment, source, amount_minor))
        }
        PaymentState::Returned => {
            let context = context();
            payment.returned_minor = payment.captured_minor;
            Some(posting::of_debit_return(&context, payment))
        }
        _ => None,
    }
}

/// Another outcome is stored. What the provider has approved nevertheless is reversed later, and the
/// credential that it has stored is deleted.
async fn contradicted(
    gateway: &Gateway,
    (payment, state): (&Payment, PaymentState),
    stored: &Payment,
    credential: Option<&CredentialReference>,
) -> Result<(), ApiError> {
    let is_approved = is_approval(state);
    let elsewhere = stored.provider != payment.provider;
    // Another server may have asked after an answer that did not come.
    let has_answered = state != PaymentState::Unknown;
    // It asked for this one and got no answer: the provider is asked again, and then it counts.
    let is_open = stored.state == PaymentState::Unknown && !elsewhere;
    if has_answered && !is_open && (stored.state != state || (is_approved && elsewhere)) {
        // The provider approves what it had told recovery it never received.
        tracing::error!(payment = %stored.id, stored = %stored.state, answered = %state,
            provider = payment.provider,
            "the provider's response contradicts the stored outcome");
    }
    let came_to_nothing = matches!(stored.state, PaymentState::Declined | PaymentState::Expired);
    // A credit is not an approval: the bank reports it until it is counted or returned.
    let is_credit = payment.details.transfer().is_some();
    if !is_approved || is_credit || !(came_to_nothing || elsewhere) {
        return Ok(());
    }
    let (store, now_ms) = (&gateway.store, gateway.clock.now_ms_i64());
    store.reversals.note_late_approval(payment, now_ms).await?;
    if let Some(credential) = credential {
        let provider = &payment.provider;
        store
            .instruments
            .schedule_revocation(provider, credential, now_ms)
            .await?;
    }
    Ok(())
}

/// Writes the outcome with everything that belongs to it, again if another payment has changed the
/// instrument that this one stores; returns whether there is an event as well.
async fn store_outcome(
    gateway: &Gateway,
    payment: &Payment,
    updated: &Payment,
    (posting, credential): (Option<&Posting>, Option<&CredentialReference>),
) -> Result<(Recorded, bool), ApiError> {
    let mut tries = STORING_TRIES;
    loop {
        let mut updated = updated.clone();
        let stored = stored_by(gateway, &updated, credential).await?;
        let made = stored.as_ref().and_then(|stored| stored.agreement);
        let mut related = stored.map(|stored| stored.rows).unwrap_or_default();
        updated.agreement = made.or(updated.agreement);
        if !updated.state.is_open() {
            updated.details.end_storing();
        }
        let beside = event::of_debit(gateway, &mut updated)?;
        let event = event::for_payment(gateway, &mut updated)?;
        if let Some(invoice) = updated.invoice {
            related.append(Box::pin(settle::prepare(gateway, &updated, invoice)).await?);
        }
        let effects = OutcomeEffects {
            event: event.as_ref(),
            beside: &beside,
            posting,
            related: Some(&related),
        };
        let payments = &gateway.store.payments;
        match payments.record_outcome(payment, &updated, effects).await {
            Err(error) if tries > 0 && is_outdated(&error) => tries -= 1,
            recorded => return Ok((recorded?, event.is_some())),
        }
    }
}

/// The agreement that a payment makes, if it is approved.
async fn stored_by(
    gateway: &Gateway,
    payment: &Payment,
    credential: Option<&CredentialReference>,
) -> Result<Option<NewAgreement>, ApiError> {
    let storing = payment.details.storing();
    let Some((pending, shown, mandate)) = storing.filter(|_| is_approval(payment.state)) else {
        return Ok(None);
    };
    let card = payment.details.card();
    let first = FirstPayment {
        id: payment.id,
        merchant: payment.merchant,
        money: payment.money,
        method: payment.details.method(),
        card: &shown,
        is_assessed: card.is_some_and(|card| card.risk.is_some()),
        provider: &payment.provider,
        instrument: payment.details.instrument(),
        credential,
        network_transaction_id: card.and_then(|card| card.codes.network_transaction_id.as_deref()),
        mandate,
        lapses_at_ms: payment.details.debit().and_then(DebitDetails::lapses_at_ms),
    };
    agreement::prepare(gateway, first, pending).await
}
