//! Saved cards, and what an order asks to agree to.

use super::{publish_and_go, rich_claims};
use harness::browser::Session;
use harness::environment::TestEnvironment;
use harness::gallery::Gallery;
use harness::network::Fault;
use harness::scenario::{Scenario, play_alone};
use harness::shopper::{FRAME, INSUFFICIENT_FUNDS, NOTICE, PANEL, PAY, VISA};
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderClaims;

#[tokio::test(flavor = "multi_thread")]
async fn saved_cards_and_agreements_are_accessible() {
    // A removal that is answered with an error.
    let scenario = Scenario::new("saved cards").with_complaints(&["404 (Not Found)"]);
    play_alone(scenario, async move |session, environment| {
        let mut gallery = Gallery::new(&session, Some(FRAME));
        for kind in AgreementKind::ALL {
            let name = format!("agreement-{}", kind.name());
            let mut claims = claims_for(&environment, &name, Some(kind));
            if kind.is_mandate() {
                claims.methods = Some(vec![Method::SepaDebit]);
                publish_and_go(&session, &environment, &claims).await;
                session.enter_frame(FRAME).await;
                session.see("#iban").await;
            } else {
                publish_and_go(&session, &environment, &claims).await;
                session.enter_form().await;
            }
            gallery.show(&name).await;
        }
        save(&session, &environment).await;
        show_the_list(&session, &environment, &mut gallery).await;
        gallery.close();
    })
    .await;
}

fn claims_for(
    environment: &TestEnvironment,
    name: &str,
    kind: Option<AgreementKind>,
) -> OrderClaims {
    OrderClaims {
        customer: Some("gallery".into()),
        agreement: kind.map(|kind| AgreementTerms {
            kind,
            maximum_amount: kind.is_merchant_initiated().then_some(9_900),
        }),
        ..rich_claims(environment, name)
    }
}

/// Saves a card for the next order.
async fn save(session: &Session, environment: &TestEnvironment) {
    let claims = claims_for(environment, "save", Some(AgreementKind::CardOnFile));
    publish_and_go(session, environment, &claims).await;
    session.enter_form().await;
    session.fill_in(VISA).await;
    session.press("#save-card").await;
    session.press(PAY).await;
    session.see("#code").await;
    let code = environment.code_on_phone_of("ada_approved").await;
    session.confirm_code(&code).await;
    session.read(PANEL, "Payment complete").await;
}

async fn show_the_list(
    session: &Session,
    environment: &TestEnvironment,
    gallery: &mut Gallery<'_>,
) {
    let claims = claims_for(environment, "saved", Some(AgreementKind::CardOnFile));
    publish_and_go(session, environment, &claims).await;
    session.enter_frame(FRAME).await;
    session
        .see("[name=instrument]:checked:not([value=''])")
        .await;
    gallery.show("saved-cards").await;
    gallery.show_in_forced_colours("saved-cards").await;

    session.enter_frame(FRAME).await;
    session.press_button("Remove").await;
    session.see("#question").await;
    gallery.show("saved-card-question").await;
    let network = &environment.verifier_network;
    network.fail("/v1/instruments/remove", Fault::NotFound, 1);
    session.enter_frame(FRAME).await;
    session
        .press("#question ~ button[data-look=secondary]")
        .await;
    session.read("#removal-note", "couldn’t remove").await;
    gallery.show("saved-card-not-removed").await;
    network.mend();

    session.enter_frame(FRAME).await;
    session.press("#keep").await;
    session
        .press("label:has([name=instrument][value=''])")
        .await;
    session.fill_in(INSUFFICIENT_FUNDS).await;
    session.press(PAY).await;
    session.read(NOTICE, "declined").await;
    gallery.show("another-card-declined").await;
}
