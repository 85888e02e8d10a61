//! The repository of late approvals and their reversals.

use super::model::{Reversal, ReversalState};
use crate::payments::model::Payment;
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_storage::{ByName, Database, DatabaseError, Projection, Value};
use sealpay_storage::{projection, sql, values};

projection! {
    Reversal from "reversals" {
        payment,
        provider,
        modification,
        state as ByName,
        tries,
        due_at_ms,
        created_at_ms,
    }
}

/// Inserts a row together with an outcome that the provider may contradict.
const WATCH: &str = sql!(
    "INSERT INTO reversals (",
    Reversal::COLUMNS,
    ") VALUES ($1, $2, $3, 'watched', 0, $4, $5) ON CONFLICT (payment, provider) DO NOTHING"
);

const APPROVED: &str = sql!(
    "INSERT INTO reversals (",
    Reversal::COLUMNS,
    ") VALUES ($1, $2, $3, 'approved', 0, $4, $4) ON CONFLICT (payment, provider) \
     DO UPDATE SET state = 'approved', due_at_ms = $4 WHERE reversals.state = 'watched'"
);

const DUE: &str = sql!(
    Reversal::SELECT,
    "WHERE state IN ('watched', 'approved') AND due_at_ms <= $1 ORDER BY due_at_ms LIMIT $2"
);

const OF_PAYMENT: &str = sql!(Reversal::SELECT, "WHERE payment = $1 ORDER BY provider");

const TAKE: &str = "UPDATE reversals SET due_at_ms = $4, tries = tries + 1
    WHERE payment = $1 AND provider = $2 AND due_at_ms = $3
    AND state IN ('watched', 'approved')";

const MARK: &str = "UPDATE reversals SET state = $3 WHERE payment = $1 AND provider = $2
    AND state <> 'reversed'";

const FORGET: &str = "DELETE FROM reversals WHERE payment = $1 AND provider = $2
    AND state = 'watched'";

const COUNT: &str = "SELECT COUNT(*) FROM reversals WHERE state = $1";

/// The statement to run in the transaction that ends a payment, if the provider may still approve
/// it or has received a part of the amount. A crash must lose neither.
pub(crate) fn schedule(payment: &Payment) -> Option<(&'static str, Vec<Value>)> {
    let ended_at_ms = payment.updated_at_ms;
    let reversal = values![payment.id, &payment.provider, modification_of(payment)];
    let (statement, times) = if payment.may_still_be_approved() {
        let first_ms = ended_at_ms.saturating_add(Reversal::pause_ms(0));
        (WATCH, vec![first_ms, ended_at_ms])
    } else if payment.ended_with_funds() {
        (APPROVED, vec![ended_at_ms])
    } else {
        return None;
    };
    let times = times.into_iter().map(Value::from);
    Some((statement, reversal.into_iter().chain(times).collect()))
}

/// Derived from the payment, so that every writer uses the same id and the provider reverses once.
fn modification_of(payment: &Payment) -> ModificationId {
    let text = payment.id.to_string();
    // A payment has at most one reversal at each provider, so the id is unique there.
    text.replacen("pay_", "mod_", 1)
        .parse()
        .unwrap_or_else(|_| ModificationId::new(0, [0; 10]))
}

/// The repository of late approvals.
#[derive(Debug, Clone)]
pub struct ReversalStore {
    pub(crate) database: Database,
}

impl ReversalStore {
    /// Records that a provider approved an ended payment.
    pub async fn note_late_approval(
        &self,
        asked: &Payment,
        now_ms: i64,
    ) -> Result<(), DatabaseError> {
        let values = values![asked.id, &asked.provider, modification_of(asked), now_ms];
        self.database.execute(APPROVED, values).await.map(drop)
    }

    /// Reversals that are due by a time, milliseconds since 1970.
    pub async fn due(&self, by_ms: i64, limit: u32) -> Result<Vec<Reversal>, DatabaseError> {
        self.database.list(DUE, values![by_ms, limit]).await
    }

    /// Reserves a reversal until a time; only one of concurrent callers gets it.
    pub async fn take(&self, seen: &Reversal, until_ms: i64) -> Result<bool, DatabaseError> {
        let values = values![seen.payment, &seen.provider, seen.due_at_ms, until_ms];
        self.database.change(TAKE, values).await
    }

    /// Records the progress.
    pub async fn mark(&self, seen: &Reversal, state: ReversalState) -> Result<bool, DatabaseError> {
        let values = values![seen.payment, &seen.provider, state.name()];
        self.database.change(MARK, values).await
    }

    /// Removes a row: nothing was approved, so no further inquiry is needed.
    pub async fn remove(&self, seen: &Reversal) -> Result<bool, DatabaseError> {
        let values = values![seen.payment, &seen.provider];
        self.database.change(FORGET, values).await
    }

    /// Counts the reversals in a state.
    pub async fn count(&self, state: ReversalState) -> Result<u64, DatabaseError> {
        let values = values![state.name()];
        self.database.scalar(COUNT, values).await
    }

    /// The reversals of a payment, for tests and operators.
    pub async fn list(&self, payment: PaymentId) -> Result<Vec<Reversal>, DatabaseError> {
        self.database.list(OF_PAYMENT, values![payment]).await
    }
}
