//! Balance transactions, the lines of settlements: what is read of them.

use crate::settlements::fees::Fees;
use crate::settlements::model::{BalanceTransaction, TransactionKind};
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId, SettlementId, TransactionId};
use sealpay_storage::{Database, DatabaseError, Extent, Row, Value, values};

/// Which of a merchant's lines, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Only those in this currency.
    pub currency: Option<Currency>,
    /// Only those of this kind.
    pub kind: Option<TransactionKind>,
    /// Only those of this payment.
    pub payment: Option<PaymentId>,
    /// Only those in this settlement.
    pub settlement: Option<SettlementId>,
    /// Only those made from this moment on, milliseconds since 1970.
    pub created_from_ms: Option<i64>,
    /// Only those made before this moment, milliseconds since 1970.
    pub created_until_ms: Option<i64>,
    /// Only those older than this one.
    pub after: Option<TransactionId>,
    /// At most so many.
    pub limit: u32,
}

/// What a merchant waits for in a currency, for one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingLines {
    /// The currency.
    pub currency: Currency,
    /// The day on which they are settled.
    pub settlement_date: Date,
    /// How many lines.
    pub lines: i64,
    /// Their sum, minor units; without what is kept back until then.
    pub net_minor: i64,
}

macro_rules! columns {
    () => {
        "SELECT id, merchant, currency, kind, source, payment, order_ref, method, brand, region, \
         gross_minor, interchange_minor, scheme_minor, processor_minor, net_minor, business_date, \
         settlement_date, settlement, created_at_ms FROM balance_transactions "
    };
}

/// An empty text stands for any. Identifiers sort by time, so that a span of time is one of
/// identifiers too.
macro_rules! filtered {
    () => {
        "AND id < $2 AND id >= $3 AND ($4 = '' OR currency = $4) AND ($5 = '' OR kind = $5) \
         ORDER BY id DESC LIMIT $6"
    };
}

const OF_MERCHANT: &str = concat!(columns!(), "WHERE merchant = $1 ", filtered!());

/// Lines of a payment or of a settlement are few beside all of the merchant's. Where those could be
/// found by the merchant, SQLite would read all of them instead.
const OF_PAYMENT: &str = concat!(
    columns!(),
    "WHERE payment = $7 AND merchant || '' = $1 AND ($8 = '' OR settlement = $8) ",
    filtered!()
);

const OF_SETTLEMENT_FILTERED: &str = concat!(
    columns!(),
    "WHERE settlement = $7 AND merchant || '' = $1 ",
    filtered!()
);

const OF_SETTLEMENT: &str = concat!(
    columns!(),
    "WHERE settlement = $1 AND id > $2 ORDER BY id LIMIT $3"
);

const PENDING: &str = "SELECT currency, settlement_date, COUNT(*),
        CAST(COALESCE(SUM(net_minor), 0) AS BIGINT)
    FROM balance_transactions
    WHERE merchant = $1 AND settlement IS NULL AND kind <> 'reserve_release'
    GROUP BY currency, settlement_date ORDER BY currency, settlement_date";

/// Sorts behind every identifier of a line.
const BEHIND_ALL: &str = "txn_z";

fn line(mut row: Row) -> Result<BalanceTransaction, DatabaseError> {
    Ok(BalanceTransaction {
        id: row.parsed()?,
        merchant: row.parsed()?,
        currency: row.parsed()?,
        kind: row.read(TransactionKind::from_name)?,
        source: row.text()?,
        payment: row.optional_parsed()?,
        order_ref: row.optional_text()?,
        method: row.optional_text()?,
        brand: row.optional_text()?,
        region: row.optional_text()?,
        gross_minor: row.integer()?,
        fees: fees(&mut row)?,
        net_minor: row.integer()?,
        business_date: row.parsed()?,
        settlement_date: row.parsed()?,
        settlement: row.optional_parsed()?,
        created_at_ms: row.integer()?,
    })
}

pub(crate) fn fees(row: &mut Row) -> Result<Fees, DatabaseError> {
    Ok(Fees {
        interchange_minor: row.integer()?,
        scheme_minor: row.integer()?,
        processor_minor: row.integer()?,
    })
}

/// A name as a filter takes it: nothing stands for any.
pub(crate) fn or_any(name: Option<impl Into<Value>>) -> Value {
    name.map_or_else(|| Value::from(""), Into::into)
}

