//! Receipts in the form, and the shop's order page during captures and refunds.

use super::{publish_and_go, rich_claims};
use crate::widget::receipt::reserve;
use harness::browser::Session;
use harness::environment::TestEnvironment;
use harness::gallery::Gallery;
use harness::scenario::play_alone;
use harness::shopper::{FRAME, PANEL, VISA};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_accessible() {
    play_alone("receipts", async move |session, environment| {
        let mut gallery = Gallery::new(&session, Some(FRAME));
        show_a_receipt(&session, &environment, &mut gallery).await;
        show_what_is_reserved(&session, &environment, &mut gallery).await;
        gallery.close();
    })
    .await;
}

async fn show_a_receipt(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let claims = rich_claims(environment, "receipt");
    publish_and_go(session, environment, &claims).await;
    session.pay_with(VISA).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("receipt-captured").await;
    session.driver().refresh().await.unwrap();
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("receipt-after-reload").await;

    let part = json!({ "amount": 490 });
    environment.modify("receipt", "refunds", &part).await;
    session.enter_page().await;
    session.driver().refresh().await.unwrap();
    session.enter_frame(FRAME).await;
    session.read(".receipt", "4.90").await;
    gallery.show("receipt-refunded").await;
}

async fn show_what_is_reserved(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let mut claims = rich_claims(environment, "reserved");
    claims.capture = Capture::Manual;
    publish_and_go(session, environment, &claims).await;
    session.pay_with(VISA).await;
    session.read(PANEL, "Payment approved").await;
    gallery.show("receipt-authorized").await;

    let mut claims = rich_claims(environment, "reserved-in-a-wallet");
    claims.capture = Capture::Manual;
    claims.methods = Some(vec![Method::Wallet]);
    publish_and_go(session, environment, &claims).await;
    session.enter_frame(FRAME).await;
    session.press("form button[type=submit]").await;
    super::methods::decide(session, ".confirm").await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment approved").await;
    gallery.show("receipt-wallet").await;

    environment
        .modify("reserved-in-a-wallet", "void", &json!({}))
        .await;
    session.enter_page().await;
    session.driver().refresh().await.unwrap();
    session.enter_frame(FRAME).await;
    session.read(PANEL, "The shop cancelled this payment").await;
    gallery.show("receipt-voided").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_page_is_accessible_during_captures_and_refunds() {
    play_alone("money of an order", async move |session, environment| {
        let session = &*session;
        let mut gallery = Gallery::new(session, None);
        let order = reserve(session, &environment).await;
        gallery.show("shop-order-reserved").await;
        environment
            .modify(&order, "captures", &json!({ "amount": 2000 }))
            .await;
        session.see_order("partially_captured").await;
        gallery.show("shop-order-partially-captured").await;
        environment.modify(&order, "captures", &json!({})).await;
        session.see_order("paid").await;
        assert_eq!(
            environment.refund(&order, Some(490), "return-1"),
            "succeeded"
        );
        session.see_order("partially_refunded").await;
        gallery.show("shop-order-partially-refunded").await;
        gallery.show_on_paper("shop-receipt").await;
        session.go(&format!("{}/orders", environment.shop())).await;
        gallery.show("shop-orders-after-a-refund").await;

        let order = session.order(&environment.shop()).await;
        session.pay_with(VISA).await;
        session.see_order("paid").await;
        let payment = environment.payments_of(&order).await.remove(0);
        environment.dispute(payment["id"].as_str().unwrap()).await;
        session
            .read(".status", "You asked your bank to return €24.90")
            .await;
        gallery.show("shop-order-disputed").await;
        gallery.close();
    })
    .await;
}
