//! `/v1/keys`, and the merchant's lists: `/v1/payments` and `/v1/events`.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, card};
use harness::gateway::TestGateway;
use sealpay_protocol::seal::SealingPublicKey;
use sealpay_protocol::webhook::public_key;
use serde_json::Value;

on_both_databases! {
    lists_are_read_page_by_page_newest_first,
    keys_are_published_with_their_times,
    an_event_is_what_a_webhook_will_carry,
}

/// Reads a list to its end and gives the identifiers in its order.
async fn read_all(gateway: &TestGateway, list: &str, limit: usize) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids
            .last()
            .map(|id| format!("&after={id}"))
            .unwrap_or_default();
        let path = format!("{list}?limit={limit}{after}");
        let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
        let page: Value = answer.json();
        let rows = page["data"].as_array().unwrap();
        ids.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        let more = page["has_more"].as_bool().unwrap();
        assert!(rows.len() == limit || !more, "{path}");
        if !more {
            return ids;
        }
    }
}

async fn lists_are_read_page_by_page_newest_first(gateway: &TestGateway) {
    let mut paid = Vec::new();
    for _ in 0..7 {
        paid.push(gateway.pay(None, &card(APPROVED)).await.payment.to_string());
    }
    paid.reverse();
    for limit in [1, 3, 6, 7, 8, 100] {
        let mut read = read_all(gateway, "/v1/payments", limit).await;
        assert_eq!(read.len(), 7, "pages of {limit}");
        // Those of one millisecond are in the order of their random part.
        let mut newest_first = read.clone();
        newest_first.sort_by(|a, b| b.cmp(a));
        assert_eq!(read, newest_first, "pages of {limit}");
        read.sort();
        let mut expected = paid.clone();
        expected.sort();
        assert_eq!(read, expected, "pages of {limit}");
        assert_eq!(read_all(gateway, "/v1/events", limit).await.len(), 7);
    }
}

async fn keys_are_published_with_their_times(gateway: &TestGateway) {
    let answer = gateway.get("/v1/keys", None).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let keys: Value = answer.json();
    let [sealing] = keys["sealing_keys"].as_array().unwrap().as_slice() else {
        panic!("one sealing key: {keys}");
    };
    let public = SealingPublicKey::from_base64url(sealing["public_key"].as_str().unwrap());
    assert_eq!(sealing["kid"], public.unwrap().key_id());
    let suite = ["kem", "kdf", "aead"].map(|name| sealing[name].as_str().unwrap());
    assert_eq!(suite, ["X-Wing", "HKDF-SHA256", "ChaCha20Poly1305"]);
    let now = i64::try_from(gateway.now()).unwrap();
    assert!(sealing["not_before"].as_i64().unwrap() <= now);
    assert!(sealing["not_after"].as_i64().unwrap() > now + 86_400);
    let [webhook] = keys["webhook_keys"].as_array().unwrap().as_slice() else {
        panic!("one webhook key: {keys}");
    };
    assert!(public_key(webhook["public_key"].as_str().unwrap()).is_some());
    assert_eq!(webhook["not_after"], Value::Null);
}

async fn an_event_is_what_a_webhook_will_carry(gateway: &TestGateway) {
    let paid = gateway.pay(None, &card(APPROVED)).await;
    let events = gateway.events_of(paid.payment).await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(
        (&event["type"], &event["sequence"]),
        (&"payment.captured".into(), &1.into())
    );
    assert_eq!(event["body"]["type"], "payment.captured");
    assert_eq!(event["body"]["data"]["sequence"], 1);
    assert_eq!(
        event["body"]["data"]["payment"],
        gateway.payment(paid.payment).await
    );
    assert_eq!(
        event["deliveries"],
        Value::Array(Vec::new()),
        "there is no endpoint"
    );
    let timestamp = event["body"]["timestamp"].as_str().unwrap();
    assert!(timestamp.len() == 20 && timestamp.starts_with("20") && timestamp.ends_with('Z'));
}
