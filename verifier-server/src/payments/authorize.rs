//! One payment from start to end: verify → decrypt → prepare → claim → start → record the outcome.
//!
//! Each step takes a value that only the previous step can make, so the order is enforced by types.
//! No transaction is open during a provider call, and its result is stored in one transaction
//! together with the merchant's event.
//!
//! While a payment requires action, its card is not stored: the widget sends the same attempt again
//! after the shopper has acted, and its sealed card is decrypted again.

use super::methods::{self, Attempt, Instrument, Prepared};
use super::model::Payment;
use super::shopper_view;
use super::state::PaymentState;
use super::store::claim::Claim;
use crate::auth::nonces::Nonce;
use crate::auth::signed_request::IncomingRequest;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::invoices::hosted::claim::InvoiceRefusal;
use crate::sessions::model::Session;
use crate::sessions::request::{Verified, verify};
use sealpay_protocol::api::{PayRequest, PaymentView};
use sealpay_protocol::limits;

/// Makes a payment. A repeated attempt returns the stored response, or resumes after the shopper
/// has acted.
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
        is_replay,
    } = verify::<PayRequest>(gateway, request).await?;
    let name = body.method;
    let method = methods::find(name);
    method.check(&body)?;
    if method.is_encrypted() && is_replay {
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
                match instrument.prepare(attempt).await {
                    Ok(prepared) => claim(attempt, prepared, &*instrument).await?,
                    // It may have been removed since the attempt was made.
                    Err(error) if error.code == ErrorCode::InstrumentUnavailable => {
                        answer_stored(attempt, error, Some(&*instrument)).await?
                    }
                    Err(error) => return Err(error),
                }
            }
            Err(error) => answer_stored(attempt, error, None).await?,
        }
    };
    shopper_view::payment_view(gateway, &payment, request.thumbprint.as_str()).await
}

/// Answers a retry from the stored payment, even if the session has expired or the sealing key is
/// gone. Nothing is claimed here, so the nonce is consumed separately.
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
        // The session may expire while the shopper is in the wallet or types a code. A card payment
        // cannot resume if its card can no longer be decrypted.
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

/// Resumes a payment that required action.
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

/// Returns the errors of a session that takes no attempts, which have precedence: a widget that
/// returns to a paid order learns that it is paid, not that its key is old.
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
            // The payment was declined or has expired meanwhile: the session is free again.
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

const fn invoice_error(refusal: InvoiceRefusal) -> ApiError {
    ApiError::new(match refusal {
        InvoiceRefusal::Closed => ErrorCode::InvoiceClosed,
        InvoiceRefusal::PaymentInProgress => ErrorCode::InvoicePaymentInProgress,
        InvoiceRefusal::AmountChanged => ErrorCode::InvoiceAmountChanged,
    })
}

/// Transaction 1: creates the payment of an attempt exactly once. Only the request that created it
/// continues.
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
        Claim::InvoiceRefused(refusal) => Err(invoice_error(refusal)),
        Claim::SessionUnknown => Err(ApiError::for_param(
            ErrorCode::UnknownSession,
            "sealpay-session",
        )),
        Claim::NonceReplayed => Err(ApiError::new(ErrorCode::NonceReplayed)),
    }
}
