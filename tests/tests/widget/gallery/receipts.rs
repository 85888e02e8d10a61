//! Receipts in the form, and the shop's order page while money moves.

use super::{publish_and_go, rich_claims};
use crate::widget::receipt::reserve;
use harness::browser::Session;
use harness::gallery::Gallery;
use harness::scenario::Scenario;
use harness::shopper::{FRAME, PANEL, VISA};
use harness::stage::{Stage, Staging};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::json;
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

    let part = json!({ "amount": 490 });
    stage.modify("receipt", "refunds", &part).await;
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

    stage
        .modify("reserved-in-a-wallet", "void", &json!({}))
        .await;
    session.enter_page().await;
    session.driver().refresh().await.unwrap();
    session.enter_frame(FRAME).await;
    session.read(PANEL, "The shop cancelled this payment").await;
    gallery.show("receipt-voided").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_page_is_accessible_while_money_moves() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("money of an order");
    scenario
        .play(&stage, async move |session| {
            let session = &*session;
            let mut gallery = Gallery::new(session, None);
            let order = reserve(session, &own).await;
            gallery.show("shop-order-reserved").await;
            own.modify(&order, "captures", &json!({ "amount": 2000 }))
                .await;
            session.see_order("partially_captured").await;
            gallery.show("shop-order-partially-captured").await;
            own.modify(&order, "captures", &json!({})).await;
            session.see_order("paid").await;
            assert_eq!(own.refund(&order, Some(490), "return-1"), "succeeded");
            session.see_order("partially_refunded").await;
            gallery.show("shop-order-partially-refunded").await;
            gallery.show_on_paper("shop-receipt").await;
            session.go(&format!("{}/orders", own.shop())).await;
            gallery.show("shop-orders-after-a-refund").await;

            let order = session.order(&own.shop()).await;
            session.pay_with(VISA).await;
            session.see_order("paid").await;
            let payment = own.payments_of(&order).await.remove(0);
            own.dispute(payment["id"].as_str().unwrap()).await;
            session
                .read(".status", "You asked your bank to return €24.90")
                .await;
            gallery.show("shop-order-disputed").await;
            gallery.close();
        })
        .await;
}
