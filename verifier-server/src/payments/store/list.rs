//! Lists of a merchant's payments, newest first, a page at a time.

use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::payments::store;
use crate::payments::store::PaymentStore;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId};
use sealpay_protocol::method::Method;
use sealpay_storage::{DatabaseError, Extent, Value, values};

/// Which of a merchant's payments. What is none does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Only those of this order.
    pub order_ref: Option<String>,
    /// Only those in this state.
    pub state: Option<PaymentState>,
    /// Only those of this currency.
    pub currency: Option<Currency>,
    /// Only those by this method.
    pub method: Option<Method>,
    /// Only those made in this second or later, seconds since 1970.
    pub created_from: Option<u64>,
    /// Only those made in this second or before, seconds since 1970.
    pub created_until: Option<u64>,
    /// Only those of this amount or more, minor units.
    pub amount_from_minor: Option<i64>,
    /// Only those of this amount or less, minor units.
    pub amount_until_minor: Option<i64>,
    /// Only those older than this one.
    pub after: Option<PaymentId>,
    /// At most so many.
    pub limit: u32,
}

/// An identifier begins with the moment of its making, so the index that gives the order narrows the
/// time as well. The columns behind are compared row by row.
macro_rules! narrowed {
    () => {
        " AND id < $2 AND state = COALESCE($5, state) AND currency = COALESCE($6, currency) \
         AND method = COALESCE($7, method) AND amount_minor >= $8 AND amount_minor <= $9 \
         ORDER BY id DESC LIMIT $4"
    };
}

const OF_MERCHANT: &str = concat!(
    "SELECT ",
    store::columns!(),
    " FROM payments WHERE merchant = $1 AND id >= $3",
    narrowed!()
);

/// Here the cast keeps SQLite from taking the other index: it believes that two bounds of the
/// identifier leave less than the order does.
const OF_ORDER: &str = concat!(
    "SELECT ",
    store::columns!(),
    " FROM payments WHERE merchant = $1 AND order_ref = $10 AND CAST(id AS TEXT) >= $3",
    narrowed!()
);

/// Sorts before every identifier of a payment.
const BEFORE_ALL: &str = "pay_";

/// Sorts behind every identifier of a payment.
const BEHIND_ALL: &str = "pay_z";

/// The last second that an identifier can begin with: it has 48 bits of milliseconds.
const LAST_SECOND: u64 = ((1 << 48) - 1) / 1000;

/// The first identifier that could be made in a second.
fn first_of(second: u64) -> Option<String> {
    let first = PaymentId::new(second.checked_mul(1000)?, [0; 10]);
    (second <= LAST_SECOND).then(|| first.to_string())
}

impl PaymentFilter {
    /// From which identifier, and before which.
    fn between(&self) -> [String; 2] {
        let from = self.created_from.map_or_else(
            || BEFORE_ALL.to_owned(),
            |second| first_of(second).unwrap_or_else(|| BEHIND_ALL.to_owned()),
        );
        let next = self.created_until.and_then(|second| second.checked_add(1));
        let made_before = next.and_then(first_of);
        let after = self.after.map(|after| after.to_string());
        let before = made_before.into_iter().chain(after).min();
        [from, before.unwrap_or_else(|| BEHIND_ALL.to_owned())]
    }

    fn values(&self, merchant: MerchantId) -> Vec<Value> {
        let [from, before] = self.between();
        let narrowed: [Value; 9] = values![
            merchant,
            before,
            from,
            self.limit,
            self.state.map(PaymentState::name),
            self.currency.map(|currency| currency.code().to_owned()),
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
        let rows = self
            .database
            .scan(
                Extent::List,
                (sql, filter.values(merchant)),
                |tx, (sql, values)| Box::pin(tx.query(sql, values)),
            )
            .await?;
        rows.into_iter().map(store::payment).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{OF_MERCHANT, OF_ORDER};
    use crate::store::MIGRATIONS;
    use rusqlite::Connection;

    /// A merchant with a million payments waits no longer for a page than one with ten: the index
    /// that has the page's order is read, and nothing is sorted.
    #[test]
    fn a_page_is_read_from_the_index_that_has_its_order() {
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
