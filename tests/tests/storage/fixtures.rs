//! Merchants, sessions, payments and events to store.

use sealpay_protocol::ids::{ApiKeyId, AttemptId, EndpointId, EventId};
use sealpay_protocol::ids::{MerchantId, PaymentId, SessionId};
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{Capture, OrderItem};
use std::sync::atomic::{AtomicU64, Ordering};
use verifier_server::auth::api_keys::model::ApiKey;
use verifier_server::auth::nonces::Nonce;
use verifier_server::instruments::model::StoredCard;
use verifier_server::merchants::model::{Merchant, OrderKey, Reserve};
use verifier_server::payments::methods::card::model::{CardCodes, CardDetails};
use verifier_server::payments::methods::card::risk::{Assessment, RiskOutcome};
use verifier_server::payments::methods::details::PaymentDetails;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::claim::Claim;
use verifier_server::payments::store::outcome::{OutcomeEffects, Recorded};
use verifier_server::sessions::model::Session;
use verifier_server::sessions::store::SessionOpened;
use verifier_server::store::{Addition, Store};
use verifier_server::webhooks::endpoints::model::WebhookEndpoint;
use verifier_server::webhooks::events::model::Event;

/// 2025-11-22, milliseconds since 1970.
pub(crate) const NOW_MS: i64 = 1_763_800_000_000;

pub(crate) const ATTEMPTS: u32 = 3;

/// A number that no other call gives.
pub(crate) fn unique() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// The millisecond and random bytes of an identifier; later calls give later ones.
pub(crate) fn seed() -> (u64, [u8; 10]) {
    let number = unique();
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    (1_763_800_000_000 + number, [0, 0, a, b, c, d, e, f, g, h])
}

macro_rules! new_id {
    ($kind:ident) => {{
        let (unix_ms, random) = $crate::storage::fixtures::seed();
        $kind::new(unix_ms, random)
    }};
}

pub(crate) use new_id;

pub(crate) fn nonce() -> Nonce {
    Nonce {
        expires_at: 1_763_800_060,
        value: format!("nonce-{}", unique()),
        thumbprint: "thumbprint".into(),
    }
}

pub(crate) fn merchant() -> Merchant {
    Merchant {
        id: new_id!(MerchantId),
        name: "Paper Lantern – 纸灯笼 🏮".into(),
        created_at_ms: NOW_MS,
        reserve: Reserve {
            basis_points: 0,
            days: 0,
        },
        payout_account: None,
        creditor_identifier: None,
        order_keys: vec![
            OrderKey {
                key_id: "2025-a".into(),
                public_key: [1; 32],
                scopes: String::new(),
            },
            OrderKey {
                key_id: "2025-b".into(),
                public_key: [255; 32],
                scopes: "payments:read,refunds:write".into(),
            },
        ],
        origins: vec![
            "http://127.0.0.1:4000".into(),
            "https://shop.example".into(),
        ],
    }
}

pub(crate) fn api_key(merchant: MerchantId) -> ApiKey {
    ApiKey {
        id: new_id!(ApiKeyId),
        merchant,
        prefix: "sk_test_ab".into(),
        hash: format!("hash-{}", unique()),
        scopes: "payments:read,refunds:write".into(),
        expires_at_ms: Some(NOW_MS + 1),
        created_at_ms: NOW_MS,
        last_used_at_ms: None,
    }
}

pub(crate) fn endpoint(merchant: MerchantId) -> WebhookEndpoint {
    WebhookEndpoint {
        id: new_id!(EndpointId),
        merchant,
        url: "https://shop.example/webhooks".into(),
        description: "the shop's back office".into(),
        event_types: "*".into(),
        secret_encrypted: "c2VjcmV0".into(),
        previous_secret: Some(("b2xk".into(), NOW_MS)),
        failing_since_ms: None,
        disabled_at_ms: None,
        created_at_ms: NOW_MS,
        verified_at_ms: Some(NOW_MS),
        verification_at_ms: None,
        verification_error: None,
        created_by: Some("key_1".into()),
    }
}

/// A session with everything that it may have.
pub(crate) fn session(merchant: MerchantId) -> Session {
    Session {
        id: new_id!(SessionId),
        merchant,
        jti: format!("order-{}", unique()),
        order_digest: [7; 32],
        order_ref: "A-1001".into(),
        money: Money::new(2490, "EUR".parse().unwrap()),
        capture: Capture::Automatic,
        description: Some("Zwei Bücher; one with a ' and a \" in it".into()),
        items: Some(vec![OrderItem {
            name: "Müßiggang 📚".into(),
            quantity: 2,
            amount: 2490,
        }]),
        customer: Some("customer-7".into()),
        agreement: None,
        simulate: Some("approved".into()),
        invoice: None,
        methods: Method::ALL.to_vec(),
        billing_country: Some("DE".into()),
        requires_authentication: true,
        parent_origin: "https://shop.example".into(),
        order_origins: vec![
            "https://shop.example".into(),
            "https://other.example".into(),
        ],
        public_key: [9; 32],
        key_rebind_count: 0,
        attempts: 0,
        active_attempt: None,
        expires_at: 1_763_801_800,
        created_at_ms: NOW_MS,
    }
}

