//! Events arrive twice, late and out of order; the order page must be right all the same.

mod offering;

use super::{
    Attempt, AttemptState, Decline, Details, News, Order, OrderFile, OrderState, PaymentEvent,
    Recorded, Risk, Terms, Transfer,
};
use crate::products;
use crate::scratch::Folder;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;

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
        terms: Terms::default(),
        created_at: NOW,
        signed_until: 0,
        attempts: Vec::new(),
    };
    orders.place(&order).unwrap();
    Scene { orders, folder }
}

fn event(payment: &str, sequence: u64, state: AttemptState) -> PaymentEvent {
    event_by(Method::Card, payment, sequence, state)
}

fn event_by(method: Method, payment: &str, sequence: u64, state: AttemptState) -> PaymentEvent {
    let decline = (state == AttemptState::Declined).then(|| Decline {
        code: "insufficient_funds".into(),
        response_code: Some("51".into()),
        class: "later".into(),
        message: "The account does not hold enough.".into(),
    });
    PaymentEvent {
        order_reference: "PL-1".into(),
        amount: Money::new(2_490, "EUR".parse().unwrap()),
        attempt: Attempt {
            payment: payment.into(),
            sequence,
            state,
            method,
            card: "visa 4242".into(),
            decline,
            details: Details::default(),
            created_at: NOW,
            news: Vec::new(),
        },
        news: News::of(format!("payment.{}", state.name()), sequence, None, None),
    }
}

impl Scene {
    fn record(&self, webhook_id: &str, event: &PaymentEvent) -> Recorded {
        self.orders.record(webhook_id, event, NOW).unwrap()
    }

    fn order(&self) -> Order {
        self.orders.find("PL-1").unwrap().unwrap()
    }

    fn state(&self) -> OrderState {
        self.order().state()
    }

    fn signed(&self, now: u64, text: &str) -> Option<String> {
        let text = text.to_owned();
        self.orders
            .signed("PL-1", now, 1_800, |_| Ok(text))
            .unwrap()
    }
}

type Told<'a> = (&'a str, u64, Method, AttemptState);

const fn told(payment: &str, sequence: u64, method: Method, state: AttemptState) -> Told<'_> {
    (payment, sequence, method, state)
}

#[test]
fn one_attempt_alone_makes_the_order_what_it_is() {
    use AttemptState::{
        Authorized, Captured, Declined, Expired, PartiallyCaptured, PartiallyRefunded, Refunded,
        RequiresAction, Unknown, Voided,
    };
    use OrderState::{WaitingForShopper, WaitingForTransfer};
    let rows = [
        (
            RequiresAction,
            [WaitingForShopper, WaitingForShopper, WaitingForTransfer],
        ),
        (Declined, [OrderState::Declined; 3]),
        (Expired, [OrderState::Expired; 3]),
        (Unknown, [OrderState::Checking; 3]),
        (Authorized, [OrderState::Reserved; 3]),
        (PartiallyCaptured, [OrderState::PartlyPaid; 3]),
        (Captured, [OrderState::Paid; 3]),
        (PartiallyRefunded, [OrderState::PartlyRefunded; 3]),
        (Refunded, [OrderState::Refunded; 3]),
        (Voided, [OrderState::Voided; 3]),
    ];
    let scene = scene("alone");
    assert_eq!(scene.state(), OrderState::Waiting);
    let mut sequence = 0;
    for (state, expected) in rows {
        for (method, expected) in Method::ALL.into_iter().zip(expected) {
            sequence += 1;
            let event = event_by(method, "pay_a", sequence, state);
            assert_eq!(
                scene.record(&format!("evt_{sequence}"), &event),
                Recorded::New
            );
            assert_eq!(scene.state(), expected, "{method:?} {state:?}");
        }
    }
}

