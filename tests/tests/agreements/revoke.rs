//! The end of agreements: by the merchant, by the shopper, with the instrument or the customer.

use super::{CUSTOMER, agreed, charge, checkout_again, id};
use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::client::Prepared;
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::api::InstrumentsView;
use serde_json::{Value, json};
use verifier_server::instruments::revocation::revoke_due;

pub(crate) fn delete(gateway: &TestGateway, path: &str, key: &str) -> Prepared {
    let mut request = write(&gateway.merchant.api_key, path, key, &json!({}));
    request.method = "DELETE".into();
    request
}

async fn revoke(gateway: &TestGateway, agreement: &Value) -> Answer {
    let path = format!("/v1/agreements/{}/revoke", id(agreement));
    let request = write(&gateway.merchant.api_key, &path, &key(), &json!({}));
    gateway.send(request).await
}

async fn read(gateway: &TestGateway, path: &str, member: &Value) -> Value {
    let path = format!("{path}/{}", member.as_str().unwrap());
    gateway.read(&gateway.merchant, &path).await
}

/// The credentials that the bank would still charge.
async fn credentials(gateway: &TestGateway) -> usize {
    let sql = "SELECT reference FROM bank_credentials WHERE revoked_at_ms IS NULL";
    gateway.bank_rows(sql).await.len()
}

async fn revoked_agreement_is_not_charged(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, None).await;
    assert_eq!(credentials(gateway).await, 1);
    let revoked: Value = revoke(gateway, &agreement).await.json();
    assert_eq!(revoked["state"], "revoked");
    let body = json!({"amount": 1, "order_ref": "renewal"});
    charge(gateway, &agreement, &body)
        .await
        .assert_refused(409, "agreement_inactive");
    revoke(gateway, &agreement)
        .await
        .assert_refused(409, "state_conflict");
    // It was the only one of its card, so the bank deletes the credential.
    let instrument = read(gateway, "/v1/instruments", &agreement["instrument"]).await;
    assert_eq!(instrument["state"], "detached");
    assert_eq!(revoke_due(&gateway.server.state.gateway).await, Ok(1));
    assert_eq!(credentials(gateway).await, 0);
    let events = gateway.events().await;
    let last: Vec<_> = events
        .iter()
        .rev()
        .take(2)
        .map(|event| &event["type"])
        .collect();
    assert!(last.contains(&&json!("agreement.revoked")), "{last:?}");
    assert!(last.contains(&&json!("instrument.detached")), "{last:?}");
}

async fn repeated_revocation_has_the_same_response(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, None).await;
    let path = format!("/v1/agreements/{}/revoke", id(&agreement));
    let key = key();
    let request = || write(&gateway.merchant.api_key, &path, &key, &json!({}));
    let answers = gateway
        .send_together((0..6).map(|_| request()).collect())
        .await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json::<Value>()["state"], "revoked");
    }
    let events = gateway.events().await;
    let revoked = events
        .iter()
        .filter(|event| event["type"] == "agreement.revoked");
    assert_eq!(revoked.count(), 1);
}

async fn shopper_removes_a_saved_card_and_the_subscription_stays(gateway: &TestGateway) {
    let subscription = agreed(gateway, AgreementKind::Subscription, None).await;
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    assert_eq!(subscription["instrument"], on_file["instrument"]);
    let checkout = checkout_again(gateway).await;
    let saved = checkout.session.instruments[0].id;
    let left: InstrumentsView = gateway.send(checkout.remove(saved)).await.json();
    assert!(left.instruments.is_empty());
    checkout
        .send(&checkout.by_saved(saved, None))
        .await
        .assert_refused(409, "instrument_unavailable");
    let on_file = read(gateway, "/v1/agreements", &on_file["id"]).await;
    assert_eq!(on_file["state"], "revoked");
    let body = json!({"amount": 1, "order_ref": "renewal"});
    let payment: Value = charge(gateway, &subscription, &body).await.json();
    assert_eq!(payment["state"], "captured", "{payment}");
    gateway
        .send(checkout.remove(saved))
        .await
        .assert_refused(409, "instrument_unavailable");
}

