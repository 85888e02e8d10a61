//! When an order may be paid, and by which signed order.

use super::{NOW, event, event_by, scene};
use crate::orders::{AttemptState, Recorded, Terms};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;

#[test]
fn one_signed_order_is_out_at_a_time() {
    let scene = scene("signed");
    assert_eq!(scene.signed(NOW, "first").as_deref(), Some("first"));
    assert_eq!(
        scene.signed(NOW + 1_679, "second").as_deref(),
        Some("first")
    );
    assert_eq!(scene.signed(NOW + 1_680, "third").as_deref(), Some("third"));
    let terms = Terms {
        capture: Capture::Manual,
        methods: vec![Method::BankTransfer],
        billing_country: Some("DE".into()),
        requires_authentication: true,
        simulate: Some("lost_card".into()),
    };
    assert!(scene.orders.choose("PL-1", &terms).unwrap());
    assert_eq!(scene.order().terms, terms);
    assert_eq!(
        scene.signed(NOW + 1_680, "fourth").as_deref(),
        Some("fourth")
    );
    let unknown = scene
        .orders
        .signed("PL-9", NOW, 1_800, |_| Ok(String::new()));
    assert_eq!(unknown.unwrap(), None);
    assert!(!scene.orders.choose("PL-9", &terms).unwrap());
}

#[test]
fn an_order_is_offered_again_only_when_nothing_is_under_way() {
    use AttemptState::{Authorized, Captured, Declined, Expired, RequiresAction, Unknown};
    use Method::{BankTransfer, Card, Wallet};
    /// What the page gets while the first signed order is good, in its last moments, and after.
    type Offered<'a> = [Option<&'a str>; 3];
    const SAME: Offered<'_> = [Some("first"), Some("new"), Some("new")];
    const SAME_ONLY: Offered<'_> = [Some("first"), Some("first"), None];
    const NEW: Offered<'_> = [Some("new"), Some("new"), Some("new")];
    const NOTHING: Offered<'_> = [None, None, None];
    let rows = [
        (Card, Declined, SAME, true),
        (Card, RequiresAction, SAME_ONLY, false),
        (Wallet, RequiresAction, SAME_ONLY, false),
        (BankTransfer, RequiresAction, NOTHING, false),
        (BankTransfer, Expired, NEW, true),
        (Card, Expired, NEW, true),
        (Card, Unknown, NOTHING, false),
        (Card, Authorized, NOTHING, false),
        (BankTransfer, Captured, NOTHING, false),
    ];
    for (method, state, offered, may_choose) in rows {
        for (later, offered) in [0, 1_700, 1_800].into_iter().zip(offered) {
            let name = format!("again-{}-{}-{later}", method.name(), state.name());
            let scene = scene(&name);
            scene.signed(NOW, "first").unwrap();
            scene.record("evt_1", &event_by(method, "pay_a", 1, state));
            let order = scene.order();
            assert_eq!(
                order.can_be_paid(order.state(), NOW + later),
                offered.is_some(),
                "{name}"
            );
            assert_eq!(
                scene.signed(NOW + later, "new").as_deref(),
                offered,
                "{name}"
            );
            let chosen = scene.orders.choose("PL-1", &Terms::default()).unwrap();
            assert_eq!(chosen, may_choose, "{name}");
        }
    }
}

#[test]
fn a_late_word_of_an_expiry_leaves_the_payment_under_way_alone() {
    let scene = scene("late-expiry");
    scene.signed(NOW, "first").unwrap();
    let challenge = event("pay_b", 1, AttemptState::RequiresAction);
    scene.record("evt_1", &challenge);
    let expired = event_by(Method::BankTransfer, "pay_a", 2, AttemptState::Expired);
    assert_eq!(scene.record("evt_2", &expired), Recorded::New);
    assert_eq!(scene.signed(NOW, "second").as_deref(), Some("first"));
}
