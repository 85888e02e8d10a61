//! Pages of a merchant's payments, newest first.

use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::payments::store::PaymentStore;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId};
use sealpay_protocol::method::Method;
use sealpay_storage::{DatabaseError, Extent, IdRange, Projection, Value, sql, values};

/// The filter of a payment list. A filter that is none does not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Of this order.
    pub order_ref: Option<String>,
    /// In this state.
    pub state: Option<PaymentState>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// By this method.
    pub method: Option<Method>,
    /// Made in this second or later, seconds since 1970.
    pub created_from: Option<u64>,
    /// Made in this second or earlier, seconds since 1970.
    pub created_until: Option<u64>,
    /// Of this amount or more, minor units.
    pub amount_from_minor: Option<i64>,
    /// Of this amount or less, minor units.
    pub amount_until_minor: Option<i64>,
    /// Older than this payment.
    pub after: Option<PaymentId>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Identifiers begin with their creation time, so the index of the order also narrows the time. The
/// other columns are compared row by row.
const NARROWED: &str = " AND id < $2 AND state = COALESCE($5, state) \
     AND currency = COALESCE($6, currency) AND method = COALESCE($7, method) \
     AND amount_minor >= $8 AND amount_minor <= $9 ORDER BY id DESC LIMIT $4";

const OF_MERCHANT: &str = sql!(
    Payment::SELECT,
    "WHERE merchant = $1 AND id >= $3",
    NARROWED
);

/// The cast keeps SQLite from the other index: it assumes that two bounds on the identifier match
/// fewer rows than an order does.
const OF_ORDER: &str = sql!(
    Payment::SELECT,
    "WHERE merchant = $1 AND order_ref = $10 AND CAST(id AS TEXT) >= $3",
    NARROWED
);

impl PaymentFilter {
    fn values(&self, merchant: MerchantId) -> Vec<Value> {
        let range = IdRange::<PaymentId>::of_seconds(self.created_from, self.created_until);
        let range = range.older_than(self.after);
        let narrowed: [Value; 9] = values![
            merchant,
            range.before,
            range.from,
            self.limit,
            self.state.map(PaymentState::name),
            self.currency,
            self.method.map(Method::name),
            self.amount_from_minor.unwrap_or(i64::MIN),
            self.amount_until_minor.unwrap_or(i64::MAX),
        ];
        let order_ref = self.order_ref.as_ref().map(Value::from);
        narrowed.into_iter().chain(order_ref).collect()
    }
}

impl PaymentStore {
    /// A merchant's payments, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &PaymentFilter,
    ) -> Result<Vec<Payment>, DatabaseError> {
        let sql = match filter.order_ref {
            None => OF_MERCHANT,
            Some(_) => OF_ORDER,
        };
        let reading = (sql, filter.values(merchant));
        self.database
            .scan(Extent::List, reading, |tx, (sql, values)| {
                Box::pin(tx.list(sql, values))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::{OF_MERCHANT, OF_ORDER};
    use crate::store::MIGRATIONS;
    use rusqlite::Connection;

    /// A page must not take longer with a million payments than with ten: it is read from the index
    /// that has its order, without sorting.
    #[test]
    fn pages_are_read_from_the_index_in_order() {
        let connection = Connection::open_in_memory().unwrap();
        for step in MIGRATIONS.steps {
            connection.execute_batch(step).unwrap();
        }
        let rows = [
            (
                OF_MERCHANT,
                "USING INDEX payments_of_merchant (merchant=? AND id>? AND id<?)",
            ),
            (
                OF_ORDER,
                "USING INDEX payments_of_order (merchant=? AND order_ref=? AND id<?)",
            ),
        ];
        for (sql, index) in rows {
            let mut statement = connection
                .prepare(&["EXPLAIN QUERY PLAN ", sql].concat())
                .unwrap();
            let nothing = vec![None::<i64>; statement.parameter_count()];
            let nothing = rusqlite::params_from_iter(nothing);
            let steps = statement.query_map(nothing, |row| row.get::<_, String>("detail"));
            let plan: Vec<_> = steps.unwrap().map(Result::unwrap).collect();
            assert_eq!(plan, [["SEARCH payments ", index].concat()]);
        }
    }
}
