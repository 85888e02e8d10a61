//! Every operation of the API against every scope, from one table.

use super::api_keys::key_for;
use crate::databases::on_both_databases;
use harness::client::Prepared;
use harness::gateway::{Answer, TestGateway};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use verifier_server::auth::scope::Scope;
use verifier_server::http::openapi;

on_both_databases! {
    every_operation_requires_exactly_its_scopes,
}

/// What a credential needs for an operation, whatever it is about.
#[derive(Debug, Deserialize)]
struct Row {
    operation: String,
    needs: Vec<String>,
    #[serde(default)]
    body: Value,
}

#[derive(Debug, Deserialize)]
struct Table {
    without_credentials: Vec<String>,
    with_scopes: Vec<Row>,
}

fn table() -> Table {
    serde_json::from_str(include_str!("scopes.json")).unwrap()
}

/// Every operation of the contract, and whether it asks for a credential.
fn operations() -> Vec<(String, bool)> {
    let contract: Value = serde_json::from_str(&openapi::document().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        let members = item.as_object().unwrap().iter();
        for (method, operation) in members.filter(|(name, _)| *name != "servers") {
            let name = format!("{} {path}", method.to_uppercase());
            let security = operation["security"].as_array();
            found.push((
                name,
                security.is_some_and(|schemes| {
                    // What the widget signs with is no credential of a merchant's.
                    schemes.iter().any(|scheme| scheme.get("api_key").is_some())
                }),
            ));
        }
    }
    found
}

#[test]
fn scope_table_names_every_operation_once() {
    let table = table();
    let named = table.without_credentials.iter().map(|name| (name, false));
    let named = named.chain(table.with_scopes.iter().map(|row| (&row.operation, true)));
    let named: Vec<_> = named.map(|(name, asks)| (name.clone(), asks)).collect();
    let (known, unique): (BTreeSet<_>, BTreeSet<_>) = (
        operations().into_iter().collect(),
        named.iter().cloned().collect(),
    );
    assert_eq!(named.len(), unique.len(), "an operation is named twice");
    assert_eq!(unique, known);
    for row in &table.with_scopes {
        assert!(!row.needs.is_empty(), "{row:?}");
    }
}

/// What stands in the places of a path: an endpoint and an event that there are, and a payment that
/// there is not. The scopes are asked for before anything is looked up.
struct Subjects {
    endpoint: String,
    event: String,
}

impl Subjects {
    fn request(&self, row: &Row, key: &str, number: usize) -> Prepared {
        let (method, path) = row.operation.split_once(' ').unwrap();
        let id = match path.split('/').nth(2) {
            Some("webhook-endpoints") => &self.endpoint,
            Some("events") => &self.event,
            _ => "pay_01jd0000000000000000000000",
        };
        let mut request = Prepared::get_of(&path.replace("{id}", id), Some(key));
        request.method = method.to_owned();
        if method != "GET" {
            request.set("idempotency-key", &format!("scopes-{number}"));
            request.set("content-type", "application/json");
            if !row.body.is_null() {
                request.body = row.body.to_string().into_bytes();
            }
        }
        request
    }
}

/// The scope that an answer says is missing; none when it is not a matter of scopes.
fn missing(answer: &Answer, what: &str) -> Option<String> {
    assert_ne!(answer.status, 401, "{what}: {}", answer.text());
    if answer.status != 403 {
        return None;
    }
    assert_eq!(answer.code(), "scope_missing", "{what}: {}", answer.text());
    let body: Value = answer.json();
    Some(body["param"].as_str().unwrap().to_owned())
}

async fn every_operation_requires_exactly_its_scopes(gateway: &TestGateway) {
    gateway
        .approved(sealpay_protocol::order::Capture::Automatic, 1000, |_| {})
        .await;
    let made = gateway
        .write(
            "/v1/webhook-endpoints",
            &json!({"url": "https://shop.example/webhooks"}),
        )
        .await;
    let events = gateway.get(
        "/v1/events?type=payment.captured",
        Some(&gateway.merchant.api_key),
    );
    let events: Value = events.await.json();
    let subjects = Subjects {
        endpoint: made.json::<Value>()["id"].as_str().unwrap().to_owned(),
        event: events["data"][0]["id"].as_str().unwrap().to_owned(),
    };
    let mut single = Vec::new();
    for scope in Scope::ALL {
        single.push((scope.name(), key_for(gateway, scope.name(), None).await.0));
    }
    let mut number = 0;
    let mut ask = async |row: &Row, key: &str, what: &str| {
        number += 1;
        let answer = gateway.send(subjects.request(row, key, number)).await;
        missing(&answer, &format!("{} by a key for {what}", row.operation))
    };
    // What deletes its subject comes last.
    let mut rows = table().with_scopes;
    rows.sort_by_key(|row| row.operation.starts_with("DELETE"));
    for row in &rows {
        let needed: BTreeSet<_> = row.needs.iter().map(String::as_str).collect();
        for (scope, key) in &single {
            let is_enough = needed == BTreeSet::from([*scope]);
            let missing = ask(row, key, scope).await;
            assert_eq!(
                missing.is_none(),
                is_enough,
                "{} {scope} {missing:?}",
                row.operation
            );
            let is_a_need = missing
                .as_deref()
                .is_none_or(|missing| needed.contains(missing));
            assert!(is_a_need, "{} asks for {missing:?}", row.operation);
        }
        // All of them but one: that one is named.
        for without in &needed {
            let others = Scope::ALL.map(Scope::name).into_iter();
            let others: Vec<_> = others.filter(|scope| scope != without).collect();
            let (key, _) = key_for(gateway, &others.join(","), None).await;
            let missing = ask(row, &key, &format!("all but {without}")).await;
            assert_eq!(missing.as_deref(), Some(*without), "{}", row.operation);
        }
        let (key, _) = key_for(gateway, &row.needs.join(","), None).await;
        assert_eq!(
            ask(row, &key, "all that it needs").await,
            None,
            "{}",
            row.operation
        );
        a_stranger_is_refused(gateway, &subjects, row).await;
    }
}

async fn a_stranger_is_refused(gateway: &TestGateway, subjects: &Subjects, row: &Row) {
    let stranger = subjects.request(row, "sk_test_none", 0);
    let answer = gateway.send(stranger).await;
    assert_eq!(answer.code(), "api_key_invalid", "{}", row.operation);
}
