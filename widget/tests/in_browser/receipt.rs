//! What the shopper keeps of a payment: the receipt, and what it says of money that is only held.

use crate::stage::{Stage, Verifier, ok, payment, session, settle, verifier, verifier_with};
use sealpay_protocol::api::{Method, PaymentView, SessionState, SessionView, ShopperState};
use sealpay_widget::browser::transport::Reply;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// What is told of a payment, and what its receipt says.
struct Row {
    told: fn(PaymentView) -> PaymentView,
    heading: &'static str,
    outcome: &'static str,
    lines: &'static [&'static str],
}

static ROWS: [Row; 5] = [
    Row {
        told: |payment| payment,
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
        told: |payment| PaymentView {
            state: ShopperState::Authorized,
            ..payment
        },
        heading: "Payment approved",
        outcome: "€24.90 is on hold on your card. You’ll be charged when your order ships.",
        lines: &["Payment methodVisa •••• 4242"],
    },
    Row {
        told: |payment| PaymentView {
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
        told: |payment| PaymentView {
            amount_captured: Some(2000),
            amount_refunded: Some(505),
            ..payment
        },
        heading: "Payment complete",
        outcome: "You paid €20.00",
        lines: &["Refunded€5.05"],
    },
    Row {
        told: |mut payment| {
            payment.card.as_mut().unwrap().brand = "unknown".into();
            payment
        },
        heading: "Payment complete",
        outcome: "You paid €24.90",
        lines: &["Payment method •••• 4242"],
    },
];

#[wasm_bindgen_test]
async fn receipt_shows_amount_state_and_method() {
    for row in &ROWS {
        let stage = Stage::open(verifier(|_, request| {
            ok(&(row.told)(payment(request, ShopperState::Captured)))
        }))
        .await;
        stage.fill().await;
        stage.pay().await;
        assert_eq!(stage.text(".panel h2"), row.heading);
        assert_eq!(stage.text("#outcome"), row.outcome);
        let receipt = stage.text(".receipt");
        for line in row.lines {
            assert!(receipt.contains(line), "{line} in {receipt}");
        }
    }
}

#[wasm_bindgen_test]
async fn receipt_is_announced_once_and_has_a_machine_readable_time() {
    let stage = Stage::open(verifier_with(ShopperState::Captured)).await;
    stage.fill().await;
    stage.pay().await;
    let machine = stage.attribute(".receipt time", "datetime");
    assert_eq!(machine.as_deref(), Some("2025-11-22T08:27:22.000Z"));
    let described = stage.attribute(".panel h2", "aria-describedby");
    assert_eq!(described.as_deref(), Some("outcome"));
    assert!(stage.element(".panel[role]").is_none(), "said once");
    // Either the shopper is put on the heading, or the live region speaks; never both.
    let is_focused = stage.focused() == "heading";
    let said = stage.text("[role=status]");
    let expected = if is_focused {
        ""
    } else {
        "Payment complete. You paid €24.90"
    };
    assert_eq!(said, expected);
}

#[wasm_bindgen_test]
async fn receipt_is_shown_with_the_members_of_an_older_verifier() {
    let verifier: Verifier = Rc::new(|request| {
        if request.path == "/v1/sessions" {
            return ok(&session());
        }
        let told = serde_json::to_value(payment(request, ShopperState::Captured)).unwrap();
        let serde_json::Value::Object(mut told) = told else {
            panic!("a payment is an object");
        };
        for member in ["order_ref", "card", "created_at"] {
            told.remove(member);
        }
        let body = serde_json::to_string(&told).unwrap();
        Some(Reply { status: 200, body })
    });
    let stage = Stage::open(verifier).await;
    stage.fill().await;
    stage.pay().await;
    assert_eq!(stage.text("#outcome"), "You paid €24.90");
    assert_eq!(
        stage.text(".receipt"),
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
        let stage = Stage::open(reloaded(state, None)).await;
        settle().await;
        assert_eq!(stage.text("#outcome"), outcome);
        let receipt = stage.text(".receipt");
        assert!(receipt.contains("Visa •••• 4242") && receipt.contains("A-1001"));
    }
}

#[wasm_bindgen_test]
async fn voided_payment_shows_no_receipt() {
    let stage = Stage::open(reloaded(ShopperState::Declined, Some(2490))).await;
    settle().await;
    assert_eq!(stage.text(".panel h2"), "The shop cancelled this payment");
    assert!(stage.element(".receipt").is_none());
    assert!(stage.message("complete").is_none());
    let error = stage.message("error").unwrap();
    assert!(error.contains("\"code\":\"payment_voided\""), "{error}");
}
