//! Mandates that are charged again, disputed, revoked, or lapse.

use super::{CONSENT, CREDITOR, DAY, days, from, ledger_balances, name_creditor, under_mandate};
use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::api::ShopperState;
use serde_json::{Value, json};

on_both_databases! {
    mandate_is_charged_again_until_it_is_revoked,
    disputed_mandate_permits_no_more_collections,
    mandate_lapses_without_collections,
}

/// A pending payment under a mandate, and the mandate.
pub(crate) async fn signed(
    gateway: &TestGateway,
    debtor: &str,
    kind: AgreementKind,
) -> (Value, Value) {
    name_creditor(gateway).await;
    let checkout = gateway.checkout(|claims| under_mandate(claims, kind)).await;
    let view = checkout.pay(&from(debtor)).await;
    assert_eq!(view.state, ShopperState::Pending, "{view:?}");
    let payment = gateway.payment(view.payment).await;
    let id = payment["agreement"].as_str().expect("a mandate");
    let path = format!("/v1/agreements/{id}");
    let agreement = gateway.read(&gateway.merchant, &path).await;
    (payment, agreement)
}

async fn charge(gateway: &TestGateway, agreement: &Value, amount: i64) -> Answer {
    let id = agreement["id"].as_str().unwrap();
    let path = format!("/v1/agreements/{id}/payments");
    let body = json!({"amount": amount, "order_ref": "renewal"});
    let request = write(&gateway.merchant.api_key, &path, &key(), &body);
    gateway.send(request).await
}

async fn mandate_is_charged_again_until_it_is_revoked(gateway: &TestGateway) {
    let (payment, agreement) = signed(gateway, "settles", AgreementKind::SddB2b).await;
    assert_eq!(payment["direct_debit"]["sequence_type"], "FRST");
    assert_eq!(payment["direct_debit"]["scheme"], "b2b");
    assert_eq!(agreement["type"], "sdd_b2b");
    assert_eq!(agreement["mandate"]["creditor"], CREDITOR);
    assert_eq!(
        agreement["mandate"]["reference"],
        payment["direct_debit"]["mandate"]
    );
    assert_eq!(agreement["consent"]["text"], CONSENT);
    let instrument = agreement["instrument"].as_str().unwrap();
    let path = format!("/v1/instruments/{instrument}");
    let instrument = gateway.read(&gateway.merchant, &path).await;
    assert_eq!(instrument["method"], "sepa_debit");
    assert_eq!(instrument["card"], Value::Null);
    assert_eq!(instrument["sepa_debit"]["last4"], "0001");

    charge(gateway, &agreement, 901)
        .await
        .assert_refused(422, "agreement_maximum_exceeded");
    let answer = charge(gateway, &agreement, 900).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let later: Value = answer.json();
    assert_eq!(later["state"], "pending", "{later}");
    assert_eq!(later["initiator"], "merchant");
    assert_eq!(later["direct_debit"]["sequence_type"], "RCUR");
    let (first, second) = (
        payment["direct_debit"]["collection_date"].as_str(),
        later["direct_debit"]["collection_date"].as_str(),
    );
    assert!(first < second, "{first:?} {second:?}");
    days(gateway, 21).await;
    let later = gateway.payment(later["id"].as_str().unwrap()).await;
    assert_eq!(later["state"], "captured", "{later}");

    let path = format!(
        "/v1/agreements/{}/revoke",
        agreement["id"].as_str().unwrap()
    );
    let revoke = write(&gateway.merchant.api_key, &path, &key(), &json!({}));
    assert_eq!(gateway.send(revoke).await.status, 200);
    charge(gateway, &agreement, 900)
        .await
        .assert_refused(409, "agreement_inactive");
    ledger_balances(gateway).await;
}

async fn disputed_mandate_permits_no_more_collections(gateway: &TestGateway) {
    let (payment, agreement) = signed(gateway, "unauthorized", AgreementKind::SddCore).await;
    gateway.pass(10 * DAY).await;
    gateway.pass(360 * DAY).await;
    let payment = gateway.payment(payment["id"].as_str().unwrap()).await;
    assert_eq!(payment["state"], "returned", "{payment}");
    assert_eq!(payment["direct_debit"]["reversal"]["type"], "refund");
    assert_eq!(payment["direct_debit"]["reversal"]["code"], "MD01");
    charge(gateway, &agreement, 900)
        .await
        .assert_refused(409, "agreement_inactive");
    ledger_balances(gateway).await;
}

async fn mandate_lapses_without_collections(gateway: &TestGateway) {
    let (_, agreement) = signed(gateway, "settles", AgreementKind::SddCore).await;
    gateway.pass(3 * 366 * DAY).await;
    gateway.pass(10 * DAY).await;
    let path = format!("/v1/agreements/{}", agreement["id"].as_str().unwrap());
    let agreement = gateway.read(&gateway.merchant, &path).await;
    assert_eq!(agreement["state"], "revoked", "{agreement}");
    charge(gateway, &agreement, 900)
        .await
        .assert_refused(409, "agreement_inactive");
}
