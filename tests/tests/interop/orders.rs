//! Orders with `jose`.

use super::peers::NODE;
use super::{accepted, assert_refused, key, now, private_jwk, public_jwk};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::order::{self, Capture, CompactOrder, OrderClaims};
use serde_json::json;

fn claims() -> OrderClaims {
    OrderClaims {
        iss: "mer_01kanar9g0000g40r40m30e209".parse().unwrap(),
        aud: "https://pay.example".parse().unwrap(),
        jti: "interop-0001".into(),
        iat: now(),
        exp: now() + 1800,
        amount: 2490,
        currency: "EUR".into(),
        order_ref: "A-1001".into(),
        capture: Capture::Automatic,
        parent_origins: vec!["https://shop.example".parse().unwrap()],
        description: Some("紙の灯籠".into()),
        items: None,
        agreement: None,
        customer: None,
        methods: None,
        billing_country: None,
        authentication: None,
        simulate: None,
        invoice: None,
    }
}

#[test]
fn jose_verifies_the_orders_that_we_sign() {
    let claims = claims();
    let compact = order::sign(&claims, "2025-11", &key()).unwrap();
    let altered = compact.replacen('.', ".e", 1);
    let questions = [
        json!({"ask": "verify_order", "order": compact, "key": public_jwk()}),
        json!({"ask": "verify_order", "order": altered, "key": public_jwk()}),
        json!({"ask": "thumbprint", "key": public_jwk()}),
    ];
    let Some(answers) = NODE.ask("jose_verifies_the_orders_that_we_sign", &questions) else {
        return;
    };
    let verified = accepted(&answers[0]);
    let header = json!({"alg": "Ed25519", "typ": "sealpay-order+jwt", "kid": "2025-11"});
    assert_eq!(verified["header"], header);
    assert_eq!(verified["claims"], json!(claims));
    assert_refused(&answers[1], "an altered order");
    let thumbprint = Thumbprint::from_key(&key().verifying_key());
    assert_eq!(*accepted(&answers[2]), thumbprint.as_str());
}

#[test]
fn we_verify_the_orders_that_jose_signs() {
    let claims = claims();
    let header = |alg: &str| json!({"alg": alg, "typ": "sealpay-order+jwt", "kid": "2025-11"});
    let question = |header| {
        json!({
            "ask": "sign_order",
            "header": header,
            "claims": claims,
            "key": private_jwk(),
        })
    };
    let mut talkative = header("Ed25519");
    talkative["jwk"] = json!(public_jwk());
    let questions = [
        question(header("Ed25519")),
        question(header("EdDSA")),
        question(talkative),
    ];
    let Some(answers) = NODE.ask("we_verify_the_orders_that_jose_signs", &questions) else {
        return;
    };
    for answer in &answers[..2] {
        let compact = CompactOrder::parse(accepted(answer).as_str().unwrap()).unwrap();
        let verified = compact
            .verify(&key().verifying_key(), &claims.aud, now())
            .unwrap();
        assert_eq!(*verified.claims(), claims);
    }
    let refused = CompactOrder::parse(accepted(&answers[2]).as_str().unwrap());
    assert_eq!(
        refused.map(drop).unwrap_err().error().code(),
        "malformed_order"
    );
}
