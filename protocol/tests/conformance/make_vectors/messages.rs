//! Requests and webhooks.

use crate::vector_file::{OrderVector, RequestVector, SealedCardVector, WebhookVector};
use crate::world::{self, NOW, counting};
use sealpay_protocol::api::{CONTENT_TYPE, NEW_SESSION};
use sealpay_protocol::encoding::{base64url, hex};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::key::PublicJwk;
use sealpay_protocol::sign::{
    RequestParts, SignatureParameters, sign, signature_base, signature_params,
};
use sealpay_protocol::webhook;
use serde_json::Value;

/// The same JSON with its members sorted. Otherwise their order, and with it every digest and
/// signature, would depend on a feature of the JSON library that another crate of the workspace
/// enables.
fn by_name(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            let sorted = members
                .into_iter()
                .map(|(name, value)| (name, by_name(value)));
            Value::Object(sorted.collect())
        }
        other => other,
    }
}

pub(super) fn requests(orders: &[OrderVector], cards: &[SealedCardVector]) -> Vec<RequestVector> {
    let key = PublicJwk::from_key(&world::signing_key(world::EPHEMERAL_SEED).verifying_key());
    let open = serde_json::json!({
        "order": orders[0].order,
        "key": key,
        "parent_origin": "https://shop.example",
    });
    let pay = serde_json::json!({"method": "card", "card": cards[0].sealed});
    let session = world::session().to_string();
    let rows = [
        (
            "a session is opened",
            "/v1/sessions",
            None,
            NEW_SESSION,
            by_name(open).to_string(),
        ),
        (
            "a card pays",
            "/v1/payments",
            None,
            &session,
            by_name(pay).to_string(),
        ),
        (
            "a query, an empty body",
            "/v1/payments",
            Some("b=2&a=%20"),
            &session,
            String::new(),
        ),
    ];
    let mut vectors = Vec::new();
    for (index, (name, path, query, session, body)) in (0..).zip(rows) {
        let authority = if query.is_some() {
            "localhost:8787"
        } else {
            "pay.example"
        };
        vectors.push(request(
            index,
            &RequestParts {
                method: "POST",
                authority,
                path,
                query,
                content_type: CONTENT_TYPE,
                idempotency_key: &AttemptId::new(NOW * 1000 + 42_000, counting(index)).to_string(),
                session,
                body: body.as_bytes(),
            },
        ));
        vectors.last_mut().unwrap().name = name.into();
    }
    vectors
}

fn request(index: u8, parts: &RequestParts<'_>) -> RequestVector {
    let key = world::signing_key(world::EPHEMERAL_SEED);
    let parameters = SignatureParameters {
        created: NOW + u64::from(index),
        nonce: counting(16 * index),
    };
    let signed = sign(parts, &parameters, &key);
    let signature_params = signature_params(&parameters, &world::ephemeral_thumbprint());
    RequestVector {
        name: String::new(),
        method: parts.method.into(),
        authority: parts.authority.into(),
        path: parts.path.into(),
        query: parts.query.map(String::from),
        content_type: parts.content_type.into(),
        idempotency_key: parts.idempotency_key.into(),
        session: parts.session.into(),
        body: String::from_utf8(parts.body.to_vec()).unwrap(),
        created: parameters.created,
        nonce: base64url(&parameters.nonce),
        signature_base: signature_base(parts, &signed.content_digest, &signature_params),
        content_digest: signed.content_digest,
        signature_input: signed.signature_input,
        signature: signed.signature,
    }
}

pub(super) fn webhooks() -> Vec<WebhookVector> {
    let captured = [
        r#"{"type":"payment.captured","timestamp":"2025-11-22T08:27:23Z","version":"1","merchant":""#,
        &world::merchant().to_string(),
        r#"","data":{"sequence":1,"payment":{"order_ref":"A-1001"}}}"#,
    ]
    .concat();
    let (seed, next_seed) = (world::WEBHOOK_SEED, world::NEXT_WEBHOOK_SEED);
    let (secret, next_secret) = (world::ENDPOINT_SECRET, world::NEXT_ENDPOINT_SECRET);
    let rows: [(&str, &str, &[u8], &[u8]); 2] = [
        ("one key and one secret", &captured, &[seed], &[secret]),
        (
            "a rotation of both",
            "{ \"order\": \"№ 7\" }\n",
            &[seed, next_seed],
            &[secret, next_secret],
        ),
    ];
    rows.map(|(name, body, seeds, secrets)| {
        let keys: Vec<_> = seeds.iter().map(|&seed| world::signing_key(seed)).collect();
        let endpoint: Vec<_> = secrets.iter().map(|&s| world::endpoint_secret(s)).collect();
        let timestamp = NOW + 43;
        WebhookVector {
            name: name.into(),
            id: world::event(),
            timestamp,
            body: body.into(),
            seeds: seeds
                .iter()
                .map(|&seed| hex(&counting::<32>(seed)))
                .collect(),
            secrets: endpoint
                .iter()
                .map(|secret| secret.reveal().as_str().into())
                .collect(),
            signature: webhook::sign(
                &world::event().to_string(),
                timestamp,
                body.as_bytes(),
                &keys.iter().collect::<Vec<_>>(),
                &endpoint.iter().collect::<Vec<_>>(),
            ),
        }
    })
    .into()
}