#[test]
fn the_best_attempt_decides_whatever_the_order_of_the_events() {
    use AttemptState::{Captured, Declined, Expired, RequiresAction, Unknown};
    use Method::{BankTransfer, Card, Wallet};
    let declined = told("pay_a", 1, Card, Declined);
    let transfer = told("pay_b", 1, BankTransfer, RequiresAction);
    let challenge = told("pay_a", 1, Card, RequiresAction);
    let rows: [(&str, &[Told<'_>], OrderState); 14] = [
        (
            "retried",
            &[declined, told("pay_b", 1, Card, Captured)],
            OrderState::Paid,
        ),
        (
            "told-late",
            &[told("pay_b", 1, Card, Captured), declined],
            OrderState::Paid,
        ),
        (
            "resolved",
            &[
                told("pay_a", 1, Card, Unknown),
                told("pay_a", 2, Card, Captured),
            ],
            OrderState::Paid,
        ),
        (
            "overtaken",
            &[
                told("pay_a", 2, Card, Declined),
                told("pay_a", 1, Card, Unknown),
            ],
            OrderState::Declined,
        ),
        (
            "one-open",
            &[declined, told("pay_b", 1, Card, Unknown)],
            OrderState::Checking,
        ),
        (
            "confirmed",
            &[
                told("pay_a", 1, Wallet, RequiresAction),
                told("pay_a", 2, Wallet, Captured),
            ],
            OrderState::Paid,
        ),
        (
            "confirmed-told-first",
            &[
                told("pay_a", 2, Wallet, Captured),
                told("pay_a", 1, Wallet, RequiresAction),
            ],
            OrderState::Paid,
        ),
        (
            "challenge-failed",
            &[challenge, told("pay_a", 2, Card, Declined)],
            OrderState::Declined,
        ),
        (
            "after-a-decline",
            &[transfer, declined],
            OrderState::WaitingForTransfer,
        ),
        (
            "two-open",
            &[transfer, challenge],
            OrderState::WaitingForTransfer,
        ),
        (
            "never-came",
            &[transfer, told("pay_b", 2, BankTransfer, Expired)],
            OrderState::Expired,
        ),
        (
            "expired-last",
            &[declined, told("pay_b", 1, BankTransfer, Expired)],
            OrderState::Expired,
        ),
        (
            "declined-last",
            &[
                told("pay_b", 1, Card, Declined),
                told("pay_a", 1, BankTransfer, Expired),
            ],
            OrderState::Declined,
        ),
        (
            "paid-otherwise",
            &[
                told("pay_b", 1, BankTransfer, Expired),
                told("pay_c", 1, Card, Captured),
            ],
            OrderState::Paid,
        ),
    ];
    for (name, events, expected) in rows {
        let scene = scene(&format!("best-{name}"));
        for (place, (payment, sequence, method, state)) in events.iter().enumerate() {
            let event = event_by(*method, payment, *sequence, *state);
            scene.record(&format!("evt_{place}"), &event);
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
        ("evt_0", 1, AttemptState::RequiresAction, Recorded::Stale),
        ("evt_0b", 2, AttemptState::Expired, Recorded::Stale),
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
fn what_was_told_beside_the_state_is_kept_and_replaced() {
    let scene = scene("details");
    let transfer = |received, overpaid| Details {
        transfer: Some(Transfer {
            iban: "DE89370400440532013000".into(),
            holder: "Paper Lantern".into(),
            bic: "COBADEFFXXX".into(),
            expires_at: None,
            reference: "RF18539007547034".into(),
            received,
            overpaid,
        }),
        ..Details::default()
    };
    let rows = [
        (AttemptState::RequiresAction, transfer(0, 0), None),
        (AttemptState::Captured, transfer(2_990, 500), Some(500)),
    ];
    for (sequence, (state, details, overpaid)) in (1..).zip(rows) {
        let mut event = event_by(Method::BankTransfer, "pay_a", sequence, state);
        event.attempt.details = details.clone();
        scene.record(&format!("evt_{sequence}"), &event);
        let order = scene.order();
        let attempt = order.leading().unwrap();
        assert_eq!(
            (&attempt.details, attempt.overpaid_minor()),
            (&details, overpaid)
        );
    }
}

#[test]
fn only_money_that_may_be_sent_for_is_reviewed() {
    let rows = [
        (AttemptState::Captured, "review", true),
        (AttemptState::Authorized, "review", true),
        (AttemptState::Declined, "review", false),
        (AttemptState::RequiresAction, "review", false),
        (AttemptState::Captured, "allow", false),
        (AttemptState::Captured, "step_up", false),
    ];
    for (state, outcome, expected) in rows {
        let mut attempt = event("pay_a", 1, state).attempt;
        attempt.details.risk = Some(Risk {
            outcome: outcome.into(),
            score: 75,
            reasons: vec!["card_testing".into()],
        });
        assert_eq!(attempt.is_to_be_reviewed(), expected, "{state:?} {outcome}");
    }
}
