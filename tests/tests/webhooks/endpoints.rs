//! Creating, changing and deleting endpoints.

use super::receiver::{Endpoint, Reaction};
use super::{deliveries_of, deliveries_when, gateway, made, pay_for, post};
use harness::back_office::{key, write};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/v1/webhook-endpoints";

#[tokio::test]
async fn endpoint_is_created_once_per_key_and_shows_its_secret_once() {
    let gateway = gateway().await;
    let merchant = gateway.register(None).await;
    let body = json!({"url": "https://shop.example/webhooks", "description": "Lager",
        "event_types": ["payment.refunded", "payment.captured"]});
    let request = write(&merchant.api_key, PATH, "make-1", &body);
    let answers = gateway.send_together(vec![request.clone(); 4]).await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.body, answers[0].body, "one endpoint, one secret");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let mut made: Value = answers[0].json();
    let secret = made["secret"].take();
    let secret = secret.as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let id = made["id"].as_str().unwrap().to_owned();
    let expected = json!({"id": id, "url": "https://shop.example/webhooks", "description": "Lager",
        "event_types": ["payment.captured", "payment.refunded"], "state": "pending_verification",
        "verified_at": null, "next_verification_at": made["created_at"], "verification_error": null,
        "created_by": made["created_by"], "failing_since": null, "disabled_at": null, "previous_secret_until": null,
        "created_at": made["created_at"], "secret": null});
    assert_eq!(made, expected);
    let other = write(
        &merchant.api_key,
        PATH,
        "make-1",
        &json!({"url": "https://x.example/"}),
    );
    assert_eq!(gateway.send(other).await.code(), "idempotency_key_reused");

    let listed = gateway.get(PATH, Some(&merchant.api_key)).await;
    let one = gateway
        .get(&format!("{PATH}/{id}"), Some(&merchant.api_key))
        .await;
    made.as_object_mut().unwrap().remove("secret");
    assert_eq!(
        listed.json::<Value>(),
        json!({"data": [made], "has_more": false})
    );
    assert_eq!(one.json::<Value>(), made);
    for answer in [listed, one] {
        assert!(!answer.text().contains("whsec_"));
    }
    // What is kept of the answer is not the answer.
    let kept = gateway
        .rows("SELECT response FROM idempotent_requests")
        .await;
    assert_eq!(kept.len(), 1);
    assert!(!kept[0][0].contains("whsec_") && kept[0][0].len() > 100);
    // After a day nothing is, and the same request is answered without the secret.
    gateway.move_clock(1);
    let now_ms = i64::try_from(gateway.now() * 1000).unwrap();
    let store = gateway.server.state.gateway.store();
    assert_eq!(store.idempotency.purge_responses(now_ms).await, Ok(1));
    let later = gateway.send(request).await;
    assert_eq!((later.status.as_u16(), later.json::<Value>()), (201, made));
    gateway.finish().await;
}

#[tokio::test]
async fn endpoint_gets_only_subscribed_event_types() {
    let gateway = gateway().await;
    let (all, some, none) = (
        Endpoint::start(vec![Reaction::Status(200)]).await,
        Endpoint::start(vec![Reaction::Status(200)]).await,
        Endpoint::start(vec![Reaction::Status(200)]).await,
    );
    let merchant = gateway.register(None).await;
    made(&gateway, &merchant, &all, &["*"]).await;
    made(
        &gateway,
        &merchant,
        &some,
        &["payment.declined", "payment.voided"],
    )
    .await;
    made(&gateway, &merchant, &none, &["payment.void_failed"]).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    pay_for(&gateway, &merchant, Some("insufficient_funds")).await;
    // Two of payments, and that the merchant's other two endpoints were made.
    all.wait_for(4).await;
    let told = some.wait_for(1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let counts = [&all, &some, &none].map(|endpoint| endpoint.arrivals().len());
    assert_eq!(counts, [4, 1, 0]);
    let body: Value = serde_json::from_slice(&told[0].body).unwrap();
    assert_eq!(body["type"], "payment.declined");
    assert_eq!(body["version"], "1");
    gateway.finish().await;
}

#[tokio::test]
async fn endpoint_changes_apply_to_later_events() {
    let gateway = gateway().await;
    let (before, after) = (
        Endpoint::start(vec![Reaction::Status(200)]).await,
        Endpoint::start(vec![Reaction::Status(200)]).await,
    );
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &before, &["*"]).await;
    let path = format!("{PATH}/{id}");
    let body = json!({"url": after.url(), "event_types": ["payment.captured"]});
    let request = write(&merchant.api_key, &path, "change-1", &body);
    let changed: Value = gateway.send(request.clone()).await.json();
    assert_eq!(changed["url"], after.url());
    assert_eq!(changed["event_types"], json!(["payment.captured"]));
    assert_eq!(changed["description"], "");
    let described = json!({"description": "only this"});
    let described: Value = post(&gateway, &merchant.api_key, &path, &described)
        .await
        .json();
    assert_eq!(described["url"], after.url(), "what is left out stays");
    assert_eq!(described["description"], "only this");
    // A repetition changes nothing back and tells how it is now.
    let again: Value = gateway.send(request).await.json();
    assert_eq!(again, described);

    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    after.wait_for(1).await;
    let off = json!({"state": "disabled"});
    let off: Value = post(&gateway, &merchant.api_key, &path, &off).await.json();
    assert_eq!(off["state"], "disabled");
    assert_eq!(off["disabled_at"], gateway.now());
    pay_for(&gateway, &merchant, None).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let left = before.arrivals();
    let left: Value = serde_json::from_slice(&left[0].body).unwrap();
    assert_eq!(left["type"], "webhook_endpoint.updated", "it is told once");
    assert_eq!((before.arrivals().len(), after.arrivals().len()), (1, 1));
    gateway.finish().await;
}