/// The first identifier that a moment could have had.
fn first_of(at_ms: i64) -> TransactionId {
    TransactionId::new(u64::try_from(at_ms).unwrap_or(0), [0; 10])
}

/// Before this one a page ends at the top: the cursor, or the end of the span, whatever is lower.
fn upper(filter: &TransactionFilter) -> Value {
    let until = filter.created_until_ms.map(first_of);
    let lower_of_both = match (filter.after, until) {
        (Some(after), Some(until)) => Some(after.min(until)),
        (after, until) => after.or(until),
    };
    lower_of_both.map_or_else(|| Value::from(BEHIND_ALL), Value::from)
}

/// What is stored of balance transactions.
#[derive(Debug, Clone)]
pub struct BalanceStore {
    pub(crate) database: Database,
}

impl BalanceStore {
    /// A merchant's lines, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &TransactionFilter,
    ) -> Result<Vec<BalanceTransaction>, DatabaseError> {
        let [merchant, upper, lower, currency, kind, limit] = values![
            merchant,
            upper(filter),
            first_of(filter.created_from_ms.unwrap_or(0)),
            or_any(filter.currency.map(|currency| currency.code().to_owned())),
            or_any(filter.kind.map(TransactionKind::name)),
            filter.limit,
        ];
        let (sql, narrowed) = match (filter.payment, filter.settlement) {
            (Some(payment), any) => (OF_PAYMENT, vec![payment.into(), or_any(any)]),
            (None, Some(settlement)) => (OF_SETTLEMENT_FILTERED, vec![settlement.into()]),
            (None, None) => (OF_MERCHANT, vec![]),
        };
        let mut wanted = vec![merchant, upper, lower, currency, kind, limit];
        wanted.extend(narrowed);
        let reading = (sql, wanted);
        let rows = self
            .database
            .scan(Extent::List, reading, |tx, (sql, wanted)| {
                Box::pin(tx.query(sql, wanted))
            });
        rows.await?.into_iter().map(line).collect()
    }

    /// The lines of a settlement in the order in which they were made, after one of them.
    pub async fn of_settlement(
        &self,
        settlement: SettlementId,
        after: Option<TransactionId>,
        limit: u32,
    ) -> Result<Vec<BalanceTransaction>, DatabaseError> {
        let wanted = values![settlement, or_any(after), limit];
        let rows = self
            .database
            .scanned_rows(Extent::List, OF_SETTLEMENT, wanted)
            .await?;
        rows.into_iter().map(line).collect()
    }

    /// What waits to be settled for a merchant, by currency and day. What was kept back and is
    /// released then is left out.
    pub async fn pending(&self, merchant: MerchantId) -> Result<Vec<PendingLines>, DatabaseError> {
        let rows = self
            .database
            .scanned_rows(Extent::Sum, PENDING, values![merchant])
            .await?;
        let pending = rows.into_iter().map(|mut row| {
            Ok(PendingLines {
                currency: row.parsed()?,
                settlement_date: row.parsed()?,
                lines: row.integer()?,
                net_minor: row.integer()?,
            })
        });
        pending.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{OF_MERCHANT, OF_PAYMENT, OF_SETTLEMENT, OF_SETTLEMENT_FILTERED, PENDING};
    use crate::ledger;
    use crate::settlements::store::{BIND, DUE, POSTPONE};
    use crate::store::MIGRATIONS;
    use rusqlite::Connection;

    /// What has been settled, and it is almost everything, is read by nobody who asks for something
    /// else; and nothing is sorted.
    #[test]
    fn each_statement_reads_from_the_index_that_was_made_for_it() {
        let connection = Connection::open_in_memory().unwrap();
        for step in MIGRATIONS.steps {
            connection.execute_batch(step).unwrap();
        }
        let rows = [
            (OF_MERCHANT, "of_merchant (merchant=? AND id>? AND id<?)"),
            (OF_PAYMENT, "of_payment (payment=? AND id>? AND id<?)"),
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
        let due = plan(&connection, DUE);
        let covered = "SCAN balance_transactions USING COVERING INDEX balance_transactions_due";
        assert_eq!(due[0], covered, "{due:?}");
        let moved = "SEARCH ledger_transfers USING COVERING INDEX ledger_transfers_of_merchant \
                     (merchant=?)";
        assert_eq!(plan(&connection, ledger::audit::MOVED), [moved]);
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
