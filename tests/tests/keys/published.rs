//! `GET /v1/keys`.

use crate::databases::on_both_databases;
use harness::gateway::TestGateway;
use sealpay_protocol::seal::SealingPublicKey;
use sealpay_protocol::webhook::public_key;
use serde_json::Value;

on_both_databases! {
    published_keys_have_their_validity_times,
}

async fn published_keys_have_their_validity_times(gateway: &TestGateway) {
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
