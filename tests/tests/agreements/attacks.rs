//! Agreements and saved cards that change while a payment is under way, and requests that try to
//! bring back what is gone.

use super::revoke::delete;
use super::{CONSENT, agreed, agreed_by, agreeing, charged, checkout_again, id};
use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::checkout::{Attempt, Checkout, simulate};
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::api::{PaymentView, ShopperState};
use serde_json::{Value, json};
use verifier_server::instruments::updater;

/// A card that no persona has.
const PLAIN: &str = "4111111111111111";
/// Its issuer does not authenticate, and accepts the attempt.
const ATTEMPTED: &str = "4000007020000003";

async fn read(gateway: &TestGateway, path: &str, member: &Value) -> Value {
    let path = format!("{path}/{}", member.as_str().expect("an id"));
    gateway.read(&gateway.merchant, &path).await
}

/// A checkout that subscribes with the saved card, up to the code.
async fn subscribing_with_saved(gateway: &TestGateway) -> (Checkout<'_>, Attempt, PaymentView) {
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::Subscription, None))
        .await;
    let saved = checkout.session.instruments[0].id;
    let attempt = checkout.by_saved(saved, Some(CONSENT));
    let asked = checkout.pay(&attempt).await;
    assert_eq!(asked.state, ShopperState::RequiresAction);
    (checkout, attempt, asked)
}

async fn type_code(gateway: &TestGateway, checkout: &Checkout<'_>, asked: &PaymentView) {
    let code = gateway.newest_code().await;
    checkout.type_code(asked.payment, &code).await;
}

async fn card_stored_again_leaves_older_agreements_chargeable(gateway: &TestGateway) {
    let subscription = agreed(gateway, AgreementKind::Subscription, None).await;
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    assert_eq!(subscription["instrument"], on_file["instrument"]);
    for agreement in [
        &subscription,
        &agreed(gateway, AgreementKind::Instalment, None).await,
    ] {
        let payment = charged(gateway, agreement, 100).await;
        assert_eq!(payment["state"], "captured", "{payment}");
    }
}

async fn card_replaced_during_the_challenge_stays_replaced(gateway: &TestGateway) {
    let on_file = agreed_by(gateway, AgreementKind::CardOnFile, None, PLAIN).await;
    let (checkout, attempt, asked) = subscribing_with_saved(gateway).await;
    let code = gateway.newest_code().await;
    let account = gateway
        .bank_rows("SELECT account FROM bank_credentials")
        .await;
    let path = format!("/sim/accounts/{}/replace", account[0][0]);
    gateway.command("POST", &path, &json!({})).await;
    updater::collect(&gateway.server.state.gateway)
        .await
        .unwrap();
    let replaced = read(gateway, "/v1/instruments", &on_file["instrument"]).await;
    // The old number is stored as another card of the customer.
    agreed_by(gateway, AgreementKind::CardOnFile, None, PLAIN).await;
    checkout.type_code(asked.payment, &code).await;
    let paid = checkout.pay(&attempt).await;
    assert_eq!(paid.state, ShopperState::Captured, "{paid:?}");
    let instrument = read(gateway, "/v1/instruments", &on_file["instrument"]).await;
    assert_eq!(instrument["card"], replaced["card"]);
    let payment = gateway.payment(paid.payment).await;
    let agreement = read(gateway, "/v1/agreements", &payment["agreement"]).await;
    assert_eq!(agreement["instrument"], on_file["instrument"]);
}

async fn customer_named_like_another_is_erased_like_any(gateway: &TestGateway) {
    let made = gateway
        .write("/v1/customers", &json!({"reference": "first"}))
        .await;
    let first: Value = made.json();
    let second = json!({"reference": id(&first)});
    assert_eq!(gateway.write("/v1/customers", &second).await.status, 201);
    let path = format!("/v1/customers/{}", id(&first));
    let erased = gateway.send(delete(gateway, &path, &key())).await;
    assert_eq!(erased.status, 200, "{}", erased.text());
    // An order that names the erased one finds the other.
    let checkout = gateway
        .checkout(|claims| {
            agreeing(claims, AgreementKind::Subscription, None);
            claims.customer = Some(id(&first).to_owned());
        })
        .await;
    let paid = checkout
        .pay_through(&checkout.agreeing(APPROVED, CONSENT))
        .await;
    let payment = gateway.payment(paid.payment).await;
    let agreement = read(gateway, "/v1/agreements", &payment["agreement"]).await;
    assert_ne!(agreement["customer"], first["id"]);
}

async fn repeated_attempt_brings_no_erased_customer_back(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::Subscription, None))
        .await;
    let attempt = checkout.agreeing(APPROVED, CONSENT);
    let paid = checkout.pay_through(&attempt).await;
    let payment = gateway.payment(paid.payment).await;
    let agreement = read(gateway, "/v1/agreements", &payment["agreement"]).await;
    let path = format!("/v1/customers/{}", agreement["customer"].as_str().unwrap());
    gateway.send(delete(gateway, &path, &key())).await;
    assert_eq!(checkout.pay(&attempt).await.payment, paid.payment);
    let customers = gateway.read(&gateway.merchant, "/v1/customers").await;
    let customers = customers["data"].as_array().unwrap();
    assert_eq!(customers.len(), 1, "{customers:?}");
    assert!(customers[0]["erased_at"].is_u64());
}

async fn customer_erased_during_the_challenge_gets_no_agreement(gateway: &TestGateway) {
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::Subscription, None))
        .await;
    let attempt = checkout.agreeing(PLAIN, CONSENT);
    let asked = checkout.pay(&attempt).await;
    let path = format!("/v1/customers/{}", on_file["customer"].as_str().unwrap());
    gateway.send(delete(gateway, &path, &key())).await;
    type_code(gateway, &checkout, &asked).await;
    let paid = checkout.pay(&attempt).await;
    assert_eq!(paid.state, ShopperState::Captured, "{paid:?}");
    assert_eq!(
        gateway.payment(paid.payment).await["agreement"],
        Value::Null
    );
}

