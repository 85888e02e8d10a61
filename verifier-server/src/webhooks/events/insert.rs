//! Writes an event and its deliveries in the transaction of the change that it reports.

use super::model::Event;
use crate::webhooks::deliveries::model::HELD_MS;
use sealpay_storage::{DatabaseError, Entity, Statement, Value, entity, values};

entity! {
    Event in "events" {
        id,
        merchant,
        subject,
        kind,
        sequence,
        body,
        created_at_ms,
    }
}

/// Creates a delivery for each subscribed endpoint. In LIKE, event names have no special character
/// but the underscore, which matches any character including itself. Deliveries to an unverified
/// endpoint are held until it is verified.
const DELIVER: &str = "INSERT INTO deliveries
    (event, endpoint, merchant, state, attempts, next_at_ms)
    SELECT $1, id, merchant, 'pending', 0,
        CASE WHEN verified_at_ms IS NULL THEN CAST($5 AS BIGINT) ELSE CAST($3 AS BIGINT) END
    FROM webhook_endpoints
    WHERE merchant = $2 AND disabled_at_ms IS NULL AND deleted_at_ms IS NULL
    AND (event_types = '*' OR ',' || event_types || ',' LIKE $4)";

/// An event about an endpoint goes to the merchant's other endpoints only.
pub(crate) const SPARE: &str = "DELETE FROM deliveries WHERE event = $1 AND endpoint = $2";

/// An event prepared by the caller to keep the single writer fast.
pub(crate) struct EventInsert {
    event: <Event as Entity>::Values,
    deliveries: [Value; 5],
}

impl EventInsert {
    pub(crate) fn new(event: &Event) -> Result<Self, DatabaseError> {
        Ok(Self {
            event: event.to_row()?,
            deliveries: values![
                event.id,
                event.merchant,
                event.created_at_ms,
                ["%,", &event.kind, ",%"].concat(),
                HELD_MS,
            ],
        })
    }

    pub(crate) fn statements(&self) -> [Statement<'_>; 2] {
        [(Event::INSERT, &self.event), (DELIVER, &self.deliveries)]
    }
}
