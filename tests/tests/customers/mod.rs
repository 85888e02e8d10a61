//! `/v1/customers`: created, changed, listed, erased.

use crate::databases::on_both_databases;
use harness::back_office::{key, write};
use harness::gateway::{Answer, TestGateway};
use serde_json::{Value, json};

async fn post(gateway: &TestGateway, path: &str, body: &Value) -> Answer {
    let request = write(&gateway.merchant.api_key, path, &key(), body);
    gateway.send(request).await
}

async fn customer_is_created_changed_and_found(gateway: &TestGateway) {
    let body = json!({
        "reference": "c-1", "email": "ada@example.com", "name": "Ada  Lovelace",
        "locale": "de-AT", "time_zone": "Europe/Vienna",
    });
    let answer = post(gateway, "/v1/customers", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let created: Value = answer.json();
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&created[name], value, "{name}");
    }
    let path = format!("/v1/customers/{}", created["id"].as_str().unwrap());
    assert_eq!(gateway.read(&gateway.merchant, &path).await, created);

    let changed = post(
        gateway,
        &path,
        &json!({"email": "", "time_zone": "Etc/UTC"}),
    )
    .await;
    let changed: Value = changed.json();
    assert_eq!(changed["email"], Value::Null);
    assert_eq!(changed["name"], "Ada  Lovelace");
    assert_eq!(changed["time_zone"], "Etc/UTC");

    let second: Value = post(gateway, "/v1/customers", &json!({"reference": "c-2"}))
        .await
        .json();
    assert_eq!(second["time_zone"], "Etc/UTC");
    let all = gateway.read(&gateway.merchant, "/v1/customers").await;
    assert_eq!(all["data"], json!([second, changed]));
    let found = gateway
        .read(&gateway.merchant, "/v1/customers?reference=c-1")
        .await;
    assert_eq!(found["data"], json!([changed]));
    let events = gateway.events().await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].clone()).collect();
    let expected = json!(["customer.created", "customer.updated", "customer.created"]);
    assert_eq!(json!(kinds), expected);
}

async fn bad_requests_create_nothing(gateway: &TestGateway) {
    let rows = [
        (json!({}), 400, "malformed_request"),
        (json!({"reference": ""}), 400, "invalid_parameter"),
        (json!({"reference": "ü"}), 400, "invalid_parameter"),
        (
            json!({"reference": "r".repeat(65)}),
            400,
            "invalid_parameter",
        ),
        (
            json!({"reference": "r", "email": "ada"}),
            400,
            "invalid_parameter",
        ),
        (
            json!({"reference": "r", "name": "\u{202e}Ada"}),
            400,
            "invalid_parameter",
        ),
        (
            json!({"reference": "r", "name": "a".repeat(101)}),
            400,
            "invalid_parameter",
        ),
        (
            json!({"reference": "r", "locale": "german"}),
            400,
            "invalid_parameter",
        ),
        (
            json!({"reference": "r", "time_zone": "Mars/Phobos"}),
            400,
            "invalid_parameter",
        ),
        (
            json!({"reference": "r", "time_zone": "+01:00"}),
            400,
            "invalid_parameter",
        ),
        (
            json!({"reference": "r", "default_instrument": "ins_1"}),
            400,
            "malformed_request",
        ),
        (
            json!({"reference": "r", "id": "cus_1"}),
            400,
            "malformed_request",
        ),
    ];
    for (body, status, code) in rows {
        let answer = post(gateway, "/v1/customers", &body).await;
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{body}");
    }
    let all = gateway.read(&gateway.merchant, "/v1/customers").await;
    assert_eq!(all["data"], json!([]));
}

async fn reference_is_unique_for_each_merchant(gateway: &TestGateway) {
    let body = json!({"reference": "c-1"});
    let requests = (0..6).map(|_| write(&gateway.merchant.api_key, "/v1/customers", &key(), &body));
    let answers = gateway.send_together(requests.collect()).await;
    let (created, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(created.len(), 1);
    for answer in refused {
        answer.assert_refused(409, "customer_exists");
    }
    let stranger = gateway.register(None).await;
    let request = write(&stranger.api_key, "/v1/customers", &key(), &body);
    assert_eq!(gateway.send(request).await.status, 201);
    let path = format!(
        "/v1/customers/{}",
        created[0].json::<Value>()["id"].as_str().unwrap()
    );
    gateway
        .get(&path, Some(&stranger.api_key))
        .await
        .assert_refused(404, "not_found");
    let request = write(&stranger.api_key, &path, &key(), &json!({"name": "Eve"}));
    gateway.send(request).await.assert_refused(404, "not_found");
}

async fn repeated_request_creates_one_customer(gateway: &TestGateway) {
    let body = json!({"reference": "c-1"});
    let key = key();
    let request = || write(&gateway.merchant.api_key, "/v1/customers", &key, &body);
    let answers = gateway
        .send_together((0..6).map(|_| request()).collect())
        .await;
    let first: Value = answers[0].json();
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.json::<Value>()["id"], first["id"]);
    }
    let other = write(
        &gateway.merchant.api_key,
        "/v1/customers",
        &key,
        &json!({"reference": "c-2"}),
    );
    gateway
        .send(other)
        .await
        .assert_refused(409, "idempotency_key_reused");
}

async fn concurrent_changes_lose_nothing(gateway: &TestGateway) {
    let created: Value = post(gateway, "/v1/customers", &json!({"reference": "c-1"}))
        .await
        .json();
    let path = format!("/v1/customers/{}", created["id"].as_str().unwrap());
    let bodies = [
        json!({"name": "Ada"}),
        json!({"email": "ada@example.com"}),
        json!({"locale": "en"}),
        json!({"time_zone": "Europe/Paris"}),
    ];
    let requests = bodies
        .iter()
        .map(|body| write(&gateway.merchant.api_key, &path, &key(), body));
    for answer in gateway.send_together(requests.collect()).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let customer = gateway.read(&gateway.merchant, &path).await;
    for body in bodies {
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&customer[name], value, "{name}");
        }
    }
}

on_both_databases! {
    customer_is_created_changed_and_found,
    bad_requests_create_nothing,
    reference_is_unique_for_each_merchant,
    repeated_request_creates_one_customer,
    concurrent_changes_lose_nothing,
}
