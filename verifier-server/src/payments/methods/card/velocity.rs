//! What the fraud rules look at: earlier payments of a card and from an address.

use super::risk::{LOOKED_AT, PriorPayment};
use crate::payments::store::PaymentStore;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_storage::{DatabaseError, Row, values};

// What the rules themselves stopped, and what nobody finished, says nothing of the card: otherwise a
// block would renew itself.
const OF_CARD: &str = "SELECT assessed_card, amount_minor, currency, state, created_at_ms
    FROM payments WHERE assessed_card = $1 AND id >= $2 AND assessed_card IS NOT NULL
    AND COALESCE(decline, '') NOT IN ('risk_blocked', 'not_permitted_terminal', 'payment_abandoned')
    ORDER BY id DESC LIMIT $3";

const OF_ADDRESS: &str = "SELECT assessed_card, amount_minor, currency, state, created_at_ms
    FROM payments WHERE assessed_address = $1 AND id >= $2 AND assessed_address IS NOT NULL
    AND COALESCE(decline, '') NOT IN ('risk_blocked', 'not_permitted_terminal', 'payment_abandoned')
    ORDER BY id DESC LIMIT $3";

fn earlier(mut row: Row) -> Result<PriorPayment, DatabaseError> {
    Ok(PriorPayment {
        fingerprint: row.text()?,
        money: Money::new(row.integer()?, row.parsed()?),
        state: row.parsed()?,
        created_at_ms: row.integer()?,
    })
}

/// Identifiers sort by time: this one before all that were made from a moment on.
fn first_from(since_ms: i64) -> PaymentId {
    PaymentId::new(u64::try_from(since_ms).unwrap_or(0), [0; 10])
}

impl PaymentStore {
    /// The newest assessed payments of a card since a moment, milliseconds since 1970.
    pub async fn earlier_of_card(
        &self,
        fingerprint: &str,
        since_ms: i64,
    ) -> Result<Vec<PriorPayment>, DatabaseError> {
        let wanted = values![fingerprint.to_owned(), first_from(since_ms), LOOKED_AT];
        let rows = self.database.rows(OF_CARD, wanted).await?;
        rows.into_iter().map(earlier).collect()
    }

    /// The newest assessed payments from an address since a moment, milliseconds since 1970.
    pub async fn earlier_of_address(
        &self,
        address: &str,
        since_ms: i64,
    ) -> Result<Vec<PriorPayment>, DatabaseError> {
        let wanted = values![address.to_owned(), first_from(since_ms), LOOKED_AT];
        let rows = self.database.rows(OF_ADDRESS, wanted).await?;
        rows.into_iter().map(earlier).collect()
    }
}
