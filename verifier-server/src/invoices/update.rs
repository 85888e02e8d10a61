//! The statement that changes an invoice.

use super::model::{Invoice, InvoiceDue};
use crate::idempotency::write::Prepared;
use sealpay_storage::{AsJson, Codec, DatabaseError, values};

/// Decides every race between changes of one invoice.
const UPDATE: &str = "UPDATE invoices SET number = $3, state = $4, applied_minor = $5,
        paid_minor = $6, credited_minor = $7, collection = $8, due = $9, due_at_ms = $10,
        lease_until_ms = $11, finalized_at_ms = $12, closed_at_ms = $13, sequence = $14,
        updated_at_ms = $15
    WHERE id = $1 AND sequence = $2";

/// The statement that changes an invoice, if it is as it was when it had this sequence.
pub(crate) fn update(before_sequence: i64, after: &Invoice) -> Result<Prepared, DatabaseError> {
    let [collection] = AsJson::write(&after.collection)?;
    let values = values![
        after.id,
        before_sequence,
        after.number.clone(),
        after.state.name(),
        after.applied_minor,
        after.paid_minor,
        after.credited_minor,
        collection,
        after.due.map(InvoiceDue::name),
        after.due_at_ms,
        after.lease_until_ms,
        after.finalized_at_ms,
        after.closed_at_ms,
        after.sequence,
        after.updated_at_ms,
    ];
    Ok((UPDATE, values.to_vec()))
}
