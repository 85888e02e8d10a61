//! Disputes: the shopper's bank withdraws funds, the merchant responds, the bank decides.

use super::model::{Dispute, DisputeReason, DisputeState};
use super::store::{DisputeChange, DisputeStep};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::ledger::posting;
use crate::payments::event;
use crate::payments::model::Payment;
use sealpay_protocol::ids::{DisputeId, MerchantId, PaymentId};
use sealpay_protocol::limits::{DISPUTE_EVIDENCE_SECONDS, EVIDENCE_CHARACTERS};
use sealpay_protocol::money::Money;

/// Maximum number of overdue disputes in one batch.
const BATCH: u32 = 64;
/// An action on a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisputeAction {
    /// The merchant submits evidence.
    Evidence(String),
    /// The merchant accepts the dispute.
    Accepted,
    /// The shopper's bank decides for the merchant.
    Won,
    /// The shopper's bank decides for the shopper, or the deadline passed.
    Lost,
}

impl DisputeAction {
    const fn state(&self) -> DisputeState {
        match self {
            Self::Evidence(_) => DisputeState::UnderReview,
            Self::Won => DisputeState::Won,
            Self::Accepted | Self::Lost => DisputeState::Lost,
        }
    }
}

/// Validates a merchant's evidence.
///
/// # Errors
/// [`ErrorCode::InvalidParameter`].
pub fn evidence(text: String) -> Result<DisputeAction, ApiError> {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    let fits = (1..=EVIDENCE_CHARACTERS).contains(&text.chars().count());
    if fits && text.chars().all(is_plain) {
        Ok(DisputeAction::Evidence(text))
    } else {
        let detail = format!(
            "evidence must be text of 1 to {EVIDENCE_CHARACTERS} characters, with no control \
             characters but line breaks and tabs."
        );
        Err(ApiError::invalid("evidence", detail))
    }
}

/// Opens a dispute of an amount, or of all that is available.
///
/// # Errors
/// An error; nothing was changed.
pub async fn open(
    gateway: &Gateway,
    payment: PaymentId,
    amount_minor: Option<i64>,
    reason: DisputeReason,
) -> Result<Dispute, ApiError> {
    let open_once = || open_once(gateway, payment, amount_minor, reason);
    gateway.payment_waiters.run(payment, open_once).await
}

/// None while a modification of the payment is pending.
async fn open_once(
    gateway: &Gateway,
    payment: PaymentId,
    amount_minor: Option<i64>,
    reason: DisputeReason,
) -> Result<Option<Dispute>, ApiError> {
    let found = gateway.store.payments.get(payment).await?;
    let before = found.ok_or(ApiError::new(ErrorCode::NotFound))?;
    if before.modification.is_some() {
        return Ok(None);
    }
    let dispute = new(gateway, &before, amount_minor, reason)?;
    let mut after = before.clone();
    after.disputed_minor = before
        .disputed_minor
        .saturating_add(dispute.money.amount_minor());
    after.updated_at_ms = dispute.created_at_ms;
    let event = event::of_dispute(gateway, &mut after, &dispute)?;
    let context = gateway.posting_context(Some(&after.provider));
    let posting = posting::of_dispute(&context, &after, &dispute);
    let step = DisputeStep {
        before: &before,
        after: &after,
        dispute: &dispute,
        event: &event,
        posting: Some(&posting),
        request: None,
    };
    if gateway.store.disputes.open(step).await? != DisputeChange::Done {
        return Ok(None);
    }
    gateway.wake_outbox();
    tracing::info!(payment = %payment, dispute = %dispute.id, "a dispute was opened");
    Ok(Some(dispute))
}

