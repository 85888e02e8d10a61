//! Writes postings, in the transaction of their cause.

use super::model::Transfer;
use super::posting::Posting;
use crate::settlements::model::BalanceTransaction;
use sealpay_storage::{Statement, Value, values};

pub(crate) const TRANSFER: &str = "INSERT INTO ledger_transfers
    (id, merchant, currency, debit_account, credit_account, amount_minor, cause, cause_id,
     created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The key over `source` and `kind` stops whatever would be settled twice.
pub(crate) const LINE: &str = "INSERT INTO balance_transactions
    (id, merchant, currency, kind, source, payment, order_ref, method, brand, region, gross_minor,
     interchange_minor, scheme_minor, processor_minor, net_minor, business_date, settlement_date,
     settlement, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

/// A booking made ready by whoever asks, so that the one writer has less to do.
pub(crate) struct PreparedPosting {
    transfers: Vec<[Value; 9]>,
    line: Option<[Value; 19]>,
}

impl PreparedPosting {
    pub(crate) fn of(posting: &Posting) -> Self {
        Self {
            transfers: posting.transfers.iter().map(transfer_values).collect(),
            line: posting.line.as_ref().map(line_values),
        }
    }

    pub(crate) fn statements(&self) -> impl Iterator<Item = Statement<'_>> {
        let transfers = self.transfers.iter();
        let transfers = transfers.map(|values| -> Statement<'_> { (TRANSFER, values) });
        let line = self.line.iter();
        transfers.chain(line.map(|values| -> Statement<'_> { (LINE, values) }))
    }
}

pub(crate) fn transfer_values(transfer: &Transfer) -> [Value; 9] {
    values![
        transfer.id,
        transfer.merchant,
        transfer.currency.code().to_owned(),
        transfer.debit.name(),
        transfer.credit.name(),
        transfer.amount_minor,
        transfer.posting_type.name(),
        &transfer.cause_id,
        transfer.created_at_ms,
    ]
}

pub(crate) fn line_values(line: &BalanceTransaction) -> [Value; 19] {
    values![
        line.id,
        line.merchant,
        line.currency.code().to_owned(),
        line.kind.name(),
        &line.source,
        line.payment,
        line.order_ref.clone(),
        line.method.clone(),
        line.brand.clone(),
        line.region.clone(),
        line.gross_minor,
        line.fees.interchange_minor,
        line.fees.scheme_minor,
        line.fees.processor_minor,
        line.net_minor,
        line.business_date.to_string(),
        line.settlement_date.to_string(),
        line.settlement,
        line.created_at_ms,
    ]
}
