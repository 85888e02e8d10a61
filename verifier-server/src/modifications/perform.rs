//! Requests a modification from the provider and records its outcome.

use super::model::{Modification, ModificationKind, ModificationState};
use super::store::ModificationRecorded;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::ledger::posting;
use crate::ledger::posting::Posting;
use crate::payments::event;
use crate::payments::methods;
use crate::payments::model::Payment;
use sealpay_provider::{ModificationRequest, ProviderDecision};

/// Key of the reason for which a provider declines a void if nothing is authorized.
pub(crate) const NOT_HELD: &str = "invalid_transaction";

/// Requests and records. Without a response the modification stays pending.
pub(crate) async fn perform(
    gateway: &Gateway,
    payment: &Payment,
    modification: Modification,
) -> Result<Modification, ApiError> {
    let method = methods::find(payment.details.method());
    let Some(operations) = method.operations(&gateway.providers, &payment.provider) else {
        tracing::error!(payment = %payment.id, provider = payment.provider,
            "the provider is no longer configured");
        return Ok(modification);
    };
    let request = ModificationRequest {
        modification: modification.id,
        payment: payment.id,
        kind: modification.kind,
        money: modification.money,
        is_final: modification.is_final,
    };
    match gateway.within(operations.modify(request)).await {
        Ok(answer) => {
            let recorded = record(gateway, payment, modification, answer).await;
            gateway.payment_waiters.notify(payment.id);
            recorded
        }
        Err(error) => {
            tracing::warn!(payment = %payment.id, modification = %modification.id, ?error,
                "the provider did not respond and will be asked again");
            Ok(modification)
        }
    }
}

pub(crate) async fn record(
    gateway: &Gateway,
    payment: &Payment,
    mut modification: Modification,
    answer: ProviderDecision,
) -> Result<Modification, ApiError> {
    let mut acquirer_reference = None;
    match answer {
        ProviderDecision::Approved(approval) => {
            modification.state = ModificationState::Succeeded;
            acquirer_reference = approval.acquirer_reference;
        }
        // Nothing is authorized any more, which is all that an expiry needs. With any other reason
        // the amount may still be authorized, and the void is requested again under a new id.
        ProviderDecision::Declined(rejection)
            if modification.kind == ModificationKind::Expiry && rejection.reason == NOT_HELD =>
        {
            tracing::error!(payment = %payment.id, reason = rejection.reason,
                "an expired authorization was no longer authorized at the provider");
            modification.state = ModificationState::Succeeded;
        }
        ProviderDecision::Declined(rejection) => {
            modification.state = ModificationState::Failed;
            modification.failure = Some(rejection.reason);
        }
    }
    let succeeded = modification.state == ModificationState::Succeeded;
    modification.updated_at_ms = gateway.clock.now_ms_i64();
    let mut after = if succeeded {
        payment.modified(&modification)
    } else {
        payment.clone()
    };
    after.updated_at_ms = modification.updated_at_ms;
    if let Some(card) = after.details.card_mut()
        && modification.kind == ModificationKind::Capture
        && card.codes.acquirer_reference.is_none()
    {
        card.codes.acquirer_reference = acquirer_reference;
    }
    let event = event::of_modification(gateway, &mut after, &modification)?;
    let posting = posting_of(gateway, &after, &modification);
    let recorded = gateway.store.modifications.record(
        payment,
        &after,
        &modification,
        event.as_ref(),
        posting.as_ref(),
    );
    match recorded.await? {
        ModificationRecorded::Done => {
            gateway.wake_outbox();
            tracing::info!(payment = %payment.id, modification = %modification.id,
                kind = modification.kind.name(), state = modification.state.name(),
                failure = modification.failure, "payment modified");
            Ok(modification)
        }
        ModificationRecorded::Ended(ended) => Ok(ended),
    }
}

fn posting_of(gateway: &Gateway, after: &Payment, modification: &Modification) -> Option<Posting> {
    if modification.state != ModificationState::Succeeded {
        return None;
    }
    let context = gateway.posting_context(Some(&after.provider));
    let source = modification.id.to_string();
    let amount_minor = modification.money.amount_minor();
    match modification.kind {
        ModificationKind::Capture => {
            Some(posting::of_capture(&context, after, source, amount_minor))
        }
        ModificationKind::Refund => Some(posting::of_refund(&context, after, source, amount_minor)),
        ModificationKind::Void | ModificationKind::Expiry => None,
    }
}
