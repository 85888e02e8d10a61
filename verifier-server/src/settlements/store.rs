//! Settlements: which are due, how one is closed, and what is read of them.

use super::draft::{BatchKey, Closed, Previous, Sums};
use super::model::Settlement;
use crate::balance::store::{fees, or_any};
use crate::ledger::store::{LINE, TRANSFER, line_values, transfer_values};
use crate::payouts;
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{MerchantId, SettlementId};
use sealpay_storage::{Database, DatabaseError, Extent, Fault, Row, Statement, Tx, Value, values};
use std::fmt;
use std::sync::Arc;

/// Makes a settlement of what its lines add up to. Pure: it may be asked more than once. The text of
/// its error is for the log.
pub type ComposeFn = Arc<dyn Fn(&Sums, Previous) -> Result<(Closed, Event), String> + Send + Sync>;

/// What became of the wish to close a settlement.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseOutcome {
    /// It is closed now.
    Closed(Settlement),
    /// One of this date or a later one was closed before; what is left waits for the next date.
    TooLate(Date),
    /// Somebody else closes it now, or there is nothing left to close. Nothing was written.
    Passed,
}

/// Which of a merchant's settlements, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettlementFilter {
    /// Only those in this currency.
    pub currency: Option<Currency>,
    /// Only those older than this one.
    pub after: Option<SettlementId>,
    /// At most so many.
    pub limit: u32,
}

macro_rules! columns {
    () => {
        "SELECT id, merchant, currency, number, settlement_date, lines, gross_minor, \
         interchange_minor, scheme_minor, processor_minor, net_minor, brought_forward_minor, \
         carried_forward_minor, payout, payout_minor, closed_at_ms FROM settlements "
    };
}

/// The first day of each group: what it releases or returns may come before the group's next one.
pub(crate) const DUE: &str =
    "SELECT merchant, currency, MIN(settlement_date) FROM balance_transactions
    WHERE settlement IS NULL AND settlement_date <= $1
    GROUP BY merchant, currency ORDER BY 3, 1, 2";

const LAST: &str = "SELECT number, carried_forward_minor, settlement_date FROM settlements
    WHERE merchant = $1 AND currency = $2 ORDER BY number DESC LIMIT 1";

/// Decides between two processes, by the number and by the date. The sums are written below, once
/// the lines are bound.
const BEGIN: &str = "INSERT INTO settlements
    (id, merchant, currency, number, settlement_date, lines, gross_minor, interchange_minor,
     scheme_minor, processor_minor, net_minor, brought_forward_minor, carried_forward_minor, payout,
     payout_minor, closed_at_ms)
    VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0) ON CONFLICT DO NOTHING";

pub(crate) const BIND: &str = "UPDATE balance_transactions SET settlement = $1
    WHERE merchant = $2 AND currency = $3 AND settlement IS NULL AND settlement_date <= $4";

/// What is bound, and nothing that was written meanwhile.
const SUMS: &str = "SELECT COUNT(*),
        CAST(COALESCE(SUM(gross_minor), 0) AS BIGINT),
        CAST(COALESCE(SUM(interchange_minor), 0) AS BIGINT),
        CAST(COALESCE(SUM(scheme_minor), 0) AS BIGINT),
        CAST(COALESCE(SUM(processor_minor), 0) AS BIGINT),
        CAST(COALESCE(SUM(net_minor), 0) AS BIGINT),
        CAST(COALESCE(SUM(CASE WHEN kind IN ('capture', 'refund')
            THEN gross_minor ELSE 0 END), 0) AS BIGINT),
        CAST(COALESCE(SUM(CASE WHEN kind IN ('capture', 'refund', 'dispute', 'dispute_won')
            THEN net_minor ELSE 0 END), 0) AS BIGINT),
        CAST(COALESCE(SUM(CASE WHEN kind = 'reserve_release'
            THEN gross_minor ELSE 0 END), 0) AS BIGINT)
    FROM balance_transactions WHERE settlement = $1";

const COMPLETE: &str =
    "UPDATE settlements SET lines = $2, gross_minor = $3, interchange_minor = $4,
        scheme_minor = $5, processor_minor = $6, net_minor = $7, brought_forward_minor = $8,
        carried_forward_minor = $9, payout = $10, payout_minor = $11, closed_at_ms = $12
    WHERE id = $1";

const TAKE_BACK: &str = "DELETE FROM settlements WHERE id = $1";

