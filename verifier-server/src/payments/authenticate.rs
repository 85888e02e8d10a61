//! Processes the shopper's steps in a payment that requires action: codes, passkeys, cancellation.

use super::methods;
use super::model::Payment;
use super::shopper_view;
use super::state::PaymentState;
use crate::auth::nonces::Nonce;
use crate::auth::signed_request::IncomingRequest;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::sessions::request::{Verified, verify};
use sealpay_protocol::api::{AuthenticationRequest, AuthenticationStep, PaymentView};
use sealpay_protocol::limits;
use sealpay_provider::authentication::Step;

/// A step with exactly the data that it needs.
enum AuthenticationAction {
    Step(Step),
    Enrol(String),
    Cancel,
}

/// Processes a step of the shopper. A repeated `Idempotency-Key` counts once.
///
/// # Errors
/// The first error, by precedence. A wrong code is not an error.
pub async fn authenticate(
    gateway: &Gateway,
    request: IncomingRequest<'_>,
) -> Result<PaymentView, ApiError> {
    let verified = verify::<AuthenticationRequest>(gateway, request).await?;
    let Verified {
        session,
        request,
        body,
        ..
    } = verified;
    let id = body.payment;
    let action = action(body)?;
    let (attempt, requester) = (request.attempt, request.thumbprint.clone());
    if !gateway
        .store
        .nonces
        .consume(&Nonce::from_verified(request))
        .await?
    {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    let found = gateway
        .store
        .payments
        .get_by_session(session.id, id)
        .await?;
    let payment = found.ok_or_else(|| ApiError::for_param(ErrorCode::NotFound, "payment"))?;
    // Other holders of the order, such as a reloaded page, may only cancel the attempt.
    let is_claimant = payment.owner == requester.as_str();
    if !is_claimant && !matches!(action, AuthenticationAction::Cancel) {
        return Err(ApiError::for_param(ErrorCode::ChallengeClosed, "payment"));
    }
    let waits = payment.state == PaymentState::RequiresAction;
    let method = methods::find(payment.details.method());
    let payment = match action {
        AuthenticationAction::Enrol(credential) => enrol(gateway, payment, &credential).await?,
        _ if !waits => return Err(methods::challenge_closed()),
        AuthenticationAction::Step(step) => method.step(gateway, payment, attempt, step).await?,
        AuthenticationAction::Cancel => method.cancel(gateway, payment, attempt).await?,
    };
    shopper_view::payment_view(gateway, &payment, requester.as_str()).await
}

fn action(body: AuthenticationRequest) -> Result<AuthenticationAction, ApiError> {
    let of = |param: &'static str| {
        let detail = match param {
            "code" => "code must be six digits with the step code, and left out with others.",
            _ => {
                "credential must be a credential as JSON text with the steps passkey and enrol, \
                  and left out with others."
            }
        };
        ApiError::for_param(ErrorCode::MalformedRequest, param).explained(detail)
    };
    let credential = |text: Option<String>| {
        let fits = |text: &String| (1..=limits::CREDENTIAL_BYTES).contains(&text.len());
        text.filter(fits).ok_or_else(|| of("credential"))
    };
    // Members of another step would be ignored silently, so they are rejected.
    let has_code = body.step == AuthenticationStep::Code;
    let has_credential = matches!(
        body.step,
        AuthenticationStep::Passkey | AuthenticationStep::Enrol
    );
    if body.code.is_some() != has_code {
        return Err(of("code"));
    }
    if body.credential.is_some() != has_credential {
        return Err(of("credential"));
    }
    Ok(match body.step {
        AuthenticationStep::Code => {
            let code = body.code.unwrap_or_default();
            let is_code = code.len() == limits::ONE_TIME_CODE_DIGITS
                && code.bytes().all(|c| c.is_ascii_digit());
            if !is_code {
                return Err(of("code"));
            }
            AuthenticationAction::Step(Step::Code(code))
        }
        AuthenticationStep::Resend => AuthenticationAction::Step(Step::Resend),
        AuthenticationStep::UseCode => AuthenticationAction::Step(Step::UseCode),
        AuthenticationStep::Passkey => {
            AuthenticationAction::Step(Step::Passkey(credential(body.credential)?))
        }
        AuthenticationStep::Enrol => AuthenticationAction::Enrol(credential(body.credential)?),
        AuthenticationStep::Cancel => AuthenticationAction::Cancel,
    })
}

async fn enrol(gateway: &Gateway, payment: Payment, credential: &str) -> Result<Payment, ApiError> {
    let asked = gateway
        .providers
        .authenticator
        .enrol(payment.id, credential);
    if gateway.within(asked).await? {
        tracing::info!(payment = %payment.id, "a passkey was enrolled");
        Ok(payment)
    } else {
        Err(ApiError::for_param(
            ErrorCode::ChallengeClosed,
            "credential",
        ))
    }
}
