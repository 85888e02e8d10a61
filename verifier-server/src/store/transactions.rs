//! Balance transactions, the lines of settlements: what is read of them.

use super::Store;
use crate::database::{DatabaseError, Row, Value, values};
use crate::domain::fees::Fees;
use crate::domain::settlement::{BalanceTransaction, TransactionKind};
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, PaymentId, SettlementId, TransactionId};

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
         gross_minor, interchange_minor, scheme_minor, processor_minor, net_minor, sales_day, \
         settlement_date, settlement, created_at_ms FROM balance_transactions "
    };
}

/// An empty text stands for any. Identifiers sort by time, so that a span of time is one of
/// identifiers too.
macro_rules! filtered {
    () => {
        "AND id < $2 AND id >= $3 AND ($4 = '' OR currency = $4) AND ($5 = '' OR kind = $5) \
         AND ($6 = '' OR payment = $6) ORDER BY id DESC LIMIT $7"
    };
}

const OF_MERCHANT: &str = concat!(columns!(), "WHERE merchant = $1 ", filtered!());

const OF_MERCHANT_IN: &str = concat!(
    columns!(),
    "WHERE merchant = $1 AND settlement = $8 ",
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
        sales_day: row.parsed()?,
        settlement_date: row.parsed()?,
        settlement: row.optional_parsed()?,
        created_at_ms: row.integer()?,
    })
}

pub(super) fn fees(row: &mut Row) -> Result<Fees, DatabaseError> {
    Ok(Fees {
        interchange_minor: row.integer()?,
        scheme_minor: row.integer()?,
        processor_minor: row.integer()?,
    })
}

/// A name as a filter takes it: nothing stands for any.
pub(super) fn or_any(name: Option<impl Into<Value>>) -> Value {
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

impl Store {
    /// A merchant's lines, newest first.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn balance_transactions(
        &self,
        merchant: MerchantId,
        filter: &TransactionFilter,
    ) -> Result<Vec<BalanceTransaction>, DatabaseError> {
        let [id, upper, lower, currency, kind, payment, limit] = values![
            merchant,
            upper(filter),
            first_of(filter.created_from_ms.unwrap_or(0)),
            or_any(filter.currency.map(|currency| currency.code().to_owned())),
            or_any(filter.kind.map(TransactionKind::name)),
            or_any(filter.payment),
            filter.limit,
        ];
        let rows = match filter.settlement {
            None => {
                let values = [id, upper, lower, currency, kind, payment, limit];
                self.database.rows(OF_MERCHANT, values).await?
            }
            Some(settlement) => {
                let settlement = Value::from(settlement);
                let values = [id, upper, lower, currency, kind, payment, limit, settlement];
                self.database.rows(OF_MERCHANT_IN, values).await?
            }
        };
        rows.into_iter().map(line).collect()
    }

    /// The lines of a settlement in the order in which they were made, after one of them.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn settlement_lines(
        &self,
        settlement: SettlementId,
        after: Option<TransactionId>,
        limit: u32,
    ) -> Result<Vec<BalanceTransaction>, DatabaseError> {
        let wanted = values![settlement, or_any(after), limit];
        let rows = self.database.rows(OF_SETTLEMENT, wanted).await?;
        rows.into_iter().map(line).collect()
    }

    /// What waits to be settled for a merchant, by currency and day. What was kept back and is
    /// released then is left out.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn pending_lines(
        &self,
        merchant: MerchantId,
    ) -> Result<Vec<PendingLines>, DatabaseError> {
        let rows = self.database.rows(PENDING, values![merchant]).await?;
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
