//! Disputes: each change moves its payment's count of events too, which decides every race.

use super::model::{Dispute, DisputeReason, DisputeState};
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use crate::idempotency::store as idempotency;
use crate::ledger::posting::Posting;
use crate::ledger::store::PreparedPosting;
use crate::payments::model::Payment;
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{DisputeId, MerchantId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_storage::{Database, DatabaseError, Extent, Fault, Row, Statement, Tx, Value, values};

/// What became of the wish to change a dispute.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisputeChange {
    /// It is written.
    Done,
    /// The same request, or another one with the same key, came before. Nothing was written.
    Repeated(IdempotencyReplay),
    /// The payment is not any more as the caller saw it: look again.
    Moved,
}

/// What is to be written, all of it or nothing.
#[derive(Debug, Clone, Copy)]
pub struct DisputeStep<'a> {
    /// The payment as the caller saw it, before the dispute was read.
    pub before: &'a Payment,
    /// The payment afterwards: what is disputed, and the count of its events.
    pub after: &'a Payment,
    /// The dispute afterwards.
    pub dispute: &'a Dispute,
    /// The event, whose sequence is the payment's next one.
    pub event: &'a Event,
    /// What goes into the books.
    pub posting: Option<&'a Posting>,
    /// The request of the merchant's, where one asked for it.
    pub request: Option<&'a IdempotentRequest>,
}

