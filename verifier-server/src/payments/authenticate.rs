//! What the shopper does about a payment that waits for them.

use super::methods::bank_transfer::incoming;
use super::model::Payment;
use super::outcome::{self, PaymentOutcome, keep, keep_authenticated};
use super::shopper_view;
use super::state::PaymentState;
use crate::auth::nonces::Nonce;
use crate::auth::signed_request::IncomingRequest;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::sessions::request::{Verified, verify};
use sealpay_protocol::api::{AuthenticationRequest, AuthenticationStep, PaymentView};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::limits;
use sealpay_protocol::method::Method;
use sealpay_provider::ProviderError;
use sealpay_provider::authentication::Authentication;
use sealpay_provider::authentication::{Progress, Step, Stepped};

/// A step with what belongs to it, and nothing else.
enum AuthenticationAction {
    Step(Step),
    Enrol(String),
    Cancel,
}

/// Takes a step of the shopper's. The same `Idempotency-Key` again is looked at once only.
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
    } = verified;
    let id = body.payment;
    let action = action(body)?;
    let (attempt, requester) = (request.attempt, request.thumbprint.clone());
    if !gateway.store.nonces.consume(&Nonce::of(request)).await? {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    let found = gateway
        .store
        .payments
        .get_by_session(session.id, id)
        .await?;
    let payment = found.ok_or_else(|| ApiError::of(ErrorCode::NotFound, "payment"))?;
    // A page that was reloaded, or whoever else has the order, may give an attempt up, and no more.
    let is_claimant = payment.owner == requester.as_str();
    if !is_claimant && !matches!(action, AuthenticationAction::Cancel) {
        return Err(ApiError::of(ErrorCode::ChallengeClosed, "payment"));
    }
    let payment = match action {
        AuthenticationAction::Step(step) => take(gateway, payment, attempt, step).await?,
        AuthenticationAction::Enrol(credential) => enrol(gateway, payment, &credential).await?,
        AuthenticationAction::Cancel => cancel(gateway, payment, attempt).await?,
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
        ApiError::of(ErrorCode::MalformedRequest, param).explained(detail)
    };
    let credential = |text: Option<String>| {
        let fits = |text: &String| (1..=limits::CREDENTIAL_BYTES).contains(&text.len());
        text.filter(fits).ok_or_else(|| of("credential"))
    };
    // What does not belong to the step would be passed over, and nobody would learn of it.
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

/// A provider that cannot be asked has done nothing, as far as the shopper is concerned: the same
/// step may be sent again, and is looked at once.
fn map_provider_error(error: ProviderError) -> ApiError {
    let (ProviderError::NotSent(reason) | ProviderError::OutcomeUnknown(reason)) = error;
    ApiError::because(ErrorCode::Overloaded, reason)
}

async fn take(
    gateway: &Gateway,
    payment: Payment,
    attempt: AttemptId,
    step: Step,
) -> Result<Payment, ApiError> {
    if payment.state != PaymentState::RequiresAction || payment.method != Method::Card {
        return Err(ApiError::of(ErrorCode::ChallengeClosed, "payment"));
    }
    let asked = gateway
        .providers
        .authenticator
        .step(payment.id, attempt, step);
    match gateway.within(asked).await.map_err(map_provider_error)? {
        Stepped::Progress(Progress::Done(authentication)) => {
            done(gateway, payment, authentication).await
        }
        Stepped::Progress(Progress::Code(challenge)) => {
            if challenge.refused {
                tracing::warn!(payment = %payment.id, left = challenge.attempts_left,
                    "a code was refused");
            }
            Ok(payment)
        }
        Stepped::Progress(Progress::Passkey(challenge)) => {
            if challenge.refused {
                tracing::warn!(payment = %payment.id, "a passkey was refused");
            }
            Ok(payment)
        }
        Stepped::Closed => Err(ApiError::of(ErrorCode::ChallengeClosed, "payment")),
        Stepped::ResendNotAllowed(_) => Err(ApiError::of(ErrorCode::ResendNotAllowed, "step")),
    }
}

/// The issuer has made up its mind. A shopper who is known goes on with the same attempt, which
/// brings the card along again; anybody else has come to the end of it.
async fn done(
    gateway: &Gateway,
    payment: Payment,
    authentication: Authentication,
) -> Result<Payment, ApiError> {
    if authentication.status.may_be_authorized() {
        return Ok(payment);
    }
    tracing::warn!(payment = %payment.id, status = %authentication.status.letter(),
        "the shopper could not prove who they are");
    let outcome = PaymentOutcome::declined("threeds_failed");
    keep_authenticated(gateway, &payment, outcome, authentication).await
}

async fn enrol(gateway: &Gateway, payment: Payment, credential: &str) -> Result<Payment, ApiError> {
    let asked = gateway
        .providers
        .authenticator
        .enrol(payment.id, credential);
    if gateway.within(asked).await.map_err(map_provider_error)? {
        tracing::info!(payment = %payment.id, "a passkey was enrolled");
        Ok(payment)
    } else {
        Err(ApiError::of(ErrorCode::ChallengeClosed, "credential"))
    }
}

/// The shopper gives up. Whoever was asked is told first, because it may have been quicker.
async fn cancel(
    gateway: &Gateway,
    payment: Payment,
    attempt: AttemptId,
) -> Result<Payment, ApiError> {
    if payment.state != PaymentState::RequiresAction {
        return Err(ApiError::of(ErrorCode::ChallengeClosed, "payment"));
    }
    let abandoned = PaymentOutcome::declined("payment_abandoned");
    match payment.method {
        Method::Card => {
            let asked = gateway
                .providers
                .authenticator
                .step(payment.id, attempt, Step::Cancel);
            // Whatever the issuer says to it, no authorization was asked for.
            gateway.within(asked).await.map_err(map_provider_error)?;
            keep(gateway, &payment, abandoned).await
        }
        Method::Wallet => withdraw(gateway, &payment).await?.map_or_else(
            || Err(ApiError::of(ErrorCode::ChallengeClosed, "payment")),
            Ok,
        ),
        Method::BankTransfer => {
            // Money that came is not forgotten: it completes the payment, or goes back in the end.
            incoming::collect(gateway).await?;
            let found = gateway
                .store
                .payments
                .get_by_session(payment.session, payment.id)
                .await?;
            let payment = found.unwrap_or(payment);
            let has_come = payment
                .transfer
                .as_ref()
                .is_some_and(|t| t.received_minor > 0);
            if has_come || payment.state != PaymentState::RequiresAction {
                return Err(ApiError::of(ErrorCode::ChallengeClosed, "payment"));
            }
            keep(gateway, &payment, abandoned).await
        }
    }
}

/// Takes a wallet's request back and keeps what became of it; none while that cannot be known.
pub(crate) async fn withdraw(
    gateway: &Gateway,
    payment: &Payment,
) -> Result<Option<Payment>, ApiError> {
    use sealpay_provider::Inquiry;
    let asked = gateway.providers.wallet.withdraw(payment.id);
    let outcome = match gateway.within(asked).await.map_err(map_provider_error)? {
        Inquiry::NeverReceived => Some(PaymentOutcome::declined("payment_abandoned")),
        said => outcome::of_inquiry(payment, said),
    };
    match outcome {
        Some(outcome) => Ok(Some(keep(gateway, payment, outcome).await?)),
        None => Ok(None),
    }
}
