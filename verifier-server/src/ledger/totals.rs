//! Totals stored beside the ledger, so that reading a balance does not sum every transfer.
//!
//! Every transfer belongs to the accounting period that is open when it is recorded. The server
//! periodically closes the period and then adds the transfers of closed periods to the totals. A
//! balance is the totals plus the transfers of later periods. Payments do not update the totals,
//! because all payments of a merchant would wait for one row.
//!
//! A closed period never gets another transfer, whatever the clocks of servers show: the period is
//! closed when every transaction that wrote to the ledger has ended, and no other can write until it
//! is closed.

use super::model::{Account, AccountBalance};
use super::store::LedgerStore;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::MerchantId;
use sealpay_storage::{
    ByName, DatabaseError, Extent, Fault, Projection, Statement, Tx, Value, projection, sql, values,
};
use std::collections::BTreeMap;

/// The table that transfers are recorded in.
const TRANSFERS: &str = "ledger_transfers";

/// The only row of the table of the open period.
const ONLY_ROW: i64 = 1;

/// The total transferred between two accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    currency: Currency,
    debit: Account,
    credit: Account,
    amount_minor: i64,
}

projection! {
    Moved from "ledger_transfers" {
        currency,
        debit as ByName: (debit_account),
        credit as ByName: (credit_account),
        amount_minor: ("CAST(SUM(amount_minor) AS BIGINT)"),
    }
}

/// The totals and the transfers since, in one statement and so as of one time. The upper bound, which
/// excludes nothing, makes Postgres expect few rows: otherwise it scans the table.
pub(crate) const BALANCES: &str = "SELECT currency, debit_account, credit_account,
        CAST(SUM(amount_minor) AS BIGINT)
    FROM (
        SELECT currency, debit_account, credit_account, amount_minor
        FROM ledger_totals WHERE merchant = $1
        UNION ALL SELECT currency, debit_account, credit_account, amount_minor
        FROM ledger_transfers WHERE merchant = $1 AND period >= (
            SELECT COALESCE(MAX(period), 0) FROM ledger_checkpoints WHERE merchant = $1)
            AND period <= 9223372036854775807
    ) moved GROUP BY currency, debit_account, credit_account";

const CLOSE_PERIOD: &str = "INSERT INTO ledger_period (id, number) VALUES ($1, 1)
    ON CONFLICT (id) DO UPDATE SET number = ledger_period.number + 1";

/// The first period that a merchant's totals do not include, and the open one.
const NOT_TOTALLED: &str = "SELECT
    (SELECT COALESCE(MAX(period), 0) FROM ledger_checkpoints WHERE merchant = $1),
    (SELECT COALESCE(MAX(number), 0) FROM ledger_period)";

pub(crate) const BETWEEN: &str = sql!(
    Moved::SELECT,
    "WHERE merchant = $1 AND period >= $2 AND period < $3 \
     GROUP BY currency, debit_account, credit_account"
);

/// `$3` is the checkpoint that the server has read: of several servers, one moves it.
const MOVE: &str = "INSERT INTO ledger_checkpoints (merchant, period) VALUES ($1, $2)
    ON CONFLICT (merchant) DO UPDATE SET period = excluded.period
    WHERE ledger_checkpoints.period = $3";

const ADD: &str = "INSERT INTO ledger_totals
    (merchant, currency, debit_account, credit_account, amount_minor) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (merchant, currency, debit_account, credit_account)
    DO UPDATE SET amount_minor = ledger_totals.amount_minor + excluded.amount_minor";

/// The new checkpoint and the sums to add to the totals.
struct Move {
    checkpoint: [Value; 3],
    totals: Vec<[Value; 5]>,
}

async fn close_period(tx: &mut Tx<'_>, only_row: &Value) -> Result<(), Fault> {
    tx.lock_writes(TRANSFERS).await?;
    tx.execute(CLOSE_PERIOD, std::slice::from_ref(only_row))
        .await?;
    Ok(())
}

