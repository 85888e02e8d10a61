//! The webhook: the only way by which an order changes.

use super::{Shop, Trouble};
use crate::integration::{Event, Refused};
use crate::orders::{Recorded, read_payment_event};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sealpay_protocol::webhook::WebhookHeaders;
use serde_json::json;
use std::sync::Arc;

/// `POST /webhooks/sealpay`
///
/// Takes the raw bytes: a body that was parsed and written again is not what was signed.
pub(super) async fn receive(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let delivery = WebhookHeaders {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
    };
    let event = match verify(&shop, &delivery, &body).await {
        Ok(event) => event,
        Err(refused) => return Ok(refusal(&refused)),
    };
    if let Some(challenge) = event.challenge() {
        return Ok(Json(json!({ "challenge": challenge })).into_response());
    }
    let event = match read_payment_event(event) {
        Ok(Some(event)) => event,
        // A kind of event that this shop does not use is not to be sent again.
        Ok(None) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Err(_) => return Ok(refusal(&Refused::NotAnEvent)),
    };
    let (id, now) = (delivery.id.to_owned(), shop.edge.now());
    let recorded = shop
        .orders(move |orders| orders.record(&id, &event, now))
        .await?;
    Ok(match recorded {
        Recorded::New | Recorded::Duplicate | Recorded::Stale => {
            StatusCode::NO_CONTENT.into_response()
        }
        Recorded::UnknownOrder => answer(StatusCode::NOT_FOUND, "There is no such order here."),
        Recorded::OtherAmount => answer(
            StatusCode::CONFLICT,
            "The payment is not of the amount that was ordered.",
        ),
    })
}

/// Verifies with the keys at hand, and once more with fresh ones when those do not settle it.
async fn verify(shop: &Shop, delivery: &WebhookHeaders<'_>, body: &[u8]) -> Result<Event, Refused> {
    let now = shop.edge.now();
    let known = shop.verifier.known_keys().await;
    match shop.integration.verify_webhook(delivery, body, &known, now) {
        Ok(event) if !known.is_empty() => Ok(event),
        // The shared secret fits, so this is no stranger who makes the shop ask.
        Ok(_) | Err(Refused::UnknownKey) => {
            let asked = shop.verifier.asked_keys(now).await;
            shop.integration.verify_webhook(delivery, body, &asked, now)
        }
        Err(refused) => Err(refused),
    }
}

fn refusal(refused: &Refused) -> Response {
    match refused {
        Refused::Secret(error) => answer(StatusCode::UNAUTHORIZED, &error.to_string()),
        Refused::UnknownKey => answer(
            StatusCode::UNAUTHORIZED,
            "No key of the verifier made this signature.",
        ),
        Refused::NotAnEvent => answer(
            StatusCode::BAD_REQUEST,
            "The body is signed, but it is not an event.",
        ),
        Refused::OtherMode => answer(StatusCode::CONFLICT, "The event is of the other mode."),
        Refused::OtherMerchant => answer(StatusCode::CONFLICT, "The event is of another merchant."),
    }
}

fn answer(status: StatusCode, sentence: &str) -> Response {
    (status, format!("{sentence}\n")).into_response()
}
