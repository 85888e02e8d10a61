//! `/v1/instruments`: saved cards, and news about them.

use crate::agreements::{agreed, agreed_by, charge, id};
use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use serde_json::{Value, json};
use verifier_server::instruments::updater;

/// A card that no persona has.
const PLAIN: &str = "4111111111111111";

async fn instruments_are_listed_and_filtered(gateway: &TestGateway) {
    let first = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let second = agreed_by(gateway, AgreementKind::CardOnFile, None, PLAIN).await;
    assert_ne!(first["instrument"], second["instrument"]);
    let customer = first["customer"].as_str().unwrap();
    let list = async |query: &str| {
        let page = gateway
            .read(&gateway.merchant, &format!("/v1/instruments{query}"))
            .await;
        let rows = page["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    let both = vec![second["instrument"].clone(), first["instrument"].clone()];
    assert_eq!(list("").await, both);
    assert_eq!(
        list(&format!("?customer={customer}&state=active")).await,
        both
    );
    assert_eq!(list("?state=closed").await, Vec::<Value>::new());
    assert_eq!(list("?limit=1").await, both[..1]);
    let after = both[0].as_str().unwrap();
    assert_eq!(list(&format!("?after={after}")).await, both[1..]);
    assert_eq!(
        list("?customer=cus_01kanar9g0000g40r40m30e209").await,
        Vec::<Value>::new()
    );
}

async fn default_instrument_is_one_of_the_customers_own(gateway: &TestGateway) {
    let agreement = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let path = format!("/v1/customers/{}", agreement["customer"].as_str().unwrap());
    let set = async |instrument: &str| {
        let body = json!({"default_instrument": instrument});
        let request = write(&gateway.merchant.api_key, &path, &key(), &body);
        gateway.send(request).await
    };
    let own = agreement["instrument"].as_str().unwrap();
    assert_eq!(set(own).await.json::<Value>()["default_instrument"], own);
    for bad in [
        "ins_01kanar9g0000g40r40m30e209",
        "1",
        "cus_01kanar9g0000g40r40m30e209",
    ] {
        set(bad).await.assert_refused(400, "invalid_parameter");
    }
    assert_eq!(
        set("").await.json::<Value>()["default_instrument"],
        Value::Null
    );
}

async fn replaced_card_is_updated_and_stays_chargeable(gateway: &TestGateway) {
    let agreement = agreed_by(gateway, AgreementKind::Subscription, None, PLAIN).await;
    let path = format!(
        "/v1/instruments/{}",
        agreement["instrument"].as_str().unwrap()
    );
    let before = gateway.read(&gateway.merchant, &path).await;
    let account = account_of(gateway).await;
    gateway
        .command(
            "POST",
            &format!("/sim/accounts/{account}/replace"),
            &json!({}),
        )
        .await;
    assert_eq!(updater::collect(&gateway.server.state.gateway).await, Ok(1));
    assert_eq!(updater::collect(&gateway.server.state.gateway).await, Ok(0));
    let after = gateway.read(&gateway.merchant, &path).await;
    assert_eq!(after["state"], "active");
    assert_ne!(after["card"]["last4"], before["card"]["last4"]);
    assert_ne!(after["card"]["fingerprint"], before["card"]["fingerprint"]);
    let events = gateway.events().await;
    let updated = events.last().unwrap();
    assert_eq!(updated["type"], "instrument.updated");
    let body = json!({"amount": 100, "order_ref": "renewal"});
    let payment: Value = charge(gateway, &agreement, &body).await.json();
    assert_eq!(payment["state"], "captured");
    assert_eq!(payment["card"]["last4"], after["card"]["last4"]);
}

async fn closed_account_closes_its_instrument(gateway: &TestGateway) {
    let agreement = agreed_by(gateway, AgreementKind::Subscription, None, PLAIN).await;
    let account = account_of(gateway).await;
    gateway
        .command(
            "POST",
            &format!("/sim/accounts/{account}/close"),
            &json!({}),
        )
        .await;
    assert_eq!(updater::collect(&gateway.server.state.gateway).await, Ok(1));
    let path = format!(
        "/v1/instruments/{}",
        agreement["instrument"].as_str().unwrap()
    );
    let closed = gateway.read(&gateway.merchant, &path).await;
    assert_eq!(closed["state"], "closed");
    let body = json!({"amount": 100, "order_ref": "renewal"});
    charge(gateway, &agreement, &body)
        .await
        .assert_refused(409, "instrument_unavailable");
    assert!(id(&closed).starts_with("ins_"));
}

/// The account of the only stored credential.
async fn account_of(gateway: &TestGateway) -> String {
    let rows = gateway
        .bank_rows("SELECT account FROM bank_credentials")
        .await;
    rows[0][0].clone()
}

on_both_databases! {
    instruments_are_listed_and_filtered,
    default_instrument_is_one_of_the_customers_own,
    replaced_card_is_updated_and_stays_chargeable,
    closed_account_closes_its_instrument,
}
