//! `/v1/payments/{id}/captures`, `/void` and `/refunds`.

mod bad_requests;
mod by_hand;
mod capture;
mod overpaid_transfers;
mod reconcile;
mod refund;
mod store;
mod void;

use harness::gateway::TestGateway;
use sealpay_protocol::ids::PaymentId;

/// What the ledger and the lines say of a payment: every transfer as `debit>credit amount`, every
/// line as `kind gross`.
pub(crate) async fn ledger_entries(
    gateway: &TestGateway,
    payment: PaymentId,
) -> (Vec<String>, Vec<String>) {
    let transfers = format!(
        "SELECT t.debit_account, t.credit_account, t.amount_minor FROM ledger_transfers t
         WHERE t.cause_id = '{payment}'
         OR t.cause_id IN (SELECT id FROM modifications WHERE payment = '{payment}')
         OR t.cause_id IN (SELECT id FROM disputes WHERE payment = '{payment}') ORDER BY t.id"
    );
    let lines = format!(
        "SELECT kind, gross_minor FROM balance_transactions WHERE payment = '{payment}' ORDER BY id"
    );
    let transfers = gateway.rows(&transfers).await;
    let lines = gateway.rows(&lines).await;
    (
        transfers
            .iter()
            .map(|row| format!("{}>{} {}", row[0], row[1], row[2]))
            .collect(),
        lines.iter().map(|row| row.join(" ")).collect(),
    )
}
