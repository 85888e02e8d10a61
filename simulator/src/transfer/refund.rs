//! Money that goes back to whoever sent it.

use crate::book::Change;
use sealpay_provider::ProviderDecision;
use sealpay_provider::modification::ModificationKind;
use sealpay_storage::{Fault, Tx, values};

const EXPECTED: &str = "SELECT currency FROM bank_collections WHERE reference = $1";

/// Gives back no more than has come: what was sent back as nobody's does not count.
const GIVE_BACK: &str = "UPDATE bank_collections SET refunded_minor = refunded_minor + $2
    WHERE reference = $1 AND refunded_minor + $2 <= (
        SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM bank_transfers
        WHERE plain_reference = bank_collections.creditor_reference
        AND bank_transfers.currency = bank_collections.currency
        AND state <> 'returned' AND arrives_at_ms <= $3)";

fn refused(reason: &str) -> ProviderDecision {
    ProviderDecision::Declined(reason.into())
}

/// A transfer is there or it is not: nothing is held that could be taken or let go.
pub(super) async fn decide(tx: &mut Tx<'_>, change: &Change) -> Result<ProviderDecision, Fault> {
    if change.request.kind != ModificationKind::Refund {
        return Ok(refused("invalid_transaction"));
    }
    let reference = change.request.payment;
    let Some(mut expected) = tx.optional(EXPECTED, &values![reference]).await? else {
        return Ok(refused("invalid_transaction"));
    };
    let money = change.request.money;
    let amount_minor = money.amount_minor();
    if expected.text()? != money.currency().code() || amount_minor <= 0 {
        return Ok(refused("invalid_amount"));
    }
    let given = values![reference, amount_minor, change.now_ms];
    match tx.execute(GIVE_BACK, &given).await? {
        1 => Ok(ProviderDecision::Approved),
        _ => Ok(refused("invalid_amount")),
    }
}
