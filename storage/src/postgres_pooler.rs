//! Detects poolers that assign a server connection for one transaction, such as PgBouncer with
//! `pool_mode = transaction`.
//!
//! Behind one, prepared statements and settings of a connection may vanish or belong to another
//! client. Then every statement is sent unnamed, and every transaction sets what it needs itself.

use super::error::{DatabaseError, full};
use super::postgres_statement::connection_trouble;
use std::time::Duration;
use tokio_postgres::Client;

/// How long to wait for a response that a pooler with a single connection may hold back.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Sets a unique value on the connection of this session.
const MARK: &str = "SELECT set_config('sealpay.session', \
    md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text), false)";
const READ: &str = "SELECT COALESCE(current_setting('sealpay.session', true), '')";

/// Whether the two sessions can get each other's server connection: one marks its connection, the
/// other occupies a connection with a transaction, and the first looks for its mark.
pub(super) async fn is_between(first: &Client, second: &Client) -> Result<bool, DatabaseError> {
    let mark = answer(first, MARK).await?;
    second
        .batch_execute("BEGIN; SELECT 1")
        .await
        .map_err(connection_trouble)?;
    let read = tokio::time::timeout(ANSWER_WITHIN, answer(first, READ)).await;
    // Ends the transaction before waiting for the first session: there may be only one connection.
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