fn new(
    gateway: &Gateway,
    payment: &Payment,
    asked_minor: Option<i64>,
    reason: DisputeReason,
) -> Result<Dispute, ApiError> {
    let left = payment.disputable_minor();
    if left <= 0 {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let amount_minor = asked_minor.unwrap_or(left);
    if !(1..=left).contains(&amount_minor) {
        return Err(ApiError::for_param(ErrorCode::AmountTooLarge, "amount"));
    }
    let now_ms = gateway.clock.now_ms();
    let created_at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let time_ms = i64::try_from(DISPUTE_EVIDENCE_SECONDS).unwrap_or(i64::MAX);
    Ok(Dispute {
        id: DisputeId::new(now_ms, gateway.rng.bytes()),
        payment: payment.id,
        merchant: payment.merchant,
        money: Money::new(amount_minor, payment.money.currency()),
        reason,
        state: DisputeState::NeedsResponse,
        evidence: None,
        answered_by: None,
        evidence_due_ms: created_at_ms.saturating_add(time_ms.saturating_mul(1000)),
        created_at_ms,
        updated_at_ms: created_at_ms,
    })
}

/// Processes the merchant's response, once for each `Idempotency-Key`.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::NotFound`] also for another merchant's dispute.
pub async fn answer(
    gateway: &Gateway,
    request: &IdempotentRequest,
    dispute: &str,
    action: &DisputeAction,
) -> Result<Dispute, ApiError> {
    let id: DisputeId = dispute
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    if let Some(id) = idempotency::made_before(gateway, request).await? {
        return get(gateway, id).await;
    }
    get_owned(gateway, request.merchant, id).await?;
    happen(gateway, id, action, Some(request)).await
}

/// A dispute of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's dispute.
pub async fn get_owned(
    gateway: &Gateway,
    merchant: MerchantId,
    id: DisputeId,
) -> Result<Dispute, ApiError> {
    let found = gateway.store.disputes.get(id).await?;
    found
        .filter(|dispute| dispute.merchant == merchant)
        .ok_or(ApiError::new(ErrorCode::NotFound))
}

async fn get(gateway: &Gateway, id: DisputeId) -> Result<Dispute, ApiError> {
    let found = gateway.store.disputes.get(id).await?;
    found.ok_or_else(idempotency::missing)
}

/// Applies an action to a dispute.
///
/// # Errors
/// An error; nothing was changed.
pub async fn happen(
    gateway: &Gateway,
    id: DisputeId,
    action: &DisputeAction,
    request: Option<&IdempotentRequest>,
) -> Result<Dispute, ApiError> {
    let named = gateway.store.disputes.get(id).await?;
    let named = named.ok_or(ApiError::new(ErrorCode::NotFound))?;
    let change_once = || change_once(gateway, &named, action, request);
    gateway
        .payment_waiters
        .run(named.payment, change_once)
        .await
}

/// None while a modification of the payment is pending.
async fn change_once(
    gateway: &Gateway,
    named: &Dispute,
    action: &DisputeAction,
    request: Option<&IdempotentRequest>,
) -> Result<Option<Dispute>, ApiError> {
    let missing = || ApiError::because(ErrorCode::Internal, "a dispute has no payment");
    let before = gateway.store.payments.get(named.payment).await?;
    let before = before.ok_or_else(missing)?;
    // Read again after the payment, because it changes only together with the payment.
    let dispute = gateway.store.disputes.get(named.id).await?;
    let dispute = dispute.ok_or_else(missing)?;
    let is_late = matches!(action, DisputeAction::Evidence(_))
        && dispute.evidence_due_ms <= gateway.clock.now_ms_i64();
    if is_late || !dispute.state.may_become(action.state()) {
        if let Some(request) = request
            && let Some(id) = idempotency::made_before(gateway, request).await?
        {
            return get(gateway, id).await.map(Some);
        }
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    if before.modification.is_some() {
        return Ok(None);
    }
    match step(gateway, &before, dispute, action, request).await? {
        Ok(dispute) => Ok(Some(dispute)),
        Err(DisputeChange::Repeated(replay)) => get(gateway, replay.resource()?).await.map(Some),
        Err(_) => Ok(None),
    }
}

async fn step(
    gateway: &Gateway,
    before: &Payment,
    mut dispute: Dispute,
    action: &DisputeAction,
    request: Option<&IdempotentRequest>,
) -> Result<Result<Dispute, DisputeChange>, ApiError> {
    let mut after = before.clone();
    dispute.state = action.state();
    dispute.updated_at_ms = gateway.clock.now_ms_i64();
    after.updated_at_ms = dispute.updated_at_ms;
    if let Some(request) = request {
        dispute.answered_by = Some(request.credential.clone());
    }
    let posting = match action {
        DisputeAction::Evidence(evidence) => {
            dispute.evidence = Some(evidence.clone());
            None
        }
        DisputeAction::Won => {
            let amount_minor = dispute.money.amount_minor();
            after.disputed_minor = before.disputed_minor.saturating_sub(amount_minor);
            Some(posting::of_dispute_won(
                &gateway.posting_context(Some(&after.provider)),
                &after,
                &dispute,
            ))
        }
        // A lost amount stays disputed, so that it cannot be refunded as well.
        DisputeAction::Accepted | DisputeAction::Lost => Some(posting::of_dispute_lost(
            &gateway.posting_context(None),
            &dispute,
        )),
    };
    let event = event::of_dispute(gateway, &mut after, &dispute)?;
    let step = DisputeStep {
        before,
        after: &after,
        dispute: &dispute,
        event: &event,
        posting: posting.as_ref(),
        request,
    };
    Ok(match gateway.store.disputes.change(step).await? {
        DisputeChange::Done => {
            gateway.wake_outbox();
            tracing::info!(dispute = %dispute.id, state = dispute.state.name(), "dispute changed");
            Ok(dispute)
        }
        other => Err(other),
    })
}

/// Closes one batch of overdue disputes as lost; returns their number.
///
/// # Errors
/// The store cannot list them.
pub async fn give_up(gateway: &Gateway) -> Result<usize, ApiError> {
    let by_ms = gateway.clock.now_ms_i64();
    let mut lost = 0;
    for dispute in gateway.store.disputes.overdue(by_ms, BATCH).await? {
        match happen(gateway, dispute.id, &DisputeAction::Lost, None).await {
            Ok(_) => lost += 1,
            Err(error) => {
                tracing::warn!(dispute = %dispute.id, ?error,
                    "an overdue dispute could not be closed and will be retried");
            }
        }
    }
    Ok(lost)
}
