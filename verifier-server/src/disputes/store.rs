//! The repository of disputes. Each change also increments the payment's event count, which decides
//! every race.

use super::model::Dispute;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use crate::idempotency::store as idempotency;
use crate::ledger::posting::Posting;
use crate::ledger::store::PreparedPosting;
use crate::payments::model::Payment;
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{DisputeId, Identifier, MerchantId, PaymentId};
use sealpay_storage::{
    ByName, Database, DatabaseError, Entity, Extent, Fault, Projection, Statement,
};
use sealpay_storage::{Tx, Value, entity, sql, values};

/// The result of changing a dispute.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisputeChange {
    /// Written.
    Done,
    /// The same request, or another one with the same key, was made before. Nothing was written.
    Repeated(IdempotencyReplay),
    /// The payment has changed since the caller read it: read it again.
    Moved,
}

/// The rows of a change, written atomically.
#[derive(Debug, Clone, Copy)]
pub struct DisputeStep<'a> {
    /// The payment as the caller saw it, before the dispute was read.
    pub before: &'a Payment,
    /// The payment afterwards: its disputed amount and event count.
    pub after: &'a Payment,
    /// The dispute afterwards.
    pub dispute: &'a Dispute,
    /// The event, whose sequence is the payment's next one.
    pub event: &'a Event,
    /// The ledger posting.
    pub posting: Option<&'a Posting>,
    /// The merchant's request, if there is one.
    pub request: Option<&'a IdempotentRequest>,
}

entity! {
    Dispute in "disputes" {
        id,
        payment,
        merchant,
        money: (amount_minor, currency),
        reason as ByName,
        state as ByName,
        evidence,
        evidence_due_ms,
        created_at_ms,
        updated_at_ms,
        answered_by,
    }
}

const UPDATE: &str =
    "UPDATE disputes SET state = $2, evidence = $3, updated_at_ms = $4, answered_by = $5
    WHERE id = $1";

const UPDATE_PAYMENT: &str =
    "UPDATE payments SET disputed_minor = $2, sequence = $3, updated_at_ms = $4
    WHERE id = $1 AND modification IS NULL AND sequence = $5";

const BY_ID: &str = sql!(Dispute::SELECT, "WHERE id = $1");

const OF_MERCHANT: &str = sql!(
    Dispute::SELECT,
    "WHERE merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

const OF_PAYMENT: &str = sql!(
    Dispute::SELECT,
    "WHERE payment = $4 AND merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

const OVERDUE: &str = sql!(
    Dispute::SELECT,
    "WHERE state = 'needs_response' AND evidence_due_ms <= $1 \
     AND payment NOT IN (SELECT payment FROM modifications WHERE state = 'pending') \
     ORDER BY evidence_due_ms LIMIT $2"
);

const NEXT_OVERDUE: &str = "SELECT MIN(evidence_due_ms) FROM disputes
    WHERE state = 'needs_response' AND evidence_due_ms > $1";

struct Change {
    movement: [Value; 5],
    opened: Option<<Dispute as Entity>::Values>,
    changed: [Value; 5],
    event: EventInsert,
    posting: Option<PreparedPosting>,
    request: Option<(IdempotentRequest, String, i64)>,
}

async fn write(tx: &mut Tx<'_>, change: &Change) -> Result<DisputeChange, Fault> {
    if let Some((request, _, _)) = &change.request
        && let Some(replay) = idempotency::find(tx, request).await?
    {
        return Ok(DisputeChange::Repeated(replay));
    }
    if tx.execute(UPDATE_PAYMENT, &change.movement).await? == 0 {
        return Ok(DisputeChange::Moved);
    }
    if let Some((request, made, now_ms)) = &change.request
        && let Some(_) = idempotency::insert(tx, request, made, None, *now_ms).await?
    {
        return Err(Fault::Retry("the key was used in between".into()));
    }
    let mut statements: Vec<Statement<'_>> = Vec::with_capacity(5);
    match &change.opened {
        Some(row) => statements.push((Dispute::INSERT, row)),
        None => statements.push((UPDATE, &change.changed)),
    }
    statements.extend(change.event.statements());
    statements.extend(change.posting.iter().flat_map(PreparedPosting::statements));
    let counts = tx.execute_together(&statements).await?;
    if counts.first() != Some(&1) {
        return Err(DatabaseError::Corrupt("there is no such dispute".into()).into());
    }
    Ok(DisputeChange::Done)
}

/// The repository of disputes.
#[derive(Debug, Clone)]
pub struct DisputeStore {
    pub(crate) database: Database,
}

impl DisputeStore {
    /// Opens a dispute.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub async fn open(&self, step: DisputeStep<'_>) -> Result<DisputeChange, DatabaseError> {
        self.write(step, Some(step.dispute.to_row()?)).await
    }

    /// Changes a dispute that was read after `before`.
    ///
    /// # Errors
    /// The database failed, or the dispute does not exist; nothing was written, unless the outcome
    /// is unknown.
    pub async fn change(&self, step: DisputeStep<'_>) -> Result<DisputeChange, DatabaseError> {
        self.write(step, None).await
    }

    async fn write(
        &self,
        step: DisputeStep<'_>,
        opened: Option<<Dispute as Entity>::Values>,
    ) -> Result<DisputeChange, DatabaseError> {
        let (after, dispute) = (step.after, step.dispute);
        let change = Change {
            movement: values![
                step.before.id,
                after.disputed_minor,
                after.sequence,
                after.updated_at_ms,
                step.before.sequence,
            ],
            opened,
            changed: values![
                dispute.id,
                dispute.state.name(),
                dispute.evidence.clone(),
                dispute.updated_at_ms,
                dispute.answered_by.clone(),
            ],
            event: EventInsert::new(step.event)?,
            posting: step.posting.map(PreparedPosting::new).transpose()?,
            request: step
                .request
                .map(|request| (request.clone(), dispute.id.to_string(), after.updated_at_ms)),
        };
        self.database
            .write(change, |tx, change| Box::pin(write(tx, change)))
            .await
    }

    /// A dispute of any merchant.
    pub async fn get(&self, id: DisputeId) -> Result<Option<Dispute>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// A merchant's disputes, or those of one payment, newest first, older than `after`.
    pub async fn list(
        &self,
        merchant: MerchantId,
        payment: Option<PaymentId>,
        after: Option<DisputeId>,
        limit: u32,
    ) -> Result<Vec<Dispute>, DatabaseError> {
        let database = &self.database;
        let after = after.unwrap_or(DisputeId::MAX);
        match payment {
            Some(payment) => {
                let wanted = values![merchant, after, limit, payment];
                database.scan_list(Extent::List, OF_PAYMENT, wanted).await
            }
            None => {
                let wanted = values![merchant, after, limit];
                database.scan_list(Extent::List, OF_MERCHANT, wanted).await
            }
        }
    }

    /// Disputes whose deadline has passed by a time, milliseconds since 1970; oldest first. Omits
    /// those whose payment has a pending modification, so that they do not block others.
    pub async fn overdue(&self, by_ms: i64, limit: u32) -> Result<Vec<Dispute>, DatabaseError> {
        self.database.list(OVERDUE, values![by_ms, limit]).await
    }

    /// When the next response is due after a time, milliseconds since 1970.
    pub(crate) async fn next_due_ms(&self, after_ms: i64) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT_OVERDUE, values![after_ms]).await
    }
}