/// Only what is not bound: a line never leaves its settlement.
pub(crate) const POSTPONE: &str = "UPDATE balance_transactions SET settlement_date = $4
    WHERE merchant = $1 AND currency = $2 AND settlement IS NULL AND settlement_date <= $3";

const BY_ID: &str = concat!(columns!(), "WHERE id = $1");

const OF_MERCHANT: &str = concat!(
    columns!(),
    "WHERE merchant = $1 AND id < $2 AND ($3 = '' OR currency = $3) ORDER BY id DESC LIMIT $4"
);

const CARRIED: &str = "SELECT s.currency, s.carried_forward_minor FROM settlements s
    WHERE s.merchant = $1 AND s.number = (
        SELECT MAX(t.number) FROM settlements t
        WHERE t.merchant = s.merchant AND t.currency = s.currency
    ) ORDER BY s.currency";

/// Sorts behind every identifier of a settlement.
const BEHIND_ALL: &str = "set_z";

struct Closing {
    group: BatchKey,
    key: [Value; 2],
    id: Value,
    date: Value,
    compose: ComposeFn,
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.group.fmt(f)
    }
}

fn settlement(mut row: Row) -> Result<Settlement, DatabaseError> {
    Ok(Settlement {
        id: row.parsed()?,
        merchant: row.parsed()?,
        currency: row.parsed()?,
        number: row.integer()?,
        settlement_date: row.parsed()?,
        lines: row.integer()?,
        gross_minor: row.integer()?,
        fees: fees(&mut row)?,
        net_minor: row.integer()?,
        brought_forward_minor: row.integer()?,
        carried_forward_minor: row.integer()?,
        payout: row.optional_parsed()?,
        payout_minor: row.integer()?,
        closed_at_ms: row.integer()?,
    })
}

fn sums(mut row: Row) -> Result<Sums, DatabaseError> {
    Ok(Sums {
        lines: row.integer()?,
        gross_minor: row.integer()?,
        fees: fees(&mut row)?,
        net_minor: row.integer()?,
        sold_minor: row.integer()?,
        earned_minor: row.integer()?,
        released_minor: row.integer()?,
    })
}

/// The settlement before, unless it is of this date or a later one: that date is given then.
async fn previous(tx: &mut Tx<'_>, closing: &Closing) -> Result<Result<Previous, Date>, Fault> {
    let Some(mut row) = tx.optional(LAST, &closing.key).await? else {
        return Ok(Ok(Previous::default()));
    };
    let previous = Previous {
        number: row.integer()?,
        carried_forward_minor: row.integer()?,
    };
    let date: Date = row.parsed()?;
    Ok(if date < closing.group.settlement_date {
        Ok(previous)
    } else {
        Err(date)
    })
}

async fn close(tx: &mut Tx<'_>, closing: &Closing) -> Result<CloseOutcome, Fault> {
    let previous = match previous(tx, closing).await? {
        Ok(previous) => previous,
        Err(date) => return Ok(CloseOutcome::TooLate(date)),
    };
    let [merchant, currency] = &closing.key;
    let (id, date) = (&closing.id, &closing.date);
    let number = previous.number.saturating_add(1);
    let begun = [
        id.clone(),
        merchant.clone(),
        currency.clone(),
        number.into(),
        date.clone(),
    ];
    if tx.execute(BEGIN, &begun).await? == 0 {
        return Ok(CloseOutcome::Passed);
    }
    let bound = [id.clone(), merchant.clone(), currency.clone(), date.clone()];
    if tx.execute(BIND, &bound).await? == 0 {
        tx.execute(TAKE_BACK, std::slice::from_ref(id)).await?;
        return Ok(CloseOutcome::Passed);
    }
    let row = tx.optional(SUMS, std::slice::from_ref(id)).await?;
    let row = row.ok_or_else(|| DatabaseError::Corrupt("an aggregate has no row".into()))?;
    let (closed, event) = (closing.compose)(&sums(row)?, previous)
        .map_err(|why| DatabaseError::Corrupt(format!("a settlement cannot be told: {why}")))?;
    write(tx, &closed, &event).await?;
    Ok(CloseOutcome::Closed(closed.settlement))
}

