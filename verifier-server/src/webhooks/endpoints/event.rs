//! The events that tell of a webhook endpoint: that it was switched off, or that it was pinged; and
//! what it is asked to prove whose it is, which is no event that is kept.

use super::store::event::EndpointEvent;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::event::rfc3339;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::events::model::{EVENT_VERSION, Event};
use crate::webhooks::events::view::{
    EndpointEventBody, EndpointEventData, EndpointRecord, VerificationBody, VerificationData,
};
use sealpay_protocol::ids::EventId;
use url::Url;

/// An event of an endpoint that has its identifier and moment, and is written once the endpoint and the
/// number are known: inside of the transaction that numbers it.
#[derive(Debug, Clone, Copy)]
pub struct EventDraft {
    /// The event.
    pub id: EventId,
    /// When it happens, milliseconds since 1970.
    pub at_ms: i64,
    livemode: bool,
}

impl EventDraft {
    /// Of what happens now.
    #[must_use]
    pub fn new(gateway: &Gateway) -> Self {
        Self {
            id: EventId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
            at_ms: gateway.clock.now_ms_i64(),
            livemode: gateway.livemode(),
        }
    }

    /// The event of this type that tells of the endpoint as it is now.
    ///
    /// # Errors
    /// An error when the body cannot be written, which no endpoint causes.
    pub fn event(
        self,
        endpoint: &WebhookEndpoint,
        kind: &'static str,
        reason: Option<&'static str>,
        sequence: i64,
    ) -> Result<Event, ApiError> {
        let body = EndpointEventBody {
            kind,
            timestamp: rfc3339(self.at_ms),
            version: EVENT_VERSION,
            merchant: endpoint.merchant.to_string(),
            livemode: self.livemode,
            data: EndpointEventData {
                sequence,
                reason,
                webhook_endpoint: EndpointRecord::new(endpoint, self.at_ms),
            },
        };
        let body = serde_json::to_string(&body);
        Ok(Event {
            id: self.id,
            merchant: endpoint.merchant,
            subject: endpoint.id.to_string(),
            kind: kind.to_owned(),
            sequence,
            body: body.map_err(|error| ApiError::because(ErrorCode::Internal, error))?,
            created_at_ms: self.at_ms,
        })
    }

    /// The event that tells of an endpoint that was changed, and how its former address learns of it.
    ///
    /// # Errors
    /// As those of [`Self::of`].
    pub fn updated(
        self,
        endpoint: &WebhookEndpoint,
        sequence: i64,
    ) -> Result<EndpointEvent, ApiError> {
        const UPDATED: &str = "webhook_endpoint.updated";
        let event = self.event(endpoint, UPDATED, None, sequence)?;
        // Path and query may be what keeps strangers out of the new address.
        let url = Url::parse(&endpoint.url);
        let origin = url.map(|url| url.origin().ascii_serialization());
        let elsewhere = WebhookEndpoint {
            url: origin.unwrap_or_default(),
            ..endpoint.clone()
        };
        let farewell = self.event(&elsewhere, UPDATED, None, sequence)?;
        Ok(EndpointEvent {
            event,
            farewell_body: Some(farewell.body),
        })
    }
}

/// The type of what an endpoint is asked.
const VERIFICATION: &str = "webhook_endpoint.verification";

/// What an endpoint is asked to prove that it is its merchant's: it responses with the challenge. It
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
            webhook_endpoint: EndpointRecord::new(endpoint, now_ms),
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
