//! API keys: scopes, expiry and rotation.

use crate::databases::on_both_databases;
use harness::client::Prepared;
use harness::gateway::TestGateway;
use serde_json::Value;
use std::net::SocketAddr;

on_both_databases! {
    api_key_is_valid_until_its_expiry,
    rotated_api_key_is_valid_for_the_overlap_and_the_new_key_has_its_scopes,
}

/// A key for these scopes, and its name.
pub(crate) async fn key_for(
    gateway: &TestGateway,
    scopes: &str,
    days: Option<u32>,
) -> (String, String) {
    gateway.limited_key(gateway.merchant.id, scopes, days).await
}

/// An answer of `/v1/payments` to a key: its status and, of a refusal, everything that stays the
/// same from one request to the next.
async fn answer_to(gateway: &TestGateway, key: &str) -> (u16, Value) {
    let answer = gateway.get("/v1/payments", Some(key)).await;
    let mut body: Value = answer.json();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
        body.remove("server_time");
    }
    (answer.status.as_u16(), body)
}

async fn api_key_is_valid_until_its_expiry(gateway: &TestGateway) {
    let (key, id) = key_for(gateway, "payments:read", Some(1)).await;
    let (revoked, revoked_id) = key_for(gateway, "*", None).await;
    assert_eq!(answer_to(gateway, &key).await.0, 200);
    assert_eq!(answer_to(gateway, &revoked).await.0, 200);
    let store = gateway.server.state.gateway.store();
    assert!(
        store
            .api_keys
            .revoke(revoked_id.parse().unwrap(), 1)
            .await
            .unwrap()
    );
    gateway.move_clock(24 * 60 * 60 - 2);
    assert_eq!(answer_to(gateway, &key).await.0, 200);
    gateway.move_clock(2);
    // Expired, revoked, unknown, not a key at all: nobody learns which.
    let unknown = ["sk_test_", &"A".repeat(43)].concat();
    let expected = answer_to(gateway, "sk_live_").await;
    assert_eq!(
        (expected.0, &expected.1["code"]),
        (401, &"api_key_invalid".into())
    );
    for key in [&key, &revoked, &unknown, &id] {
        assert_eq!(answer_to(gateway, key).await, expected);
    }
}

async fn rotated_api_key_is_valid_for_the_overlap_and_the_new_key_has_its_scopes(
    gateway: &TestGateway,
) {
    let (old, id) = key_for(gateway, "payments:read,disputes:write", None).await;
    let id = id.parse().unwrap();
    let admin = gateway.admin();
    let rotated = admin.rotate_api_key(id, 3600, None).await.unwrap();
    assert_eq!(rotated.made.record.scopes, "payments:read,disputes:write");
    assert_ne!(*rotated.made.plaintext, old);
    for key in [&old, &*rotated.made.plaintext] {
        assert_eq!(answer_to(gateway, key).await.0, 200);
        let events = gateway.get("/v1/events", Some(key)).await;
        assert_eq!(events.code(), "scope_missing");
    }
    // Rotated again with a longer overlap, the old one ends no later than it was said to.
    let again = admin.rotate_api_key(id, 86_400, Some(2)).await.unwrap();
    assert_eq!(again.old_expires_at_ms, rotated.old_expires_at_ms);
    gateway.move_clock(3601);
    assert_eq!(answer_to(gateway, &old).await.0, 401);
    for key in [&*rotated.made.plaintext, &*again.made.plaintext] {
        assert_eq!(answer_to(gateway, key).await.0, 200);
    }
    let refused = admin.rotate_api_key(id, 3600, None).await;
    let refused = refused.err().unwrap();
    assert_eq!(refused, format!("there is no active API key {id}"));
    // Without an overlap the old one ends at once.
    let next = rotated.made.record.id;
    let last = admin.rotate_api_key(next, 0, None).await.unwrap();
    assert_eq!(answer_to(gateway, &rotated.made.plaintext).await.0, 401);
    assert_eq!(answer_to(gateway, &last.made.plaintext).await.0, 200);
}

#[tokio::test]
async fn guessing_api_keys_is_rate_limited_and_a_valid_key_is_not() {
    let gateway = TestGateway::with(|config| {
        config.rate_limit.per_second = 1;
        config.rate_limit.burst = 100;
    })
    .await;
    let [guesser, other]: [SocketAddr; 2] =
        ["192.0.2.1:1000", "192.0.2.2:1000"].map(|address| address.parse().unwrap());
    let mut answered = 0;
    for guess in 0..100_u8 {
        let key = format!("sk_test_{}{guess:03}", "A".repeat(40));
        let request = Prepared::get_of("/v1/payments", Some(&key));
        let answer = gateway.send_from(guesser, request).await;
        if answer.status == 429 {
            break;
        }
        assert_eq!(answer.code(), "api_key_invalid");
        answered += 1;
    }
    assert!((4..10).contains(&answered), "{answered}");
    let good = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    for from in [guesser, other].repeat(25) {
        assert_eq!(gateway.send_from(from, good.clone()).await.status, 200);
    }
    gateway.finish().await;
}
