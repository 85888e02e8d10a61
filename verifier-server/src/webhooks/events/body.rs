//! The body of a webhook, byte for byte as it is signed and sent.

use super::model::{EVENT_VERSION, Event};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use jiff::Timestamp;
use sealpay_protocol::ids::{EventId, MerchantId};
use serde::Serialize;
use utoipa::ToSchema;

/// The body of a webhook (Standard Webhooks: `type`, `timestamp`, `data`).
#[derive(Debug, Serialize, ToSchema)]
pub struct EventBody<T> {
    /// Such as `payment.captured`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened, RFC 3339 in UTC.
    pub timestamp: String,
    /// The version of the format.
    pub version: &'static str,
    /// The merchant that the event is for; receivers reject those of others.
    pub merchant: String,
    /// Whether real money moved; live receivers reject test events.
    pub livemode: bool,
    /// The data of the event.
    pub data: T,
}

impl<T: Serialize> EventBody<T> {
    /// The JSON of an event at a time, milliseconds since 1970.
    pub(crate) fn json(
        kind: &str,
        (merchant, livemode): (MerchantId, bool),
        happened_at_ms: i64,
        data: T,
    ) -> Result<String, ApiError> {
        let internal =
            |error: &dyn std::fmt::Display| ApiError::because(ErrorCode::Internal, error);
        let happened = Timestamp::from_second(happened_at_ms.div_euclid(1000));
        let body = Self {
            kind: kind.to_owned(),
            timestamp: happened.map_err(|error| internal(&error))?.to_string(),
            version: EVENT_VERSION,
            merchant: merchant.to_string(),
            livemode,
            data,
        };
        serde_json::to_string(&body).map_err(|error| internal(&error))
    }
}

/// An event before its body is written.
pub(crate) struct NewEvent<'a, T> {
    /// Such as `customer.created`.
    pub(crate) kind: &'a str,
    /// The merchant that the event is for.
    pub(crate) merchant: MerchantId,
    /// The id of the resource that it is about.
    pub(crate) subject: String,
    /// Counts the resource's events from 1.
    pub(crate) sequence: i64,
    /// When it happened, milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The data of the event.
    pub(crate) data: T,
}

impl<T: Serialize> NewEvent<'_, T> {
    /// The event with a new id and its body.
    ///
    /// # Errors
    /// The body cannot be serialized, which no data causes.
    pub(crate) fn write(self, gateway: &Gateway) -> Result<Event, ApiError> {
        self.with_id(gateway.event_id(), gateway.livemode())
    }

    /// The event with an id that was made before, for bodies that are written in a transaction.
    ///
    /// # Errors
    /// The body cannot be serialized, which no data causes.
    pub(crate) fn with_id(self, id: EventId, livemode: bool) -> Result<Event, ApiError> {
        let owner = (self.merchant, livemode);
        Ok(Event {
            id,
            merchant: self.merchant,
            subject: self.subject,
            kind: self.kind.to_owned(),
            sequence: self.sequence,
            body: EventBody::json(self.kind, owner, self.at_ms, self.data)?,
            created_at_ms: self.at_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::EventBody;
    use sealpay_protocol::ids::MerchantId;

    #[test]
    fn timestamps_follow_rfc_3339() {
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_000, "2000-02-28T23:59:59Z"),
            (951_868_800_999, "2000-03-01T00:00:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (at_ms, text) in rows {
            let merchant = MerchantId::new(1, [0; 10]);
            let body = EventBody::json("ping", (merchant, false), at_ms, ()).unwrap();
            assert!(
                body.contains(&format!("\"timestamp\":\"{text}\"")),
                "{body}"
            );
        }
    }
}
