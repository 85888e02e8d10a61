//! Events arrive twice, late and out of order; the order page must be right all the same.

use super::{Attempt, AttemptState, Decline, Order, OrderFile, OrderState, PaymentEvent, Recorded};
use crate::products;
use crate::scratch::Folder;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

const NOW: u64 = 1_763_800_000;

struct Scene {
    orders: OrderFile,
    folder: Folder,
}

fn scene(name: &str) -> Scene {
    let folder = Folder::new(name);
    let orders = OrderFile::open(&folder.path().join("orders.sqlite")).unwrap();
    let product = products::find("moon-lantern").unwrap();
    let order = Order {
        reference: "PL-1".into(),
        product,
        pieces: 1,
        total: product.total(1).unwrap(),
        capture: Capture::Automatic,
        simulate: None,
        created_at: NOW,
        attempts: Vec::new(),
    };
    orders.place(&order).unwrap();
    Scene { orders, folder }
}

fn event(payment: &str, sequence: u64, state: AttemptState) -> PaymentEvent {
    let decline = (state == AttemptState::Declined).then(|| Decline {
        code: "insufficient_funds".into(),
        response_code: Some("51".into()),
        class: "later".into(),
        message: "The account does not hold enough.".into(),
    });
    PaymentEvent {
        order_reference: "PL-1".into(),
        merchant: "mer_00000000000000000000000000".into(),
        amount: Money::new(2_490, "EUR".parse().unwrap()),
        attempt: Attempt {
            payment: payment.into(),
            sequence,
            state,
            card: "visa 4242".into(),
            decline,
            created_at: NOW,
        },
    }
}

impl Scene {
    fn record(&self, webhook_id: &str, event: &PaymentEvent) -> Recorded {
        self.orders.record(webhook_id, event, NOW).unwrap()
    }

    fn state(&self) -> OrderState {
        self.orders.find("PL-1").unwrap().unwrap().state()
    }
}

