//! Whoever redirects a merchant's webhooks cannot do it unseen: the other endpoints are told.

use super::endpoint::{Endpoint, Reaction};
use super::{gateway, made, post};
use harness::back_office::{key, write};
use serde_json::{Value, json};

#[tokio::test]
async fn a_change_of_an_endpoint_is_told_the_others_and_not_the_endpoint() {
    let gateway = gateway().await;
    let watching = Endpoint::start(vec![Reaction::Status(200)]).await;
    let changed = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let stranger = gateway.register(None).await;
    let elsewhere = Endpoint::start(vec![Reaction::Status(200)]).await;
    made(&gateway, &stranger, &elsewhere, &["*"]).await;
    let kinds = [
        "webhook_endpoint.created",
        "webhook_endpoint.updated",
        "webhook_endpoint.secret_rotated",
        "webhook_endpoint.deleted",
    ];
    made(&gateway, &merchant, &watching, &kinds).await;
    let (id, secret) = made(&gateway, &merchant, &changed, &["*"]).await;
    let _beside = gateway.run_beside();
    let path = format!("/v1/webhook-endpoints/{id}");
    let moved = format!("http://{}/moved", changed.address);
    let api_key = &merchant.api_key;
    let updated = post(
        &gateway,
        api_key,
        &path,
        &json!({"url": moved, "state": "disabled"}),
    )
    .await;
    assert_eq!(updated.status, 200, "{}", updated.text());
    let rotate = format!("{path}/rotate-secret");
    let rotated = post(&gateway, api_key, &rotate, &json!({"overlap_seconds": 60})).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let mut delete = write(api_key, &path, &key(), &Value::Null);
    delete.method = "DELETE".into();
    delete.body.clear();
    for _ in 0..2 {
        assert_eq!(gateway.send(delete.clone()).await.status, 204);
    }
    let arrivals = watching.wait_for(kinds.len()).await;
    let mut bodies: Vec<Value> = arrivals
        .iter()
        .map(|arrival| serde_json::from_slice(&arrival.body).unwrap())
        .collect();
    bodies.sort_by_key(|body| body["data"]["sequence"].as_i64());
    for (place, (body, kind)) in bodies.iter().zip(kinds).enumerate() {
        assert_eq!(body["type"], kind);
        assert_eq!(body["merchant"], merchant.id.to_string());
        assert_eq!(body["data"]["sequence"], place + 1);
        let told = &body["data"]["webhook_endpoint"];
        assert_eq!(told["id"], id.as_str());
        let url = if place == 0 {
            changed.url()
        } else {
            moved.clone()
        };
        assert_eq!(told["url"], url);
        let state = if place == 0 { "active" } else { "disabled" };
        assert_eq!(told["state"], state, "{body}");
        assert!(!body.to_string().contains(&secret), "{body}");
    }
    assert!(bodies[2]["data"]["webhook_endpoint"]["previous_secret_until"].is_i64());
    assert_eq!(watching.arrivals().len(), kinds.len());
    assert_eq!(
        changed.arrivals().len(),
        0,
        "its own changes are no news to it"
    );
    assert_eq!(elsewhere.arrivals().len(), 0);
    gateway.finish().await;
}
