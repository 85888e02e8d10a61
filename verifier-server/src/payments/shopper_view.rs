//! Sessions and payments as the shopper sees them, with decline categories that the widget words.

use super::methods;
use super::model::Payment;
use super::state::PaymentState;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::merchants::model::Merchant;
use crate::sessions::model::Session;
use crate::sessions::saved;
use sealpay_protocol::api::{
    CardView, DebitView, DeclineCategory, DeclineView, MerchantView, OrderView, PaymentView,
    SealingKeyView, SessionState, SessionView, ShopperState,
};
use sealpay_protocol::key::{Thumbprint, verifying_key};
use sealpay_protocol::limits::ATTEMPTS_PER_SESSION;
use sealpay_provider::decline;
use sealpay_system::unix_seconds;

const fn attempts_left(session: &Session) -> u32 {
    ATTEMPTS_PER_SESSION.saturating_sub(session.attempts)
}

const fn shopper_state(state: PaymentState) -> ShopperState {
    match state {
        PaymentState::Authorizing => ShopperState::Processing,
        PaymentState::RequiresAction => ShopperState::RequiresAction,
        PaymentState::Authorized => ShopperState::Authorized,
        PaymentState::Pending => ShopperState::Pending,
        PaymentState::Captured
        | PaymentState::PartiallyCaptured
        | PaymentState::PartiallyRefunded
        | PaymentState::Refunded => ShopperState::Captured,
        PaymentState::Declined
        | PaymentState::Returned
        | PaymentState::Voided
        | PaymentState::Expired => ShopperState::Declined,
        PaymentState::Unknown => ShopperState::Unknown,
    }
}

/// The amount that was authorized and then released without a capture, minor units.
const fn released_minor(payment: &Payment) -> i64 {
    match payment.state {
        PaymentState::Voided
        | PaymentState::Captured
        | PaymentState::PartiallyRefunded
        | PaymentState::Refunded => payment
            .money
            .amount_minor()
            .saturating_sub(payment.captured_minor),
        _ => 0,
    }
}

/// A payment for a shopper of its session, whose key has this thumbprint. Only the key that made
/// the attempt sees the challenge.
pub async fn payment_view(
    gateway: &Gateway,
    payment: &Payment,
    requester: &str,
) -> Result<PaymentView, ApiError> {
    // Only an ended payment leads to another attempt; otherwise the number is not looked up.
    let left = if matches!(
        payment.state,
        PaymentState::Declined | PaymentState::Expired
    ) {
        let session = match payment.session {
            Some(session) => gateway.store.sessions.get(session).await?,
            None => None,
        };
        session.as_ref().map_or(0, attempts_left)
    } else {
        0
    };
    Ok(view_of(gateway, payment, left, requester).await)
}

async fn view_of(
    gateway: &Gateway,
    payment: &Payment,
    attempts_left: u32,
    requester: &str,
) -> PaymentView {
    let decline = payment.decline.as_deref().and_then(decline::find);
    let card = payment.details.card().map(|details| &details.card);
    let method = methods::find(payment.details.method());
    let action = match payment.state {
        PaymentState::RequiresAction => method.action(gateway, payment, requester).await,
        _ => None,
    };
    let there = |amount_minor: i64| Some(amount_minor).filter(|minor| *minor > 0);
    PaymentView {
        payment: payment.id,
        attempt: payment.attempt,
        state: shopper_state(payment.state),
        amount: payment.money.amount_minor(),
        currency: payment.money.currency().to_string(),
        order_ref: payment.order_ref.clone(),
        created_at: unix_seconds(payment.created_at_ms),
        amount_captured: there(payment.captured_minor),
        amount_refunded: there(payment.refunded_minor),
        amount_released: there(released_minor(payment)),
        method: payment.details.method(),
        card: card.map(|card| CardView {
            brand: card.brand.clone(),
            last4: card.last4.clone(),
        }),
        debit: payment.details.debit().map(|debit| DebitView {
            last4: debit.account.last4.clone(),
            mandate: debit.mandate.reference.clone(),
            creditor: debit.mandate.creditor.clone(),
            collection_date: (payment.state != PaymentState::Authorizing)
                .then(|| debit.collection_date.clone()),
        }),
        action,
        enrolment: method.enrolment(gateway, payment, requester).await,
        decline: decline.map(|decline| DeclineView {
            advice: decline.advice,
            // Only an approval has no category.
            category: decline.category.unwrap_or(DeclineCategory::CardDeclined),
            field: decline.field,
            replace_card: decline.replace_card,
        }),
        attempts_left,
    }
}

/// A session for the shopper whose browser opened it.
pub async fn session_view(
    gateway: &Gateway,
    merchant: &Merchant,
    session: &Session,
) -> Result<SessionView, ApiError> {
    let now = gateway.clock.now();
    let keys = gateway.keys();
    let key = keys.current_sealing_key(now);
    let key =
        key.ok_or_else(|| ApiError::because(ErrorCode::Internal, "no sealing key is in its time"))?;
    let active = match session.active_attempt {
        Some(attempt) => {
            gateway
                .store
                .payments
                .get_by_attempt(session.id, attempt)
                .await?
        }
        None => None,
    };
    // The session was read earlier: a payment that ended since then has freed it.
    let over = |state| matches!(state, PaymentState::Declined | PaymentState::Expired);
    let active = active.filter(|payment| !over(payment.state));
    let state = match &active {
        None => SessionState::Open,
        Some(payment) if payment.state.is_open() => SessionState::Processing,
        Some(_) => SessionState::Complete,
    };
    let payment = match &active {
        Some(payment) => {
            let key = verifying_key(&session.public_key)
                .map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
            let requester = Thumbprint::from_key(&key);
            let left = attempts_left(session);
            Some(view_of(gateway, payment, left, requester.as_str()).await)
        }
        None => None,
    };
    Ok(SessionView {
        session: session.id,
        state,
        expires_at: session.expires_at,
        server_time: now,
        livemode: gateway.livemode(),
        verifier_origin: gateway.settings.public_origin.clone(),
        merchant: MerchantView {
            id: merchant.id,
            name: merchant.name.clone(),
            creditor: merchant
                .creditor_identifier
                .clone()
                .filter(|_| session.methods.iter().any(|one| one.is_direct_debit())),
        },
        order: OrderView {
            amount: session.money.amount_minor(),
            currency: session.money.currency().to_string(),
            order_ref: session.order_ref.clone(),
            capture: session.capture,
            description: session.description.clone(),
            items: session.items.clone(),
        },
        agreement: session.agreement.clone(),
        instruments: saved::list(gateway, session).await?,
        methods: session.methods.clone(),
        sealing_key: SealingKeyView {
            kid: key.key_id.clone(),
            public_key: key.public_key.clone(),
        },
        attempts_left: attempts_left(session),
        payment,
    })
}