#[test]
fn the_best_attempt_decides_whatever_the_order_of_the_events() {
    use AttemptState::{Authorized, Captured, Declined, Unknown};
    type Told<'a> = (&'a str, u64, AttemptState);
    let rows: [(&str, &[Told<'_>], OrderState); 8] = [
        ("nothing", &[], OrderState::Waiting),
        ("declined", &[("pay_a", 1, Declined)], OrderState::Declined),
        (
            "retried",
            &[("pay_a", 1, Declined), ("pay_b", 1, Captured)],
            OrderState::Paid,
        ),
        (
            "told-late",
            &[("pay_b", 1, Captured), ("pay_a", 1, Declined)],
            OrderState::Paid,
        ),
        (
            "resolved",
            &[("pay_a", 1, Unknown), ("pay_a", 2, Captured)],
            OrderState::Paid,
        ),
        (
            "overtaken",
            &[("pay_a", 2, Declined), ("pay_a", 1, Unknown)],
            OrderState::Declined,
        ),
        (
            "reserved",
            &[("pay_a", 1, Authorized)],
            OrderState::Reserved,
        ),
        (
            "one-open",
            &[("pay_a", 1, Declined), ("pay_b", 1, Unknown)],
            OrderState::Checking,
        ),
    ];
    for (name, events, expected) in rows {
        let scene = scene(&format!("best-{name}"));
        for (place, (payment, sequence, state)) in events.iter().enumerate() {
            scene.record(&format!("evt_{place}"), &event(payment, *sequence, *state));
        }
        assert_eq!(scene.state(), expected, "{name}");
    }
}

#[test]
fn a_delivery_that_comes_twice_counts_once() {
    let scene = scene("twice");
    let captured = event("pay_a", 1, AttemptState::Captured);
    assert_eq!(scene.record("evt_1", &captured), Recorded::New);
    let revision = scene.orders.find("PL-1").unwrap().unwrap().revision();
    assert_eq!(scene.record("evt_1", &captured), Recorded::Duplicate);
    // The same id never changes anything again, whatever it carries.
    assert_eq!(
        scene.record("evt_1", &event("pay_b", 9, AttemptState::Declined)),
        Recorded::Duplicate
    );
    let order = scene.orders.find("PL-1").unwrap().unwrap();
    assert_eq!((order.attempts.len(), order.revision()), (1, revision));
}

#[test]
fn a_stale_event_is_acknowledged_and_changes_nothing() {
    let scene = scene("stale");
    let rows = [
        ("evt_2", 2, AttemptState::Captured, Recorded::New),
        ("evt_1", 1, AttemptState::Unknown, Recorded::Stale),
        ("evt_2b", 2, AttemptState::Declined, Recorded::Stale),
        ("evt_1", 1, AttemptState::Unknown, Recorded::Duplicate),
    ];
    for (id, sequence, state, expected) in rows {
        assert_eq!(
            scene.record(id, &event("pay_a", sequence, state)),
            expected,
            "{id}"
        );
        assert_eq!(scene.state(), OrderState::Paid, "{id}");
    }
}

#[test]
fn a_resolved_attempt_forgets_its_decline() {
    let scene = scene("resolved-decline");
    scene.record("evt_1", &event("pay_a", 1, AttemptState::Declined));
    scene.record("evt_2", &event("pay_a", 2, AttemptState::Captured));
    let order = scene.orders.find("PL-1").unwrap().unwrap();
    assert_eq!(order.attempts.first().unwrap().decline, None);
}

#[test]
fn an_event_that_does_not_fit_is_not_remembered() {
    let scene = scene("not-fitting");
    let good = event("pay_a", 1, AttemptState::Captured);
    let euro = "EUR".parse().unwrap();
    let rows = [
        (
            "less",
            PaymentEvent {
                amount: Money::new(2_489, euro),
                ..good.clone()
            },
        ),
        (
            "yen",
            PaymentEvent {
                amount: Money::new(2_490, "JPY".parse().unwrap()),
                ..good.clone()
            },
        ),
    ];
    for (name, wrong) in rows {
        assert_eq!(
            scene.record("evt_1", &wrong),
            Recorded::OtherAmount,
            "{name}"
        );
    }
    let elsewhere = PaymentEvent {
        order_reference: "PL-2".into(),
        ..good.clone()
    };
    assert_eq!(scene.record("evt_1", &elsewhere), Recorded::UnknownOrder);
    assert_eq!(scene.state(), OrderState::Waiting);
    assert_eq!(scene.record("evt_1", &good), Recorded::New);
}

#[test]
fn everything_is_still_there_after_a_restart() {
    let scene = scene("restart");
    scene.record("evt_1", &event("pay_a", 1, AttemptState::Declined));
    let before = scene.orders.find("PL-1").unwrap().unwrap();
    let Scene { orders, folder } = scene;
    drop(orders);
    let reopened = OrderFile::open(&folder.path().join("orders.sqlite")).unwrap();
    let after = reopened.find("PL-1").unwrap().unwrap();
    assert_eq!(after.attempts, before.attempts);
    assert_eq!(after.total, before.total);
    let again = event("pay_a", 1, AttemptState::Declined);
    assert_eq!(
        reopened.record("evt_1", &again, NOW).unwrap(),
        Recorded::Duplicate
    );
}

#[test]
fn one_signed_order_is_out_at_a_time() {
    let scene = scene("signed");
    let signed = |now, text: &str| {
        let text = text.to_owned();
        scene
            .orders
            .signed("PL-1", now, 1_800, |_| Ok(text))
            .unwrap()
    };
    assert_eq!(signed(NOW, "first").as_deref(), Some("first"));
    assert_eq!(signed(NOW + 1_679, "second").as_deref(), Some("first"));
    assert_eq!(signed(NOW + 1_680, "third").as_deref(), Some("third"));
    scene
        .orders
        .choose("PL-1", Capture::Manual, Some("lost_card"))
        .unwrap();
    assert_eq!(signed(NOW + 1_680, "fourth").as_deref(), Some("fourth"));
    assert_eq!(
        scene
            .orders
            .signed("PL-9", NOW, 1_800, |_| Ok(String::new()))
            .unwrap(),
        None
    );
}
