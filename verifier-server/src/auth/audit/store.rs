//! The audit trail: rows that are added and read, and never changed.

use super::model::{AuditChain, AuditEntry, AuditRow};
use sealpay_protocol::ids::{MerchantId, RequestId};
use sealpay_storage::{Database, DatabaseError, Fault, Row, Statement, Tx, Value, values};
use std::sync::Arc;

/// Holds up whoever comes second until the first has written its rows: there is one last row.
const LOCK_HEAD: &str = "UPDATE audit_head SET sequence = sequence WHERE id = 1
    RETURNING sequence, hash";

const MOVE_HEAD: &str = "UPDATE audit_head SET sequence = $1, hash = $2 WHERE id = 1";

const IS_THERE: &str = "SELECT sequence FROM audit_log WHERE request = $1";

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
    (entries, chain): &(Vec<AuditEntry>, Arc<AuditChain>),
) -> Result<(), Fault> {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let missing = || DatabaseError::Corrupt(NO_HEAD.into());
    let mut head = tx.optional(LOCK_HEAD, &[]).await?.ok_or_else(missing)?;
    let (mut sequence, mut last_hash) = (head.integer()?, head.text()?);
    // Rows that were added together are all there or none: the commit before may have happened.
    let request = values![first.request.to_string()];
    if tx.optional(IS_THERE, &request).await?.is_some() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        sequence += 1;
        let hash = chain.hash(sequence, entry, &last_hash);
        rows.push(values![
            sequence,
            entry.request.to_string(),
            entry.merchant,
            &entry.actor,
            &entry.action,
            entry.subject.as_ref(),
            &entry.source,
            &entry.outcome,
            entry.at_ms,
            last_hash,
            &hash,
        ]);
        last_hash = hash;
    }
    let head = values![sequence, last_hash];
    let inserts = rows.iter().map(|row| -> Statement<'_> { (INSERT, row) });
    let statements: Vec<_> = inserts.chain([(MOVE_HEAD, head.as_slice())]).collect();
    tx.execute_together(&statements).await?;
    Ok(())
}

/// What is stored of the audit trail.
#[derive(Debug, Clone)]
pub struct AuditStore {
    pub(crate) database: Database,
}

impl AuditStore {
    /// Adds rows to the audit trail, behind all others and all of them or none. Rows that are there
    /// already are not added again.
    pub async fn append(
        &self,
        entries: Vec<AuditEntry>,
        chain: Arc<AuditChain>,
    ) -> Result<(), DatabaseError> {
        self.database
            .write((entries, chain), |tx, input| Box::pin(append(tx, input)))
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
