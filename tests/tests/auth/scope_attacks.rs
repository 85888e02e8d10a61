//! Keys with few scopes gain nothing indirectly, through webhooks, events or stored responses.

use super::api_keys::key_for;
use crate::agreements::agreed;
use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};

on_both_databases! {
    webhook_write_scope_reads_no_events,
    endpoint_can_be_narrowed_without_the_scope_of_its_events,
    events_are_filtered_by_scope,
    stored_response_with_a_secret_is_replayed_only_to_its_credential,
    idempotency_keys_are_separate_per_credential,
}

const PATH: &str = "/v1/webhook-endpoints";

async fn written(gateway: &TestGateway, api_key: &str, path: &str, body: &Value) -> Answer {
    gateway.send(write(api_key, path, &key(), body)).await
}

fn assert_missing(answer: &Answer, scope: &str, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    let body: Value = answer.json();
    let said = (body["code"].as_str(), body["param"].as_str());
    assert_eq!(said, (Some("scope_missing"), Some(scope)), "{what}");
}

/// An endpoint of the whole merchant's making.
async fn endpoint(gateway: &TestGateway, body: &Value) -> String {
    let made = gateway.write(PATH, body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made: Value = made.json();
    format!("{PATH}/{}", made["id"].as_str().unwrap())
}

/// The newest event of a type.
async fn event(gateway: &TestGateway, kind: &str) -> String {
    let path = format!("/v1/events?type={kind}");
    let page = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
    let page: Value = page.json();
    page["data"][0]["id"].as_str().unwrap().to_owned()
}

async fn webhook_write_scope_reads_no_events(gateway: &TestGateway) {
    gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    let (thief, _) = key_for(gateway, "webhooks:write", None).await;
    let known = endpoint(gateway, &json!({"url": "https://shop.example/webhooks"})).await;
    let captured = event(gateway, "payment.captured").await;
    let evil = "https://evil.example/";
    let redeliver = format!("{known}/redeliver");
    let types = |types: &[&str]| json!({"url": evil, "event_types": types});
    let rows = [
        (PATH, json!({"url": evil}), "payments:read"),
        (PATH, types(&["payment.captured"]), "payments:read"),
        (PATH, types(&["dispute.opened"]), "payments:read"),
        (PATH, types(&["settlement.closed"]), "balance:read"),
        (PATH, types(&["payout.paid", "ping"]), "balance:read"),
        (PATH, types(&["webhook_endpoint.disabled"]), "events:read"),
        (&known, json!({"url": evil}), "payments:read"),
        (
            &redeliver,
            json!({"from": 0, "until": 4_102_444_800_u64}),
            "payments:read",
        ),
        (&redeliver, json!({"event": captured}), "payments:read"),
    ];
    for (path, body, scope) in rows {
        let answer = written(gateway, &thief, path, &body).await;
        assert_missing(&answer, scope, &format!("{path} {body}"));
    }
    // What is not there is not a matter of scopes.
    let none = json!({"event": "evt_01kanar9g0000g40r40m30e209"});
    assert_eq!(
        written(gateway, &thief, &redeliver, &none).await.code(),
        "not_found"
    );
    let rows = gateway.rows("SELECT COUNT(*) FROM webhook_endpoints WHERE url LIKE '%evil%'");
    assert_eq!(rows.await, [["0"]]);
    // A ping tells of the endpoint alone, so an endpoint for pings needs nothing more.
    let pings = written(gateway, &thief, PATH, &types(&["ping"])).await;
    assert_eq!(pings.status, 201, "{}", pings.text());
    let pings: Value = pings.json();
    let pings = format!("{PATH}/{}", pings["id"].as_str().unwrap());
    // And from there it does not get further.
    for types in [&["*"][..], &["ping", "payment.captured"]] {
        let wider = json!({"event_types": types});
        let answer = written(gateway, &thief, &pings, &wider).await;
        assert_missing(&answer, "payments:read", &wider.to_string());
    }
    let redeliver = format!("{pings}/redeliver");
    let answer = written(gateway, &thief, &redeliver, &json!({"event": captured})).await;
    assert_missing(&answer, "payments:read", "one event");
    let all = json!({"from": 0, "until": 4_102_444_800_u64});
    let answer = written(gateway, &thief, &redeliver, &all).await;
    let begun: Value = answer.json();
    assert_eq!(
        (answer.status.as_u16(), &begun["scheduled"]),
        (202, &0.into())
    );
}

async fn endpoint_can_be_narrowed_without_the_scope_of_its_events(gateway: &TestGateway) {
    let (writer, _) = key_for(gateway, "webhooks:write", None).await;
    let url = "https://shop.example/webhooks";
    let known = endpoint(gateway, &json!({"url": url})).await;
    for (body, is_allowed) in [
        (json!({"description": "the back office", "url": url}), true),
        (json!({"event_types": ["*"]}), true),
        (
            json!({"event_types": ["payment.captured", "payout.paid"]}),
            true,
        ),
        (json!({"event_types": ["payout.paid"]}), true),
        (json!({"event_types": ["payment.captured"]}), false),
        (json!({"state": "disabled"}), true),
        (json!({"state": "active"}), true),
    ] {
        let answer = written(gateway, &writer, &known, &body).await;
        assert_eq!(
            answer.status == 200,
            is_allowed,
            "{body}: {}",
            answer.text()
        );
    }
}

async fn events_are_filtered_by_scope(gateway: &TestGateway) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    let known = endpoint(gateway, &json!({"url": "https://shop.example/webhooks"})).await;
    gateway.write(&format!("{known}/ping"), &json!({})).await;
    agreed(gateway, AgreementKind::CardOnFile, None).await;
    let captured = event(gateway, "payment.captured").await;
    let (reader, _) = key_for(gateway, "events:read", None).await;
    let (both, _) = key_for(gateway, "events:read,payments:read", None).await;
    let families = async |key: &str, path: &str| {
        let page: Value = gateway.get(path, Some(key)).await.json();
        let events = page["data"].as_array().unwrap().iter();
        let kinds = events.map(|event| event["type"].as_str().unwrap().to_owned());
        let mut kinds: Vec<_> = kinds
            .map(|kind| kind.split('.').next().unwrap().to_owned())
            .collect();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    let sees = families(&reader, "/v1/events").await;
    assert_eq!(sees, ["ping", "webhook_endpoint"]);
    for (scope, family) in [
        ("customers:read", ["customer", "instrument"].as_slice()),
        ("agreements:read", &["agreement"]),
    ] {
        let (key, _) = key_for(gateway, &format!("events:read,{scope}"), None).await;
        let sees = families(&key, "/v1/events").await;
        let others = sees
            .iter()
            .filter(|kind| !["ping", "webhook_endpoint"].contains(&kind.as_str()));
        assert_eq!(others.collect::<Vec<_>>(), family, "{scope}");
    }
    let sees = families(&both, "/v1/events").await;
    assert!(
        sees.contains(&"ping".into()) && sees.contains(&"payment".into()),
        "{sees:?}"
    );
    let of_it = format!("/v1/events?subject={payment}");
    assert_eq!(families(&reader, &of_it).await, Vec::<String>::new());
    assert_eq!(families(&both, &of_it).await, ["payment"]);
    for (path, scope) in [
        (format!("/v1/events/{captured}"), "payments:read"),
        ("/v1/events?type=payment.captured".into(), "payments:read"),
        ("/v1/events?type=payout.paid".into(), "balance:read"),
    ] {
        assert_missing(&gateway.get(&path, Some(&reader)).await, scope, &path);
    }
    assert_eq!(
        gateway
            .get("/v1/events?type=ping", Some(&reader))
            .await
            .status,
        200
    );
}

async fn stored_response_with_a_secret_is_replayed_only_to_its_credential(gateway: &TestGateway) {
    let body = json!({"url": "https://shop.example/webhooks"});
    let (owner, other) = (
        &gateway.merchant.api_key,
        key_for(gateway, "*", None).await.0,
    );
    let asked = |key: &str| gateway.send(write(key, PATH, "setup-1", &body));
    let made: Value = asked(owner).await.json();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(asked(owner).await.json::<Value>(), made);
    // Another key of the merchant that guesses the name of the request: the same endpoint, and not
    // its secret.
    let seen = asked(&other).await;
    let body: Value = seen.json();
    assert_eq!((seen.status.as_u16(), &body["id"]), (201, &made["id"]));
    assert!(!seen.text().contains("whsec_"), "{}", seen.text());
    let rotate = format!("{PATH}/{}/rotate-secret", made["id"].as_str().unwrap());
    let rotated = |key: &str| gateway.send(write(key, &rotate, "rotate-1", &json!({})));
    let secret = rotated(owner).await.json::<Value>()["secret"].clone();
    assert!(secret.as_str().unwrap().starts_with("whsec_"));
    assert!(!rotated(&other).await.text().contains("whsec_"));
    assert_eq!(rotated(owner).await.json::<Value>()["secret"], secret);
}

/// Keys can be guessed where they are made from the number of an order.
async fn idempotency_keys_are_separate_per_credential(gateway: &TestGateway) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    let known = endpoint(gateway, &json!({"url": "https://shop.example/webhooks"})).await;
    let (weak, _) = key_for(gateway, "webhooks:write", None).await;
    let (whole, _) = key_for(gateway, "*", None).await;
    let refunds = format!("/v1/payments/{payment}/refunds");
    let burned = write(&weak, &known, "refund-1", &json!({}));
    assert_eq!(gateway.send(burned.clone()).await.status, 200);
    let refund = write(&whole, &refunds, "refund-1", &json!({"amount": 100}));
    let refunded: Value = gateway.send(refund).await.json();
    assert_eq!(refunded["state"], "succeeded", "{refunded}");
    // Each of them is still one request, also for the merchant's other credentials.
    let by_another = write(
        &gateway.merchant.api_key,
        &refunds,
        "refund-1",
        &json!({"amount": 100}),
    );
    let again: Value = gateway.send(by_another).await.json();
    assert_eq!(again["id"], refunded["id"], "{again}");
    assert_eq!(gateway.send(burned).await.status, 200);
    let other = write(&whole, &refunds, "refund-1", &json!({"amount": 200}));
    assert_eq!(gateway.send(other).await.code(), "idempotency_key_reused");
    // At the same moment too.
    let requests = (0..8).map(|place| {
        let by = if place % 2 == 0 {
            &whole
        } else {
            &gateway.merchant.api_key
        };
        write(by, &refunds, "refund-2", &json!({"amount": 100}))
    });
    let answers = gateway.send_together(requests.collect()).await;
    let made: std::collections::BTreeSet<_> = answers
        .iter()
        .filter(|answer| answer.status.is_success())
        .map(|answer| answer.json::<Value>()["id"].to_string())
        .collect();
    assert_eq!(made.len(), 1, "{made:?}");
}