/// What follows from the sums. Its rows are few, however many lines there are.
async fn write(tx: &mut Tx<'_>, closed: &Closed, event: &Event) -> Result<(), Fault> {
    let completed = completed(&closed.settlement);
    let transfers: Vec<_> = closed.transfers.iter().map(transfer_values).collect();
    let lines: Vec<_> = closed.reserve.iter().map(line_values).collect();
    let payout = closed.payout.as_ref().map(payouts::store::insert_values);
    let told = EventInsert::of(event);
    let mut statements: Vec<Statement<'_>> = vec![(COMPLETE, &completed)];
    statements.extend(lines.iter().map(|line| -> Statement<'_> { (LINE, line) }));
    statements.extend(
        transfers
            .iter()
            .map(|moved| -> Statement<'_> { (TRANSFER, moved) }),
    );
    statements.extend(
        payout
            .iter()
            .map(|payout| -> Statement<'_> { (payouts::store::INSERT, payout) }),
    );
    statements.extend(told.statements());
    tx.execute_together(&statements).await?;
    Ok(())
}

fn completed(settlement: &Settlement) -> [Value; 12] {
    values![
        settlement.id,
        settlement.lines,
        settlement.gross_minor,
        settlement.fees.interchange_minor,
        settlement.fees.scheme_minor,
        settlement.fees.processor_minor,
        settlement.net_minor,
        settlement.brought_forward_minor,
        settlement.carried_forward_minor,
        settlement.payout,
        settlement.payout_minor,
        settlement.closed_at_ms,
    ]
}

/// What is stored of settlements.
#[derive(Debug, Clone)]
pub struct SettlementStore {
    pub(crate) database: Database,
}

impl SettlementStore {
    /// Of each merchant and currency the first day, up to a day, that has lines in no settlement;
    /// the oldest first.
    pub async fn due_groups(&self, until: Date) -> Result<Vec<BatchKey>, DatabaseError> {
        let until = until.to_string();
        let rows = self.database.rows(DUE, values![until]).await?;
        let groups = rows.into_iter().map(|mut row| {
            Ok(BatchKey {
                merchant: row.parsed()?,
                currency: row.parsed()?,
                settlement_date: row.parsed()?,
            })
        });
        groups.collect()
    }

    /// Closes a group's settlement: binds its lines, writes what `compose` makes of their sums, and
    /// keeps the event with its deliveries. All of it or nothing, and once.
    ///
    /// # Errors
    /// The database did not do its work; nothing was written, unless the outcome is unknown.
    pub async fn close(
        &self,
        group: &BatchKey,
        compose: ComposeFn,
    ) -> Result<CloseOutcome, DatabaseError> {
        let closing = Closing {
            group: *group,
            key: values![group.merchant, group.currency.code().to_owned()],
            id: group.settlement().into(),
            date: group.settlement_date.to_string().into(),
            compose,
        };
        self.database
            .write(closing, |tx, closing| Box::pin(close(tx, closing)))
            .await
    }

    /// Lets lines that came too late for the settlement of a date wait for another date; how many.
    pub async fn postpone(
        &self,
        group: &BatchKey,
        closed: Date,
        to: Date,
    ) -> Result<u64, DatabaseError> {
        let values = values![
            group.merchant,
            group.currency.code().to_owned(),
            closed.to_string(),
            to.to_string(),
        ];
        self.database.execute(POSTPONE, values).await
    }

    /// A merchant's settlement; nothing when it is somebody else's.
    pub async fn get(
        &self,
        merchant: MerchantId,
        id: SettlementId,
    ) -> Result<Option<Settlement>, DatabaseError> {
        let row = self.database.row(BY_ID, values![id]).await?;
        let found = row.map(settlement).transpose()?;
        Ok(found.filter(|settlement| settlement.merchant == merchant))
    }

    /// A merchant's settlements, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &SettlementFilter,
    ) -> Result<Vec<Settlement>, DatabaseError> {
        let after = filter.after;
        let after = after.map_or_else(|| Value::from(BEHIND_ALL), Value::from);
        let currency = or_any(filter.currency.map(|currency| currency.code().to_owned()));
        let wanted = values![merchant, after, currency, filter.limit];
        let rows = self
            .database
            .scanned_rows(Extent::List, OF_MERCHANT, wanted)
            .await?;
        rows.into_iter().map(settlement).collect()
    }

    /// What a merchant's last settlement carried over, by currency, minor units.
    pub async fn carried_over(
        &self,
        merchant: MerchantId,
    ) -> Result<Vec<(Currency, i64)>, DatabaseError> {
        let rows = self
            .database
            .scanned_rows(Extent::Sum, CARRIED, values![merchant])
            .await?;
        let carried_forward = rows
            .into_iter()
            .map(|mut row| Ok((row.parsed()?, row.integer()?)));
        carried_forward.collect()
    }
}
