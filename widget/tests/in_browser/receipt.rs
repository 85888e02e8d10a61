//! The receipt, of captured payments and of authorizations.

use crate::fixtures::{Verifier, ok, payment, session, verifier, verifier_with};
use crate::test_form::{TestForm, settle};
use sealpay_protocol::api::{Method, PaymentView, SessionState, SessionView, ShopperState};
use sealpay_widget::browser::transport::Reply;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// A payment, and what its receipt shows.
struct Row {
    view: fn(PaymentView) -> PaymentView,
    heading: &'static str,
    outcome: &'static str,
    lines: &'static [&'static str],
}

static ROWS: [Row; 5] = [
    Row {
        view: |payment| payment,
        heading: "Payment complete",
        outcome: "You paid €24.90",
        lines: &[
            "Paid toPaper Lantern",
            "OrderA-1001",
            "Payment methodVisa •••• 4242",
            "Date22 Nov 2025",
        ],
    },
    Row {
        view: |payment| PaymentView {
            state: ShopperState::Authorized,
            ..payment
        },
        heading: "Payment approved",
        outcome: "€24.90 is on hold on your card. You’ll be charged when your order ships.",
        lines: &["Payment methodVisa •••• 4242"],
    },
    Row {
        view: |payment| PaymentView {
            state: ShopperState::Authorized,
            method: Method::Wallet,
            card: None,
            ..payment
        },
        heading: "Payment approved",
        outcome: "€24.90 is on hold in your wallet. You’ll be charged when your order ships.",
        lines: &["Payment methodWallet"],
    },
    Row {
        view: |payment| PaymentView {
            amount_captured: Some(2000),
            amount_refunded: Some(505),
            ..payment
        },
        heading: "Payment complete",
        outcome: "You paid €20.00",
        lines: &["Refunded€5.05"],
    },
    Row {
        view: |mut payment| {
            payment.card.as_mut().unwrap().brand = "unknown".into();
            payment
        },
        heading: "Payment complete",
        outcome: "You paid €24.90",
        lines: &["Payment methodCard •••• 4242"],
    },
];

#[wasm_bindgen_test]
async fn receipt_shows_amount_state_and_method() {
    for row in &ROWS {
        let form = TestForm::open(verifier(|_, request| {
            ok(&(row.view)(payment(request, ShopperState::Captured)))
        }))
        .await;
        form.fill().await;
        form.pay().await;
        assert_eq!(form.text(".panel h2"), row.heading);
        assert_eq!(form.text("#outcome"), row.outcome);
        let receipt = form.text(".receipt");
        for line in row.lines {
            assert!(receipt.contains(line), "{line} in {receipt}");
        }
    }
}

#[wasm_bindgen_test]
async fn receipt_is_announced_once_and_has_a_machine_readable_time() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    form.fill().await;
    form.pay().await;
    let machine = form.attribute(".receipt time", "datetime");
    assert_eq!(machine.as_deref(), Some("2025-11-22T08:27:22.000Z"));
    let described = form.attribute(".panel h2", "aria-describedby");
    assert_eq!(described.as_deref(), Some("outcome"));
    assert!(form.element(".panel[role]").is_none(), "announced once");
    // Either the heading has the focus, or the live region announces it; never both.
    let is_focused = form.focused() == "heading";
    let announced = form.text("[role=status]");
    let expected = if is_focused {
        ""
    } else {
        "Payment complete. You paid €24.90"
    };
    assert_eq!(announced, expected);
}

#[wasm_bindgen_test]
async fn receipt_is_shown_with_the_members_of_an_older_verifier() {
    let verifier: Verifier = Rc::new(|request| {
        if request.path == "/v1/sessions" {
            return ok(&session());
        }
        let view = serde_json::to_value(payment(request, ShopperState::Captured)).unwrap();
        let serde_json::Value::Object(mut view) = view else {
            panic!("a payment is an object");
        };
        for member in ["order_ref", "card", "created_at"] {
            view.remove(member);
        }
        let body = serde_json::to_string(&view).unwrap();
        Some(Reply { status: 200, body })
    });
    let form = TestForm::open(verifier).await;
    form.fill().await;
    form.pay().await;
    assert_eq!(form.text("#outcome"), "You paid €24.90");
    assert_eq!(
        form.text(".receipt"),
        "Paid toPaper LanternOrderA-1001Payment methodCard"
    );
}

/// A session whose payment was made on an earlier page.
fn reloaded(state: ShopperState, amount_released: Option<i64>) -> Verifier {
    Rc::new(move |request| {
        ok(&SessionView {
            state: SessionState::Complete,
            payment: Some(PaymentView {
                amount_released,
                ..payment(request, state)
            }),
            ..session()
        })
    })
}

#[wasm_bindgen_test]
async fn reload_shows_the_same_receipt() {
    for (state, outcome) in [
        (ShopperState::Captured, "You paid €24.90"),
        (
            ShopperState::Authorized,
            "€24.90 is on hold on your card. You’ll be charged when your order ships.",
        ),
    ] {
        let form = TestForm::open(reloaded(state, None)).await;
        settle().await;
        assert_eq!(form.text("#outcome"), outcome);
        let receipt = form.text(".receipt");
        assert!(receipt.contains("Visa •••• 4242") && receipt.contains("A-1001"));
    }
}

#[wasm_bindgen_test]
async fn voided_payment_shows_no_receipt() {
    let form = TestForm::open(reloaded(ShopperState::Declined, Some(2490))).await;
    settle().await;
    assert_eq!(form.text(".panel h2"), "The shop cancelled this payment");
    assert!(form.element(".receipt").is_none());
    assert!(form.message("complete").is_none());
    let error = form.message("error").unwrap();
    assert!(error.contains("\"code\":\"payment_voided\""), "{error}");
}
