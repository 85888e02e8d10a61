//! Payments that make an agreement: consent, challenge, and what is stored.

use super::{CONSENT, CUSTOMER, agreed, agreeing, checkout_again, id};
use crate::databases::on_both_databases;
use harness::checkout::simulate;
use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::api::{PayRequest, ShopperState};
use sealpay_protocol::method::Method;

async fn approved_payment_stores_the_card_and_the_agreement(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, Some(5000)).await;
    assert_eq!(agreement["type"], "subscription");
    assert_eq!(agreement["state"], "active");
    assert_eq!(agreement["maximum_amount"], 5000);
    assert_eq!(agreement["currency"], "EUR");
    assert_eq!(agreement["consent"]["text"], CONSENT);
    assert_eq!(
        agreement["consent"]["sha256"].as_str().map(str::len),
        Some(64)
    );
    let first = gateway
        .payment(agreement["first_payment"].as_str().unwrap())
        .await;
    assert_eq!(first["agreement"], agreement["id"]);
    assert_eq!(first["initiator"], "customer");
    assert_eq!(
        first["card"]["network_transaction_id"],
        agreement["network_transaction_id"]
    );
    // A stored card is always challenged (PSD2 RTS article 14).
    assert_eq!(first["authentication"]["status"], "authenticated");
    assert_eq!(first["authentication"]["reasons"][0], "agreement");

    let path = format!(
        "/v1/instruments/{}",
        agreement["instrument"].as_str().unwrap()
    );
    let instrument = gateway.read(&gateway.merchant, &path).await;
    assert_eq!(instrument["state"], "active");
    assert_eq!(instrument["customer"], agreement["customer"]);
    for member in ["brand", "last4", "expiry", "fingerprint", "country"] {
        assert_eq!(
            instrument["card"][member], first["card"][member],
            "{member}"
        );
    }
    let path = format!("/v1/customers/{}", agreement["customer"].as_str().unwrap());
    let customer = gateway.read(&gateway.merchant, &path).await;
    assert_eq!(customer["reference"], CUSTOMER);

    let events = gateway.events().await;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    for kind in [
        "customer.created",
        "instrument.saved",
        "agreement.activated",
    ] {
        assert_eq!(
            kinds.iter().filter(|one| **one == kind).count(),
            1,
            "{kinds:?}"
        );
    }
}

async fn declined_payment_stores_nothing(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| {
            agreeing(claims, AgreementKind::Subscription, None);
            simulate(claims, "insufficient_funds");
        })
        .await;
    let declined = checkout
        .pay_through(&checkout.agreeing(APPROVED, CONSENT))
        .await;
    assert_eq!(declined.state, ShopperState::Declined);
    for path in ["/v1/agreements", "/v1/instruments"] {
        let page = gateway.read(&gateway.merchant, path).await;
        assert_eq!(page["data"].as_array().map(Vec::len), Some(0), "{path}");
    }
    let credentials = gateway
        .bank_rows("SELECT reference FROM bank_credentials")
        .await;
    assert!(
        credentials.is_empty(),
        "the bank has stored a declined card"
    );
}

async fn consent_is_required_where_the_merchant_charges_again(gateway: &TestGateway) {
    for kind in [
        AgreementKind::Subscription,
        AgreementKind::Instalment,
        AgreementKind::Unscheduled,
    ] {
        let checkout = gateway
            .checkout(|claims| agreeing(claims, kind, None))
            .await;
        let answer = checkout.send(&checkout.by_card(APPROVED)).await;
        answer.assert_refused(422, "consent_required");
    }
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::CardOnFile, None))
        .await;
    let paid = checkout.pay_through(&checkout.by_card(APPROVED)).await;
    let payment = gateway.payment(paid.payment).await;
    assert_eq!(payment["agreement"], serde_json::Value::Null);
}

async fn consent_that_cannot_be_shown_is_rejected(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::CardOnFile, None))
        .await;
    let long = "a".repeat(501);
    for consent in ["", " ", "a\u{202e}b", "a\u{0}b", &long] {
        let answer = checkout.send(&checkout.agreeing(APPROVED, consent)).await;
        answer.assert_refused(400, "malformed_request");
        assert!(
            answer.text().contains("\"param\":\"consent\""),
            "{}",
            answer.text()
        );
    }
    let plain = gateway.checkout(|_| {}).await;
    let answer = plain.send(&plain.agreeing(APPROVED, CONSENT)).await;
    answer.assert_refused(400, "malformed_request");
}

async fn saved_card_pays_the_next_order_without_typing(gateway: &TestGateway) {
    agreed(gateway, AgreementKind::CardOnFile, None).await;
    let checkout = checkout_again(gateway).await;
    let [saved] = &checkout.session.instruments[..] else {
        panic!("{:?}", checkout.session.instruments);
    };
    assert_eq!(saved.last4, card(APPROVED).number.last_four());
    let paid = checkout
        .pay_through(&checkout.by_saved(saved.id, None))
        .await;
    assert_eq!(paid.state, ShopperState::Captured, "{paid:?}");
    let payment = gateway.payment(paid.payment).await;
    assert_eq!(payment["card"]["last4"], saved.last4.as_str());
    assert_eq!(payment["route"]["reason"], "stored_credential");

    // Agreeing again with the same card makes neither another card nor another agreement.
    let again = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::CardOnFile, None))
        .await;
    again.pay_through(&again.agreeing(APPROVED, CONSENT)).await;
    for path in ["/v1/agreements", "/v1/instruments"] {
        let page = gateway.read(&gateway.merchant, path).await;
        assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{path}");
    }
}

