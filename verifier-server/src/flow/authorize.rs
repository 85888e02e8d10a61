//! One payment, top to bottom: verify → open → claim → ask the provider → keep the outcome.
//!
//! Each step takes what only the step before it can make, so the order cannot be broken. No
//! transaction is open while the provider is asked, and what it answers is kept in one
//! transaction together with the event that tells the merchant.

use super::gateway::Gateway;
use super::outcome::{self, Outcome};
use super::shopper_view;
use crate::domain::payment::{KeptCard, Payment};
use crate::domain::session::Session;
use crate::domain::state::PaymentState;
use crate::gate::refusal::{Code, Refusal};
use crate::gate::signed_request::{IncomingRequest, SignedRequest, VerifiedRequest};
use crate::provider::{AuthorizationRequest, PaymentProvider};
use crate::store::{Claim, Nonce};
use sealpay_protocol::api::{PayRequest, PaymentView};
use sealpay_protocol::card::{Card, YearMonth};
use sealpay_protocol::envelope::{SealContext, SealedCard};
use sealpay_protocol::ids::{PaymentId, SessionId};
use sealpay_protocol::key::verifying_key;
use sealpay_protocol::limits;
use std::time::Duration;

/// How long after the provider's time is up a claim without an outcome is looked into.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// A request whose signature fits the session's key.
struct Verified {
    session: Session,
    request: VerifiedRequest,
    pay: PayRequest,
}

/// A card that was sealed for exactly this attempt.
struct Opened {
    session: Session,
    request: VerifiedRequest,
    card: Card,
}

/// A payment that this call, and no other, may send to the provider.
struct Claimed {
    payment: Payment,
    card: Card,
}

/// Pays. The same attempt again gives the stored answer.
///
/// # Errors
/// The first refusal, by precedence. A decline is not a refusal.
pub async fn authorize(
    gateway: &Gateway,
    request: IncomingRequest<'_>,
) -> Result<PaymentView, Refusal> {
    let verified = verify(gateway, request).await?;
    let opened = match open(gateway, verified) {
        Ok(opened) => opened,
        Err(refused) => return answer_stored(gateway, refused).await,
    };
    let payment = match claim(gateway, opened).await? {
        Ok(claimed) => {
            let outcome = ask_provider(gateway, &claimed).await;
            outcome::keep(gateway, &claimed.payment, outcome).await?
        }
        Err(stored) => *stored,
    };
    shopper_view::payment_view(gateway, &payment).await
}

async fn verify(gateway: &Gateway, request: IncomingRequest<'_>) -> Result<Verified, Refusal> {
    let unknown = || Refusal::of(Code::UnknownSession, "sealpay-session");
    let id: SessionId = request
        .session
        .and_then(|session| session.parse().ok())
        .ok_or_else(unknown)?;
    let session = gateway.store.session(id).await?.ok_or_else(unknown)?;
    let signed = SignedRequest::read(request, gateway.clock.now())?;
    let pay = super::read::json(signed.body())?;
    let key = verifying_key(&session.public_key)
        .map_err(|error| Refusal::because(Code::Internal, error))?;
    let request = signed.verify(&key, gateway.settings.public_origin.authority())?;
    Ok(Verified {
        session,
        request,
        pay,
    })
}

/// What could not be opened, and why; perhaps the attempt is known from before.
struct Refused {
    session: Session,
    request: VerifiedRequest,
    refusal: Refusal,
}

fn open(gateway: &Gateway, verified: Verified) -> Result<Opened, Box<Refused>> {
    let Verified {
        session,
        request,
        pay,
    } = verified;
    let now = gateway.clock.now();
    let opened = if now >= session.expires_at {
        Err(Refusal::new(Code::SessionExpired))
    } else {
        open_card(gateway, &session, &request, &pay.card, now)
    };
    match opened {
        Ok(card) => Ok(Opened {
            session,
            request,
            card,
        }),
        Err(refusal) => Err(Box::new(Refused {
            session,
            request,
            refusal,
        })),
    }
}

fn open_card(
    gateway: &Gateway,
    session: &Session,
    request: &VerifiedRequest,
    sealed: &SealedCard,
    now: u64,
) -> Result<Card, Refusal> {
    // The reasons are one and the same outside; not even the log tells an altered card from a
    // card of another session, because nobody could know.
    let refused = |reason: &str| Refusal::because(Code::SealedCardRefused, reason);
    let key = gateway.keys().sealing_key(&sealed.kid, now);
    let key = key.ok_or_else(|| refused("the sealing key is unknown or retired"))?;
    let context = SealContext {
        verifier_origin: &gateway.settings.public_origin,
        merchant: session.merchant,
        session: session.id,
        money: session.money,
        session_expires_at: session.expires_at,
        attempt: request.attempt,
        thumbprint: &request.thumbprint,
        order_digest: &session.order_digest,
    };
    key.open(sealed, &context, YearMonth::from_unix_seconds(now))
        .map_err(|_| refused("the sealed card does not open or is not a card"))
}