async fn instrument_detached_while_its_payment_is_unknown_stays_detached(gateway: &TestGateway) {
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let checkout = gateway
        .checkout(|claims| {
            agreeing(claims, AgreementKind::Subscription, None);
            simulate(claims, "response_lost");
        })
        .await;
    let saved = checkout.session.instruments[0].id;
    let attempt = checkout.by_saved(saved, Some(CONSENT));
    let unknown = checkout.pay_through(&attempt).await;
    assert_eq!(unknown.state, ShopperState::Unknown, "{unknown:?}");
    let path = format!("/v1/instruments/{saved}");
    gateway.send(delete(gateway, &path, &key())).await;
    gateway.pass(60).await;
    let payment = gateway.payment(unknown.payment).await;
    assert_eq!(payment["state"], "captured");
    assert_eq!(payment["agreement"], Value::Null);
    let instrument = read(gateway, "/v1/instruments", &on_file["instrument"]).await;
    assert_eq!(instrument["state"], "detached");
}

async fn saved_card_removed_meanwhile_ends_the_attempt_and_no_paid_one(gateway: &TestGateway) {
    agreed(gateway, AgreementKind::CardOnFile, None).await;
    let paid_by = checkout_again(gateway).await;
    let saved = paid_by.session.instruments[0].id;
    let attempt = paid_by.by_saved(saved, None);
    let paid = paid_by.pay_through(&attempt).await;
    let (checkout, waiting, asked) = subscribing_with_saved(gateway).await;
    gateway.send(checkout.remove(saved)).await;
    // What was paid stays paid.
    let again = paid_by.pay(&attempt).await;
    assert_eq!(
        (again.payment, again.state),
        (paid.payment, ShopperState::Captured)
    );
    type_code(gateway, &checkout, &asked).await;
    let ended = checkout.pay(&waiting).await;
    assert_eq!(ended.state, ShopperState::Declined, "{ended:?}");
    let other = checkout
        .pay_through(&checkout.agreeing(APPROVED, CONSENT))
        .await;
    assert_eq!(other.state, ShopperState::Captured);
}

async fn card_is_not_stored_without_authentication(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::Subscription, None))
        .await;
    let declined = checkout
        .pay_through(&checkout.agreeing(ATTEMPTED, CONSENT))
        .await;
    assert_eq!(declined.state, ShopperState::Declined);
    let payment = gateway.payment(declined.payment).await;
    assert_eq!(payment["decline"]["code"], "threeds_failed");
    let checkout = gateway
        .checkout(|claims| agreeing(claims, AgreementKind::CardOnFile, None))
        .await;
    let paid = checkout
        .pay_through(&checkout.agreeing(ATTEMPTED, CONSENT))
        .await;
    assert_eq!(paid.state, ShopperState::Captured);
    assert_eq!(
        gateway.payment(paid.payment).await["agreement"],
        Value::Null
    );
}

async fn card_saved_in_several_sessions_at_once_is_recorded_by_all(gateway: &TestGateway) {
    let mut ready = Vec::new();
    for _ in 0..4 {
        let checkout = gateway
            .checkout(|claims| agreeing(claims, AgreementKind::Subscription, None))
            .await;
        let attempt = checkout.agreeing(APPROVED, CONSENT);
        let asked = checkout.pay(&attempt).await;
        type_code(gateway, &checkout, &asked).await;
        ready.push((checkout, attempt));
    }
    let requests = ready
        .iter()
        .map(|(checkout, attempt)| checkout.request(attempt));
    for answer in gateway.send_together(requests.collect()).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let paid: PaymentView = answer.json();
        let payment = gateway.payment(paid.payment).await;
        assert!(payment["agreement"].is_string(), "{payment}");
        let agreement = read(gateway, "/v1/agreements", &payment["agreement"]).await;
        let payment = charged(gateway, &agreement, 5).await;
        assert_eq!(payment["state"], "captured", "{payment}");
    }
}

async fn detached_instrument_is_no_default_and_its_key_is_checked(gateway: &TestGateway) {
    let on_file = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let customer = format!("/v1/customers/{}", on_file["customer"].as_str().unwrap());
    let default = json!({"default_instrument": on_file["instrument"]});
    let used = key();
    let request = write(&gateway.merchant.api_key, &customer, &used, &default);
    assert_eq!(gateway.send(request).await.status, 200);
    let path = format!(
        "/v1/instruments/{}",
        on_file["instrument"].as_str().unwrap()
    );
    gateway.send(delete(gateway, &path, &key())).await;
    let customer = gateway.read(&gateway.merchant, &customer).await;
    assert_eq!(customer["default_instrument"], Value::Null);
    let reused = gateway.send(delete(gateway, &path, &used)).await;
    reused.assert_refused(409, "idempotency_key_reused");
}

on_both_databases! {
    card_stored_again_leaves_older_agreements_chargeable,
    card_replaced_during_the_challenge_stays_replaced,
    customer_named_like_another_is_erased_like_any,
    repeated_attempt_brings_no_erased_customer_back,
    customer_erased_during_the_challenge_gets_no_agreement,
    instrument_detached_while_its_payment_is_unknown_stays_detached,
    saved_card_removed_meanwhile_ends_the_attempt_and_no_paid_one,
    card_is_not_stored_without_authentication,
    card_saved_in_several_sessions_at_once_is_recorded_by_all,
    detached_instrument_is_no_default_and_its_key_is_checked,
}
