//! Forwards events to a developer's own machine, at any address.

use super::address::{AddressPolicy, Network};
use super::sender::{Message, Sender, Sent};
use crate::webhooks::events::model::Event;

/// The result of forwarding an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarded {
    /// The server responded with this status.
    Answered(u16),
    /// No response, for this reason.
    Failed(String),
}

/// Sends events as the outbox does, but to any address and also without TLS: the developer who runs
/// this chooses the destination.
pub struct Forwarder(Sender);

impl std::fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forwarder")
    }
}

impl Forwarder {
    /// Creates the HTTP client.
    pub fn new() -> Result<Self, String> {
        let everywhere = ["0.0.0.0/0", "::/0"];
        let networks: Result<Vec<Network>, _> =
            everywhere.iter().map(|text| text.parse()).collect();
        Sender::new(AddressPolicy::new(networks?, true)).map(Self)
    }

    /// Sends one event, once. Redirects are not followed.
    pub async fn forward(
        &self,
        url: &str,
        event: &Event,
        timestamp: u64,
        signature: &str,
    ) -> Forwarded {
        let message = Message {
            merchant: event.merchant,
            url,
            event: event.id,
            body: &event.body,
            timestamp,
            signature,
        };
        match self.0.send(message).await {
            Sent::Answered { status, .. } => Forwarded::Answered(status),
            Sent::Failed(reason) | Sent::Unreached(reason) => Forwarded::Failed(reason),
        }
    }
}
