//! The events that tell of a webhook endpoint: that it was switched off, or that it was pinged; and
//! what it is asked to prove whose it is, which is no event that is kept.

use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::merchants::model::WebhookEndpoint;
use crate::payments::event::rfc3339;
use crate::webhooks::events::model::{EVENT_VERSION, Event};
use crate::webhooks::events::view::{
    EndpointEventBody, EndpointEventData, EndpointRecord, VerificationBody, VerificationData,
};
use sealpay_protocol::ids::EventId;

/// An event of this type that tells of an endpoint as it is now.
///
/// # Errors
/// An error when the body cannot be written, which no endpoint causes.
pub fn of(
    gateway: &Gateway,
    endpoint: &WebhookEndpoint,
    kind: &'static str,
    reason: Option<&'static str>,
    sequence: i64,
) -> Result<Event, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let body = EndpointEventBody {
        kind,
        timestamp: rfc3339(now_ms),
        version: EVENT_VERSION,
        merchant: endpoint.merchant.to_string(),
        livemode: gateway.livemode(),
        data: EndpointEventData {
            sequence,
            reason,
            webhook_endpoint: EndpointRecord::of(endpoint, now_ms),
        },
    };
    let body = serde_json::to_string(&body);
    Ok(Event {
        id: EventId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
        merchant: endpoint.merchant,
        subject: endpoint.id.to_string(),
        kind: kind.to_owned(),
        sequence,
        body: body.map_err(|error| ApiError::because(ErrorCode::Internal, error))?,
        created_at_ms: now_ms,
    })
}

/// The type of what an endpoint is asked.
const VERIFICATION: &str = "webhook_endpoint.verification";

/// What an endpoint is asked to prove that it is its merchant's: it answers with the challenge. It
/// looks like an event and is signed like one, but it is kept nowhere and has no place among them.
///
/// # Errors
/// An error when the body cannot be written, which no endpoint causes.
pub fn verification(
    gateway: &Gateway,
    endpoint: &WebhookEndpoint,
    challenge: &str,
) -> Result<Event, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let body = VerificationBody {
        kind: VERIFICATION,
        timestamp: rfc3339(now_ms),
        version: EVENT_VERSION,
        merchant: endpoint.merchant.to_string(),
        livemode: gateway.livemode(),
        data: VerificationData {
            challenge,
            webhook_endpoint: EndpointRecord::of(endpoint, now_ms),
        },
    };
    let body = serde_json::to_string(&body);
    Ok(Event {
        id: EventId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
        merchant: endpoint.merchant,
        subject: endpoint.id.to_string(),
        kind: VERIFICATION.to_owned(),
        sequence: 0,
        body: body.map_err(|error| ApiError::because(ErrorCode::Internal, error))?,
        created_at_ms: now_ms,
    })
}
