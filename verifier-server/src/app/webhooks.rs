//! The signatures and endpoint events of webhooks.

use crate::gateway::Gateway;
use crate::merchants::register::endpoint_label;
use crate::webhooks::deliveries::model::DueDelivery;
use crate::webhooks::endpoints;
use crate::webhooks::endpoints::event::EventDraft;
use crate::webhooks::outbox::{Challenge, DescribeDisabling, Sign};
use sealpay_protocol::webhook::{self, EndpointSecret};
use std::sync::Arc;

/// Signs webhooks with the gateway's keys and the endpoint's secret, and during an overlap with the
/// previous one; a farewell with all secrets of the last day.
#[must_use]
pub fn signer(gateway: &Arc<Gateway>) -> Box<Sign> {
    let gateway = Arc::clone(gateway);
    Box::new(move |delivery: &DueDelivery, timestamp| {
        let label = endpoint_label(delivery.endpoint);
        let open = |encrypted: &String| {
            let secret = gateway.encryption().decrypt(&label, encrypted).ok()?;
            Some(EndpointSecret::new(secret.as_slice().try_into().ok()?))
        };
        let now_ms = gateway.clock().now_ms_i64();
        let previous = delivery.previous_secret.as_ref();
        let previous = previous.filter(|(_, until_ms)| now_ms < *until_ms);
        let present = [&delivery.secret_encrypted];
        let mut encrypted: Vec<_> = present
            .into_iter()
            .chain(previous.map(|(text, _)| text))
            .collect();
        for former in &delivery.former_secrets {
            if !encrypted.contains(&former) {
                encrypted.push(former);
            }
        }
        let mut secrets = encrypted.into_iter().map(open);
        let present = secrets.next().flatten();
        // A deleted endpoint has no secret, and its former address is notified nevertheless.
        if present.is_none() && !delivery.is_farewell {
            return None;
        }
        let secrets: Vec<_> = present.into_iter().chain(secrets.flatten()).collect();
        let secrets: Vec<_> = secrets.iter().collect();
        if secrets.is_empty() {
            return None;
        }
        let ring = gateway.keys();
        let keys: Vec<_> = ring.webhook_keys(gateway.clock().now()).collect();
        let id = delivery.event.to_string();
        let body = delivery.body.as_bytes();
        Some(webhook::sign(&id, timestamp, body, &keys, &secrets))
    })
}

/// Writes the verification challenge of an endpoint.
#[must_use]
pub fn challenging(gateway: &Arc<Gateway>) -> Box<Challenge> {
    let gateway = Arc::clone(gateway);
    Box::new(move |endpoint, challenge| {
        endpoints::event::verification(&gateway, endpoint, challenge).ok()
    })
}

/// Notifies a merchant of a disabled endpoint through its other endpoints.
#[must_use]
pub fn disabling(gateway: &Arc<Gateway>) -> Arc<DescribeDisabling> {
    let gateway = Arc::clone(gateway);
    Arc::new(move |endpoint, reason, sequence| {
        let (draft, kind) = (EventDraft::new(&gateway), "webhook_endpoint.disabled");
        let event = draft.event(endpoint, kind, Some(reason.name()), sequence)?;
        Ok(Some(event.into()))
    })
}
