//! The shop's pages of pending orders and of subscriptions.

use crate::widget::bank_transfer::pay_up_to_the_details;
use crate::widget::one_time_codes::pay_up_to_the_code;
use crate::widget::shop_subscription::{
    ADA, DUE, REVOKED_RENEWAL, ROLF, STATE, TWO_RENEWALS, act, subscribe,
};
use crate::widget::wallet::pay_up_to_the_wallet;
use harness::browser::Session;
use harness::environment::TestEnvironment;
use harness::gallery::Gallery;
use harness::scenario::{Scenario, play_alone};
use harness::shopper::{FRAME, VISA};
use harness::simulation::DAY;

async fn show_order(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
    (order, state, picture): (&str, &str, &str),
) {
    session.enter_page().await;
    session.go(&environment.order_page(order)).await;
    session.see_order(state).await;
    gallery.show(picture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shop_pages_of_pending_orders_are_accessible() {
    let scenario = Scenario::new("orders that wait").with_complaints(&["401 (Unauthorized)"]);
    play_alone(scenario, async move |session, environment| {
        let session = &*session;
        let mut gallery = Gallery::new(session, None);
        show_a_check(session, &environment, &mut gallery).await;
        show_a_wallet(session, &environment, &mut gallery).await;
        show_transfers(session, &environment, &mut gallery).await;
        session.go(&format!("{}/orders", environment.shop())).await;
        gallery.show("shop-orders-of-all-kinds").await;
        gallery.close();
    })
    .await;
}

async fn show_a_check(session: &Session, environment: &TestEnvironment, gallery: &mut Gallery<'_>) {
    let order = session.order(&environment.shop()).await;
    pay_up_to_the_code(session).await;
    session.enter_page().await;
    session.read("[data-status=bank]", "Your bank needs").await;
    gallery.show("shop-checkout-code").await;
    let shown = (order.as_str(), "waiting_for_shopper", "shop-order-code");
    show_order(session, environment, gallery, shown).await;
}

async fn show_a_wallet(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let order = pay_up_to_the_wallet(session, environment).await;
    session.close_window().await;
    session.read("[data-status=wallet]", "in your wallet").await;
    gallery.show("shop-checkout-wallet").await;
    let shown = (order.as_str(), "waiting_for_shopper", "shop-order-wallet");
    show_order(session, environment, gallery, shown).await;
}

async fn show_transfers(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let order = pay_up_to_the_details(session, environment, Some("transfer_never")).await;
    session.enter_page().await;
    session.see("[data-status=pending]").await;
    gallery.show("shop-checkout-transfer").await;
    let waiting = "waiting_for_transfer";
    let shown = (order.as_str(), waiting, "shop-order-transfer");
    show_order(session, environment, gallery, shown).await;

    let payment = environment.payments_of(&order).await.remove(0);
    let reference = payment["transfer"]["reference"].as_str().unwrap();
    environment.send_money(reference, 1000).await;
    let shown = (order.as_str(), waiting, "shop-order-transfer-part");
    show_order(session, environment, gallery, shown).await;

    environment.move_clock(8 * DAY).await;
    let shown = (order.as_str(), "expired", "shop-order-transfer-expired");
    show_order(session, environment, gallery, shown).await;
    session.press("[data-live] a.button").await;
    session.see(FRAME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shop_pages_of_subscriptions_are_accessible() {
    play_alone(
        "subscriptions of the shop",
        async move |session, environment| {
            let session = &*session;
            let mut gallery = Gallery::new(session, None);
            let page = format!("{}/subscriptions", environment.shop());
            session.go(&page).await;
            session.read("main", "any subscriptions yet").await;
            gallery.show("shop-subscriptions-none").await;
            show_what_a_visitor_does(session, &environment, &mut gallery).await;

            subscribe(session, &environment, REVOKED_RENEWAL, ROLF).await;
            environment.move_clock(TWO_RENEWALS).await;
            session.go(&page).await;
            session.see(DUE).await;
            gallery.show("shop-subscriptions-due").await;
            gallery.close();
        },
    )
    .await;
}

async fn show_what_a_visitor_does(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    session.go(&environment.shop()).await;
    session.press("#lantern-oil button[type=submit]").await;
    session.enter_form().await;
    session.enter_page().await;
    gallery.show("shop-checkout-subscription").await;
    subscribe(session, environment, VISA, ADA).await;
    gallery.show("shop-subscriptions-active").await;
    session.type_into(".change select", "3").await;
    session.press(".change button").await;
    session.read("main", "3 bottles a month").await;
    session.press("summary").await;
    gallery.show("shop-subscriptions-cancel").await;
    act(session, "cancel", "Ending").await;
    gallery.show("shop-subscriptions-ending").await;
    act(session, "keep", "Active").await;
    act(session, "pause", "Paused").await;
    gallery.show("shop-subscriptions-paused").await;
    session.read(STATE, "Paused").await;
}
