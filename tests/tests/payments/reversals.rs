//! A provider says that it never received what it has approved: the payment is declined, and what
//! the provider holds is let go, also by a verifier that was not there.

use crate::histories::shoppers::invariants::Inspector;
use crate::histories::system::{World, incoming};
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
async fn lost(world: &World, kind: FaultKind, capture: Capture) -> PaymentId {
    let order = FaultRequest {
        target: "any".into(),
        kind,
        min_ms: None,
        max_ms: None,
        next: Some(1),
        share_per_mille: None,
        seed: None,
    };
    world.bank.add_fault(order).await.unwrap();
    let origin = &world.gateway.settings().public_origin;
    let browser = Browser::with_clock(origin, world.clock.clone());
    let now = world.clock.now_ms() / 1000;
    let order = world.merchant.sign(&OrderClaims {
        iat: now,
        exp: now + 1800,
        capture,
        ..world.merchant.claims(origin)
    });
    let request = browser.open_session(&order);
    let session = open_session(&world.gateway, incoming(&request, 1))
        .await
        .unwrap();
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let view = authorize(&world.gateway, incoming(&request, 1))
        .await
        .unwrap();
    view.payment
}

async fn state_of(world: &World, payment: PaymentId) -> PaymentState {
    let found = world.gateway.store().payments.get(payment).await.unwrap();
    found.unwrap().state
}

async fn is_let_go_after_a_decline(capture: Capture) {
    let mut world = World::build(&mut Chance::of(7), None).await;
    let mut inspector = Inspector::of(&world.folder);
    let payment = lost(&world, FaultKind::ResponseLost, capture).await;
    assert_eq!(state_of(&world, payment).await, PaymentState::Unknown);
    world.wire.lie();
    world.clock.move_by(60);
    assert_eq!(payments::reconcile::recover(&world.gateway).await, Ok(1));
    assert_eq!(state_of(&world, payment).await, PaymentState::Declined);
    // Whoever stored that dies; another verifier asks the provider again.
    world.restart().await;
    assert_eq!(
        payments::reversals::reverse(&world.gateway).await,
        Ok(0),
        "not yet"
    );
    world.clock.move_by(61);
    assert_eq!(payments::reversals::reverse(&world.gateway).await, Ok(1));
    assert_eq!(
        payments::reversals::reverse(&world.gateway).await,
        Ok(0),
        "once"
    );
    let reversals = world.gateway.store().reversals.list(payment).await.unwrap();
    let states: Vec<_> = reversals.iter().map(|reversal| reversal.state).collect();
    assert_eq!(states, [ReversalState::Reversed]);
    assert_eq!(inspector.at_rest(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_was_approved_after_a_stored_decline_is_voided() {
    is_let_go_after_a_decline(Capture::Manual).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_was_taken_after_a_stored_decline_is_given_back() {
    is_let_go_after_a_decline(Capture::Automatic).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_has_nothing_is_asked_four_times_in_a_day() {
    let world = World::build(&mut Chance::of(8), None).await;
    let payment = lost(&world, FaultKind::RequestLost, Capture::Automatic).await;
    world.bank.remove_faults().await.unwrap();
    world.clock.move_by(60);
    assert_eq!(payments::reconcile::recover(&world.gateway).await, Ok(1));
    assert_eq!(state_of(&world, payment).await, PaymentState::Declined);
    let store = world.gateway.store();
    for seconds in [61, 601, 3601, 86_401] {
        assert_eq!(
            store.reversals.list(payment).await.unwrap().len(),
            1,
            "{seconds}"
        );
        world.clock.move_by(seconds);
        assert_eq!(payments::reversals::reverse(&world.gateway).await, Ok(0));
    }
    assert_eq!(store.reversals.list(payment).await, Ok(Vec::new()));
}
