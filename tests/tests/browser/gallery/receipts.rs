//! Receipts, and the shop's desk while money goes on its ways.

use super::{publish_and_go, rich_claims};
use crate::browser::receipt::{CAPTURE, REFUND, do_at_the_desk, reserve};
use harness::browser::Session;
use harness::gallery::Gallery;
use harness::scenario::Scenario;
use harness::shopper::{FRAME, PANEL, VISA};
use harness::stage::{Stage, Staging};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::Value;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn every_receipt_can_be_read_by_everybody() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("receipts");
    scenario
        .play(&stage, async move |session| {
            let mut gallery = Gallery::new(&session, Some(FRAME));
            show_a_receipt(&session, &own, &mut gallery).await;
            show_what_is_reserved(&session, &own, &mut gallery).await;
            gallery.close();
        })
        .await;
}

async fn show_a_receipt(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    let claims = rich_claims(stage, "receipt");
    publish_and_go(session, stage, &claims).await;
    session.pay_with(VISA).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("receipt-captured").await;
    session.driver().refresh().await.unwrap();
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("receipt-after-reload").await;

    let part = serde_json::json!({ "amount": 490 });
    order_from_the_merchant(stage, "receipt", "refunds", &part).await;
    session.enter_page().await;
    session.driver().refresh().await.unwrap();
    session.enter_frame(FRAME).await;
    session.read(".receipt", "4.90").await;
    gallery.show("receipt-refunded").await;
}

async fn show_what_is_reserved(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    let mut claims = rich_claims(stage, "reserved");
    claims.capture = Capture::Manual;
    publish_and_go(session, stage, &claims).await;
    session.pay_with(VISA).await;
    session.read(PANEL, "Payment approved").await;
    gallery.show("receipt-authorized").await;

    let mut claims = rich_claims(stage, "reserved-in-a-wallet");
    claims.capture = Capture::Manual;
    claims.methods = Some(vec![Method::Wallet]);
    publish_and_go(session, stage, &claims).await;
    session.enter_frame(FRAME).await;
    session.press("form button[type=submit]").await;
    super::methods::decide(session, ".confirm").await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment approved").await;
    gallery.show("receipt-wallet").await;

    let all = serde_json::json!({});
    order_from_the_merchant(stage, "reserved-in-a-wallet", "void", &all).await;
    session.enter_page().await;
    session.driver().refresh().await.unwrap();
    session.enter_frame(FRAME).await;
    session.read(PANEL, "The shop cancelled this payment").await;
    gallery.show("receipt-voided").await;
}

/// What a merchant's server asks for after a payment.
async fn order_from_the_merchant(stage: &Stage, name: &str, what: &str, body: &Value) {
    let payment = stage.payments_of(name).await.remove(0);
    let payment = payment["id"].as_str().unwrap();
    let address = format!("{}/v1/payments/{payment}/{what}", stage.verifier());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(address)
        .bearer_auth(&stage.merchant.api_key)
        .header("idempotency-key", format!("{name}-{what}"))
        .json(body);
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status} {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_desk_can_be_seen_and_used_by_everybody() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("desk of the shop").with_complaints(&["409 (Conflict)"]);
    scenario
        .play(&stage, async move |session| {
            let session = &*session;
            let mut gallery = Gallery::new(session, None);
            reserve(session, &own).await;
            gallery.show("shop-desk-reserved").await;
            do_at_the_desk(session, CAPTURE, Some("20")).await;
            session.see_order("partially_captured").await;
            gallery.show("shop-desk-partially-captured").await;
            do_at_the_desk(session, REFUND, Some("500")).await;
            session.read("h1", "Not allowed").await;
            gallery.show("shop-desk-refused").await;
            session.press(".notice a.button").await;
            do_at_the_desk(session, CAPTURE, None).await;
            session.see_order("paid").await;
            do_at_the_desk(session, REFUND, Some("4.90")).await;
            session.see_order("partially_refunded").await;
            gallery.show("shop-desk-partially-refunded").await;
            gallery.show_on_paper("shop-receipt").await;
            session.go(&format!("{}/orders", own.shop())).await;
            gallery.show("shop-orders-after-a-refund").await;
            gallery.close();
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_answered_at_the_shops_desk() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("dispute at the desk");
    scenario
        .play(&stage, async move |session| {
            let session = &*session;
            let mut gallery = Gallery::new(session, None);
            let order = session.order(&own.shop()).await;
            session.pay_with(VISA).await;
            session.see_order("paid").await;
            let payment = own.payments_of(&order).await.remove(0);
            own.dispute(payment["id"].as_str().unwrap()).await;
            session
                .read(".status", "You asked your bank to return €24.90")
                .await;
            gallery.show("shop-desk-disputed").await;
            session
                .type_into("textarea", "Delivered and signed for.")
                .await;
            session.press(".evidence button").await;
            session.read(".flash", "Evidence sent").await;
            session
                .read(".warnings", "is reviewing your evidence")
                .await;
            gallery.close();
        })
        .await;
}