async fn detached_instrument_ends_all_its_agreements(gateway: &TestGateway) {
    let subscription = agreed(gateway, AgreementKind::Subscription, None).await;
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let path = format!(
        "/v1/instruments/{}",
        on_file["instrument"].as_str().unwrap()
    );
    let key = key();
    for _ in 0..2 {
        let answer = gateway.send(delete(gateway, &path, &key)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json::<Value>()["state"], "detached");
    }
    for agreement in [subscription, on_file] {
        let agreement = read(gateway, "/v1/agreements", &agreement["id"]).await;
        assert_eq!(agreement["state"], "revoked");
    }
    let foreign = gateway.register(None).await;
    let mut request = delete(gateway, &path, "another");
    request.set("authorization", &format!("Bearer {}", foreign.api_key));
    gateway.send(request).await.assert_refused(404, "not_found");
}

async fn erased_customer_leaves_the_books_and_nothing_personal(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::Subscription, None).await;
    let path = format!("/v1/customers/{}", agreement["customer"].as_str().unwrap());
    let named = json!({
        "email": "ada@example.com", "name": "Ada Lovelace", "locale": "en-GB",
        "time_zone": "Europe/London",
    });
    let named = write(&gateway.merchant.api_key, &path, &key(), &named);
    let named: Value = gateway.send(named).await.json();
    assert_eq!(named["name"], "Ada Lovelace");

    let answer = gateway.send(delete(gateway, &path, &key())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let erased: Value = answer.json();
    for member in ["reference", "email", "name", "locale", "default_instrument"] {
        assert_eq!(erased[member], Value::Null, "{member}");
    }
    assert!(erased["erased_at"].is_u64());
    let agreement = read(gateway, "/v1/agreements", &agreement["id"]).await;
    assert_eq!(agreement["state"], "revoked");
    let payment = gateway
        .payment(agreement["first_payment"].as_str().unwrap())
        .await;
    assert_eq!(payment["state"], "captured");
    revoke_due(&gateway.server.state.gateway).await.unwrap();
    assert_eq!(credentials(gateway).await, 0);
    for table in [
        "customers",
        "events",
        "instruments",
        "agreements",
        "sessions",
        "payments",
    ] {
        let rows = gateway.rows(&format!("SELECT * FROM {table}")).await;
        let rows = format!("{rows:?}");
        for personal in ["Lovelace", "ada@example", CUSTOMER] {
            assert!(!rows.contains(personal), "{personal} is in {table}");
        }
    }
    let again = write(
        &gateway.merchant.api_key,
        &path,
        &key(),
        &json!({"name": "Ada"}),
    );
    gateway
        .send(again)
        .await
        .assert_refused(409, "state_conflict");
    // The same shopper comes back as somebody new.
    let checkout = checkout_again(gateway).await;
    assert!(checkout.session.instruments.is_empty());
}

async fn charges_and_revocations_at_the_same_time_have_one_order(gateway: &TestGateway) {
    for _ in 0..6 {
        let agreement = agreed(gateway, AgreementKind::Unscheduled, None).await;
        let charges = format!("/v1/agreements/{}/payments", id(&agreement));
        let revoke = format!("/v1/agreements/{}/revoke", id(&agreement));
        let api_key = &gateway.merchant.api_key;
        let body = json!({"amount": 5, "order_ref": "race"});
        let mut requests = vec![write(api_key, &revoke, &key(), &json!({}))];
        requests.extend((0..4).map(|_| write(api_key, &charges, &key(), &body)));
        let answers = gateway.send_together(requests).await;
        assert_eq!(answers[0].status, 200, "{}", answers[0].text());
        for answer in &answers[1..] {
            match answer.status.as_u16() {
                201 => {
                    let payment: Value = answer.json();
                    assert!(["captured", "declined"].contains(&payment["state"].as_str().unwrap()));
                }
                409 => assert_eq!(answer.code(), "agreement_inactive"),
                _ => panic!("{}", answer.text()),
            }
        }
        charge(gateway, &agreement, &body)
            .await
            .assert_refused(409, "agreement_inactive");
    }
}

on_both_databases! {
    revoked_agreement_is_not_charged,
    repeated_revocation_has_the_same_response,
    shopper_removes_a_saved_card_and_the_subscription_stays,
    detached_instrument_ends_all_its_agreements,
    erased_customer_leaves_the_books_and_nothing_personal,
    charges_and_revocations_at_the_same_time_have_one_order,
}
