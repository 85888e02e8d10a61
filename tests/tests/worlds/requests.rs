//! Requests for worlds, and other requests meanwhile.

use super::Verifier;
use crate::databases::on_both_databases;
use harness::client::Prepared;
use sealpay_protocol::api::ShopperState;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

async fn names_are_checked_and_taken_once(verifier: &Verifier) {
    let code = |refused: Result<Value, Value>| {
        let refused = refused.unwrap_err();
        (refused["code"].clone(), refused["param"].clone())
    };
    let long = "a".repeat(41);
    for name in [
        "", "..", "../a", "a/b", "A", "-a", "a b", "a\u{0}", "ü", ".a", &long,
    ] {
        let refused = verifier.sim("POST", "/sim/worlds", json!({"name": name}));
        let refused = code(refused.await);
        assert_eq!(
            refused,
            (json!("invalid_parameter"), json!("name")),
            "{name}"
        );
    }
    for body in [
        json!({}),
        json!({"name": 1}),
        json!({"name": "a", "to": "/tmp"}),
    ] {
        let refused = code(verifier.sim("POST", "/sim/worlds", body.clone()).await);
        assert_eq!(refused.0, "malformed_request", "{body}");
    }
    let names = [
        "none",
        "..%2F..%2Fetc",
        "%2e%2e",
        "A",
        &long,
        "sealpay-world-a'",
        "x%22;--",
    ];
    for name in names {
        let path = format!("/sim/worlds/{name}");
        let refused = code(verifier.sim("DELETE", &path, Value::Null).await);
        assert_eq!(refused.0, "not_found", "{name}");
        let refused = code(verifier.restore(name).await);
        assert_eq!(refused.0, "not_found", "{name}");
    }
    verifier.save("a").await;
    let refused = verifier.sim("POST", "/sim/worlds", json!({"name": "a"}));
    assert_eq!(code(refused.await).0, "world_exists");
    let listed = verifier
        .sim("GET", "/sim/worlds", Value::Null)
        .await
        .unwrap();
    assert_eq!(listed["data"][0]["name"], "a");
    assert!(listed["data"][0]["bytes"].as_u64().unwrap() > 0);
    let deleted = verifier.sim("DELETE", "/sim/worlds/a", Value::Null).await;
    assert_eq!(deleted, Ok(Value::Null));
    let listed = verifier.sim("GET", "/sim/worlds", Value::Null).await;
    assert_eq!(listed, Ok(json!({"data": []})));
}

async fn public_listener_has_no_worlds(verifier: &Verifier) {
    for path in ["/sim/worlds", "/sim/worlds/a/restore"] {
        let url = format!("http://{}{path}", verifier.setup.listen);
        for request in [verifier.client.get(&url), verifier.client.post(&url)] {
            assert_eq!(request.send().await.unwrap().status(), 404, "{path}");
        }
    }
}

/// The bank takes three seconds, so a payment is in progress when the restore begins.
async fn restore_waits_for_payments_and_others_are_told_to_wait(verifier: &Verifier) {
    verifier.save("before").await;
    let browser = verifier.browser().await;
    let paying = verifier.try_to_pay(&browser, Some("slow"));
    let restoring = async {
        sleep(Duration::from_millis(800)).await;
        verifier.restore("before").await
    };
    let asking = async {
        sleep(Duration::from_millis(1_600)).await;
        let keys = Prepared::get_of("/v1/keys", None);
        let response = verifier.send(keys).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], "world_restoring");
        let health = Prepared::get_of("/healthz", None);
        assert_eq!(verifier.send(health).await.unwrap().status(), 200);
    };
    let (paid, restored, ()) = tokio::join!(paying, restoring, asking);
    let paid = paid.unwrap();
    assert_eq!(paid.state, ShopperState::Captured);
    restored.unwrap();
    // It was acknowledged in the world that was replaced.
    let gone = format!("/v1/payments/{}", paid.payment);
    let gone = Prepared::get_of(&gone, Some(&verifier.merchant.api_key));
    assert_eq!(
        verifier.answer::<Value>(gone).await,
        Err("not_found".into())
    );
    verifier.pay().await;
}

on_both_databases! {
    Verifier:
    names_are_checked_and_taken_once,
    public_listener_has_no_worlds,
    restore_waits_for_payments_and_others_are_told_to_wait,
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_gives_up_if_requests_do_not_end_and_the_world_goes_on() {
    let verifier = Verifier::on(None, "drain_ms = 200\n").await;
    verifier.save("before").await;
    verifier.advance(60).await;
    let browser = verifier.browser().await;
    let paying = verifier.try_to_pay(&browser, Some("slow"));
    let restoring = async {
        sleep(Duration::from_millis(800)).await;
        verifier.restore("before").await
    };
    let (paid, refused) = tokio::join!(paying, restoring);
    assert_eq!(refused.unwrap_err()["code"], "overloaded");
    let paid = paid.unwrap();
    assert_eq!(paid.state, ShopperState::Captured);
    verifier
        .get(&format!("/v1/payments/{}", paid.payment))
        .await;
    assert_eq!(verifier.ahead_seconds().await, 60);
    verifier.restore("before").await.unwrap();
    assert_eq!(verifier.ahead_seconds().await, 0);
}
