//! How much waits for one endpoint.

use sealpay_protocol::ids::EndpointId;
use sealpay_storage::{Fault, Tx, values};

/// Deliveries that may wait for one endpoint before no more are begun anew and it is not pinged: what a
/// receiver that hangs does not take costs the database a little again and again.
pub const MOST_PENDING: i64 = 10_000;

const PENDING: &str = "SELECT COUNT(*) FROM (
        SELECT 1 AS waiting FROM deliveries
        WHERE endpoint = $1 AND state = 'pending' LIMIT $2
    ) AS all_waiting";

/// How many deliveries wait for an endpoint, or so many if there are more.
pub(crate) async fn pending(
    tx: &mut Tx<'_>,
    endpoint: EndpointId,
    most: i64,
) -> Result<i64, Fault> {
    tx.scalar(PENDING, &values![endpoint, most]).await
}
