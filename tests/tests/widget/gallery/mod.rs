//! Every state of the form and every page of the shop: screenshots and accessibility checks.

mod appearance;
mod challenges;
mod methods;
mod receipts;
mod saved_cards;
mod shop;

use super::embedding::{page, page_with_tag, show_page, signed};
use harness::accessibility::{Part, findings, is_to_be_had};
use harness::browser::Session;
use harness::environment::{EnvironmentOptions, TestEnvironment};
use harness::gallery::{Gallery, WIDTHS};
use harness::network::Fault;
use harness::scenario::{Scenario, play_alone, play_in, play_shared};
use harness::shopper::{
    AMEX, Card, FRAME, INSUFFICIENT_FUNDS, MASTERCARD, NOTICE, PANEL, PAY, VISA, persona_for,
};
use sealpay_protocol::limits::ATTEMPTS_PER_SESSION;
use sealpay_protocol::order::{Capture, OrderClaims, OrderItem};
use std::sync::Arc;

/// An order with everything that an order can show.
fn rich_claims(environment: &TestEnvironment, name: &str) -> OrderClaims {
    let item = |name: &str, quantity, amount| OrderItem {
        name: name.into(),
        quantity,
        amount,
    };
    OrderClaims {
        description: Some("Delivered to your door within three working days".into()),
        items: Some(vec![
            item(
                "The Lighthouse Keeper’s Almanac, illustrated edition",
                1,
                3490,
            ),
            item("Postcards of the old harbour", 12, 1800),
            item("Delivery", 1, 490),
        ]),
        amount: 5780,
        ..environment.claims(name)
    }
}

