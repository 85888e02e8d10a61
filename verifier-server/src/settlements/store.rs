//! The repository of settlements.

use super::draft::{BatchKey, Closed, Previous, Sums};
use super::fees::Fees;
use super::model::Settlement;
use crate::balance::model::BalanceTransaction;
use crate::ledger::store::record;
use crate::payouts::model::Payout;
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{Identifier, MerchantId, SettlementId};
use sealpay_storage::{
    AsText, Database, DatabaseError, Entity, Extent, Fault, Projection, Statement,
};
use sealpay_storage::{Tx, Value, columns, entity, insert, projection, sql, to_rows, values};
use std::fmt;
use std::sync::Arc;

/// Composes a settlement from its sums. Pure, because it may be called more than once. The text of
/// its error is for logs.
pub type ComposeFn = Arc<dyn Fn(&Sums, Previous) -> Result<(Closed, Event), String> + Send + Sync>;

/// The result of closing a settlement.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseOutcome {
    /// It is closed.
    Closed(Settlement),
    /// A settlement of this date or a later one was closed before; the rest waits for the next
    /// date.
    TooLate(Date),
    /// Another process is closing it, or nothing is left to close. Nothing was written.
    Passed,
}

/// The filter of a settlement list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettlementFilter {
    /// In this currency.
    pub currency: Option<Currency>,
    /// Older than this one.
    pub after: Option<SettlementId>,
    /// Maximum number of rows.
    pub limit: u32,
}

columns! {
    Fees {
        interchange_minor,
        scheme_minor,
        processor_minor,
    }
}

entity! {
    Settlement in "settlements" {
        id,
        merchant,
        currency,
        number,
        settlement_date as AsText,
        lines,
        gross_minor,
        fees: (interchange_minor, scheme_minor, processor_minor),
        net_minor,
        brought_forward_minor,
        carried_forward_minor,
        payout,
        payout_minor,
        closed_at_ms,
    }
}

// The first date of each batch: closing it may release or return amounts before the next one.
projection! {
    BatchKey from "balance_transactions" {
        merchant,
        currency,
        settlement_date as AsText: ("MIN(settlement_date)"),
    }
}

// The rows bound to the settlement, without rows written since.
projection! {
    Sums from "balance_transactions" {
        lines: ("COUNT(*)"),
        gross_minor: ("CAST(COALESCE(SUM(gross_minor), 0) AS BIGINT)"),
        fees: (
            "CAST(COALESCE(SUM(interchange_minor), 0) AS BIGINT)",
            "CAST(COALESCE(SUM(scheme_minor), 0) AS BIGINT)",
            "CAST(COALESCE(SUM(processor_minor), 0) AS BIGINT)"
        ),
        net_minor: ("CAST(COALESCE(SUM(net_minor), 0) AS BIGINT)"),
        sold_minor: ("CAST(COALESCE(SUM(CASE WHEN kind IN ('capture', 'refund', 'direct_debit_return')
            THEN gross_minor ELSE 0 END), 0) AS BIGINT)"),
        earned_minor: ("CAST(COALESCE(SUM(CASE
            WHEN kind IN ('capture', 'refund', 'direct_debit_return', 'dispute', 'dispute_won')
            THEN net_minor ELSE 0 END), 0) AS BIGINT)"),
        released_minor: ("CAST(COALESCE(SUM(CASE WHEN kind = 'reserve_release'
            THEN gross_minor ELSE 0 END), 0) AS BIGINT)"),
    }
}

pub(crate) const DUE: &str = sql!(
    BatchKey::SELECT,
    "WHERE settlement IS NULL AND settlement_date <= $1 \
     GROUP BY merchant, currency ORDER BY 3, 1, 2"
);

const LAST: &str = sql!(
    Settlement::SELECT,
    "WHERE merchant = $1 AND currency = $2 ORDER BY number DESC LIMIT 1"
);

/// Decides races between two processes, by number and date. The sums are written later, once the
/// rows are bound.
const BEGIN: &str = sql!(Settlement::INSERT, "ON CONFLICT DO NOTHING");

pub(crate) const BIND: &str = "UPDATE balance_transactions SET settlement = $1
    WHERE merchant = $2 AND currency = $3 AND settlement IS NULL AND settlement_date <= $4";

const SUMS: &str = sql!(Sums::SELECT, "WHERE settlement = $1");

const COMPLETE: &str =
    "UPDATE settlements SET lines = $2, gross_minor = $3, interchange_minor = $4,
        scheme_minor = $5, processor_minor = $6, net_minor = $7, brought_forward_minor = $8,
        carried_forward_minor = $9, payout = $10, payout_minor = $11, closed_at_ms = $12
    WHERE id = $1";

const DELETE: &str = "DELETE FROM settlements WHERE id = $1";

/// Only unbound rows: a row never leaves its settlement.
pub(crate) const POSTPONE: &str = "UPDATE balance_transactions SET settlement_date = $4
    WHERE merchant = $1 AND currency = $2 AND settlement IS NULL AND settlement_date <= $3";

const BY_ID: &str = sql!(Settlement::SELECT, "WHERE id = $1");

const OF_MERCHANT: &str = sql!(
    Settlement::SELECT,
    "WHERE merchant = $1 AND id < $2 AND currency = COALESCE($4, currency) \
     ORDER BY id DESC LIMIT $3"
);

