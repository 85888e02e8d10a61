//! Sessions and payments as the shopper may see them: no reasons, only sentences.

use super::gateway::Gateway;
use crate::domain::decline;
use crate::domain::merchant::Merchant;
use crate::domain::payment::Payment;
use crate::domain::session::Session;
use crate::domain::state::PaymentState;
use crate::gate::refusal::{Code, Refusal};
use sealpay_protocol::api::{
    CardView, DeclineView, MerchantView, Method, OrderView, PaymentView, SealingKeyView,
    SessionState, SessionView, ShopperState,
};
use sealpay_protocol::limits::ATTEMPTS_PER_SESSION;

const fn attempts_left(session: &Session) -> u32 {
    ATTEMPTS_PER_SESSION.saturating_sub(session.attempts)
}

const fn shopper_state(state: PaymentState) -> ShopperState {
    match state {
        PaymentState::RequiresAction | PaymentState::Authorizing => ShopperState::Processing,
        PaymentState::Authorized => ShopperState::Authorized,
        PaymentState::Captured
        | PaymentState::PartiallyCaptured
        | PaymentState::PartiallyRefunded
        | PaymentState::Refunded => ShopperState::Captured,
        PaymentState::Declined | PaymentState::Voided | PaymentState::Expired => {
            ShopperState::Declined
        }
        PaymentState::Unknown => ShopperState::Unknown,
    }
}

/// A payment for the shopper who made it.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn payment_view(gateway: &Gateway, payment: &Payment) -> Result<PaymentView, Refusal> {
    // Only a decline leads to another attempt; otherwise the number need not be looked up.
    let left = if payment.state == PaymentState::Declined {
        let session = gateway.store.session(payment.session).await?;
        session.as_ref().map_or(0, attempts_left)
    } else {
        0
    };
    Ok(view_of(payment, left))
}

fn view_of(payment: &Payment, attempts_left: u32) -> PaymentView {
    let decline = payment.decline.as_deref().and_then(decline::find);
    PaymentView {
        payment: payment.id,
        attempt: payment.attempt,
        state: shopper_state(payment.state),
        amount: payment.money.amount_minor(),
        currency: payment.money.currency().to_string(),
        order_ref: payment.order_ref.clone(),
        created_at: u64::try_from(payment.created_at_ms.div_euclid(1000)).unwrap_or(0),
        card: CardView {
            brand: payment.card.brand.clone(),
            last4: payment.card.last4.clone(),
        },
        decline: decline.map(|decline| DeclineView {
            message: decline.shopper_message.clone(),
            advice: decline.advice,
        }),
        attempts_left,
    }
}

/// A session for the shopper whose browser opened it.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn session_view(
    gateway: &Gateway,
    merchant: &Merchant,
    session: &Session,
) -> Result<SessionView, Refusal> {
    let now = gateway.clock.now();
    let keys = gateway.keys();
    let key = keys.current_sealing_key(now);
    let key =
        key.ok_or_else(|| Refusal::because(Code::Internal, "no sealing key is in its time"))?;
    let active = match session.active_attempt {
        Some(attempt) => {
            gateway
                .store
                .payment_of_attempt(session.id, attempt)
                .await?
        }
        None => None,
    };
    // The session was read a moment earlier: a decline in between has let it go.
    let active = active.filter(|payment| payment.state != PaymentState::Declined);
    let state = match &active {
        None => SessionState::Open,
        Some(payment) if payment.state.is_open() => SessionState::Processing,
        Some(_) => SessionState::Complete,
    };
    Ok(SessionView {
        session: session.id,
        state,
        expires_at: session.expires_at,
        server_time: now,
        test_mode: gateway.settings.test_mode,
        verifier_origin: gateway.settings.public_origin.clone(),
        merchant: MerchantView {
            id: merchant.id,
            name: merchant.name.clone(),
        },
        order: OrderView {
            amount: session.money.amount_minor(),
            currency: session.money.currency().to_string(),
            order_ref: session.order_ref.clone(),
            capture: session.capture,
            description: session.description.clone(),
            items: session.items.clone(),
        },
        methods: vec![Method::Card],
        sealing_key: SealingKeyView {
            kid: key.key_id.clone(),
            public_key: key.public_key.clone(),
        },
        attempts_left: attempts_left(session),
        payment: active.map(|payment| view_of(&payment, attempts_left(session))),
    })
}
