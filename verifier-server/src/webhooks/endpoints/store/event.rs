//! Endpoint events that are written in the transaction of the change.

use crate::error::ApiError;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::events::model::Event;

/// An event about an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointEvent {
    /// The event.
    pub event: Event,
    /// The body of the farewell to a former address.
    pub farewell_body: Option<String>,
}

impl From<Event> for EndpointEvent {
    fn from(event: Event) -> Self {
        Self {
            event,
            farewell_body: None,
        }
    }
}

/// Describes a write as an event, given the endpoint before the write and the sequence number: none
/// if nothing changes, an error if the change is not allowed. May be called more than once.
pub type Describe =
    dyn Fn(&WebhookEndpoint, i64) -> Result<Option<EndpointEvent>, ApiError> + Send + Sync;
