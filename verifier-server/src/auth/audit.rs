//! The audit trail: writing, listing and verification.

pub(crate) mod appender;
pub mod model;
pub mod routes;
pub mod store;

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::paging::{self, Page, PageRequest};
use crate::keys::encryption::KeyEncryption;
use crate::store::{DatabaseError, Store};
use model::{AuditEntry, AuditRow};
use sealpay_protocol::ids::{MerchantId, RequestId};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Rows that are verified in one batch.
const BATCH: u32 = 1000;

/// A row of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditRecord {
    /// The request, `req_…`; every response has it in `x-request-id`.
    pub request: String,
    /// The actor: an API key's `key_…`, `order_key:` and the name of an order key, or `operator`.
    pub actor: String,
    /// Method and route, or the operator's command.
    pub action: String,
    /// The affected resource, if there is one.
    pub subject: Option<String>,
    /// The network of the request, or `command line`.
    pub source: String,
    /// The HTTP status and the error code; `done` or `failed` for a command.
    pub outcome: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The keyed hash of this row and the previous one.
    pub hash: String,
}

impl AuditRecord {
    /// A row as its merchant sees it.
    #[must_use]
    pub fn new(row: AuditRow) -> Self {
        let entry = row.entry;
        Self {
            request: entry.request.to_string(),
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            source: entry.source,
            outcome: entry.outcome,
            created_at: entry.at_ms.div_euclid(1000),
            hash: row.hash,
        }
    }
}

/// Appends a row.
pub async fn append(
    store: &Store,
    encryption: &KeyEncryption,
    entry: AuditEntry,
) -> Result<(), DatabaseError> {
    store
        .audit
        .append(vec![entry], Arc::new(encryption.audit_chain()))
        .await
}

/// The same, given the gateway.
pub async fn write(gateway: &Gateway, entry: AuditEntry) -> Result<(), DatabaseError> {
    append(&gateway.store, &gateway.encryption, entry).await
}

/// Logs the sequence number and hash of the last row, so that truncating the trail in the database
/// can be detected in the log.
pub async fn anchor(gateway: &Gateway) {
    match gateway.store.audit.head().await {
        Ok((rows, last_hash)) => tracing::info!(rows, last_hash, "the audit trail"),
        Err(error) => tracing::warn!(%error, "the last row of the audit trail could not be read"),
    }
}

/// The audit rows of a merchant, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    page: PageRequest<RequestId>,
) -> Result<Page<AuditRecord>, ApiError> {
    let rows = move |store: Store, PageRequest { after, limit }| async move {
        store.audit.list(merchant, after, limit).await
    };
    paging::read(gateway, (merchant, false), page, rows, AuditRecord::new).await
}

/// Verifies the whole trail and passes each row to a callback; returns the number of rows and the
/// last hash.
///
/// # Errors
/// A sentence that names the first altered, missing or inserted row.
pub async fn verify(
    store: &Store,
    encryption: &KeyEncryption,
    mut each: impl FnMut(&AuditRow) -> Result<(), String>,
) -> Result<(i64, String), String> {
    let chain = encryption.audit_chain();
    let inside = |error: DatabaseError| error.to_string();
    // Read first: rows that are written meanwhile come after it.
    let (rows, head) = store.audit.head().await.map_err(inside)?;
    let (mut last, mut last_hash) = (0, String::new());
    let mut known = None;
    loop {
        let found = store.audit.behind(last, BATCH).await.map_err(inside)?;
        if found.is_empty() {
            break;
        }
        for row in found {
            let expected = last + 1;
            if !chain.fits(&row, expected, &last_hash) {
                return Err(format!(
                    "the audit trail does not fit from row {expected} on: a row was changed, \
                     removed or added"
                ));
            }
            each(&row)?;
            (last, last_hash) = (row.sequence, row.hash);
            if last == rows {
                known = Some(last_hash.clone());
            }
        }
    }
    if rows > 0 && known.as_deref() != Some(head.as_str()) {
        return Err(format!(
            "the audit trail has {last} rows and should have {rows}: its end is missing"
        ));
    }
    Ok((last, last_hash))
}
