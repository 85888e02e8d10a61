//! One payment, top to bottom: verify → open → assess and plan → claim → ask → keep the outcome.
//!
//! Each step takes what only the step before it can make, so the order cannot be broken. No
//! transaction is open while a provider is asked, and what it answers is kept in one transaction
//! together with the event that tells the merchant.
//!
//! A payment that waits for the shopper keeps no card: the widget sends the same attempt again when
//! the shopper has acted, and the sealed card in it is opened once more.

use super::instrument::{self, Instrument, Opened};
use super::model::Payment;
use super::plan::{self, Plan};
use super::proceed::{self, Means};
use super::shopper_view;
use super::state::PaymentState;
use super::store::claim::Claim;
use crate::auth::nonces::Nonce;
use crate::auth::signed_request::{IncomingRequest, VerifiedRequest};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::sessions::model::Session;
use crate::sessions::request::{Verified, verify};
use sealpay_protocol::api::{PayRequest, PaymentView};
use sealpay_protocol::limits;

/// Pays. The same attempt again gives the stored answer, or goes on after the shopper has acted.
///
/// # Errors
/// The first error, by precedence. A decline is not an error.
pub async fn authorize(
    gateway: &Gateway,
    request: IncomingRequest<'_>,
) -> Result<PaymentView, ApiError> {
    let Verified {
        session,
        request,
        body,
    } = verify::<PayRequest>(gateway, request).await?;
    let instrument = instrument::of(body)?;
    // Opening a card costs as much as a hundred look-ups: a recorded request is not worth it.
    if matches!(instrument, Instrument::Card(_))
        && gateway
            .store
            .nonces
            .is_consumed(&Nonce::in_request(&request))
            .await?
    {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    let opened = instrument::open(gateway, &session, &request, instrument);
    if gateway.clock.now() >= session.expires_at {
        let error = ApiError::new(ErrorCode::SessionExpired);
        let means = opened.map_or(Means::None, Means::Of);
        return answer_stored(gateway, &session, request, error, means).await;
    }
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return answer_stored(gateway, &session, request, error, Means::None).await;
        }
    };
    let plan = plan::plan(gateway, &session, &request, &opened).await?;
    let requester = request.thumbprint.clone();
    let payment = claim(gateway, &session, request, plan, opened).await?;
    shopper_view::payment_view(gateway, &payment, requester.as_str()).await
}

/// A retry may come when the session has expired or the sealing key is gone: what was answered
/// before is answered again. Nothing is claimed here, so the nonce is spent by itself.
async fn answer_stored(
    gateway: &Gateway,
    session: &Session,
    request: VerifiedRequest,
    error: ApiError,
    means: Means,
) -> Result<PaymentView, ApiError> {
    let (attempt, body_digest) = (request.attempt, request.body_digest.clone());
    let requester = request.thumbprint.clone();
    if !gateway.store.nonces.consume(&Nonce::of(request)).await? {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    let stored = gateway
        .store
        .payments
        .get_by_attempt(session.id, attempt)
        .await?;
    match stored {
        Some(payment) if payment.body_digest == body_digest => {
            // A session may end while the shopper is in the wallet or types a code; a card, though,
            // cannot go on when it does not open any more.
            let payment = proceed::again(gateway, session, payment, means).await?;
            shopper_view::payment_view(gateway, &payment, requester.as_str()).await
        }
        Some(_) => Err(ApiError::of(ErrorCode::AttemptConflict, "idempotency-key")),
        None => Err(first_error(gateway, session, error).await?),
    }
}

/// A session that takes no attempt at all says so, whatever else is wrong: a widget that comes back
/// to a paid order learns that it is paid, not that its key is old.
async fn first_error(
    gateway: &Gateway,
    session: &Session,
    error: ApiError,
) -> Result<ApiError, ApiError> {
    if let Some(attempt) = session.active_attempt {
        let active = gateway
            .store
            .payments
            .get_by_attempt(session.id, attempt)
            .await?;
        match active.map(|payment| payment.state) {
            Some(state) if state.is_open() => {
                return Ok(ApiError::new(ErrorCode::AttemptInProgress));
            }
            // It came to nothing in between: the session is free again.
            Some(PaymentState::Declined | PaymentState::Expired) => {}
            _ => return Ok(ApiError::new(ErrorCode::SessionComplete)),
        }
    }
    let used_up = session.attempts >= limits::ATTEMPTS_PER_SESSION;
    Ok(if used_up && error.code == ErrorCode::SealedCardRefused {
        ApiError::new(ErrorCode::TooManyAttempts)
    } else {
        error
    })
}

/// Transaction 1: the attempt becomes a payment, once; and whoever made it so goes on with it.
async fn claim(
    gateway: &Gateway,
    session: &Session,
    request: VerifiedRequest,
    plan: Plan,
    opened: Opened,
) -> Result<Payment, ApiError> {
    let most = limits::ATTEMPTS_PER_SESSION;
    let claimed = gateway
        .store
        .payments
        .claim(plan.payment(), &Nonce::of(request), most)
        .await?;
    match claimed {
        Claim::Claimed => proceed::begin(gateway, session, plan, opened).await,
        Claim::Existing(stored) => {
            proceed::again(gateway, session, stored, Means::Of(opened)).await
        }
        Claim::Conflict => Err(ApiError::of(ErrorCode::AttemptConflict, "idempotency-key")),
        Claim::AttemptInProgress => Err(ApiError::new(ErrorCode::AttemptInProgress)),
        Claim::SessionComplete => Err(ApiError::new(ErrorCode::SessionComplete)),
        Claim::TooManyAttempts => Err(ApiError::new(ErrorCode::TooManyAttempts)),
        Claim::SessionUnknown => Err(ApiError::of(ErrorCode::UnknownSession, "sealpay-session")),
        Claim::NonceReplayed => Err(ApiError::new(ErrorCode::NonceReplayed)),
    }
}