async fn move_checkpoint(tx: &mut Tx<'_>, wanted: &Move) -> Result<bool, Fault> {
    if tx.execute(MOVE, &wanted.checkpoint).await? == 0 {
        return Ok(false);
    }
    let totals: Vec<Statement<'_>> = wanted
        .totals
        .iter()
        .map(|total| (ADD, total.as_slice()))
        .collect();
    tx.execute_together(&totals).await?;
    Ok(true)
}

impl LedgerStore {
    /// The balances of a merchant's accounts.
    pub async fn account_balances(
        &self,
        merchant: MerchantId,
    ) -> Result<Vec<AccountBalance>, DatabaseError> {
        let moved = self
            .database
            .scan_list(Extent::Sum, BALANCES, values![merchant])
            .await?;
        let mut balances = BTreeMap::new();
        for Moved {
            currency,
            debit,
            credit,
            amount_minor,
        } in moved
        {
            let debited = &mut balance_of(&mut balances, currency, debit).debited_minor;
            *debited = debited.saturating_add(amount_minor);
            let credited = &mut balance_of(&mut balances, currency, credit).credited_minor;
            *credited = credited.saturating_add(amount_minor);
        }
        Ok(balances.into_values().collect())
    }

    /// Closes the accounting period and opens the next one.
    ///
    /// # Errors
    /// [`DatabaseError::Overloaded`] if a transaction that wrote to the ledger does not end: nothing
    /// was changed.
    pub async fn close_period(&self) -> Result<(), DatabaseError> {
        self.database
            .write(Value::from(ONLY_ROW), |tx, only_row| {
                Box::pin(close_period(tx, only_row))
            })
            .await
    }

    /// Adds the transfers of closed periods to a merchant's totals; returns whether there were any.
    pub async fn update_totals(&self, merchant: MerchantId) -> Result<bool, DatabaseError> {
        let periods: Option<(i64, i64)> =
            self.database.get(NOT_TOTALLED, values![merchant]).await?;
        let (from, until) = periods.unwrap_or_default();
        let moved: Vec<Moved> = self
            .database
            .scan_list(Extent::Sum, BETWEEN, values![merchant, from, until])
            .await?;
        if moved.is_empty() {
            return Ok(false);
        }
        let totals = moved.into_iter().map(|moved| {
            values![
                merchant,
                moved.currency,
                moved.debit.name(),
                moved.credit.name(),
                moved.amount_minor,
            ]
        });
        let wanted = Move {
            checkpoint: values![merchant, until, from],
            totals: totals.collect(),
        };
        self.database
            .write(wanted, |tx, wanted| Box::pin(move_checkpoint(tx, wanted)))
            .await
    }
}

/// By currency, then by account name.
type Balances = BTreeMap<(Currency, &'static str), AccountBalance>;

fn balance_of(
    balances: &mut Balances,
    currency: Currency,
    account: Account,
) -> &mut AccountBalance {
    let balance = balances.entry((currency, account.name()));
    balance.or_insert(AccountBalance {
        account,
        currency,
        debited_minor: 0,
        credited_minor: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::{BALANCES, BETWEEN};
    use crate::store::MIGRATIONS;
    use rusqlite::Connection;

    #[test]
    fn only_transfers_of_some_periods_are_read() {
        let connection = Connection::open_in_memory().unwrap();
        for step in MIGRATIONS.steps {
            connection.execute_batch(step).unwrap();
        }
        for sql in [BALANCES, BETWEEN] {
            let mut statement = connection
                .prepare(&["EXPLAIN QUERY PLAN ", sql].concat())
                .unwrap();
            let nothing = vec![None::<i64>; statement.parameter_count()];
            let nothing = rusqlite::params_from_iter(nothing);
            let steps = statement.query_map(nothing, |row| row.get::<_, String>("detail"));
            let plan: Vec<_> = steps.unwrap().map(Result::unwrap).collect();
            let reads = |step: &&String| step.contains("ledger_transfers");
            let reads: Vec<_> = plan.iter().filter(reads).collect();
            let by_key = "(merchant=? AND period>? AND period<?)";
            assert!(
                matches!(reads[..], [step] if step.starts_with("SEARCH") && step.ends_with(by_key)),
                "{plan:?}"
            );
        }
    }
}
