//! What the shopper keeps of a payment, and what the shop's people do with the money afterwards.

use super::embedding::page_with_tag;
use harness::browser::Session;
use harness::scenario::Scenario;
use harness::shopper::{FRAME, MASTERCARD, PANEL, VISA};
use harness::stage::Stage;
use sealpay_protocol::order::Capture;
use serde_json::json;

/// What is done to a payment.
pub(super) const CAPTURE: &str = ".deed:has([value=capture])";
pub(super) const VOID: &str = ".deed:has([value=void])";
pub(super) const REFUND: &str = ".deed:has([value=refund])";

/// Orders something that is paid for when it is sent, and comes to its page.
pub(super) async fn reserve(session: &Session, stage: &Stage) -> String {
    let order = session.order(&stage.shop()).await;
    session.press(".choices summary").await;
    session.type_into("#capture", "Later").await;
    session.press(".choices button").await;
    session.see(FRAME).await;
    session.pay_with(MASTERCARD).await;
    session.see_order("reserved").await;
    order
}

/// Fills in a form of the desk and sends it.
pub(super) async fn do_at_the_desk(session: &Session, deed: &str, amount: Option<&str>) {
    if let Some(amount) = amount {
        let field = format!("{deed} [name=amount]");
        // It offers the whole.
        session.see(&field).await.clear().await.unwrap();
        session.type_into(&field, amount).await;
    }
    session.press(&format!("{deed} button")).await;
    if deed != CAPTURE {
        // What cannot be undone is asked about once more.
        session.press(".notice button.danger").await;
    }
}

/// The lines of the receipt, name and value.
async fn lines(session: &Session) -> Vec<(String, String)> {
    let script = "return [...document.querySelectorAll('.receipt > div')].map((line) =>
                    [line.querySelector('dt').innerText, line.querySelector('dd').innerText.trim()])";
    let lines = session.run(script, Vec::new()).await;
    serde_json::from_value(lines).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_what_was_paid_and_stays_when_the_page_is_loaded_again() {
    let stage = Stage::shared();
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
        let mut claims = stage.claims(name);
        claims.capture = capture;
        let order = stage.merchant.sign(&claims);
        let address = stage
            .site
            .publish(name, page_with_tag(stage, &order, "data-locale=\"en-IE\""));
        let scenario = Scenario::new(name);
        scenario
            .play(stage, async move |session| {
                session.go(&address).await;
                session.pay_with(VISA).await;
                session.read(PANEL, heading).await;
                let focused = "return [document.activeElement.tagName,
                                       document.querySelector('[role=status]').textContent]";
                let focused = session.run(focused, Vec::new()).await;
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
    let moment = session.run(script, Vec::new()).await;
    assert_eq!(moment[1], true, "{moment}");
    (lines, moment[0].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_people_take_a_part_let_the_rest_go_and_give_some_back() {
    let stage = Stage::shared();
    let scenario = Scenario::new("desk").with_complaints(&["409 (Conflict)"]);
    scenario
        .play(stage, async move |session| {
            let order = reserve(&session, stage).await;
            do_at_the_desk(&session, CAPTURE, Some("10")).await;
            session.see_order("partially_captured").await;
            session.read(".status", "€10.00 of €24.90").await;
            do_at_the_desk(&session, CAPTURE, Some("99")).await;
            session.read("h1", "Not allowed").await;
            session.press(".notice a.button").await;
            do_at_the_desk(&session, VOID, None).await;
            session.see_order("paid").await;
            do_at_the_desk(&session, REFUND, Some("2,50")).await;
            session.see_order("partially_refunded").await;
            session.read(".diary", "Refunded €2.50").await;
            do_at_the_desk(&session, REFUND, None).await;
            session.see_order("refunded").await;
            assert_eq!(session.count(".deed").await, 0);
            let payment = stage.payments_of(&order).await.remove(0);
            let sums = ["amount_captured", "amount_refunded"].map(|sum| &payment[sum]);
            assert_eq!(sums, [1000, 1000], "{payment}");
        })
        .await;
}
