//! Brings a database to the present form when the server starts.
//!
//! One folder of numbered files serves both databases. A file is never changed once it was
//! released; a new one is added.

use super::StoreError;
use super::postgres::full;
use rusqlite::{Connection, TransactionBehavior};
use tokio_postgres::Client;

/// Every migration in its order; the first is number 1.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/0001_first.sql")];

/// What was done already stands here.
const JOURNAL: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT NOT NULL PRIMARY KEY
);";

const DONE: &str = "SELECT COALESCE(MAX(version), 0) FROM schema_migrations";

const RECORD: &str = "INSERT INTO schema_migrations (version) VALUES ($1)";

/// Held while migrating, so that servers that start together take turns, however long that takes.
/// The number is "sealpay".
const LOCK: &str = "SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(32481091427262841)";

/// The migrations that are missing, with their numbers.
fn missing(done: i64) -> Result<impl Iterator<Item = (i64, &'static str)>, StoreError> {
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if !(0..=newest).contains(&done) {
        return Err(StoreError::Corrupt(format!(
            "the database has form {done}, and this server knows forms up to {newest}: it was \
             written by a newer version"
        )));
    }
    Ok((1..)
        .zip(MIGRATIONS)
        .filter(move |(version, _)| *version > done))
}

/// SQLite takes any type into any column unless a table is strict, and a strict table knows
/// 64-bit numbers as `INTEGER`. A clustered table is kept in the order of its primary key.
fn for_sqlite(sql: &str) -> String {
    sql.replace("BIGINT", "INTEGER")
        .replace("\n); -- clustered", "\n) STRICT, WITHOUT ROWID;")
        .replace("\n);", "\n) STRICT;")
}

pub(super) fn sqlite(connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::Unavailable(format!("migration: {error}"));
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    transaction
        .execute_batch(&for_sqlite(JOURNAL))
        .map_err(failed)?;
    let done = transaction
        .query_row(DONE, [], |row| row.get(0))
        .map_err(failed)?;
    for (version, sql) in missing(done)? {
        transaction
            .execute_batch(&for_sqlite(sql))
            .map_err(failed)?;
        transaction.execute(RECORD, [version]).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

pub(super) async fn postgres(client: &mut Client) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| {
        StoreError::Unavailable(format!("migration: {}", full(&error)))
    };
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.batch_execute(LOCK).await.map_err(failed)?;
    transaction.batch_execute(JOURNAL).await.map_err(failed)?;
    let done = transaction.query_one(DONE, &[]).await.map_err(failed)?;
    for (version, sql) in missing(done.try_get(0).map_err(failed)?)? {
        transaction.batch_execute(sql).await.map_err(failed)?;
        transaction
            .execute(RECORD, &[&version])
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, for_sqlite, missing};

    #[test]
    fn only_what_is_missing_is_run() {
        let newest = i64::try_from(MIGRATIONS.len()).unwrap();
        assert_eq!(missing(0).unwrap().count(), MIGRATIONS.len());
        assert_eq!(missing(newest).unwrap().count(), 0);
    }

    #[test]
    fn a_database_of_a_newer_version_is_refused() {
        let newest = i64::try_from(MIGRATIONS.len()).unwrap();
        assert!(missing(newest + 1).is_err());
        assert!(missing(-1).is_err());
    }

    #[test]
    fn every_table_is_strict_on_sqlite() {
        for sql in MIGRATIONS.map(for_sqlite) {
            assert_eq!(
                sql.matches("CREATE TABLE").count(),
                sql.matches(") STRICT").count()
            );
            assert!(!sql.contains("BIGINT"), "{sql}");
        }
    }
}
