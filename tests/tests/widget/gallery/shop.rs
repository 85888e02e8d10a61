//! The shop's pages about orders that wait for somebody.

use crate::widget::bank_transfer::pay_up_to_the_details;
use crate::widget::one_time_codes::pay_up_to_the_code;
use crate::widget::wallet::pay_up_to_the_wallet;
use harness::browser::Session;
use harness::gallery::Gallery;
use harness::scenario::Scenario;
use harness::shopper::FRAME;
use harness::stage::{Stage, Staging};
use harness::world::DAY;
use std::sync::Arc;

async fn show_order(
    session: &Session,
    stage: &Stage,
    gallery: &mut Gallery<'_>,
    (order, state, picture): (&str, &str, &str),
) {
    session.enter_page().await;
    session
        .go(&format!("{}/orders/{order}", stage.shop()))
        .await;
    session.see_order(state).await;
    gallery.show(picture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_that_waits_can_be_seen_and_understood_by_everybody() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("orders that wait").with_complaints(&["401 (Unauthorized)"]);
    scenario
        .play(&stage, async move |session| {
            let session = &*session;
            let mut gallery = Gallery::new(session, None);
            show_a_check(session, &own, &mut gallery).await;
            show_a_wallet(session, &own, &mut gallery).await;
            show_transfers(session, &own, &mut gallery).await;
            session.go(&format!("{}/orders", own.shop())).await;
            gallery.show("shop-orders-of-all-kinds").await;
            gallery.close();
        })
        .await;
}

async fn show_a_check(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    let order = session.order(&stage.shop()).await;
    pay_up_to_the_code(session).await;
    session.enter_page().await;
    session.read("[data-status=bank]", "Your bank needs").await;
    gallery.show("shop-checkout-code").await;
    let shown = (order.as_str(), "waiting_for_shopper", "shop-order-code");
    show_order(session, stage, gallery, shown).await;
}

async fn show_a_wallet(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    let order = pay_up_to_the_wallet(session, stage).await;
    session.driver().close_window().await.unwrap();
    session.enter_first_window().await;
    session.read("[data-status=wallet]", "in your wallet").await;
    gallery.show("shop-checkout-wallet").await;
    let shown = (order.as_str(), "waiting_for_shopper", "shop-order-wallet");
    show_order(session, stage, gallery, shown).await;
}

async fn show_transfers(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    let order = pay_up_to_the_details(session, stage, Some("transfer_never")).await;
    session.enter_page().await;
    session.see("[data-status=pending]").await;
    gallery.show("shop-checkout-transfer").await;
    let waiting = "waiting_for_transfer";
    let shown = (order.as_str(), waiting, "shop-order-transfer");
    show_order(session, stage, gallery, shown).await;

    let payment = stage.payments_of(&order).await.remove(0);
    let reference = payment["transfer"]["reference"].as_str().unwrap();
    stage.send_money(reference, 1000).await;
    let shown = (order.as_str(), waiting, "shop-order-transfer-part");
    show_order(session, stage, gallery, shown).await;

    stage.move_clock(8 * DAY).await;
    let shown = (order.as_str(), "expired", "shop-order-transfer-expired");
    show_order(session, stage, gallery, shown).await;
    session.press("[data-live] a.button").await;
    session.see(FRAME).await;
}
