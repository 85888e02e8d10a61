//! How a claimed payment goes on: at once, or after the shopper has done something.

use super::instrument::Opened;
use super::methods::bank_transfer::model::TransferInstructions;
use super::methods::card::authorize;
use super::methods::card::step_up::ChallengeDecision;
use super::model::Payment;
use super::outcome::{self, PaymentOutcome, keep, keep_as, keep_authenticated};
use super::plan::{self, Course, Plan, lease_until_ms};
use super::state::PaymentState;
use super::store::outcome::Settled;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::sessions::model::Session;
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::limits;
use sealpay_protocol::method::Method;
use sealpay_provider::authentication::{Authentication, AuthenticationStatus};
use sealpay_provider::authentication::{AuthenticationRequest, Progress};
use sealpay_provider::transfer::TransferRequest;
use sealpay_provider::wallet::WalletRequest;

/// What there is to go on with when an attempt comes again.
pub(crate) enum Means {
    /// The instrument.
    Of(Opened),
    /// The card did not open any more, or the session is over.
    None,
}

/// Goes on with a payment that this call, and no other, has claimed.
pub(crate) async fn begin(
    gateway: &Gateway,
    session: &Session,
    plan: Plan,
    opened: Opened,
) -> Result<Payment, ApiError> {
    let (payment, course) = plan.into_parts();
    match (course, opened) {
        (Course::Card { route, decision }, Opened::Card(card)) => {
            let payment = match decision {
                Some(decision) => match identify(gateway, session, payment, &card, decision).await?
                {
                    Ok(payment) => payment,
                    Err(settled) => return Ok(settled),
                },
                None => payment,
            };
            authorize::ask(gateway, payment, &card, &route.acquirers).await
        }
        (Course::Wallet, _) => start_wallet(gateway, session, payment).await,
        (Course::BankTransfer, _) => start_transfer(gateway, payment).await,
        (Course::Decline(key), _) => keep(gateway, &payment, PaymentOutcome::declined(key)).await,
        // A plan is made from the instrument.
        (Course::Card { .. }, _) => keep(gateway, &payment, PaymentOutcome::UNKNOWN).await,
    }
}

/// The same attempt again: where it waited for the shopper, it may go on now.
pub(crate) async fn again(
    gateway: &Gateway,
    session: &Session,
    stored: Payment,
    means: Means,
) -> Result<Payment, ApiError> {
    if stored.state != PaymentState::RequiresAction {
        return Ok(stored);
    }
    match stored.method {
        Method::Card => card_again(gateway, session, stored, means).await,
        Method::Wallet => {
            let asked = gateway.providers.wallet.inquire(stored.id);
            match gateway.within(asked).await {
                Ok(said) => match outcome::of_inquiry(&stored, said) {
                    Some(outcome) => keep(gateway, &stored, outcome).await,
                    None => Ok(stored),
                },
                Err(_) => Ok(stored),
            }
        }
        Method::BankTransfer => Ok(stored),
    }
}

/// A card goes on when the issuer is sure; and only one of several calls takes it up.
async fn card_again(
    gateway: &Gateway,
    session: &Session,
    stored: Payment,
    means: Means,
) -> Result<Payment, ApiError> {
    let asked = gateway.providers.authenticator.progress(stored.id);
    let Ok(Some(Progress::Done(authentication))) = gateway.within(asked).await else {
        return Ok(stored);
    };
    if !authentication.status.may_be_authorized() {
        let outcome = PaymentOutcome::declined("threeds_failed");
        return keep_authenticated(gateway, &stored, outcome, authentication).await;
    }
    let Means::Of(Opened::Card(card)) = means else {
        return Ok(stored);
    };
    let Some(route) = plan::route_of(gateway, session, &card) else {
        return Ok(stored);
    };
    let mut taken = stored.clone();
    taken.state = PaymentState::Authorizing;
    taken.authentication = Some(authentication);
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
        Settled::Done(payment) => authorize::ask(gateway, payment, &card, &route.acquirers).await,
        Settled::NotInState(stored) => Ok(stored),
    }
}