/// A retry may come when the session has expired or the sealing key is gone: what was answered
/// before is answered again. Nothing is claimed here, so the nonce is spent by itself.
async fn answer_stored(gateway: &Gateway, refused: Box<Refused>) -> Result<PaymentView, Refusal> {
    let Refused {
        session,
        request,
        refusal,
    } = *refused;
    let (attempt, body_digest) = (request.attempt, request.body_digest.clone());
    if !gateway.store.spend_nonce(&Nonce::of(request)).await? {
        return Err(Refusal::new(Code::NonceReplayed));
    }
    match gateway
        .store
        .payment_of_attempt(session.id, attempt)
        .await?
    {
        Some(payment) if payment.body_digest == body_digest => {
            shopper_view::payment_view(gateway, &payment).await
        }
        Some(_) => Err(Refusal::of(Code::AttemptConflict, "idempotency-key")),
        None => Err(first_refusal(gateway, &session, refusal).await?),
    }
}

/// A session that takes no attempt at all says so, whatever else is wrong: a widget that comes back
/// to a paid order learns that it is paid, not that its key is old.
async fn first_refusal(
    gateway: &Gateway,
    session: &Session,
    refusal: Refusal,
) -> Result<Refusal, Refusal> {
    if let Some(attempt) = session.active_attempt {
        let active = gateway
            .store
            .payment_of_attempt(session.id, attempt)
            .await?;
        match active.map(|payment| payment.state) {
            Some(state) if state.is_open() => return Ok(Refusal::new(Code::AttemptInProgress)),
            // The decline came in between: the session is free again.
            Some(PaymentState::Declined) => {}
            _ => return Ok(Refusal::new(Code::SessionComplete)),
        }
    }
    let used_up = session.attempts >= limits::ATTEMPTS_PER_SESSION;
    Ok(if used_up && refusal.code == Code::SealedCardRefused {
        Refusal::new(Code::TooManyAttempts)
    } else {
        refusal
    })
}

/// Transaction 1: the attempt becomes a payment, once.
async fn claim(
    gateway: &Gateway,
    opened: Opened,
) -> Result<Result<Claimed, Box<Payment>>, Refusal> {
    let Opened {
        session,
        request,
        card,
    } = opened;
    let payment = new_payment(gateway, session, &request, &card);
    let most = limits::ATTEMPTS_PER_SESSION;
    match gateway
        .store
        .claim(&payment, &Nonce::of(request), most)
        .await?
    {
        Claim::Claimed => Ok(Ok(Claimed { payment, card })),
        Claim::Existing(stored) => Ok(Err(Box::new(stored))),
        Claim::Conflict => Err(Refusal::of(Code::AttemptConflict, "idempotency-key")),
        Claim::AttemptInProgress => Err(Refusal::new(Code::AttemptInProgress)),
        Claim::SessionComplete => Err(Refusal::new(Code::SessionComplete)),
        Claim::TooManyAttempts => Err(Refusal::new(Code::TooManyAttempts)),
        Claim::SessionUnknown => Err(Refusal::of(Code::UnknownSession, "sealpay-session")),
        Claim::NonceReplayed => Err(Refusal::new(Code::NonceReplayed)),
    }
}

fn new_payment(
    gateway: &Gateway,
    session: Session,
    request: &VerifiedRequest,
    card: &Card,
) -> Payment {
    let now_ms = gateway.clock.now_ms();
    let lease = gateway.settings.provider_timeout + LEASE_MARGIN;
    let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    let created_at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    Payment {
        id: PaymentId::new(now_ms, gateway.entropy.bytes()),
        session: session.id,
        merchant: session.merchant,
        attempt: request.attempt,
        body_digest: request.body_digest.clone(),
        order_ref: session.order_ref,
        money: session.money,
        capture: session.capture,
        card: KeptCard {
            brand: card
                .number
                .brand()
                .map_or("unknown", |brand| brand.slug())
                .to_owned(),
            last4: card.number.last_four().to_owned(),
            expiry: card.expiry.to_string(),
            fingerprint: gateway
                .vault
                .card_fingerprint(session.merchant, card.number.digits()),
        },
        state: PaymentState::Authorizing,
        decline: None,
        provider: gateway.provider.name().to_owned(),
        simulate: session.simulate,
        sequence: 0,
        created_at_ms,
        updated_at_ms: created_at_ms,
        lease_until_ms: created_at_ms.saturating_add(lease_ms),
    }
}

async fn ask_provider(gateway: &Gateway, claimed: &Claimed) -> Outcome {
    let Claimed { payment, card } = claimed;
    let provider: &dyn PaymentProvider = &*gateway.provider;
    let asked = provider.authorize(AuthorizationRequest {
        reference: payment.id,
        money: payment.money,
        card,
        simulate: payment.simulate.as_deref(),
    });
    let answered = tokio::time::timeout(gateway.settings.provider_timeout, asked).await;
    outcome::of_authorization(payment, answered.ok())
}
