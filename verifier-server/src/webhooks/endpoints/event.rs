//! Events about webhook endpoints (updated, disabled, pinged), and the verification challenge,
//! which is sent like an event but not stored.

use super::store::event::EndpointEvent;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::events::body::EventBody;
use crate::webhooks::events::model::Event;
use crate::webhooks::events::view::{EndpointEventData, EndpointRecord, VerificationData};
use sealpay_protocol::ids::EventId;
use url::Url;

/// An endpoint event with its id and time, whose body is written within the transaction that
/// assigns its sequence number.
#[derive(Debug, Clone, Copy)]
pub struct EventDraft {
    /// The event.
    pub id: EventId,
    /// When it happens, milliseconds since 1970.
    pub at_ms: i64,
    livemode: bool,
}

impl EventDraft {
    /// A draft for the current time.
    #[must_use]
    pub fn new(gateway: &Gateway) -> Self {
        Self {
            id: gateway.event_id(),
            at_ms: gateway.clock.now_ms_i64(),
            livemode: gateway.livemode(),
        }
    }

    /// The event of this type about the endpoint's current state.
    ///
    /// # Errors
    /// The body cannot be serialized, which no endpoint causes.
    pub fn event(
        self,
        endpoint: &WebhookEndpoint,
        kind: &'static str,
        reason: Option<&'static str>,
        sequence: i64,
    ) -> Result<Event, ApiError> {
        let data = EndpointEventData {
            sequence,
            reason,
            webhook_endpoint: EndpointRecord::new(endpoint, self.at_ms),
        };
        let of = (endpoint.merchant, self.livemode);
        Ok(Event {
            id: self.id,
            merchant: endpoint.merchant,
            subject: endpoint.id.to_string(),
            kind: kind.to_owned(),
            sequence,
            body: EventBody::json(kind, of, self.at_ms, data)?,
            created_at_ms: self.at_ms,
        })
    }

    /// The event about an updated endpoint, and the farewell to its former address.
    ///
    /// # Errors
    /// As for [`Self::event`].
    pub fn updated(
        self,
        endpoint: &WebhookEndpoint,
        sequence: i64,
    ) -> Result<EndpointEvent, ApiError> {
        const UPDATED: &str = "webhook_endpoint.updated";
        let event = self.event(endpoint, UPDATED, None, sequence)?;
        // The path and query may be the new address's secret.
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

/// The type of a verification challenge.
const VERIFICATION: &str = "webhook_endpoint.verification";

/// The challenge by which an endpoint proves that it belongs to the merchant: it must return the
/// challenge. It is formatted and signed like an event, but not stored and without a sequence
/// number.
///
/// # Errors
/// The body cannot be serialized, which no endpoint causes.
pub fn verification(
    gateway: &Gateway,
    endpoint: &WebhookEndpoint,
    challenge: &str,
) -> Result<Event, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let data = VerificationData {
        challenge,
        webhook_endpoint: EndpointRecord::new(endpoint, now_ms),
    };
    let of = (endpoint.merchant, gateway.livemode());
    Ok(Event {
        id: gateway.event_id(),
        merchant: endpoint.merchant,
        subject: endpoint.id.to_string(),
        kind: VERIFICATION.to_owned(),
        sequence: 0,
        body: EventBody::json(VERIFICATION, of, now_ms, data)?,
        created_at_ms: now_ms,
    })
}
