//! Issuer authentication: whether a challenge is needed, its steps, and how the payment continues
//! afterwards.

use super::authorize;
use super::source::{self, CardChoice, PayingCard};
use super::step_up::ChallengeDecision;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::methods::{Attempt, challenge_closed};
use crate::payments::model::Payment;
use crate::payments::outcome::{PaymentOutcome, record_as};
use crate::payments::prepare::{deadline_ms, lease_until_ms, payee_of};
use crate::payments::state::PaymentState;
use crate::payments::store::outcome::{OutcomeEffects, Recorded};
use sealpay_protocol::api::{ActionView, CodeView, EnrolmentView, PasskeyView};
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::limits;
use sealpay_provider::authentication::{
    Authentication, AuthenticationRequest, AuthenticationStatus, ChallengeKind, CodeChallenge,
    PasskeyChallenge, Progress, Step, Stepped,
};
use sealpay_system::unix_seconds;

/// Whether a payment continues after the authentication request.
pub(super) enum Identified {
    /// Continue to the authorization.
    Continue(Payment),
    /// Stop here, perhaps for a challenge; the payment as stored.
    Finished(Payment),
}

/// Requests authentication from the issuer.
pub(super) async fn identify(
    attempt: Attempt<'_>,
    payment: Payment,
    card: &PayingCard<'_>,
    decision: ChallengeDecision,
) -> Result<Identified, ApiError> {
    let Attempt {
        gateway, session, ..
    } = attempt;
    let payee = payee_of(gateway, session).await?;
    let reasons = decision.reasons.clone();
    let providers = gateway.providers_for(session.simulate.as_deref());
    let asked = providers.authenticator.authenticate(AuthenticationRequest {
        reference: payment.id,
        money: payment.money,
        source: card.source(),
        brand: card.brand(),
        payee: &payee,
        wants_challenge: decision.wants_challenge,
        parent_origin: &session.parent_origin,
        order_origins: &session.order_origins,
        reasons: decision.reasons,
    });
    let authentication = match gateway.within(asked).await {
        Ok(Progress::Done(authentication)) => authentication,
        Ok(Progress::Code(_) | Progress::Passkey(_)) => return wait(gateway, &payment).await,
        // The request may have arrived nevertheless, and a code may have been sent.
        Err(error) if has_begun(gateway, payment.id).await => {
            tracing::warn!(payment = %payment.id, ?error, "the issuer's response was lost");
            return wait(gateway, &payment).await;
        }
        Err(error) => {
            tracing::warn!(payment = %payment.id, ?error,
                "the issuer could not authenticate the shopper");
            Authentication {
                status: AuthenticationStatus::Unavailable,
                eci: AuthenticationStatus::Unavailable
                    .eci(card.brand())
                    .to_owned(),
                value: None,
                challenge: None,
                reasons,
            }
        }
    };
    // If a challenge was required, a weaker result is not enough.
    let insufficient =
        decision.is_required && authentication.status == AuthenticationStatus::Unavailable;
    if insufficient || is_too_weak(&payment, authentication.status) {
        let outcome = PaymentOutcome::declined("threeds_failed");
        let stored = record_authenticated(gateway, &payment, outcome, authentication).await?;
        return Ok(Identified::Finished(stored));
    }
    renew_lease(gateway, payment, authentication).await
}

/// Whether no authorization may be requested with this result. The merchant may charge a card later
/// only if the shopper was authenticated when agreeing (PSD2 RTS article 14).
fn is_too_weak(payment: &Payment, status: AuthenticationStatus) -> bool {
    let card = payment.details.card();
    let is_charged_later = card
        .and_then(|card| card.storing.as_ref())
        .is_some_and(|pending| pending.terms.kind.is_merchant_initiated());
    !status.may_be_authorized()
        || (is_charged_later && status != AuthenticationStatus::Authenticated)
}

/// A card that the shopper may pay with again is not stored without authentication; the payment
/// goes on.
fn set_authentication(payment: &mut Payment, authentication: Authentication) {
    if let Some(card) = payment.details.card_mut() {
        if authentication.status != AuthenticationStatus::Authenticated {
            card.storing = None;
        }
        card.authentication = Some(authentication);
    }
}