/// A claim on the session that is not made yet.
pub(crate) fn payment(session: &Session) -> Payment {
    Payment {
        id: new_id!(PaymentId),
        session: Some(session.id),
        agreement: None,
        invoice: None,
        merchant: session.merchant,
        attempt: new_id!(AttemptId),
        owner: "thumbprint".into(),
        body_digest: "digest-of-the-body".into(),
        order_ref: session.order_ref.clone(),
        money: session.money,
        capture: session.capture,
        details: PaymentDetails::Card(Box::new(CardDetails {
            card: StoredCard {
                brand: "visa".into(),
                last4: "4242".into(),
                expiry: "2030-12".into(),
                fingerprint: "fingerprint".into(),
                country: Some("DE".into()),
            },
            address: Some("address".into()),
            risk: Some(Assessment {
                outcome: RiskOutcome::Review,
                score: 70,
                reasons: vec!["card_testing".into()],
            }),
            authentication: None,
            codes: CardCodes::default(),
            instrument: None,
            storing: None,
        })),
        state: PaymentState::Authorizing,
        decline: None,
        provider: "harbor".into(),
        route_reason: "cheapest".into(),
        captured_minor: 0,
        refunded_minor: 0,
        disputed_minor: 0,
        returned_minor: 0,
        modification: None,
        simulate: session.simulate.clone(),
        sequence: 0,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS,
        lease_until_ms: NOW_MS + 30_000,
    }
}

pub(crate) fn event(payment: &Payment, sequence: i64) -> Event {
    Event {
        id: new_id!(EventId),
        merchant: payment.merchant,
        subject: payment.id.to_string(),
        kind: "payment.captured".into(),
        sequence,
        body: format!(r#"{{"type":"payment.captured","data":{{"sequence":{sequence}}}}}"#),
        created_at_ms: NOW_MS,
    }
}

pub(crate) async fn registered(store: &Store) -> Merchant {
    let merchant = merchant();
    assert_eq!(store.merchants.add(&merchant).await, Ok(Addition::Added));
    merchant
}

/// A merchant with an endpoint.
pub(crate) async fn reachable(store: &Store) -> (Merchant, WebhookEndpoint) {
    let merchant = registered(store).await;
    let endpoint = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&endpoint).await, Ok(Addition::Added));
    (merchant, endpoint)
}

pub(crate) async fn opened(store: &Store, merchant: MerchantId) -> Session {
    let session = session(merchant);
    let outcome = store.sessions.open(&session, &nonce()).await;
    assert_eq!(outcome, Ok(SessionOpened::New(session.clone())));
    session
}

pub(crate) async fn claimed(store: &Store, session: &Session) -> Payment {
    claimed_as(store, session, |payment| payment).await
}

/// A claim of a payment that differs.
pub(crate) async fn claimed_as(
    store: &Store,
    session: &Session,
    differs: impl FnOnce(Payment) -> Payment,
) -> Payment {
    let payment = differs(payment(session));
    assert_eq!(
        store.payments.claim(&payment, &nonce(), ATTEMPTS).await,
        Ok(Claim::Claimed)
    );
    payment
}

/// A payment in its next state.
pub(crate) fn moved(payment: &Payment, to: PaymentState, at_ms: i64) -> Payment {
    Payment {
        state: to,
        updated_at_ms: at_ms,
        ..payment.clone()
    }
}

/// Moves a payment on and tells of it.
pub(crate) async fn settled(store: &Store, payment: &Payment, to: PaymentState) -> Payment {
    let mut after = moved(payment, to, NOW_MS + 5);
    after.sequence += 1;
    after.decline = (to == PaymentState::Declined).then(|| "insufficient_funds".into());
    let mut event = event(payment, after.sequence);
    event.created_at_ms = after.updated_at_ms;
    let outcome = store
        .payments
        .record_outcome(payment, &after, OutcomeEffects::new(Some(&event), None))
        .await;
    match outcome.unwrap() {
        Recorded::Done(payment) => payment,
        Recorded::NotInState(payment) => panic!("the payment is {}", payment.state),
    }
}

/// A payment in a session of its own that went from claim to `state`.
pub(crate) async fn paid(store: &Store, merchant: MerchantId, state: PaymentState) -> Payment {
    let session = opened(store, merchant).await;
    let payment = claimed(store, &session).await;
    settled(store, &payment, state).await
}
