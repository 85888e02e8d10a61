//! The receipt, and the order page after captures, voids and refunds.

use super::embedding::show_form_for;
use harness::browser::Session;
use harness::environment::TestEnvironment;
use harness::scenario::play_shared;
use harness::shopper::{FRAME, MASTERCARD, PANEL, VISA};
use sealpay_protocol::order::Capture;
use serde_json::json;

/// Orders something that is paid for when it is sent, and comes to its page.
pub(crate) async fn reserve(session: &Session, environment: &TestEnvironment) -> String {
    let order = session.order(&environment.shop()).await;
    session.press(".choices summary").await;
    session.type_into("#capture", "Later").await;
    session.press(".choices button").await;
    session.see(FRAME).await;
    session.pay_with(MASTERCARD).await;
    session.see_order("reserved").await;
    order
}

/// The lines of the receipt, name and value.
async fn lines(session: &Session) -> Vec<(String, String)> {
    let script = "return [...document.querySelectorAll('.receipt > div')].map((line) =>
                    [line.querySelector('dt').innerText, line.querySelector('dd').innerText.trim()])";
    let lines = session.evaluate(script).await;
    serde_json::from_value(lines).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipt_shows_the_amount_and_survives_a_reload() {
    let environment = TestEnvironment::shared();
    for (name, capture, heading, payee, outcome) in [
        (
            "receipt",
            Capture::Automatic,
            "Payment complete",
            "Paid to",
            "You paid €24.90",
        ),
        (
            "receipt-later",
            Capture::Manual,
            "Payment approved",
            "Paying",
            "€24.90 is on hold on your card. You’ll be charged when your order ships.",
        ),
    ] {
        let mut claims = environment.claims(name);
        claims.capture = capture;
        let address = show_form_for(&claims, "data-locale=\"en-IE\"");
        play_shared(name, async move |session, _| {
            session.go(&address).await;
            session.pay_with(VISA).await;
            session.read(PANEL, heading).await;
            let focused = "return [document.activeElement.tagName,
                                   document.querySelector('[role=status]').textContent]";
            let focused = session.evaluate(focused).await;
            assert_eq!(focused, json!(["H2", ""]), "it is said once");
            let paid = kept(&session, payee, outcome).await;
            session.enter_page().await;
            session.go(&address).await;
            session.enter_frame(FRAME).await;
            session.read(PANEL, heading).await;
            assert_eq!(
                kept(&session, payee, outcome).await,
                paid,
                "after loading again"
            );
        })
        .await;
    }
}

/// Looks at the receipt; its lines and the moment in it.
async fn kept(session: &Session, payee: &str, outcome: &str) -> (Vec<(String, String)>, String) {
    let said = session.read("#outcome", "€24.90").await;
    assert_eq!(
        said.split_whitespace().collect::<Vec<_>>().join(" "),
        outcome
    );
    let lines = lines(session).await;
    let names: Vec<_> = lines.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [payee, "Order", "Payment method", "Date"]);
    assert_eq!(lines[0].1, "Harbour Books");
    assert_eq!(lines[2].1, "Visa •••• 4242");
    let script = "const { dateTime, textContent } = document.querySelector('.receipt time');
                  const shown = new Intl.DateTimeFormat('en-IE',
                    { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(dateTime));
                  return [dateTime, textContent === shown]";
    let moment = session.evaluate(script).await;
    assert_eq!(moment[1], true, "{moment}");
    (lines, moment[0].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn order_page_follows_captures_voids_and_refunds() {
    play_shared(
        "order page follows modifications",
        async move |session, environment| {
            let order = reserve(&session, environment).await;
            environment
                .modify(&order, "captures", &json!({ "amount": 1000 }))
                .await;
            session.see_order("partially_captured").await;
            session.read(".status", "€10.00 of €24.90").await;
            environment.modify(&order, "void", &json!({})).await;
            session.see_order("paid").await;
            for _ in 0..2 {
                let state = environment.refund(&order, Some(250), "return-1");
                assert_eq!(state, "succeeded", "sent twice, carried out once");
            }
            session.see_order("partially_refunded").await;
            session.read(".status", "refunded €2.50").await;
            assert_eq!(environment.refund(&order, None, "return-2"), "succeeded");
            session.see_order("refunded").await;
            let payment = environment.payments_of(&order).await.remove(0);
            let sums = ["amount_captured", "amount_refunded"].map(|sum| &payment[sum]);
            assert_eq!(sums, [1000, 1000], "{payment}");
        },
    )
    .await;
}