async fn publish_and_go(session: &Session, environment: &TestEnvironment, claims: &OrderClaims) {
    let order = environment.merchant.sign(claims);
    let address = environment
        .site
        .publish(&claims.order_ref, page_with_tag(environment, &order, ""));
    session.go(&address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_states_are_accessible() {
    let environment = Arc::new(TestEnvironment::set_up(EnvironmentOptions {
        provider_timeout_ms: 500,
        ..EnvironmentOptions::default()
    }));
    let scenario =
        Scenario::new("states of a payment").with_complaints(&["net::ERR_EMPTY_RESPONSE"]);
    play_in(environment, scenario, async move |session, environment| {
        let mut gallery = Gallery::new(&session, Some(FRAME));
        show_loading(&session, &environment, &mut gallery).await;
        show_a_decline_and_a_payment(&session, &environment, &mut gallery).await;
        show_an_interruption(&session, &environment, &mut gallery).await;
        show_an_unknown_outcome(&session, &environment, &mut gallery).await;
        gallery.close();
    })
    .await;
}

async fn show_loading(session: &Session, environment: &TestEnvironment, gallery: &mut Gallery<'_>) {
    let order = environment
        .merchant
        .sign(&rich_claims(environment, "payment"));
    let tag = page_with_tag(environment, &order, "");
    let address = serde_json::json!({ "url": environment.site.publish("payment", tag) });
    let network = &environment.verifier_network;
    network.fail("sealpay-widget_bg.wasm", Fault::Held, u32::MAX);
    for width in WIDTHS {
        session.resize(width, 800).await;
        // The driver would wait for the script that is held.
        session
            .developer_tools("Page.navigate", address.clone())
            .await;
        session.enter_frame(FRAME).await;
        session.see("#skeleton").await;
        gallery.show_at(width, "loading").await;
    }
    network.mend();
}

async fn show_a_decline_and_a_payment(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    session.enter_form().await;
    gallery.show("form").await;

    session.enter_form().await;
    session.press(PAY).await;
    session.read("#number-note", "Enter your card number").await;
    gallery.show("mistakes").await;
    gallery.show_in_forced_colours("mistakes").await;

    session.enter_form().await;
    session.fill_in(AMEX).await;
    session.type_into("#holder", "Ada Lovelace").await;
    gallery.show("filled-in-amex").await;

    session.enter_form().await;
    session.replace_card(INSUFFICIENT_FUNDS).await;
    session.press(PAY).await;
    session.read(NOTICE, "declined").await;
    gallery.show("declined").await;
    gallery.show_in_forced_colours("declined").await;

    environment
        .verifier_network
        .fail("/v1/payments", Fault::Held, 1);
    session.enter_form().await;
    session.replace_card(VISA).await;
    session.press(PAY).await;
    session.read(PAY, "Processing").await;
    gallery.show("processing").await;
    environment.verifier_network.mend();
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("paid").await;
}

async fn show_an_interruption(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let mut claims = rich_claims(environment, "reserve");
    claims.capture = Capture::Manual;
    publish_and_go(session, environment, &claims).await;
    let network = &environment.verifier_network;
    network.fail("/v1/payments", Fault::AnswerLost, 1);
    // The form tries again by itself while the pictures are taken.
    network.fail("/v1/payments", Fault::RequestLost, u32::MAX);
    session.pay_with(MASTERCARD).await;
    session.read(PANEL, "The connection was interrupted").await;
    gallery.show("interrupted").await;
    network.mend();
    session.enter_frame(FRAME).await;
    // The form may have tried again by itself.
    tokio::select! {
        () = session.press(".panel button") => {}
        _ = session.read(PANEL, "Payment approved") => {}
    }
    session.read(PANEL, "Payment approved").await;
    gallery.show("authorized").await;
}

async fn show_an_unknown_outcome(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    publish_and_go(session, environment, &rich_claims(environment, "unknown")).await;
    session.pay_with(persona_for("response_lost")).await;
    session.read(PANEL, "We’re checking your payment").await;
    // The next question waits until the pictures are taken.
    environment
        .verifier_network
        .fail("/v1/payments", Fault::Held, 1);
    gallery.show("checking").await;
    environment.verifier_network.mend();
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment complete").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn end_states_without_a_payment_are_accessible() {
    let scenario = Scenario::new("ends without a payment").with_complaints(&[
        "404 (Not Found)",
        "could not start",
        "410 (Gone)",
        "net::ERR_EMPTY_RESPONSE",
        "[Sealpay] malformed_order",
        "[Sealpay] load_timeout",
    ]);
    play_alone(scenario, async move |session, environment| {
        let mut gallery = Gallery::new(&session, Some(FRAME));
        // First, because the browser keeps a script that it got once.
        show_a_blocked_script(&session, &environment, &mut gallery).await;
        show_an_unreachable_verifier(&session, &environment, &mut gallery).await;
        show_refusals(&session, &environment, &mut gallery).await;
        gallery.close();
        let mut gallery = Gallery::new(&session, None);
        show_the_loader_alone(&session, &environment, &mut gallery).await;
        gallery.close();
    })
    .await;
}

async fn show_a_blocked_script(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let network = &environment.verifier_network;
    network.fail("sealpay-widget_bg.wasm", Fault::NotFound, u32::MAX);
    publish_and_go(session, environment, &rich_claims(environment, "no-script")).await;
    session.enter_frame(FRAME).await;
    session.read(".panel", "could not start").await;
    gallery.show("script-blocked").await;
    network.mend();
}

async fn show_an_unreachable_verifier(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let network = &environment.verifier_network;
    network.fail("/v1/sessions", Fault::RequestLost, u32::MAX);
    publish_and_go(
        session,
        environment,
        &rich_claims(environment, "unreachable"),
    )
    .await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "can’t connect right now").await;
    gallery.show("unreachable").await;
    network.mend();
    session.enter_frame(FRAME).await;
    // The form may have tried again by itself.
    tokio::select! {
        () = session.press(".panel button") => {}
        _ = session.see("#number") => {}
    }
    session.enter_form().await;
    session.fill_in(INSUFFICIENT_FUNDS).await;
    use_up_every_attempt(session, INSUFFICIENT_FUNDS).await;
    session.read(PANEL, "Too many attempts").await;
    gallery.show("exhausted").await;
}

async fn show_refusals(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let mut claims = rich_claims(environment, "gone");
    (claims.iat, claims.exp) = (claims.iat - 900, claims.iat - 1);
    publish_and_go(session, environment, &claims).await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "This checkout has timed out").await;
    gallery.show("expired").await;

    let mut claims = rich_claims(environment, "not-here");
    claims.parent_origins = vec![harness::client::origin(&environment.foreign_site.origin())];
    publish_and_go(session, environment, &claims).await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "set up to take payments here").await;
    gallery.show("origin-not-allowed").await;
}