async fn saved_card_can_make_a_subscription(gateway: &TestGateway) {
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::Subscription, Some(900)))
        .await;
    let saved = checkout.session.instruments[0].id;
    let answer = checkout.send(&checkout.by_saved(saved, None)).await;
    answer.assert_refused(422, "consent_required");
    let paid = checkout
        .pay_through(&checkout.by_saved(saved, Some(CONSENT)))
        .await;
    let payment = gateway.payment(paid.payment).await;
    let path = format!("/v1/agreements/{}", payment["agreement"].as_str().unwrap());
    let subscription = gateway.read(&gateway.merchant, &path).await;
    assert_eq!(subscription["type"], "subscription");
    assert_eq!(subscription["instrument"], on_file["instrument"]);
    assert_ne!(subscription["id"], on_file["id"]);
}

async fn saved_cards_of_others_are_unavailable(gateway: &TestGateway) {
    agreed(gateway, AgreementKind::CardOnFile, None).await;
    let saved = checkout_again(gateway).await.session.instruments[0].id;
    let strangers = [
        gateway.checkout(|_| {}).await,
        gateway
            .checkout(|claims| claims.customer = Some("customer-8".into()))
            .await,
    ];
    for stranger in &strangers {
        assert!(stranger.session.instruments.is_empty());
        let answer = stranger.send(&stranger.by_saved(saved, None)).await;
        answer.assert_refused(409, "instrument_unavailable");
        let answer = gateway.send(stranger.remove(saved)).await;
        answer.assert_refused(409, "instrument_unavailable");
    }
    let own = checkout_again(gateway).await;
    assert_eq!(own.session.instruments.len(), 1);
}

async fn card_for_a_subscription_is_not_offered_to_the_shopper(gateway: &TestGateway) {
    agreed(gateway, AgreementKind::Subscription, None).await;
    assert!(checkout_again(gateway).await.session.instruments.is_empty());
}

async fn body_names_a_card_or_an_instrument_and_not_both(gateway: &TestGateway) {
    agreed(gateway, AgreementKind::CardOnFile, None).await;
    let checkout = checkout_again(gateway).await;
    let saved = checkout.session.instruments[0].id;
    let id = attempt();
    let sealed = checkout
        .browser
        .seal(&checkout.order, &checkout.session, id, &card(APPROVED));
    let bodies = [
        PayRequest {
            card: Some(sealed),
            instrument: Some(saved),
            ..PayRequest::new(Method::Card)
        },
        PayRequest::new(Method::Card),
        PayRequest {
            instrument: Some(saved),
            ..PayRequest::new(Method::Wallet)
        },
        PayRequest {
            consent: Some(CONSENT.into()),
            ..PayRequest::new(Method::BankTransfer)
        },
    ];
    for body in bodies {
        let body = serde_json::to_vec(&body).unwrap();
        let request = checkout
            .browser
            .send_attempt(&checkout.session, attempt(), body);
        gateway
            .send(request)
            .await
            .assert_refused(400, "malformed_request");
    }
}

async fn agreement_leaves_only_the_card_as_method(gateway: &TestGateway) {
    let both = vec![Method::Wallet, Method::Card];
    let checkout = gateway
        .checkout(|claims| {
            agreeing(claims, AgreementKind::Subscription, None);
            claims.methods = Some(both.clone());
        })
        .await;
    assert_eq!(checkout.session.methods, [Method::Card]);
    let checkout = gateway
        .checkout(|claims| {
            agreeing(claims, AgreementKind::CardOnFile, None);
            claims.methods = Some(both.clone());
        })
        .await;
    assert_eq!(checkout.session.methods, both);
    assert!(checkout.session.agreement.is_some());
}

async fn repeated_attempt_stores_once(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::CardOnFile, None))
        .await;
    let attempt = checkout.agreeing(APPROVED, CONSENT);
    let first = checkout.pay_through(&attempt).await;
    let again = checkout.pay(&attempt).await;
    assert_eq!(first.payment, again.payment);
    let agreements = gateway.read(&gateway.merchant, "/v1/agreements").await;
    assert_eq!(agreements["data"].as_array().map(Vec::len), Some(1));
    assert!(id(&agreements["data"][0]).starts_with("agr_"));
}

on_both_databases! {
    approved_payment_stores_the_card_and_the_agreement,
    declined_payment_stores_nothing,
    consent_is_required_where_the_merchant_charges_again,
    consent_that_cannot_be_shown_is_rejected,
    saved_card_pays_the_next_order_without_typing,
    saved_card_can_make_a_subscription,
    saved_cards_of_others_are_unavailable,
    card_for_a_subscription_is_not_offered_to_the_shopper,
    body_names_a_card_or_an_instrument_and_not_both,
    agreement_leaves_only_the_card_as_method,
    repeated_attempt_stores_once,
}
