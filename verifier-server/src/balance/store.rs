//! Reads balance transactions.

use crate::balance::model::{BalanceTransaction, TransactionKind};
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{Identifier, MerchantId, PaymentId, SettlementId, TransactionId};
use sealpay_storage::{
    AsText, Database, DatabaseError, Extent, IdRange, Projection, projection, sql, values,
};

/// The filter of a list of balance transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// In this currency.
    pub currency: Option<Currency>,
    /// Of this type.
    pub kind: Option<TransactionKind>,
    /// Of this payment.
    pub payment: Option<PaymentId>,
    /// In this settlement.
    pub settlement: Option<SettlementId>,
    /// Made at this time or later, milliseconds since 1970.
    pub created_from_ms: Option<i64>,
    /// Made before this time, milliseconds since 1970.
    pub created_until_ms: Option<i64>,
    /// Older than this one.
    pub after: Option<TransactionId>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// A merchant's unsettled balance transactions of one currency and date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingLines {
    /// The currency.
    pub currency: Currency,
    /// The settlement date.
    pub settlement_date: Date,
    /// The number of balance transactions.
    pub lines: i64,
    /// Their net sum, minor units; without the reserve that is released then.
    pub net_minor: i64,
}

projection! {
    PendingLines from "balance_transactions" {
        currency,
        settlement_date as AsText,
        lines: ("COUNT(*)"),
        net_minor: ("CAST(COALESCE(SUM(net_minor), 0) AS BIGINT)"),
    }
}

/// A filter that is none does not apply. Ids sort by time, so a time span is a range of ids.
const FILTERED: &str = "AND id < $2 AND id >= $3 AND currency = COALESCE($4, currency) \
     AND kind = COALESCE($5, kind) ORDER BY id DESC LIMIT $6";

const OF_MERCHANT: &str = sql!(BalanceTransaction::SELECT, "WHERE merchant = $1 ", FILTERED);

/// Those of a payment or settlement are few compared with all of the merchant's. If the merchant's
/// index were usable here, SQLite would scan all of them. A payment captured automatically is the
/// source of its row.
const OF_PAYMENT: &str = sql!(
    BalanceTransaction::SELECT,
    "WHERE (source = $7 OR (payment = $7 AND payment <> source)) AND merchant || '' = $1 \
     AND COALESCE(settlement, '') = COALESCE($8, settlement, '') ",
    FILTERED
);

const OF_SETTLEMENT_FILTERED: &str = sql!(
    BalanceTransaction::SELECT,
    "WHERE settlement = $7 AND merchant || '' = $1 ",
    FILTERED
);

const OF_SETTLEMENT: &str = sql!(
    BalanceTransaction::SELECT,
    "WHERE settlement = $1 AND id > $2 ORDER BY id LIMIT $3"
);

const PENDING: &str = sql!(
    PendingLines::SELECT,
    "WHERE merchant = $1 AND settlement IS NULL AND kind <> 'reserve_release' \
     GROUP BY currency, settlement_date ORDER BY currency, settlement_date"
);

/// The repository of balance transactions.
#[derive(Debug, Clone)]
pub struct BalanceStore {
    pub(crate) database: Database,
}

impl BalanceStore {
    /// A merchant's balance transactions, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &TransactionFilter,
    ) -> Result<Vec<BalanceTransaction>, DatabaseError> {
        let range = IdRange::of_ms(filter.created_from_ms, filter.created_until_ms);
        let range = range.older_than(filter.after);
        let [merchant, before, from, currency, kind, limit] = values![
            merchant,
            range.before,
            range.from,
            filter.currency,
            filter.kind.map(TransactionKind::name),
            filter.limit,
        ];
        let (sql, narrowed) = match (filter.payment, filter.settlement) {
            (Some(payment), any) => (OF_PAYMENT, vec![payment.into(), any.into()]),
            (None, Some(settlement)) => (OF_SETTLEMENT_FILTERED, vec![settlement.into()]),
            (None, None) => (OF_MERCHANT, vec![]),
        };
        let mut wanted = vec![merchant, before, from, currency, kind, limit];
        wanted.extend(narrowed);
        let reading = (sql, wanted);
        self.database
            .scan(Extent::List, reading, |tx, (sql, wanted)| {
                Box::pin(tx.list(sql, wanted))
            })
            .await
    }

    /// The balance transactions of a settlement in order of creation, after one of them.
    pub async fn of_settlement(
        &self,
        settlement: SettlementId,
        after: Option<TransactionId>,
        limit: u32,
    ) -> Result<Vec<BalanceTransaction>, DatabaseError> {
        let wanted = values![settlement, after.unwrap_or(TransactionId::MIN), limit];
        self.database
            .scan_list(Extent::List, OF_SETTLEMENT, wanted)
            .await
    }

    /// A merchant's unsettled amounts, by currency and date, without reserve releases.
    pub async fn pending(&self, merchant: MerchantId) -> Result<Vec<PendingLines>, DatabaseError> {
        self.database
            .scan_list(Extent::Sum, PENDING, values![merchant])
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::{OF_MERCHANT, OF_PAYMENT, OF_SETTLEMENT, OF_SETTLEMENT_FILTERED, PENDING};
    use crate::settlements::store::{BIND, DUE, POSTPONE};
    use crate::store::MIGRATIONS;
    use rusqlite::Connection;

    /// Queries for unsettled rows must not read settled ones, which are almost all; and nothing is
    /// sorted, except the few rows of one payment.
    #[test]
    fn statements_use_their_indexes() {
        let connection = Connection::open_in_memory().unwrap();
        for step in MIGRATIONS.steps {
            connection.execute_batch(step).unwrap();
        }
        let rows = [
            (OF_MERCHANT, "of_merchant (merchant=? AND id>? AND id<?)"),
            (OF_SETTLEMENT, "of_settlement (settlement=? AND id>?)"),
            (
                OF_SETTLEMENT_FILTERED,
                "of_settlement (settlement=? AND id>? AND id<?)",
            ),
            (PENDING, "due (merchant=?)"),
            (
                BIND,
                "due (merchant=? AND currency=? AND settlement_date<?)",
            ),
            (
                POSTPONE,
                "due (merchant=? AND currency=? AND settlement_date<?)",
            ),
        ];
        for (sql, index) in rows {
            let expected = [
                "SEARCH balance_transactions USING INDEX balance_transactions_",
                index,
            ];
            assert_eq!(plan(&connection, sql), [expected.concat()], "{sql}");
        }
        let of_payment = plan(&connection, OF_PAYMENT);
        let indexes: Vec<_> = of_payment
            .iter()
            .filter_map(|step| step.split_once("SEARCH balance_transactions USING INDEX "))
            .map(|(_, index)| index)
            .collect();
        let expected = [
            "sqlite_autoindex_balance_transactions_1 (source=?)",
            "balance_transactions_of_payment (payment=?)",
        ];
        assert_eq!(indexes, expected, "{of_payment:?}");
        let due = plan(&connection, DUE);
        let covered = "SCAN balance_transactions USING COVERING INDEX balance_transactions_due";
        assert_eq!(due[0], covered, "{due:?}");
    }

    fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let explain = ["EXPLAIN QUERY PLAN ", sql].concat();
        let mut statement = connection.prepare(&explain).unwrap();
        let nothing = vec![None::<i64>; statement.parameter_count()];
        let nothing = rusqlite::params_from_iter(nothing);
        let steps = statement.query_map(nothing, |row| row.get::<_, String>("detail"));
        steps.unwrap().map(Result::unwrap).collect()
    }
}
