//! A provider approves a payment after it was declined: the authorization is voided or refunded,
//! also by another verifier.

use crate::histories::shoppers::invariants::Inspector;
use crate::histories::system::{TestSystem, incoming};
use harness::chance::Chance;
use harness::client::{APPROVED, Browser, attempt, card};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::{Capture, OrderClaims};
use sealpay_simulator::control::FaultRequest;
use sealpay_simulator::fault::FaultKind;
use verifier_server::payments;
use verifier_server::payments::authorize::authorize;
use verifier_server::payments::reversals::model::ReversalState;
use verifier_server::payments::state::PaymentState;
use verifier_server::sessions::open::open_session;

/// A payment whose approval, or whose request, was lost on its way.
async fn lost(system: &TestSystem, kind: FaultKind, capture: Capture) -> PaymentId {
    let order = FaultRequest {
        target: "any".into(),
        kind,
        min_ms: None,
        max_ms: None,
        next: Some(1),
        share_per_mille: None,
        seed: None,
    };
    system.bank.add_fault(order).await.unwrap();
    let origin = &system.gateway.settings().public_origin;
    let browser = Browser::with_clock(origin, system.clock.clone());
    let now = system.clock.now_ms() / 1000;
    let order = system.merchant.sign(&OrderClaims {
        iat: now,
        exp: now + 1800,
        capture,
        ..system.merchant.claims(origin)
    });
    let request = browser.open_session(&order);
    let session = open_session(&system.gateway, incoming(&request, 1))
        .await
        .unwrap();
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let view = authorize(&system.gateway, incoming(&request, 1))
        .await
        .unwrap();
    view.payment
}

async fn state_of(system: &TestSystem, payment: PaymentId) -> PaymentState {
    let found = system.gateway.store().payments.get(payment).await.unwrap();
    found.unwrap().state
}

async fn is_let_go_after_a_decline(capture: Capture) {
    let mut system = TestSystem::build(&mut Chance::of(7), None).await;
    let mut inspector = Inspector::of(&system.folder);
    let payment = lost(&system, FaultKind::ResponseLost, capture).await;
    assert_eq!(state_of(&system, payment).await, PaymentState::Unknown);
    system.wire.lie();
    system.clock.move_by(60);
    assert_eq!(payments::reconcile::recover(&system.gateway).await, Ok(1));
    assert_eq!(state_of(&system, payment).await, PaymentState::Declined);
    // The verifier that stored this stops; another asks the provider again.
    system.restart().await;
    assert_eq!(
        payments::reversals::reverse(&system.gateway).await,
        Ok(0),
        "not yet"
    );
    system.clock.move_by(61);
    assert_eq!(payments::reversals::reverse(&system.gateway).await, Ok(1));
    assert_eq!(
        payments::reversals::reverse(&system.gateway).await,
        Ok(0),
        "once"
    );
    let reversals = system
        .gateway
        .store()
        .reversals
        .list(payment)
        .await
        .unwrap();
    let states: Vec<_> = reversals.iter().map(|reversal| reversal.state).collect();
    assert_eq!(states, [ReversalState::Reversed]);
    assert_eq!(inspector.at_rest(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authorization_approved_after_a_stored_decline_is_voided() {
    is_let_go_after_a_decline(Capture::Manual).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capture_after_a_stored_decline_is_refunded() {
    is_let_go_after_a_decline(Capture::Automatic).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provider_without_a_record_is_queried_four_times_a_day() {
    let system = TestSystem::build(&mut Chance::of(8), None).await;
    let payment = lost(&system, FaultKind::RequestLost, Capture::Automatic).await;
    system.bank.remove_faults().await.unwrap();
    system.clock.move_by(60);
    assert_eq!(payments::reconcile::recover(&system.gateway).await, Ok(1));
    assert_eq!(state_of(&system, payment).await, PaymentState::Declined);
    let store = system.gateway.store();
    for seconds in [61, 601, 3601, 86_401] {
        assert_eq!(
            store.reversals.list(payment).await.unwrap().len(),
            1,
            "{seconds}"
        );
        system.clock.move_by(seconds);
        assert_eq!(payments::reversals::reverse(&system.gateway).await, Ok(0));
    }
    assert_eq!(store.reversals.list(payment).await, Ok(Vec::new()));
}
