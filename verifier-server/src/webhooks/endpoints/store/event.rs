//! What is told of an endpoint, in the transaction of its change.

use crate::error::ApiError;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::events::model::Event;

/// What is told of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointEvent {
    /// The event.
    pub event: Event,
    /// The same for an address that the endpoint does not have any more.
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

/// Says what is told of a write, for the endpoint as it is before and the number of its next event:
/// nothing where nothing changes, an error where that is not allowed. It may be asked more than once.
pub type Describe =
    dyn Fn(&WebhookEndpoint, i64) -> Result<Option<EndpointEvent>, ApiError> + Send + Sync;
