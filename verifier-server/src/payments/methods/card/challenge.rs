//! The issuer's challenge: whether there is one, its steps, and how the payment goes on after it.

use super::authorize;
use super::routing::route_of;
use super::step_up::ChallengeDecision;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::methods::{Attempt, challenge_closed};
use crate::payments::model::Payment;
use crate::payments::outcome::{PaymentOutcome, record_as};
use crate::payments::prepare::{deadline_ms, lease_until_ms, payee_of};
use crate::payments::state::PaymentState;
use crate::payments::store::outcome::Recorded;
use sealpay_protocol::api::{ActionView, CodeView, EnrolmentView, PasskeyView};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::limits;
use sealpay_provider::authentication::{
    Authentication, AuthenticationRequest, AuthenticationStatus, ChallengeKind, CodeChallenge,
    PasskeyChallenge, Progress, Step, Stepped,
};
use sealpay_system::unix_seconds;

/// Whether a payment goes on after the issuer was asked who the shopper is.
pub(super) enum Identified {
    /// It goes on.
    Continue(Payment),
    /// It does not, or not yet; the payment as it is stored.
    Finished(Payment),
}

/// Asks the issuer who the shopper is.
pub(super) async fn identify(
    attempt: Attempt<'_>,
    payment: Payment,
    card: &Card,
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
        card,
        payee: &payee,
        wants_challenge: decision.wants_challenge,
        parent_origin: &session.parent_origin,
        order_origins: &session.order_origins,
        reasons: decision.reasons,
    });
    let authentication = match gateway.within(asked).await {
        Ok(Progress::Done(authentication)) => authentication,
        Ok(Progress::Code(_) | Progress::Passkey(_)) => return wait(gateway, &payment).await,
        // The question may have arrived all the same, and a code be on its way.
        Err(error) if has_begun(gateway, payment.id).await => {
            tracing::warn!(payment = %payment.id, ?error, "the issuer's answer was lost");
            return wait(gateway, &payment).await;
        }
        Err(error) => {
            tracing::warn!(payment = %payment.id, ?error, "the issuer cannot say who it is");
            Authentication {
                status: AuthenticationStatus::Unavailable,
                eci: AuthenticationStatus::Unavailable
                    .eci(card.number.brand())
                    .to_owned(),
                value: None,
                challenge: None,
                reasons,
            }
        }
    };
    // Where a challenge had to be, nothing less will do.
    let insufficient =
        decision.wants_challenge && authentication.status == AuthenticationStatus::Unavailable;
    if insufficient || !authentication.status.may_be_authorized() {
        let outcome = PaymentOutcome::declined("threeds_failed");
        let stored = record_authenticated(gateway, &payment, outcome, authentication).await?;
        return Ok(Identified::Finished(stored));
    }
    renew_lease(gateway, payment, authentication).await
}

fn set_authentication(payment: &mut Payment, authentication: Authentication) {
    if let Some(card) = payment.details.card_mut() {
        card.authentication = Some(authentication);
    }
}

/// The outcome of a payment, with what the issuer says of the shopper.
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

/// The challenge waits for the shopper now.
async fn wait(gateway: &Gateway, payment: &Payment) -> Result<Identified, ApiError> {
    let mut changed = payment.clone();
    changed.lease_until_ms = deadline_ms(gateway, limits::CHALLENGE_LIFETIME_SECONDS);
    let stored = record_as(gateway, payment, PaymentOutcome::REQUIRES_ACTION, changed).await?;
    Ok(Identified::Finished(stored))
}

/// The issuer may have taken as long as a provider may: the acquirer is asked under a lease that is
/// renewed, or not at all when somebody else looks into the payment already.
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

/// Whether a challenge waits for the shopper. A result that was lost with its answer is as good as none:
/// it would go on unseen where a challenge had to be.
async fn has_begun(gateway: &Gateway, reference: PaymentId) -> bool {
    let asked = gateway.providers.authenticator.progress(reference);
    let progress = gateway.within(asked).await;
    matches!(progress, Ok(Some(Progress::Code(_) | Progress::Passkey(_))))
}

/// A card goes on when the issuer is sure; and only one of several calls takes it up.
pub(super) async fn resume(
    attempt: Attempt<'_>,
    stored: Payment,
    card: Option<&Card>,
) -> Result<Payment, ApiError> {
    let Attempt {
        gateway, session, ..
    } = attempt;
    let asked = gateway.providers.authenticator.progress(stored.id);
    let Ok(Some(Progress::Done(authentication))) = gateway.within(asked).await else {
        return Ok(stored);
    };
    if !authentication.status.may_be_authorized() {
        let outcome = PaymentOutcome::declined("threeds_failed");
        return record_authenticated(gateway, &stored, outcome, authentication).await;
    }
    let Some(card) = card else {
        return Ok(stored);
    };
    let Some(route) = route_of(gateway, session, card) else {
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
        .record_outcome(&stored, &taken, None, None)
        .await?
    {
        Recorded::Done(payment) => authorize::ask(gateway, payment, card, &route.acquirers).await,
        Recorded::NotInState(stored) => Ok(stored),
    }
}

/// Takes a step of the shopper's. A wrong code is not an error.
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
        Stepped::Closed => Err(challenge_closed()),
        Stepped::ResendNotAllowed(_) => {
            Err(ApiError::for_param(ErrorCode::ResendNotAllowed, "step"))
        }
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
    record_authenticated(gateway, &payment, outcome, authentication).await
}

/// What the issuer asks of the shopper; only the key that made the attempt sees it.
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

/// Somebody else's step may have ended it in between: then there is nothing to do but to ask again.
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

/// How a passkey can be enrolled, for a shopper whose code was right for this payment.
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