/// What the loader shows in place of the frame.
async fn show_the_loader_alone(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let form = "<div id=\"form\"></div><script src=\"{verifier}/checkout.js\"></script>";
    let mount = "Sealpay.mount('#form', { order: 'none' })";
    session
        .go(&environment
            .site
            .publish("loader", page(environment, form, mount)))
        .await;
    session
        .read("[role=alert]", "Something is wrong with this order")
        .await;
    gallery.show("loader-order-malformed").await;

    environment
        .verifier_network
        .fail("/checkout/", Fault::NotFound, u32::MAX);
    let order = signed("loader-timeout");
    let tag = page_with_tag(environment, &order, "data-timeout=\"500\"");
    session
        .go(&environment.site.publish("loader-timeout", tag))
        .await;
    session.read("[role=alert]", "could not be loaded").await;
    gallery.show("loader-timeout").await;
}

/// Every further press is one more decline, until there are no more.
async fn use_up_every_attempt(session: &Session, card: Card) {
    for attempt in 1..=ATTEMPTS_PER_SESSION {
        if attempt > 1 {
            session
                .type_into("#security-code", card.security_code)
                .await;
        }
        session.press(PAY).await;
        if attempt < ATTEMPTS_PER_SESSION {
            let empty = "return document.getElementById('security-code')?.value === ''";
            harness::browser::eventually("the next attempt", async || {
                (session.evaluate(empty).await == true).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inaccessible_page_is_detected() {
    let body = "<form><input type=\"text\"><button type=\"button\"></button></form>";
    let address = show_page("barrier", body, "");
    play_shared("barriers", async move |session, _| {
        session.go(&address).await;
        let found = findings(&session, Part::Page).await.join("\n");
        for rule in ["label:", "button-name:"] {
            assert!(found.contains(rule) || !is_to_be_had(), "{rule} in {found}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shop_pages_are_accessible() {
    let scenario = Scenario::new("pages of the shop").with_complaints(&["404 (Not Found)"]);
    play_alone(scenario, async move |session, environment| {
        let session = &*session;
        let mut gallery = Gallery::new(session, None);
        session.go(&environment.shop()).await;
        gallery.show("shop-home").await;
        let order = session.order(&environment.shop()).await;
        session.enter_form().await;
        session.enter_page().await;
        gallery.show("shop-checkout").await;
        gallery.show_in_docs("form.png", 1030).await;
        let order_page = format!("{}/orders/{order}", environment.shop());
        session.go(&order_page).await;
        gallery.show("shop-order-waiting").await;
        session.press("[data-live] a.button").await;
        session.pay_with(INSUFFICIENT_FUNDS).await;
        session.read(NOTICE, "declined").await;
        session.enter_page().await;
        session.go(&order_page).await;
        session.see_order("declined").await;
        gallery.show("shop-order-declined").await;
        session.press("[data-live] a.button").await;
        session.pay_with(VISA).await;
        session.see_order("paid").await;
        gallery.show("shop-order-paid").await;
        session.go(&format!("{}/orders", environment.shop())).await;
        gallery.show("shop-orders").await;
        session.read(".rows", &order).await;
        session.go(&format!("{}/nothing", environment.shop())).await;
        gallery.show("shop-not-found").await;
        gallery.close();
    })
    .await;
}
