//! Writes postings, in the transaction of their cause.

use super::model::Transfer;
use super::posting::Posting;
use crate::balance::model::BalanceTransaction;
use sealpay_storage::sql::placeholders;
use sealpay_storage::{
    AsText, ByName, Database, DatabaseError, Entity, Projection, Statement, entity, insert, sql,
    to_rows,
};

/// The repository of the ledger.
#[derive(Debug, Clone)]
pub struct LedgerStore {
    pub(crate) database: Database,
}

entity! {
    Transfer in "ledger_transfers" {
        id,
        merchant,
        currency,
        debit as ByName: (debit_account),
        credit as ByName: (credit_account),
        amount_minor,
        posting_type as ByName: (cause),
        cause_id,
        created_at_ms,
    }
}

const COLUMNS: usize = 9;

/// Records a transfer in the open period, as of this statement. A period can be closed only when no
/// transaction that wrote to the table is open.
const RECORD: &str = sql!(
    "INSERT INTO ledger_transfers (",
    Transfer::COLUMNS,
    ", period) VALUES (",
    placeholders(COLUMNS),
    ", (SELECT COALESCE(MAX(number), 0) FROM ledger_period))"
);

/// The statement that records a transfer.
pub(crate) fn record(row: &<Transfer as Entity>::Values) -> Statement<'_> {
    (RECORD, row)
}

// The primary key over `source` and `kind` prevents settling anything twice.
entity! {
    BalanceTransaction in "balance_transactions" {
        id,
        merchant,
        currency,
        kind as ByName,
        source,
        payment,
        order_ref,
        method,
        brand,
        region,
        gross_minor,
        fees: (interchange_minor, scheme_minor, processor_minor),
        net_minor,
        business_date as AsText,
        settlement_date as AsText,
        settlement,
        created_at_ms,
    }
}

/// A posting prepared by the caller to keep the single writer fast.
pub(crate) struct PreparedPosting {
    transfers: Vec<<Transfer as Entity>::Values>,
    line: Option<<BalanceTransaction as Entity>::Values>,
}

impl PreparedPosting {
    pub(crate) fn new(posting: &Posting) -> Result<Self, DatabaseError> {
        Ok(Self {
            transfers: to_rows(&posting.transfers)?,
            line: posting.line.as_ref().map(Entity::to_row).transpose()?,
        })
    }

    pub(crate) fn statements(&self) -> impl Iterator<Item = Statement<'_>> {
        let transfers = self.transfers.iter().map(record);
        transfers.chain(self.line.iter().map(insert::<BalanceTransaction>))
    }
}