macro_rules! columns {
    () => {
        "id, payment, merchant, amount_minor, currency, reason, state, evidence, evidence_due_ms, \
         created_at_ms, updated_at_ms, answered_by"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO disputes (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
);

const UPDATE: &str =
    "UPDATE disputes SET state = $2, evidence = $3, updated_at_ms = $4, answered_by = $5
    WHERE id = $1";

const MOVE: &str = "UPDATE payments SET disputed_minor = $2, sequence = $3, updated_at_ms = $4
    WHERE id = $1 AND modification IS NULL AND sequence = $5";

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM disputes WHERE id = $1");

const OF_MERCHANT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM disputes WHERE merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

const OF_PAYMENT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM disputes WHERE payment = $4 AND merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

const OVERDUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM disputes WHERE state = 'needs_response' AND evidence_due_ms <= $1 \
     AND payment NOT IN (SELECT payment FROM modifications WHERE state = 'pending') \
     ORDER BY evidence_due_ms LIMIT $2"
);

/// Sorts behind every identifier of a dispute.
const BEHIND_ALL: &str = "dis_z";

fn new_values(dispute: &Dispute) -> [Value; 12] {
    values![
        dispute.id,
        dispute.payment,
        dispute.merchant,
        dispute.money.amount_minor(),
        dispute.money.currency().code().to_owned(),
        dispute.reason.name(),
        dispute.state.name(),
        dispute.evidence.clone(),
        dispute.evidence_due_ms,
        dispute.created_at_ms,
        dispute.updated_at_ms,
        dispute.answered_by.clone(),
    ]
}

fn dispute(mut row: Row) -> Result<Dispute, DatabaseError> {
    Ok(Dispute {
        id: row.parsed()?,
        payment: row.parsed()?,
        merchant: row.parsed()?,
        money: Money::new(row.integer()?, row.parsed()?),
        reason: row.read(DisputeReason::from_name)?,
        state: row.read(DisputeState::from_name)?,
        evidence: row.optional_text()?,
        evidence_due_ms: row.integer()?,
        created_at_ms: row.integer()?,
        updated_at_ms: row.integer()?,
        answered_by: row.optional_text()?,
    })
}

struct Change {
    movement: [Value; 5],
    opened: Option<[Value; 12]>,
    changed: [Value; 5],
    told: EventInsert,
    books: Option<PreparedPosting>,
    request: Option<(IdempotentRequest, String, i64)>,
}

async fn write(tx: &mut Tx<'_>, change: &Change) -> Result<DisputeChange, Fault> {
    if let Some((request, _, _)) = &change.request
        && let Some(replay) = idempotency::find(tx, request).await?
    {
        return Ok(DisputeChange::Repeated(replay));
    }
    if tx.execute(MOVE, &change.movement).await? == 0 {
        return Ok(DisputeChange::Moved);
    }
    if let Some((request, made, now_ms)) = &change.request
        && let Some(_) = idempotency::remember(tx, request, made, None, *now_ms).await?
    {
        return Err(Fault::Retry("the key was used in between".into()));
    }
    let mut statements: Vec<Statement<'_>> = Vec::with_capacity(5);
    match &change.opened {
        Some(row) => statements.push((INSERT, row)),
        None => statements.push((UPDATE, &change.changed)),
    }
    statements.extend(change.told.statements());
    statements.extend(change.books.iter().flat_map(PreparedPosting::statements));
    let counts = tx.execute_together(&statements).await?;
    if counts.first() != Some(&1) {
        return Err(DatabaseError::Corrupt("there is no such dispute".into()).into());
    }
    Ok(DisputeChange::Done)
}

/// What is stored of disputes.
#[derive(Debug, Clone)]
pub struct DisputeStore {
    pub(crate) database: Database,
}

impl DisputeStore {
    /// Opens a dispute.
    ///
    /// # Errors
    /// The database did not do its work; nothing was written, unless the outcome is unknown.
    pub async fn open(&self, step: DisputeStep<'_>) -> Result<DisputeChange, DatabaseError> {
        self.write(step, Some(new_values(step.dispute))).await
    }

    /// Changes a dispute that was read after `before`.
    ///
    /// # Errors
    /// The database did not do its work, or there is no such dispute; nothing was written, unless
    /// the outcome is unknown.
    pub async fn change(&self, step: DisputeStep<'_>) -> Result<DisputeChange, DatabaseError> {
        self.write(step, None).await
    }

    async fn write(
        &self,
        step: DisputeStep<'_>,
        opened: Option<[Value; 12]>,
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
            told: EventInsert::of(step.event),
            books: step.posting.map(PreparedPosting::of),
            request: step
                .request
                .map(|request| (request.clone(), dispute.id.to_string(), after.updated_at_ms)),
        };
        self.database
            .write(change, |tx, change| Box::pin(write(tx, change)))
            .await
    }

    /// A dispute, whoever's it is.
    pub async fn get(&self, id: DisputeId) -> Result<Option<Dispute>, DatabaseError> {
        let row = self.database.row(BY_ID, values![id]).await?;
        row.map(dispute).transpose()
    }

    /// A merchant's disputes, or those of one payment of theirs, newest first; those older than
    /// `after`.
    pub async fn list(
        &self,
        merchant: MerchantId,
        payment: Option<PaymentId>,
        after: Option<DisputeId>,
        limit: u32,
    ) -> Result<Vec<Dispute>, DatabaseError> {
        let after = after.map_or_else(|| Value::from(BEHIND_ALL), Value::from);
        let rows = match payment {
            Some(payment) => {
                let values = values![merchant, after, limit, payment];
                self.database
                    .scanned_rows(Extent::List, OF_PAYMENT, values)
                    .await?
            }
            None => {
                let values = values![merchant, after, limit];
                self.database
                    .scanned_rows(Extent::List, OF_MERCHANT, values)
                    .await?
            }
        };
        rows.into_iter().map(dispute).collect()
    }

    /// Disputes that nobody has answered by a moment, milliseconds since 1970; the oldest first.
    /// Those whose payment is being modified are left for later, so that they hold up no others.
    pub async fn overdue(&self, by_ms: i64, limit: u32) -> Result<Vec<Dispute>, DatabaseError> {
        let rows = self.database.rows(OVERDUE, values![by_ms, limit]).await?;
        rows.into_iter().map(dispute).collect()
    }
}
