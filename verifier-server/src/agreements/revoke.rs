//! Ends agreements. An instrument without an agreement is detached, and the provider deletes its
//! credential.

use super::model::{Agreement, AgreementState};
use super::store::InstrumentChange;
use super::view;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::Written;
use crate::instruments;
use crate::instruments::model::{Instrument, InstrumentState};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::ids::{AgreementId, InstrumentId, MerchantId};

/// How often a change is tried again if another one was first.
const TRIES: u32 = 8;

/// Maximum number of lapsed mandates in one batch.
const BATCH: u32 = 64;

/// Revokes an agreement of the merchant, once for each `Idempotency-Key`.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::NotFound`] also for another merchant's agreement,
/// [`ErrorCode::StateConflict`] for one that has ended.
pub async fn revoke(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Agreement, ApiError> {
    let id: AgreementId = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let agreement = owned(gateway, request.merchant, id).await?;
    // Asked after the agreement was read: the same request may have revoked it meanwhile.
    if let Some(made) = idempotency::made_before(gateway, request).await? {
        return owned(gateway, request.merchant, made).await;
    }
    if agreement.state != AgreementState::Active {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let answering = Some((request, id.to_string()));
    withdraw(gateway, agreement.instrument, answering, |one| one.id == id).await?;
    owned(gateway, request.merchant, id).await
}

/// Ends an agreement because the debtor's bank or the time has ended it; repeating it changes
/// nothing.
///
/// # Errors
/// The store does not respond, or the agreement has changed meanwhile.
pub(crate) async fn end(gateway: &Gateway, agreement: &Agreement) -> Result<(), ApiError> {
    if agreement.state != AgreementState::Active {
        return Ok(());
    }
    let ends = |one: &Agreement| one.id == agreement.id;
    withdraw(gateway, agreement.instrument, None, ends)
        .await
        .map(drop)
}

/// Ends one batch of mandates that have lapsed; returns how many.
///
/// # Errors
/// The store does not respond.
pub async fn end_lapsed(gateway: &Gateway) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let lapsed = gateway.store.agreements.lapsed(now_ms, BATCH).await?;
    for agreement in &lapsed {
        end(gateway, agreement).await?;
    }
    Ok(lapsed.len())
}

async fn owned(
    gateway: &Gateway,
    merchant: MerchantId,
    id: AgreementId,
) -> Result<Agreement, ApiError> {
    let found = gateway.store.agreements.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// Detaches an instrument and revokes all its agreements; repeating it changes nothing.
///
/// # Errors
/// An error; nothing was changed.
pub async fn detach(
    gateway: &Gateway,
    request: Option<&IdempotentRequest>,
    instrument: InstrumentId,
) -> Result<Instrument, ApiError> {
    let answering = request.map(|request| (request, instrument.to_string()));
    withdraw(gateway, instrument, answering, |_| true).await
}

/// Removes an instrument from those that its customer sees again: other agreements stay.
///
/// # Errors
/// An error; nothing was changed.
pub async fn remove_from_file(
    gateway: &Gateway,
    instrument: InstrumentId,
) -> Result<Instrument, ApiError> {
    let on_file = |agreement: &Agreement| agreement.kind == AgreementKind::CardOnFile;
    withdraw(gateway, instrument, None, on_file).await
}

/// Revokes some agreements of an instrument, and detaches it if none is left.
async fn withdraw(
    gateway: &Gateway,
    id: InstrumentId,
    request: Option<(&IdempotentRequest, String)>,
    ends: impl Fn(&Agreement) -> bool,
) -> Result<Instrument, ApiError> {
    for _ in 0..TRIES {
        let found = gateway.store.instruments.get(id).await?;
        let before = found.ok_or(ApiError::new(ErrorCode::NotFound))?;
        if before.state == InstrumentState::Detached {
            // The key may have been used for another request.
            if let Some((request, _)) = &request {
                idempotency::made_before::<String>(gateway, request).await?;
            }
            return Ok(before);
        }
        // Read after the instrument, because they change only together with it.
        let active = gateway.store.agreements.of_instrument(id).await?;
        let now_ms = gateway.clock.now_ms_i64();
        let (mut ended, remaining): (Vec<_>, Vec<_>) = active.into_iter().partition(&ends);
        let mut after = before.clone();
        after.sequence = before.sequence.saturating_add(1);
        after.updated_at_ms = now_ms;
        let mut events = Vec::new();
        for agreement in &mut ended {
            agreement.state = AgreementState::Revoked;
            agreement.sequence = agreement.sequence.saturating_add(1);
            agreement.updated_at_ms = now_ms;
            events.push(view::event(gateway, agreement)?);
        }
        if remaining.is_empty() {
            after.state = InstrumentState::Detached;
            events.push(instruments::view::event(
                gateway,
                "instrument.detached",
                &after,
                None,
            )?);
        }
        let change = InstrumentChange {
            before_sequence: before.sequence,
            instrument: &after,
            agreements: &ended,
            events: &events,
            request: request.clone(),
        };
        let written = gateway.store.agreements.change(change).await;
        match written.map_err(ApiError::of_first_transaction)? {
            Written::Done => {
                gateway.wake_outbox();
                return Ok(after);
            }
            Written::Repeated(replay) => {
                // The key was used for this instrument, or for one of its agreements.
                replay.resource::<String>()?;
                return Ok(before);
            }
            Written::Moved => {}
        }
    }
    Err(ApiError::new(ErrorCode::Overloaded))
}
