//! Rotation of an endpoint's secret with an overlap.

use super::receiver::{Endpoint, Reaction};
use super::{gateway, later, made, pay_for, post};
use harness::back_office::write;
use harness::webhook_receiver::Arrival;
use sealpay_protocol::webhook::{EndpointSecret, WebhookHeaders, verify_secret};
use serde_json::{Value, json};

pub(crate) fn fits(arrival: &Arrival, secret: &str) -> bool {
    let headers = WebhookHeaders {
        id: &arrival.id,
        timestamp: &arrival.timestamp,
        signature: &arrival.signature,
    };
    let secret = EndpointSecret::parse(secret).unwrap();
    let sent = arrival.timestamp.parse().unwrap();
    verify_secret(&headers, &arrival.body, &secret, sent).is_ok()
}

fn schemes(arrival: &Arrival) -> Vec<&str> {
    let signatures = arrival.signature.split(' ');
    signatures
        .filter_map(|s| Some(s.split_once(',')?.0))
        .collect()
}

#[tokio::test]
async fn previous_secret_signs_during_the_overlap() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, first) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    let path = format!("/v1/webhook-endpoints/{id}/rotate-secret");
    let _beside = gateway.run_beside();

    let body = json!({"overlap_seconds": 3600});
    let request = write(&merchant.api_key, &path, "rotate-1", &body);
    let answer = gateway.send(request.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let rotated: Value = answer.json();
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(rotated["previous_secret_until"], gateway.now() + 3600);
    assert!(
        !answer.text().contains(&first),
        "an old secret is told to nobody"
    );
    // The same request is answered the same, and does not rotate again.
    let again = gateway.send(request.clone()).await;
    assert_eq!((again.status, &again.body), (answer.status, &answer.body));
    gateway.move_clock(1);
    let now_ms = i64::try_from(gateway.now() * 1000).unwrap();
    let store = gateway.server.state.gateway.store();
    store.idempotency.purge_responses(now_ms).await.unwrap();
    let answered = gateway.send(request).await;
    let mut expected = rotated.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!(
        (answered.status, answered.json::<Value>()),
        (answer.status, expected),
        "after a day"
    );

    pay_for(&gateway, &merchant, None).await;
    let arrival = endpoint.wait_for(1).await.remove(0);
    assert_eq!(schemes(&arrival), ["v1a", "v1", "v1"]);
    assert!(fits(&arrival, &first) && fits(&arrival, &second));

    later(&gateway, 3600);
    pay_for(&gateway, &merchant, None).await;
    let arrival = endpoint.wait_for(2).await.remove(1);
    assert_eq!(schemes(&arrival), ["v1a", "v1"]);
    assert!(!fits(&arrival, &first) && fits(&arrival, &second));
    let read = format!("/v1/webhook-endpoints/{id}");
    let read: Value = gateway.read(&merchant, &read).await;
    assert_eq!(read["previous_secret_until"], Value::Null);

    // Without an overlap the old one is worthless at once.
    let answer = post(
        &gateway,
        &merchant.api_key,
        &path,
        &json!({"overlap_seconds": 0}),
    )
    .await;
    let third = answer.json::<Value>()["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    pay_for(&gateway, &merchant, None).await;
    let arrival = endpoint.wait_for(3).await.remove(2);
    assert!(!fits(&arrival, &second) && fits(&arrival, &third));
    gateway.finish().await;
}

#[tokio::test]
async fn secret_replaced_twice_no_longer_signs() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, first) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    let path = format!("/v1/webhook-endpoints/{id}/rotate-secret");
    let mut secrets = vec![first];
    for _ in 0..2 {
        let answer = post(&gateway, &merchant.api_key, &path, &json!({})).await;
        let rotated: Value = answer.json();
        assert_eq!(rotated["previous_secret_until"], gateway.now() + 86_400);
        secrets.push(rotated["secret"].as_str().unwrap().to_owned());
    }
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let arrival = endpoint.wait_for(1).await.remove(0);
    let fitting: Vec<_> = secrets
        .iter()
        .map(|secret| fits(&arrival, secret))
        .collect();
    assert_eq!(fitting, [false, true, true]);
    gateway.finish().await;
}
