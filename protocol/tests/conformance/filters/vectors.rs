//! The filters reproduce the vectors.

use super::ask;
use crate::vectors::vectors;
use serde_json::{Value, json};

#[test]
fn the_signing_filters_reproduce_the_vectors() {
    let vectors = vectors();
    let orders = vectors.orders.iter().take(2).map(|vector| {
        let claims: Value = serde_json::from_str(&vector.payload).unwrap();
        let seed = &vectors.merchant_key.seed;
        json!({"seed": seed, "kid": "2025-11", "claims": claims})
    });
    let signed = ask("sign_order", &orders.collect::<Vec<_>>(), &[]);
    for (answer, vector) in signed.iter().zip(&vectors.orders) {
        let expected = json!({"order": vector.order, "order_digest": vector.order_digest});
        assert_eq!(*answer, expected, "{}", vector.name);
    }
    let requests = vectors.requests.iter().map(|vector| {
        json!({
            "seed": vectors.ephemeral_key.seed,
            "created": vector.created,
            "nonce": vector.nonce,
            "request": {
                "method": vector.method,
                "authority": vector.authority,
                "path": vector.path,
                "query": vector.query,
                "content_type": vector.content_type,
                "idempotency_key": vector.idempotency_key,
                "session": vector.session,
                "body": vector.body,
            },
        })
    });
    let signed = ask("sign_request", &requests.collect::<Vec<_>>(), &[]);
    for (answer, vector) in signed.iter().zip(&vectors.requests) {
        let headers = json!({
            "content-digest": vector.content_digest,
            "signature-input": vector.signature_input,
            "signature": vector.signature,
        });
        let expected = json!({"signature_base": vector.signature_base, "headers": headers});
        assert_eq!(*answer, expected, "{}", vector.name);
    }
    let webhooks = vectors.webhooks.iter().map(|vector| {
        json!({
            "id": vector.id,
            "timestamp": vector.timestamp,
            "body": vector.body,
            "seeds": vector.seeds,
            "secrets": vector.secrets,
        })
    });
    let signed = ask("sign_webhook", &webhooks.collect::<Vec<_>>(), &[]);
    for (answer, vector) in signed.iter().zip(&vectors.webhooks) {
        let signature = &answer["headers"]["webhook-signature"];
        assert_eq!(*signature, vector.signature, "{}", vector.name);
    }
}

#[test]
fn seal_and_keygen_reproduce_the_vectors() {
    let vectors = vectors();
    let cards = vectors.sealed_cards.iter().map(|vector| {
        let (year, month) = vector.card.expiry.split_at(4);
        json!({
            "public_key": vectors.sealing_key.public_key,
            "card": {
                "number": vector.card.number,
                "expiry": format!("{month}/{year}"),
                "security_code": vector.card.security_code,
                "holder": vector.card.holder,
            },
            "context": vector.context,
            "now": vector.now,
            "random": vector.random,
        })
    });
    let sealed = ask("seal", &cards.collect::<Vec<_>>(), &[]);
    for (answer, vector) in sealed.iter().zip(&vectors.sealed_cards) {
        let expected = json!({
            "sealed": vector.sealed,
            "info": vector.info,
            "associated_data": vector.associated_data,
        });
        assert_eq!(*answer, expected, "{}", vector.name);
    }
    let question = json!({"kind": "sealing", "seed": vectors.sealing_key.seed});
    let made = ask("keygen", &[question], &[]).remove(0);
    assert_eq!(made["kid"], vectors.sealing_key.kid);
    assert_eq!(made["public_key"], vectors.sealing_key.public_key);
}
