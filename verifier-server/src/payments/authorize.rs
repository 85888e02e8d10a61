//! One payment, top to bottom: verify → decrypt → prepare → claim → start → record the outcome.
//!
//! Each step takes what only the step before it can make, so the order cannot be broken. No
//! transaction is open while a provider is asked, and what it answers is kept in one transaction
//! together with the event that tells the merchant.
//!
//! A payment that waits for the shopper keeps no card: the widget sends the same attempt again when
//! the shopper has acted, and the sealed card in it is opened once more.

use super::methods::{self, Attempt, Instrument, Prepared};
use super::model::Payment;
use super::shopper_view;
use super::state::PaymentState;
use super::store::claim::Claim;
use crate::auth::nonces::Nonce;
use crate::auth::signed_request::IncomingRequest;
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
    let name = body.method;
    let method = methods::find(name);
    method.check(&body)?;
    let nonces = &gateway.store.nonces;
    if method.is_encrypted() && nonces.is_consumed(&Nonce::in_request(&request)).await? {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    let attempt = Attempt {
        gateway,
        session: &session,
        request: &request,
    };
    let instrument = if session.methods.contains(&name) {
        method.instrument(attempt, body)
    } else {
        Err(ApiError::for_param(ErrorCode::MethodNotOffered, "method"))
    };
    let payment = if gateway.clock.now() >= session.expires_at {
        let error = ApiError::new(ErrorCode::SessionExpired);
        answer_stored(attempt, error, instrument.ok().as_deref()).await?
    } else {
        match instrument {
            Ok(instrument) => {
                let prepared = instrument.prepare(attempt).await?;
                claim(attempt, prepared, &*instrument).await?
            }
            Err(error) => answer_stored(attempt, error, None).await?,
        }
    };
    shopper_view::payment_view(gateway, &payment, request.thumbprint.as_str()).await
}

/// A retry may come when the session has expired or the sealing key is gone: what was answered
/// before is answered again. Nothing is claimed here, so the nonce is spent by itself.
async fn answer_stored(
    attempt: Attempt<'_>,
    error: ApiError,
    instrument: Option<&dyn Instrument>,
) -> Result<Payment, ApiError> {
    let Attempt {
        gateway,
        session,
        request,
    } = attempt;
    let store = &gateway.store;
    if !store.nonces.consume(&Nonce::in_request(request)).await? {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    let stored = store.payments.get_by_attempt(session.id, request.attempt);
    match stored.await? {
        // A session may end while the shopper is in the wallet or types a code; a card, though,
        // cannot go on when it does not open any more.
        Some(payment) if payment.body_digest == request.body_digest => {
            resume(attempt, payment, instrument).await
        }
        Some(_) => Err(ApiError::for_param(
            ErrorCode::AttemptConflict,
            "idempotency-key",
        )),
        None => Err(first_error(gateway, session, error).await?),
    }
}

/// The same attempt again: where it waited for the shopper, it may go on now.
async fn resume(
    attempt: Attempt<'_>,
    stored: Payment,
    instrument: Option<&dyn Instrument>,
) -> Result<Payment, ApiError> {
    if stored.state != PaymentState::RequiresAction {
        return Ok(stored);
    }
    match instrument {
        Some(instrument) => instrument.resume(attempt, stored).await,
        None => {
            methods::find(stored.details.method())
                .resume(attempt, stored)
                .await
        }
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

/// Transaction 1: the attempt becomes a payment once, and the request that created it continues.
async fn claim(
    attempt: Attempt<'_>,
    prepared: Prepared<'_>,
    instrument: &dyn Instrument,
) -> Result<Payment, ApiError> {
    let Prepared { payment, start } = prepared;
    let nonce = Nonce::in_request(attempt.request);
    let most = limits::ATTEMPTS_PER_SESSION;
    let claimed = attempt
        .gateway
        .store
        .payments
        .claim(&payment, &nonce, most)
        .await?;
    match claimed {
        Claim::Claimed => start(payment).await,
        Claim::Existing(stored) => resume(attempt, stored, Some(instrument)).await,
        Claim::Conflict => Err(ApiError::for_param(
            ErrorCode::AttemptConflict,
            "idempotency-key",
        )),
        Claim::AttemptInProgress => Err(ApiError::new(ErrorCode::AttemptInProgress)),
        Claim::SessionComplete => Err(ApiError::new(ErrorCode::SessionComplete)),
        Claim::TooManyAttempts => Err(ApiError::new(ErrorCode::TooManyAttempts)),
        Claim::SessionUnknown => Err(ApiError::for_param(
            ErrorCode::UnknownSession,
            "sealpay-session",
        )),
        Claim::NonceReplayed => Err(ApiError::new(ErrorCode::NonceReplayed)),
    }
}
