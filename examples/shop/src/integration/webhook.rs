//! Receiving a webhook: verify it, then apply the payment in it.

use super::Merchant;
use super::state::{Payment, PaymentState};
use crate::database::Recorded;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes};
use sealpay_protocol::webhook::{WebhookHeaders, verify_secret};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

impl Merchant {
    /// Verifies a delivery over the bytes that arrived, before anything is read from them.
    fn verify(&self, headers: &WebhookHeaders<'_>, body: &[u8], now: u64) -> Result<Value, String> {
        verify_secret(headers, body, &self.webhook_secret, now).map_err(|e| e.to_string())?;
        let event: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        if event["merchant"] != self.id.to_string() || (event["livemode"] == true) != self.livemode
        {
            return Err("The event is for another merchant or mode.".into());
        }
        Ok(event)
    }
}

/// The payment in an event; `None` for an event that changes none, or is of a later version.
fn read_payment(event: &Value) -> serde_json::Result<Option<Payment>> {
    let event_type = event["type"].as_str().unwrap_or_default();
    if !event_type.starts_with("payment.") && !event_type.starts_with("dispute.") {
        return Ok(None);
    }
    let mut payment = Payment::deserialize(&event["data"]["payment"])?;
    payment.sequence = u64::deserialize(&event["data"]["sequence"])?;
    Ok(Some(payment).filter(|payment| payment.state != PaymentState::Other))
}

/// `POST /webhooks/sealpay`. Whatever is not a success is delivered again later.
pub(crate) async fn receive(
    State(merchant): State<Arc<Merchant>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, (StatusCode, String)> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let delivery = WebhookHeaders {
        id: header("webhook-id").unwrap_or_default(),
        timestamp: header("webhook-timestamp").unwrap_or_default(),
        signature: header("webhook-signature").unwrap_or_default(),
    };
    let reject = |detail| (StatusCode::BAD_REQUEST, detail);
    let event = merchant
        .verify(&delivery, &body, crate::system::now())
        .map_err(reject)?;
    // Proves whose endpoint this is; the verifier sends events only after that.
    if event["type"] == "webhook_endpoint.verification" {
        return Ok(Json(json!({ "challenge": event["data"]["challenge"] })).into_response());
    }
    if let Some(payment) = read_payment(&event).map_err(|e| reject(e.to_string()))? {
        let failed = |error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}"));
        let reference = payment.order_ref.clone();
        // Renewals have the numbers of their invoices instead of orders.
        let is_of_invoice = !payment.details["invoice"].is_null();
        let recorded = merchant.orders.record(delivery.id, payment);
        if recorded.map_err(failed)? == Recorded::Mismatch && !is_of_invoice {
            let detail = "This shop has no such order of this amount.";
            return Err((StatusCode::CONFLICT, detail.into()));
        }
        // Also after a duplicate: what the first delivery could not start is still missing.
        let started = merchant.start_subscription(&reference).await;
        started.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, format!("{error}")))?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