const CARRIED: &str = "SELECT s.currency, s.carried_forward_minor FROM settlements s
    WHERE s.merchant = $1 AND s.number = (
        SELECT MAX(t.number) FROM settlements t
        WHERE t.merchant = s.merchant AND t.currency = s.currency
    ) ORDER BY s.currency";

struct Closing {
    group: BatchKey,
    compose: ComposeFn,
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.group.fmt(f)
    }
}

/// The previous settlement, or its date if that is not earlier.
async fn previous(tx: &mut Tx<'_>, closing: &Closing) -> Result<Result<Previous, Date>, Fault> {
    let group = closing.group;
    let key = values![group.merchant, group.currency];
    let last: Option<Settlement> = tx.get(LAST, &key).await?;
    Ok(match last {
        None => Ok(Previous::default()),
        Some(last) if last.settlement_date < group.settlement_date => Ok(Previous {
            number: last.number,
            carried_forward_minor: last.carried_forward_minor,
        }),
        Some(last) => Err(last.settlement_date),
    })
}

async fn close(tx: &mut Tx<'_>, closing: &Closing) -> Result<CloseOutcome, Fault> {
    let previous = match previous(tx, closing).await? {
        Ok(previous) => previous,
        Err(date) => return Ok(CloseOutcome::TooLate(date)),
    };
    let group = closing.group;
    let begun = Settlement {
        id: group.settlement(),
        merchant: group.merchant,
        currency: group.currency,
        number: previous.number.saturating_add(1),
        settlement_date: group.settlement_date,
        lines: 0,
        gross_minor: 0,
        fees: Fees::default(),
        net_minor: 0,
        brought_forward_minor: 0,
        carried_forward_minor: 0,
        payout: None,
        payout_minor: 0,
        closed_at_ms: 0,
    };
    if tx.execute(BEGIN, &begun.to_row()?).await? == 0 {
        return Ok(CloseOutcome::Passed);
    }
    let date = group.settlement_date.to_string();
    let bound = values![begun.id, group.merchant, group.currency, date];
    if tx.execute(BIND, &bound).await? == 0 {
        tx.execute(DELETE, &values![begun.id]).await?;
        return Ok(CloseOutcome::Passed);
    }
    let sums = tx.get(SUMS, &values![begun.id]).await?;
    let sums = sums.ok_or_else(|| DatabaseError::Corrupt("an aggregate has no row".into()))?;
    let (closed, event) = (closing.compose)(&sums, previous).map_err(|why| {
        DatabaseError::Corrupt(format!("a settlement cannot be published: {why}"))
    })?;
    write(tx, &closed, &event).await?;
    Ok(CloseOutcome::Closed(closed.settlement))
}

/// Writes the results; their number does not depend on the number of balance transactions.
async fn write(tx: &mut Tx<'_>, closed: &Closed, event: &Event) -> Result<(), Fault> {
    let completed = completed(&closed.settlement);
    let transfers = to_rows(&closed.transfers)?;
    let lines = to_rows(&closed.reserve)?;
    let payout = closed.payout.as_ref().map(Entity::to_row).transpose()?;
    let event = EventInsert::new(event)?;
    let mut statements: Vec<Statement<'_>> = vec![(COMPLETE, &completed)];
    statements.extend(lines.iter().map(insert::<BalanceTransaction>));
    statements.extend(transfers.iter().map(record));
    statements.extend(payout.iter().map(insert::<Payout>));
    statements.extend(event.statements());
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

/// The repository of settlements.
#[derive(Debug, Clone)]
pub struct SettlementStore {
    pub(crate) database: Database,
}

impl SettlementStore {
    /// The first unsettled date of each merchant and currency, up to a date; oldest first.
    pub async fn due_groups(&self, until: Date) -> Result<Vec<BatchKey>, DatabaseError> {
        self.database.list(DUE, values![until.to_string()]).await
    }

    /// Closes a settlement: binds its rows, writes what `compose` makes of their sums, and stores
    /// the event with its deliveries. Atomic and exactly once.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub async fn close(
        &self,
        group: &BatchKey,
        compose: ComposeFn,
    ) -> Result<CloseOutcome, DatabaseError> {
        let closing = Closing {
            group: *group,
            compose,
        };
        self.database
            .write(closing, |tx, closing| Box::pin(close(tx, closing)))
            .await
    }

    /// Moves rows that came too late for the settlement of a date to another date; returns their
    /// number.
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

    /// A merchant's settlement; none if it is another merchant's.
    pub async fn get(
        &self,
        merchant: MerchantId,
        id: SettlementId,
    ) -> Result<Option<Settlement>, DatabaseError> {
        let found: Option<Settlement> = self.database.get(BY_ID, values![id]).await?;
        Ok(found.filter(|settlement| settlement.merchant == merchant))
    }

    /// A merchant's settlements, newest first.
    pub async fn list(
        &self,
        merchant: MerchantId,
        filter: &SettlementFilter,
    ) -> Result<Vec<Settlement>, DatabaseError> {
        let after = filter.after.unwrap_or(SettlementId::MAX);
        let wanted = values![merchant, after, filter.limit, filter.currency];
        self.database
            .scan_list(Extent::List, OF_MERCHANT, wanted)
            .await
    }

    /// The amounts carried forward by a merchant's last settlements, by currency, minor units.
    pub async fn carried_over(
        &self,
        merchant: MerchantId,
    ) -> Result<Vec<(Currency, i64)>, DatabaseError> {
        self.database
            .scan_list(Extent::Sum, CARRIED, values![merchant])
            .await
    }
}
