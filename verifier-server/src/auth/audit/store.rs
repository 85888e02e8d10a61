//! The audit trail: rows that are added and read, and never changed.

use super::model::{AuditChain, AuditEntry, AuditRow};
use sealpay_protocol::ids::{MerchantId, RequestId};
use sealpay_storage::{Database, DatabaseError, Fault, Row, Tx, Value, values};
use std::sync::Arc;

/// Holds up whoever comes second until the first has written its row: there is one last row.
const NEXT: &str = "UPDATE audit_head SET sequence = sequence + 1 WHERE id = 1
    RETURNING sequence, hash";

const HEAD: &str = "UPDATE audit_head SET hash = $1 WHERE id = 1";

const LAST: &str = "SELECT sequence, hash FROM audit_head WHERE id = 1";

macro_rules! columns {
    () => {
        "sequence, request, merchant, actor, action, subject, source, outcome, at_ms, \
         previous_hash, hash"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO audit_log (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
);

const OF_MERCHANT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM audit_log WHERE merchant = $1 AND request < $2 ORDER BY request DESC LIMIT $3"
);

const IN_ORDER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM audit_log WHERE sequence > $1 ORDER BY sequence LIMIT $2"
);

const NO_HEAD: &str =
    "the audit trail has lost its only row of audit_head, which says where it ends";

/// Sorts behind every identifier of a request.
const BEHIND_ALL: &str = "req_z";

fn audit_row(mut row: Row) -> Result<AuditRow, DatabaseError> {
    Ok(AuditRow {
        sequence: row.integer()?,
        entry: AuditEntry {
            request: row.parsed()?,
            merchant: row.optional_parsed()?,
            actor: row.text()?,
            action: row.text()?,
            subject: row.optional_text()?,
            source: row.text()?,
            outcome: row.text()?,
            at_ms: row.integer()?,
        },
        previous_hash: row.text()?,
        hash: row.text()?,
    })
}

async fn append(
    tx: &mut Tx<'_>,
    (entry, chain): &(AuditEntry, Arc<AuditChain>),
) -> Result<(), Fault> {
    let missing = || DatabaseError::Corrupt(NO_HEAD.into());
    let mut head = tx.optional(NEXT, &[]).await?.ok_or_else(missing)?;
    let (sequence, previous_hash) = (head.integer()?, head.text()?);
    let hash = chain.hash(sequence, entry, &previous_hash);
    let row = values![
        sequence,
        entry.request.to_string(),
        entry.merchant,
        &entry.actor,
        &entry.action,
        entry.subject.as_ref(),
        &entry.source,
        &entry.outcome,
        entry.at_ms,
        previous_hash,
        &hash,
    ];
    tx.execute_together(&[(INSERT, &row), (HEAD, &values![&hash])])
        .await?;
    Ok(())
}

/// What is stored of the audit trail.
#[derive(Debug, Clone)]
pub struct AuditStore {
    pub(crate) database: Database,
}

impl AuditStore {
    /// Adds a row to the audit trail, behind all others.
    pub async fn append(
        &self,
        entry: AuditEntry,
        chain: Arc<AuditChain>,
    ) -> Result<(), DatabaseError> {
        self.database
            .write((entry, chain), |tx, input| Box::pin(append(tx, input)))
            .await
    }

    /// What was done for one merchant, newest first; what came before `after`.
    pub async fn list(
        &self,
        merchant: MerchantId,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        let after = after.map(|after| Value::from(after.to_string()));
        let after = after.unwrap_or_else(|| BEHIND_ALL.into());
        let values = values![merchant, after, limit];
        let rows = self.database.rows(OF_MERCHANT, values).await?;
        rows.into_iter().map(audit_row).collect()
    }

    /// Rows of all merchants behind a sequence, in the order of their writing.
    pub async fn behind(&self, sequence: i64, limit: u32) -> Result<Vec<AuditRow>, DatabaseError> {
        let rows = self.database.rows(IN_ORDER, values![sequence, limit]);
        rows.await?.into_iter().map(audit_row).collect()
    }

    /// How many rows the trail has, and the hash of its last one.
    pub async fn head(&self) -> Result<(i64, String), DatabaseError> {
        let head = self.database.row(LAST, []).await?;
        let mut head = head.ok_or_else(|| DatabaseError::Corrupt(NO_HEAD.into()))?;
        Ok((head.integer()?, head.text()?))
    }
}