/// Asks the issuer who the shopper is. Gives the payment to go on with, or as it is stored when it
/// does not go on.
async fn identify(
    gateway: &Gateway,
    session: &Session,
    mut payment: Payment,
    card: &Card,
    decision: ChallengeDecision,
) -> Result<Result<Payment, Payment>, ApiError> {
    let payee = payee_of(gateway, session).await?;
    let reasons = decision.reasons.clone();
    let asked = gateway
        .providers
        .authenticator
        .authenticate(AuthenticationRequest {
            reference: payment.id,
            money: payment.money,
            card,
            payee: &payee,
            wants_challenge: decision.wants_challenge,
            parent_origin: &session.parent_origin,
            order_origins: &session.order_origins,
            simulate: session.simulate.as_deref(),
            reasons: decision.reasons,
        });
    let authentication = match gateway.within(asked).await {
        Ok(Progress::Done(authentication)) => authentication,
        Ok(Progress::Code(_) | Progress::Passkey(_)) => {
            let mut told = payment.clone();
            told.lease_until_ms = deadline_ms(gateway, limits::CHALLENGE_LIFETIME_SECONDS);
            return Ok(Err(keep_as(
                gateway,
                &payment,
                PaymentOutcome::REQUIRES_ACTION,
                told,
            )
            .await?));
        }
        // The question may have arrived all the same, and a code be on its way.
        Err(error) if has_begun(gateway, payment.id).await => {
            tracing::warn!(payment = %payment.id, ?error, "the issuer's answer was lost");
            let mut told = payment.clone();
            told.lease_until_ms = deadline_ms(gateway, limits::CHALLENGE_LIFETIME_SECONDS);
            return Ok(Err(keep_as(
                gateway,
                &payment,
                PaymentOutcome::REQUIRES_ACTION,
                told,
            )
            .await?));
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
        return Ok(Err(keep_authenticated(
            gateway,
            &payment,
            outcome,
            authentication,
        )
        .await?));
    }
    payment.authentication = Some(authentication);
    renew_lease(gateway, payment).await
}

/// The issuer may have taken as long as a provider may: the acquirer is asked under a lease that is
/// renewed, or not at all when somebody else looks into the payment already.
async fn renew_lease(
    gateway: &Gateway,
    payment: Payment,
) -> Result<Result<Payment, Payment>, ApiError> {
    let mut renewed = payment.clone();
    renewed.lease_until_ms = lease_until_ms(gateway);
    Ok(
        match gateway.store.payments.reroute(&payment, &renewed).await? {
            Settled::Done(payment) => Ok(payment),
            Settled::NotInState(stored) => Err(stored),
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

/// Who is paid, as shoppers know them.
async fn payee_of(gateway: &Gateway, session: &Session) -> Result<String, ApiError> {
    let merchant = gateway.store.merchants.get(session.merchant).await?;
    Ok(merchant.map(|merchant| merchant.name).unwrap_or_default())
}

async fn start_wallet(
    gateway: &Gateway,
    session: &Session,
    payment: Payment,
) -> Result<Payment, ApiError> {
    let payee = payee_of(gateway, session).await?;
    let expires_at_ms = deadline_ms(gateway, limits::WALLET_LIFETIME_SECONDS);
    let started = gateway.providers.wallet.start(WalletRequest {
        reference: payment.id,
        money: payment.money,
        capture: payment.capture,
        payee: &payee,
        expires_at_ms,
        simulate: payment.simulate.as_deref(),
    });
    match gateway.within(started).await {
        Ok(_) => {
            let mut told = payment.clone();
            told.lease_until_ms = expires_at_ms;
            keep_as(gateway, &payment, PaymentOutcome::REQUIRES_ACTION, told).await
        }
        Err(error) => {
            let outcome = outcome::of_authorization(&payment, Some(Err(error)));
            keep(gateway, &payment, outcome).await
        }
    }
}

async fn start_transfer(gateway: &Gateway, payment: Payment) -> Result<Payment, ApiError> {
    let started = gateway.providers.transfers.start(TransferRequest {
        reference: payment.id,
        money: payment.money,
        simulate: payment.simulate.as_deref(),
    });
    match gateway.within(started).await {
        Ok(collection) => {
            let mut told = payment.clone();
            told.lease_until_ms = deadline_ms(gateway, limits::TRANSFER_LIFETIME_SECONDS);
            told.transfer = Some(TransferInstructions {
                holder: collection.holder,
                iban: collection.iban,
                bic: collection.bic,
                reference: collection.reference,
                received_minor: 0,
                arrivals: Vec::new(),
            });
            keep_as(gateway, &payment, PaymentOutcome::REQUIRES_ACTION, told).await
        }
        // The shopper was told nothing, so no money can come.
        Err(error) => {
            tracing::warn!(payment = %payment.id, ?error, "the bank gives no account");
            keep(
                gateway,
                &payment,
                PaymentOutcome::declined("system_malfunction"),
            )
            .await
        }
    }
}

fn deadline_ms(gateway: &Gateway, lifetime_seconds: u64) -> i64 {
    let lifetime_ms = i64::try_from(lifetime_seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    gateway.clock.now_ms_i64().saturating_add(lifetime_ms)
}
