//! The prior payments of a card and from an address, for the fraud rules.

use super::risk::{LOOKED_AT, PriorPayment};
use crate::payments::store::PaymentStore;
use sealpay_protocol::ids::PaymentId;
use sealpay_storage::{ByName, DatabaseError, IdRange, Projection, Value, projection, sql, values};

projection! {
    PriorPayment from "payments" {
        fingerprint: (assessed_card),
        money: (amount_minor, currency),
        state as ByName,
        created_at_ms,
    }
}

/// Payments that the rules blocked, and abandoned ones, do not count: otherwise a block would renew
/// itself.
const NEWEST: &str = "AND id >= $2 AND COALESCE(decline, '') \
     NOT IN ('risk_blocked', 'not_permitted_terminal', 'payment_abandoned') \
     ORDER BY id DESC LIMIT $3";

const OF_CARD: &str = sql!(
    PriorPayment::SELECT,
    "WHERE assessed_card = $1 AND assessed_card IS NOT NULL ",
    NEWEST
);

const OF_ADDRESS: &str = sql!(
    PriorPayment::SELECT,
    "WHERE assessed_address = $1 AND assessed_address IS NOT NULL ",
    NEWEST
);

/// The query values for a card or address and the start of the time span.
fn since(text: &str, since_ms: i64) -> [Value; 3] {
    let made = IdRange::<PaymentId>::of_ms(Some(since_ms), None);
    values![text.to_owned(), made.from, LOOKED_AT]
}

impl PaymentStore {
    /// The newest assessed payments of a card since a time, milliseconds since 1970.
    pub async fn earlier_of_card(
        &self,
        fingerprint: &str,
        since_ms: i64,
    ) -> Result<Vec<PriorPayment>, DatabaseError> {
        let wanted = since(fingerprint, since_ms);
        self.database.list(OF_CARD, wanted).await
    }

    /// The newest assessed payments from an address since a time, milliseconds since 1970.
    pub async fn earlier_of_address(
        &self,
        address: &str,
        since_ms: i64,
    ) -> Result<Vec<PriorPayment>, DatabaseError> {
        let wanted = since(address, since_ms);
        self.database.list(OF_ADDRESS, wanted).await
    }
}
