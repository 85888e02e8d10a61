//! Counts the pending deliveries of one endpoint.

use sealpay_protocol::ids::EndpointId;
use sealpay_storage::{Fault, Tx, values};

/// Maximum number of pending deliveries of one endpoint before redeliveries and pings are rejected:
/// each pending delivery to a hanging receiver costs the database again and again.
pub const MOST_PENDING: i64 = 10_000;

const PENDING: &str = "SELECT COUNT(*) FROM (
        SELECT 1 AS waiting FROM deliveries
        WHERE endpoint = $1 AND state = 'pending' LIMIT $2
    ) AS all_waiting";

/// The number of pending deliveries of an endpoint, counted up to a maximum.
pub(crate) async fn pending(
    tx: &mut Tx<'_>,
    endpoint: EndpointId,
    most: i64,
) -> Result<i64, Fault> {
    tx.scalar(PENDING, &values![endpoint, most]).await
}
