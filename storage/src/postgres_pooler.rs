//! Poolers that hand out a server's connection for one transaction, such as PgBouncer with
//! `pool_mode = transaction`.
//!
//! Behind one, what is prepared or set on a connection is found again on somebody else's, or not at
//! all. Then every statement travels whole, and every transaction sets what it needs itself.

use super::error::{DatabaseError, full};
use super::postgres_statement::connection_trouble;
use std::time::Duration;
use tokio_postgres::Client;

/// How long an answer may take that only a pooler holds back: it waits for the one connection that
/// it has.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// A value that nobody else has, on the connection of this session.
const MARK: &str = "SELECT set_config('sealpay.session', \
    md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text), false)";
const READ: &str = "SELECT COALESCE(current_setting('sealpay.session', true), '')";

/// Whether the two sessions may be given each other's connection: one marks its own, the other
/// takes a connection for a transaction, and the first looks for its mark.
pub(super) async fn is_between(first: &Client, second: &Client) -> Result<bool, DatabaseError> {
    let mark = answer(first, MARK).await?;
    second
        .batch_execute("BEGIN; SELECT 1")
        .await
        .map_err(connection_trouble)?;
    let read = tokio::time::timeout(ANSWER_WITHIN, answer(first, READ)).await;
    // Over before the first one's answer is awaited any longer; there may be one connection only.
    second
        .batch_execute("ROLLBACK")
        .await
        .map_err(connection_trouble)?;
    match read {
        Ok(read) => Ok(read? != mark),
        Err(_) => Ok(true),
    }
}

async fn answer(client: &Client, sql: &str) -> Result<String, DatabaseError> {
    let row = client.query_typed_one(sql, &[]).await;
    let row = row.map_err(connection_trouble)?;
    row.try_get(0)
        .map_err(|error| DatabaseError::Corrupt(full(&error)))
}
