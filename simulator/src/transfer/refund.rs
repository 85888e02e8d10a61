//! Refunds to the sender of a transfer.

use crate::journal::Change;
use sealpay_provider::ProviderDecision;
use sealpay_provider::modification::ModificationKind;
use sealpay_storage::{Fault, Tx, values};

const CURRENCY: &str = "SELECT currency FROM bank_collections WHERE reference = $1";

/// Refunds at most the sum that has arrived; returned transfers do not count.
const REFUND: &str = "UPDATE bank_collections SET refunded_minor = refunded_minor + $2
    WHERE reference = $1 AND refunded_minor + $2 <= (
        SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM bank_transfers
        WHERE plain_reference = bank_collections.creditor_reference
        AND bank_transfers.currency = bank_collections.currency
        AND state <> 'returned' AND arrives_at_ms <= $3)";

fn declined(reason: &str) -> Result<ProviderDecision, Fault> {
    Ok(ProviderDecision::declined(reason))
}

/// A transfer knows refunds alone.
pub(crate) async fn decide(tx: &mut Tx<'_>, change: &Change) -> Result<ProviderDecision, Fault> {
    if change.request.kind != ModificationKind::Refund {
        return declined("invalid_transaction");
    }
    let reference = change.request.payment;
    let Some((currency,)) = tx.get(CURRENCY, &values![reference]).await? else {
        return declined("invalid_transaction");
    };
    let money = change.request.money;
    let amount_minor = money.amount_minor();
    if money.currency() != currency || amount_minor <= 0 {
        return declined("invalid_amount");
    }
    let refund = values![reference, amount_minor, change.now_ms];
    match tx.execute(REFUND, &refund).await? {
        1 => Ok(ProviderDecision::approved()),
        _ => declined("invalid_amount"),
    }
}
