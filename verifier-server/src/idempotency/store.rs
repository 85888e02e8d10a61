//! Requests that may be sent again: each is kept with what it made, in the transaction that makes it.

use super::model::{IdempotencyReplay, IdempotentRequest};
use sealpay_storage::{Database, DatabaseError, Fault, Tx, values};

const INSERT: &str = "INSERT INTO idempotent_requests
    (merchant, idempotency_key, request_digest, resource, response, created_at_ms, credential)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

/// The same request, whoever sent it, or another one of the credential with the same key. What another
/// credential has asked for under that key is no obstacle: its holder may be nobody who should be able
/// to use up keys.
const FIND: &str = "SELECT request_digest, resource, response, credential FROM idempotent_requests
    WHERE merchant = $1 AND idempotency_key = $2 AND (request_digest = $3 OR credential = $4)
    ORDER BY CASE WHEN request_digest = $3 THEN 0 ELSE 1 END LIMIT 1";

/// What is pending is remembered: a repetition would do it once more.
const PURGE: &str = "DELETE FROM idempotent_requests WHERE created_at_ms < $1
    AND resource NOT IN (SELECT id FROM modifications WHERE state = 'pending')";

const PURGE_RESPONSES: &str = "UPDATE idempotent_requests SET response = NULL
    WHERE created_at_ms < $1 AND response IS NOT NULL";

/// Digest, resource, response and credential.
type StoredRequest = (String, String, Option<String>, String);

fn replay(found: StoredRequest, request: &IdempotentRequest) -> IdempotencyReplay {
    let (digest, resource, response, credential) = found;
    if digest != request.digest {
        return IdempotencyReplay::Other;
    }
    request.changed_nothing.note();
    let response = response.filter(|_| credential == request.credential);
    IdempotencyReplay::Same { resource, response }
}

/// What a request with this key has made, if there was one.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    request: &IdempotentRequest,
) -> Result<Option<IdempotencyReplay>, Fault> {
    request.changed_nothing.reset();
    let key = values![
        request.merchant,
        &request.key,
        &request.digest,
        &request.credential,
    ];
    let found = tx.get(FIND, &key).await?;
    Ok(found.map(|found| replay(found, request)))
}

/// Keeps a request with what it is about to make; nothing if it is the first with its key. Two that
/// come at once are decided by the table's keys.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    request: &IdempotentRequest,
    resource: &str,
    response: Option<&str>,
    now_ms: i64,
) -> Result<Option<IdempotencyReplay>, Fault> {
    let values = values![
        request.merchant,
        &request.key,
        &request.digest,
        resource.to_owned(),
        response.map(str::to_owned),
        now_ms,
        &request.credential,
    ];
    if tx.execute(INSERT, &values).await? == 1 {
        return Ok(None);
    }
    match find(tx, request).await? {
        Some(replay) => Ok(Some(replay)),
        None => Err(Fault::Retry("a request was forgotten in between".into())),
    }
}

/// The repository of requests with an `Idempotency-Key`, and their responses.
#[derive(Debug, Clone)]
pub struct IdempotencyStore {
    pub(crate) database: Database,
}

impl IdempotencyStore {
    /// What a request with this key has made, if there was one.
    pub async fn replay(
        &self,
        request: &IdempotentRequest,
    ) -> Result<Option<IdempotencyReplay>, DatabaseError> {
        self.database
            .read(request.clone(), |tx, request| Box::pin(find(tx, request)))
            .await
    }

    /// Forgets the answers that were kept of requests made before a moment, milliseconds since
    /// 1970; how many. They hold secrets.
    pub async fn purge_responses(&self, before_ms: i64) -> Result<u64, DatabaseError> {
        let before = values![before_ms];
        self.database.execute(PURGE_RESPONSES, before).await
    }

    /// Forgets requests made before a moment, milliseconds since 1970; how many.
    pub async fn purge(&self, before_ms: i64) -> Result<u64, DatabaseError> {
        self.database.execute(PURGE, values![before_ms]).await
    }
}