#[tokio::test]
async fn deleted_endpoint_loses_its_secret_and_pending_deliveries() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(500)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    pay_for(&gateway, &merchant, None).await;
    let path = format!("{PATH}/{id}");
    let mut request = write(&merchant.api_key, &path, "delete-1", &Value::Null);
    request.method = "DELETE".into();
    request.body.clear();
    for _ in 0..2 {
        let answer = gateway.send(request.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    }
    request.set("idempotency-key", &key());
    assert_eq!(gateway.send(request).await.code(), "not_found");
    for path in [&path, &format!("{path}/deliveries")] {
        let answer = gateway.get(path, Some(&merchant.api_key)).await;
        assert_eq!(answer.code(), "not_found", "{path}");
    }
    let listed: Value = gateway.read(&merchant, PATH).await;
    assert_eq!(listed["data"], json!([]));
    let kept = gateway
        .rows("SELECT secret_encrypted FROM webhook_endpoints WHERE deleted_at_ms > 0")
        .await;
    assert_eq!(kept, [[""]]);
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(endpoint.connections(), 0);
    gateway.finish().await;
}

#[tokio::test]
async fn ping_goes_to_one_endpoint_regardless_of_subscriptions() {
    let gateway = gateway().await;
    let (pinged, other) = (
        Endpoint::start(vec![Reaction::Status(204)]).await,
        Endpoint::start(vec![Reaction::Status(204)]).await,
    );
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &pinged, &["payment.voided"]).await;
    made(&gateway, &merchant, &other, &["*"]).await;
    let _beside = gateway.run_beside();
    let path = format!("{PATH}/{id}/ping");
    let request = write(&merchant.api_key, &path, "ping-1", &json!({}));
    let answers = gateway.send_together(vec![request; 3]).await;
    let events: Vec<Value> = answers
        .iter()
        .map(|answer| answer.json::<Value>()["id"].take())
        .collect();
    assert!(events.iter().all(|event| *event == events[0]), "{events:?}");
    assert_eq!(answers[0].status, 202);
    let arrival = pinged.wait_for(1).await.remove(0);
    assert_eq!(events[0], arrival.id.as_str());
    let body: Value = serde_json::from_slice(&arrival.body).unwrap();
    assert_eq!(body["type"], "ping");
    assert_eq!(body["data"]["webhook_endpoint"]["id"], id.as_str());
    let delivered = |rows: &Value| rows[0]["state"] == "delivered";
    deliveries_when(&gateway, &merchant, &id, delivered).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((pinged.arrivals().len(), other.arrivals().len()), (1, 0));
    let different: Vec<_> = (0..4)
        .map(|_| write(&merchant.api_key, &path, &key(), &json!({})))
        .collect();
    for answer in gateway.send_together(different).await {
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    pinged.wait_for(5).await;
    let rows = deliveries_of(&gateway, &merchant, &id).await;
    assert_eq!(rows.as_array().map(Vec::len), Some(5));
    gateway.finish().await;
}
