//! The repository of idempotent requests; each is stored with its result in the same transaction.

use super::model::{IdempotencyReplay, IdempotentRequest};
use sealpay_storage::{Database, DatabaseError, Fault, Tx, values};

const INSERT: &str = "INSERT INTO idempotent_requests
    (merchant, idempotency_key, request_digest, resource, response, created_at_ms, credential)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

/// Finds the same request of any credential, or another request of this credential with the same
/// key. Other credentials' keys do not conflict, so that a limited credential cannot block keys.
const FIND: &str = "SELECT request_digest, resource, response, credential FROM idempotent_requests
    WHERE merchant = $1 AND idempotency_key = $2 AND (request_digest = $3 OR credential = $4)
    ORDER BY CASE WHEN request_digest = $3 THEN 0 ELSE 1 END LIMIT 1";

/// Requests with pending modifications stay, because a repetition would execute them again.
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

/// The result of an earlier request with this key, if any.
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

/// Stores a request before its result is created; none if it is the first with its key. The table's
/// unique keys decide races.
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

/// The repository of idempotent requests and their responses.
#[derive(Debug, Clone)]
pub struct IdempotencyStore {
    pub(crate) database: Database,
}

impl IdempotencyStore {
    /// The result of an earlier request with this key, if any.
    pub async fn replay(
        &self,
        request: &IdempotentRequest,
    ) -> Result<Option<IdempotencyReplay>, DatabaseError> {
        self.database
            .read(request.clone(), |tx, request| Box::pin(find(tx, request)))
            .await
    }

    /// Deletes the stored responses of requests made before a time, milliseconds since 1970;
    /// returns their number. They contain secrets.
    pub async fn purge_responses(&self, before_ms: i64) -> Result<u64, DatabaseError> {
        let before = values![before_ms];
        self.database.execute(PURGE_RESPONSES, before).await
    }

    /// Deletes requests made before a time, milliseconds since 1970; returns their number.
    pub async fn purge(&self, before_ms: i64) -> Result<u64, DatabaseError> {
        self.database.execute(PURGE, values![before_ms]).await
    }
}
