//! The claim of an invoice by a payment on its page, in the transaction that claims the payment.

use crate::idempotency::write::Prepared;
use crate::invoices::model::{Invoice, InvoiceState};
use crate::invoices::store::BY_ID;
use crate::invoices::update::update;
use crate::payments::model::Payment;
use sealpay_protocol::ids::InvoiceId;
use sealpay_storage::{DatabaseError, Fault, Tx, values};

/// Why a payment cannot pay an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceRefusal {
    /// It is not open any more.
    Closed,
    /// Another payment has no outcome yet.
    PaymentInProgress,
    /// Another amount is due.
    AmountChanged,
}

/// The result of a claim.
pub(crate) enum InvoiceClaim {
    /// The invoice waits for the payment; the statement undoes that within the same transaction.
    Claimed(Prepared),
    /// Nothing was changed.
    Refused(InvoiceRefusal),
}

fn refusal(invoice: &Invoice, payment: &Payment) -> Option<InvoiceRefusal> {
    if invoice.state != InvoiceState::Open {
        return Some(InvoiceRefusal::Closed);
    }
    // What is overdue comes first: who begins again and again cannot put it off for ever.
    let is_overdue = invoice.due.is_some() && invoice.due_at_ms <= payment.created_at_ms;
    if invoice.collection.is_pending || is_overdue {
        return Some(InvoiceRefusal::PaymentInProgress);
    }
    (invoice.due_money() != payment.money).then_some(InvoiceRefusal::AmountChanged)
}

/// Makes an invoice wait for a payment of exactly what is due. Its sequence decides races with
/// everything else that changes it, so that one payment at a time is made.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    id: InvoiceId,
    payment: &Payment,
) -> Result<InvoiceClaim, Fault> {
    let found: Option<Invoice> = tx.get(BY_ID, &values![id]).await?;
    let missing = || DatabaseError::Corrupt("an order names an invoice that is gone".into());
    let before = found.ok_or_else(missing)?;
    if let Some(refusal) = refusal(&before, payment) {
        return Ok(InvoiceClaim::Refused(refusal));
    }
    let mut after = before.clone();
    after.wait_for_payment(payment.id);
    after.touch(payment.created_at_ms);
    let (sql, values) = update(before.sequence, &after)?;
    if tx.execute(sql, &values).await? == 0 {
        return Err(Fault::Retry("the invoice has changed in between".into()));
    }
    Ok(InvoiceClaim::Claimed(update(after.sequence, &before)?))
}
