//! The repository of the audit trail, which is append-only.

use super::model::{AuditChain, AuditEntry, AuditRow};
use sealpay_protocol::ids::{Identifier, MerchantId, RequestId};
use sealpay_storage::{Database, DatabaseError, Entity, Fault, Projection, Tx};
use sealpay_storage::{columns, entity, insert, sql, values};
use std::sync::Arc;

/// Serializes concurrent writers, because each row needs the previous hash.
const LOCK_HEAD: &str = "UPDATE audit_head SET sequence = sequence WHERE id = 1
    RETURNING sequence, hash";

const MOVE_HEAD: &str = "UPDATE audit_head SET sequence = $1, hash = $2 WHERE id = 1";

const IS_THERE: &str = "SELECT sequence FROM audit_log WHERE request = $1";

const LAST: &str = "SELECT sequence, hash FROM audit_head WHERE id = 1";

columns! {
    AuditEntry {
        request,
        merchant,
        actor,
        action,
        subject,
        source,
        outcome,
        at_ms,
    }
}

entity! {
    AuditRow in "audit_log" {
        sequence,
        entry: (request, merchant, actor, action, subject, source, outcome, at_ms),
        previous_hash,
        hash,
    }
}

const OF_MERCHANT: &str = sql!(
    AuditRow::SELECT,
    "WHERE merchant = $1 AND request < $2 ORDER BY request DESC LIMIT $3"
);

const IN_ORDER: &str = sql!(
    AuditRow::SELECT,
    "WHERE sequence > $1 ORDER BY sequence LIMIT $2"
);

const NO_HEAD: &str =
    "the audit trail has lost its only row of audit_head, which says where it ends";

async fn append(
    tx: &mut Tx<'_>,
    (entries, chain): &(Vec<AuditEntry>, Arc<AuditChain>),
) -> Result<(), Fault> {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let missing = || DatabaseError::Corrupt(NO_HEAD.into());
    let head: Option<(i64, String)> = tx.get(LOCK_HEAD, &[]).await?;
    let (mut sequence, mut last_hash) = head.ok_or_else(missing)?;
    // Rows appended together are all stored or none: an earlier commit may have succeeded.
    let request = values![first.request];
    if tx.optional(IS_THERE, &request).await?.is_some() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        sequence += 1;
        let hash = chain.hash(sequence, entry, &last_hash);
        let row = AuditRow {
            sequence,
            entry: entry.clone(),
            previous_hash: last_hash,
            hash: hash.clone(),
        };
        rows.push(row.to_row()?);
        last_hash = hash;
    }
    let head = values![sequence, last_hash];
    let inserts = rows.iter().map(insert::<AuditRow>);
    let statements: Vec<_> = inserts.chain([(MOVE_HEAD, head.as_slice())]).collect();
    tx.execute_together(&statements).await?;
    Ok(())
}

/// The repository of the audit trail.
#[derive(Debug, Clone)]
pub struct AuditStore {
    pub(crate) database: Database,
}

impl AuditStore {
    /// Appends rows atomically. Rows that are already stored are not appended again.
    pub async fn append(
        &self,
        entries: Vec<AuditEntry>,
        chain: Arc<AuditChain>,
    ) -> Result<(), DatabaseError> {
        self.database
            .write((entries, chain), |tx, input| Box::pin(append(tx, input)))
            .await
    }

    /// The rows of a merchant, newest first, older than `after`.
    pub async fn list(
        &self,
        merchant: MerchantId,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        let wanted = values![merchant, after.unwrap_or(RequestId::MAX), limit];
        self.database.list(OF_MERCHANT, wanted).await
    }

    /// Rows of all merchants after a sequence number, in order.
    pub async fn behind(&self, sequence: i64, limit: u32) -> Result<Vec<AuditRow>, DatabaseError> {
        self.database.list(IN_ORDER, values![sequence, limit]).await
    }

    /// The number of rows, and the hash of the last one.
    pub async fn head(&self) -> Result<(i64, String), DatabaseError> {
        let head = self.database.get(LAST, []).await?;
        head.ok_or_else(|| DatabaseError::Corrupt(NO_HEAD.into()))
    }
}
