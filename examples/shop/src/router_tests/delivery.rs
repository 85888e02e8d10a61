//! A webhook as the verifier would send it.

use super::{Answer, NOW, SECRET, Scene, merchant, verifier_key};
use axum::body::Body;
use axum::http::Request;
use sealpay_protocol::webhook::{self, EndpointSecret};

pub(super) struct Delivery<'a> {
    pub(super) id: &'a str,
    pub(super) time: u64,
    pub(super) body: String,
    /// Otherwise both good ones.
    pub(super) signature: Option<String>,
}

pub(super) fn delivery<'a>(id: &'a str, reference: &str, state: &str, amount: i64) -> Delivery<'a> {
    let decline = match state {
        "declined" => serde_json::json!({
            "code": "insufficient_funds", "response_code": "51", "class": "later",
            "message": "Not <sufficient> funds.",
        }),
        _ => serde_json::Value::Null,
    };
    let told =
        serde_json::json!({ "id": format!("pay_{id}"), "amount": amount, "decline": decline });
    of_payment(id, reference, 1, state, told)
}

/// A delivery whose payment is by card and has no secrets, but for what is told of it here.
pub(super) fn of_payment<'a>(
    id: &'a str,
    reference: &str,
    sequence: u64,
    state: &str,
    told: serde_json::Value,
) -> Delivery<'a> {
    let mut payment = serde_json::json!({
        "id": "pay_1", "session": "chk_1", "attempt": "att_1",
        "merchant": merchant(), "order_ref": reference, "amount": 4_980,
        "currency": "EUR", "capture": "automatic", "method": "card", "state": state,
        "card": { "brand": "visa", "last4": "4242", "expiry": "2030-12", "fingerprint": "f" },
        "decline": null, "route": { "provider": "harbor", "reason": "european_cards" },
        "risk": null, "authentication": null, "transfer": null,
        "created_at": NOW, "updated_at": NOW,
    });
    let serde_json::Value::Object(told) = told else {
        panic!("a payment is an object");
    };
    payment.as_object_mut().unwrap().extend(told);
    let body = serde_json::json!({
        "type": format!("payment.{state}"),
        "timestamp": "2026-11-22T10:00:42Z",
        "merchant": merchant(),
        "data": { "sequence": sequence, "payment": payment },
    });
    Delivery {
        id,
        time: NOW,
        body: body.to_string(),
        signature: None,
    }
}

impl Scene {
    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Answer {
        let body = delivery.body.as_bytes();
        let signature = delivery.signature.clone().unwrap_or_else(|| {
            let secret = EndpointSecret::new(SECRET);
            webhook::sign(
                delivery.id,
                delivery.time,
                body,
                &[&verifier_key()],
                &[&secret],
            )
        });
        let request = Request::post("/webhooks/sealpay")
            .header("webhook-id", delivery.id)
            .header("webhook-timestamp", delivery.time.to_string())
            .header("webhook-signature", signature);
        self.ask(request.body(Body::from(delivery.body.clone())).unwrap())
            .await
    }
}