/// Records the outcome together with the authentication result.
async fn record_authenticated(
    gateway: &Gateway,
    payment: &Payment,
    outcome: PaymentOutcome,
    authentication: Authentication,
) -> Result<Payment, ApiError> {
    let mut authenticated = payment.clone();
    set_authentication(&mut authenticated, authentication);
    record_as(gateway, payment, outcome, authenticated).await
}

/// Records that the shopper has to complete the challenge.
async fn wait(gateway: &Gateway, payment: &Payment) -> Result<Identified, ApiError> {
    let mut changed = payment.clone();
    changed.lease_until_ms = deadline_ms(gateway, limits::CHALLENGE_LIFETIME_SECONDS);
    let stored = record_as(gateway, payment, PaymentOutcome::REQUIRES_ACTION, changed).await?;
    Ok(Identified::Finished(stored))
}

/// Renews the lease, because authentication may take as long as the provider timeout. If recovery
/// already has the payment, the acquirer is not asked.
async fn renew_lease(
    gateway: &Gateway,
    payment: Payment,
    authentication: Authentication,
) -> Result<Identified, ApiError> {
    let mut renewed = payment.clone();
    set_authentication(&mut renewed, authentication);
    renewed.lease_until_ms = lease_until_ms(gateway);
    Ok(
        match gateway.store.payments.reroute(&payment, &renewed).await? {
            Recorded::Done(payment) => Identified::Continue(payment),
            Recorded::NotInState(stored) => Identified::Finished(stored),
        },
    )
}

/// Whether a challenge waits for the shopper. A result whose response was lost does not count: the
/// payment could otherwise continue without a required challenge.
async fn has_begun(gateway: &Gateway, reference: PaymentId) -> bool {
    let asked = gateway.providers.authenticator.progress(reference);
    let progress = gateway.within(asked).await;
    matches!(progress, Ok(Some(Progress::Code(_) | Progress::Passkey(_))))
}

/// Resumes the payment if the issuer authenticated the shopper; only one of concurrent calls does.
pub(super) async fn resume(
    attempt: Attempt<'_>,
    stored: Payment,
    choice: Option<&CardChoice>,
) -> Result<Payment, ApiError> {
    let Attempt {
        gateway, session, ..
    } = attempt;
    let asked = gateway.providers.authenticator.progress(stored.id);
    let Ok(Some(Progress::Done(authentication))) = gateway.within(asked).await else {
        return Ok(stored);
    };
    if is_too_weak(&stored, authentication.status) {
        let outcome = PaymentOutcome::declined("threeds_failed");
        return record_authenticated(gateway, &stored, outcome, authentication).await;
    }
    let Some(choice) = choice else {
        return Ok(stored);
    };
    let card = match source::find(attempt, choice).await {
        Ok(card) => card,
        // The saved card was removed during the challenge.
        Err(error) if error.code == ErrorCode::InstrumentUnavailable => {
            let outcome = PaymentOutcome::declined("revocation_one");
            return record_authenticated(gateway, &stored, outcome, authentication).await;
        }
        Err(error) => return Err(error),
    };
    let is_stored = stored
        .details
        .card()
        .is_some_and(|card| card.storing.is_some());
    let Some(route) = card.route(attempt, is_stored) else {
        return Ok(stored);
    };
    let mut taken = stored.clone();
    taken.state = PaymentState::Authorizing;
    set_authentication(&mut taken, authentication);
    taken.provider = route.acquirers.first().cloned().unwrap_or_default();
    taken.updated_at_ms = gateway.clock.now_ms_i64();
    taken.lease_until_ms = lease_until_ms(gateway);
    tracing::info!(payment = %stored.id, session = %session.id, "the shopper is known");
    match gateway
        .store
        .payments
        .record_outcome(&stored, &taken, OutcomeEffects::new(None, None))
        .await?
    {
        Recorded::Done(payment) => authorize::ask(gateway, payment, &card, &route.acquirers).await,
        Recorded::NotInState(stored) => Ok(stored),
    }
}

