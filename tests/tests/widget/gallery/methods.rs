//! The payment methods.

use super::{publish_and_go, rich_claims};
use crate::widget::sepa_debit::{fill_in_account, iban};
use harness::browser::Session;
use harness::environment::TestEnvironment;
use harness::gallery::Gallery;
use harness::network::Fault;
use harness::scenario::play_alone;
use harness::shopper::{FRAME, NOTICE, PANEL, PAY};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderClaims;

#[tokio::test(flavor = "multi_thread")]
async fn payment_methods_are_accessible() {
    play_alone("ways to pay", async move |session, environment| {
        let mut gallery = Gallery::new(&session, Some(FRAME));
        show_the_choice(&session, &environment, &mut gallery).await;
        show_the_wallet(&session, &environment, &mut gallery).await;
        show_a_transfer(&session, &environment, &mut gallery).await;
        show_a_debit(&session, &environment, &mut gallery).await;
        gallery.close();
    })
    .await;
}

fn claims_for(environment: &TestEnvironment, name: &str, methods: &[Method]) -> OrderClaims {
    OrderClaims {
        methods: Some(methods.to_vec()),
        ..rich_claims(environment, name)
    }
}

async fn show_the_choice(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    for (method, sentence) in [
        (Method::Wallet, "Pay with your wallet"),
        (Method::BankTransfer, "Pay by bank transfer"),
    ] {
        let name = format!("only-{}", method.name());
        publish_and_go(
            session,
            environment,
            &claims_for(environment, &name, &[method]),
        )
        .await;
        session.enter_frame(FRAME).await;
        session.read("form h2", sentence).await;
        gallery.show(&name).await;
    }
    publish_and_go(
        session,
        environment,
        &claims_for(environment, "all", &Method::ALL),
    )
    .await;
    for method in Method::ALL {
        session.choose(method.name()).await;
        gallery.show(&format!("choice-{}", method.name())).await;
    }
    gallery.show_in_forced_colours("choice").await;
    session.choose("wallet").await;
    let network = &environment.verifier_network;
    network.fail("/v1/payments", Fault::Held, 1);
    session.press(PAY).await;
    session.read(PAY, "Processing").await;
    gallery.show("choice-processing").await;
    network.mend();
}

async fn show_the_wallet(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    session.enter_opened_window().await;
    session.read("h1", "Confirm this payment").await;
    session.enter_first_window().await;
    session.enter_frame(FRAME).await;
    // The secondary button while the window is open.
    session.see(".panel button[data-look=secondary]").await;
    gallery.show("wallet").await;

    session.enter_opened_window().await;
    session.close_window().await;
    session.enter_frame(FRAME).await;
    session.see(".panel button[data-look='']").await;
    gallery.show("wallet-closed").await;

    session.enter_frame(FRAME).await;
    session.press_button("Open wallet").await;
    decide(session, ".refuse").await;
    session.enter_frame(FRAME).await;
    session.read(NOTICE, "Payment cancelled").await;
    gallery.show("wallet-refused").await;

    publish_and_go(
        session,
        environment,
        &claims_for(environment, "wallet", &Method::ALL),
    )
    .await;
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

async fn show_a_transfer(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let claims = claims_for(environment, "transfer", &Method::ALL);
    publish_and_go(session, environment, &claims).await;
    session.pay_by("bank_transfer").await;
    session.read(PANEL, "Complete your bank transfer").await;
    gallery.show("transfer").await;
    gallery.show_in_forced_colours("transfer").await;

    let payment = environment.payments_of("transfer").await.remove(0);
    let reference = payment["transfer"]["reference"].as_str().unwrap();
    let part = 1234;
    environment.send_money(reference, part).await;
    session.enter_frame(FRAME).await;
    session.read(".panel", "12.34").await;
    gallery.show("transfer-part").await;

    environment
        .send_money(reference, claims.amount - part)
        .await;
    session.enter_frame(FRAME).await;
    session.read(PANEL, "Payment complete").await;
    gallery.show("transfer-paid").await;
}

async fn show_a_debit(session: &Session, environment: &TestEnvironment, gallery: &mut Gallery<'_>) {
    let claims = claims_for(environment, "only-sepa-debit", &[Method::SepaDebit]);
    publish_and_go(session, environment, &claims).await;
    session.enter_frame(FRAME).await;
    session.see("#iban").await;
    gallery.show("only-sepa_debit").await;

    let claims = claims_for(environment, "debit", &Method::ALL);
    publish_and_go(session, environment, &claims).await;
    session.pay_by("sepa_debit").await;
    session.read("#iban-note", "Enter your IBAN").await;
    gallery.show("debit-errors").await;
    session.enter_frame(FRAME).await;
    fill_in_account(session, iban("settles")).await;
    gallery.show("debit-filled").await;
    session.enter_frame(FRAME).await;
    session.press(PAY).await;
    session.see(".receipt").await;
    gallery.show("debit-receipt").await;
}
