//! The ways to pay, and what there is to see of those without a card.

use super::{publish_and_go, rich_claims};
use harness::browser::Session;
use harness::gallery::Gallery;
use harness::network::Fault;
use harness::scenario::Scenario;
use harness::shopper::{FRAME, NOTICE, PANEL, PAY};
use harness::stage::{Stage, Staging};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderClaims;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_pay_can_be_seen_and_used_by_everybody() {
    let stage = Arc::new(Stage::set_up(Staging::default()));
    let own = Arc::clone(&stage);
    let scenario = Scenario::new("ways to pay");
    scenario
        .play(&stage, async move |session| {
            let mut gallery = Gallery::new(&session, Some(FRAME));
            show_the_choice(&session, &own, &mut gallery).await;
            show_the_wallet(&session, &own, &mut gallery).await;
            show_a_transfer(&session, &own, &mut gallery).await;
            gallery.close();
        })
        .await;
}

fn claims_for(stage: &Stage, name: &str, methods: &[Method]) -> OrderClaims {
    OrderClaims {
        methods: Some(methods.to_vec()),
        ..rich_claims(stage, name)
    }
}

async fn show_the_choice(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    for (method, sentence) in [
        (Method::Wallet, "Pay with your wallet"),
        (Method::BankTransfer, "Pay by bank transfer"),
    ] {
        let name = format!("only-{}", method.name());
        publish_and_go(session, stage, &claims_for(stage, &name, &[method])).await;
        session.enter_frame(FRAME).await;
        session.read("form h2", sentence).await;
        gallery.show(&name).await;
    }
    publish_and_go(session, stage, &claims_for(stage, "all", &Method::ALL)).await;
    for method in Method::ALL {
        session.choose(method.name()).await;
        gallery.show(&format!("choice-{}", method.name())).await;
    }
    gallery.show_in_forced_colours("choice").await;
    session.choose("wallet").await;
    let network = &stage.verifier_network;
    network.fail("/v1/payments", Fault::Held, 1);
    session.press(PAY).await;
    session.read(PAY, "Processing").await;
    gallery.show("choice-processing").await;
    network.mend();
}

async fn show_the_wallet(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    session.enter_opened_window().await;
    session.read("h1", "Confirm this payment").await;
    session.enter_first_window().await;
    session.enter_frame(FRAME).await;
    // The secondary button while the window is open.
    session.see(".panel button[data-look=secondary]").await;
    gallery.show("wallet").await;

    session.enter_opened_window().await;
    session.driver().close_window().await.unwrap();
    session.enter_first_window().await;
    session.enter_frame(FRAME).await;
    session.see(".panel button[data-look='']").await;
    gallery.show("wallet-closed").await;

    session.enter_frame(FRAME).await;
    session.press_button("Open wallet").await;
    decide(session, ".refuse").await;
    session.enter_frame(FRAME).await;
    session.read(NOTICE, "Payment cancelled").await;
    gallery.show("wallet-refused").await;

    publish_and_go(session, stage, &claims_for(stage, "wallet", &Method::ALL)).await;
    session.pay_by("wallet").await;
    decide(session, ".confirm").await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("wallet-paid").await;
}

/// Presses a button of the wallet's page, which may be closed before the driver has seen it.
pub(crate) async fn decide(session: &Session, button: &str) {
    session.enter_opened_window().await;
    let button = session.see(button).await;
    drop(button.click().await);
    session.enter_first_window().await;
}

async fn show_a_transfer(session: &Session, stage: &Stage, gallery: &mut Gallery<'_>) {
    let claims = claims_for(stage, "transfer", &Method::ALL);
    publish_and_go(session, stage, &claims).await;
    session.pay_by("bank_transfer").await;
    session.read(PANEL, "Complete your bank transfer").await;
    gallery.show("transfer").await;
    gallery.show_in_forced_colours("transfer").await;

    let payment = stage.payments_of("transfer").await.remove(0);
    let reference = payment["transfer"]["reference"].as_str().unwrap();
    let part = 1234;
    stage.send_money(reference, part).await;
    session.enter_frame(FRAME).await;
    session.read(".panel", "12.34").await;
    gallery.show("transfer-part").await;

    stage.send_money(reference, claims.amount - part).await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("transfer-paid").await;
}