/// Processes a step of the shopper. A wrong code is not an error.
pub(super) async fn step(
    gateway: &Gateway,
    payment: Payment,
    attempt: AttemptId,
    step: Step,
) -> Result<Payment, ApiError> {
    let asked = gateway
        .providers
        .authenticator
        .step(payment.id, attempt, step);
    match gateway.within(asked).await? {
        Stepped::Progress(Progress::Done(authentication)) => {
            done(gateway, payment, authentication).await
        }
        Stepped::Progress(Progress::Code(challenge)) => {
            if challenge.refused {
                tracing::warn!(payment = %payment.id, left = challenge.attempts_left,
                    "a one-time code was rejected");
            }
            Ok(payment)
        }
        Stepped::Progress(Progress::Passkey(challenge)) => {
            if challenge.refused {
                tracing::warn!(payment = %payment.id, "a passkey was refused");
            }
            Ok(payment)
        }
        Stepped::Closed => Err(challenge_closed()),
        Stepped::ResendNotAllowed(_) => {
            Err(ApiError::for_param(ErrorCode::ResendNotAllowed, "step"))
        }
    }
}

/// The authentication is complete. If it succeeded, the shopper continues with the same attempt,
/// which supplies the card again; otherwise the payment ends.
async fn done(
    gateway: &Gateway,
    payment: Payment,
    authentication: Authentication,
) -> Result<Payment, ApiError> {
    if authentication.status.may_be_authorized() {
        return Ok(payment);
    }
    tracing::warn!(payment = %payment.id, status = %authentication.status.letter(),
        "the shopper was not authenticated");
    let outcome = PaymentOutcome::declined("threeds_failed");
    record_authenticated(gateway, &payment, outcome, authentication).await
}

/// The challenge to show; only for the key that made the attempt.
pub(super) async fn action(
    gateway: &Gateway,
    payment: &Payment,
    requester: &str,
) -> Option<ActionView> {
    if payment.owner != requester {
        return None;
    }
    let asked = gateway.providers.authenticator.progress(payment.id);
    let progress = gateway.within(asked).await.ok().flatten()?;
    progress_view(progress)
}

/// None if a concurrent step completed the challenge: then the caller queries again.
fn progress_view(progress: Progress) -> Option<ActionView> {
    match progress {
        Progress::Code(challenge) => Some(ActionView::Code(code_view(challenge))),
        Progress::Passkey(challenge) => Some(ActionView::Passkey(passkey_view(challenge))),
        Progress::Done(authentication) => authentication
            .status
            .may_be_authorized()
            .then_some(ActionView::Continue),
    }
}

fn code_view(challenge: CodeChallenge) -> CodeView {
    CodeView {
        sent_to: challenge.sent_to,
        refused: challenge.refused,
        attempts_left: challenge.attempts_left,
        resends_left: challenge.resends_left,
        resend_at: unix_seconds(challenge.resend_at_ms),
        expires_at: unix_seconds(challenge.expires_at_ms),
    }
}

fn passkey_view(challenge: PasskeyChallenge) -> PasskeyView {
    PasskeyView {
        options: challenge.options,
        refused: challenge.refused,
        wrong_page: challenge.wrong_page,
        expires_at: unix_seconds(challenge.expires_at_ms),
    }
}

/// Passkey creation options for a shopper who entered a correct code for this payment.
pub(super) async fn enrolment(
    gateway: &Gateway,
    payment: &Payment,
    requester: &str,
) -> Option<EnrolmentView> {
    let is_paid = matches!(
        payment.state,
        PaymentState::Authorized | PaymentState::Captured
    );
    let by_code = payment
        .details
        .card()
        .and_then(|card| card.authentication.as_ref())
        .is_some_and(|authentication| {
            authentication.challenge == Some(ChallengeKind::Code)
                && authentication.status == AuthenticationStatus::Authenticated
        });
    if !(is_paid && by_code && payment.owner == requester) {
        return None;
    }
    let asked = gateway.providers.authenticator.enrolment(payment.id);
    let options = gateway.within(asked).await.ok().flatten()?;
    Some(EnrolmentView { options })
}
