//! Applies migrations when the server starts.
//!
//! One folder of numbered files serves both databases. A released file never changes; changes are
//! new files. The journal has a digest of each, so that a database of a file that did change is
//! refused.

use super::error::{DatabaseError, full};
use rusqlite::{Connection, TransactionBehavior};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

/// The migrations of one user of a database. Users that share a database have different journal
/// tables.
#[derive(Debug)]
pub struct Migrations {
    /// The table that records applied migrations. The name is inserted into SQL without quoting.
    pub table: &'static str,
    /// Every migration in order; the first is number 1.
    pub steps: &'static [&'static str],
}

impl Migrations {
    fn journal(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (
    version BIGINT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL\n);",
            self.table
        )
    }

    fn done(&self) -> String {
        format!(
            "SELECT version, digest FROM {} ORDER BY version",
            self.table
        )
    }

    fn record(&self) -> String {
        format!(
            "INSERT INTO {} (version, digest) VALUES ($1, $2)",
            self.table
        )
    }

    /// The lock that serializes servers that start at the same time, with no time limit. Each
    /// journal table has its own lock, so users of one database do not block each other.
    fn lock(&self) -> String {
        format!(
            "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({})",
            lock_number(self.table)
        )
    }

    /// The missing migrations, with their numbers and digests, after those that were applied.
    fn missing(&self, done: &[(i64, String)]) -> Result<Vec<Migration>, DatabaseError> {
        let steps = (1..).zip(self.steps.iter().copied());
        let steps = steps.map(|(version, sql)| (version, sql, digest(sql)));
        let mut missing: Vec<_> = steps.collect();
        let known = missing.iter();
        let known = known.map(|(version, _, digest)| (version, digest));
        let is_known = done.len() <= missing.len()
            && done
                .iter()
                .map(|(version, digest)| (version, digest))
                .eq(known.take(done.len()));
        if !is_known {
            return Err(of_another_version());
        }
        Ok(missing.split_off(done.len()))
    }
}

/// Number, text and digest.
type Migration = (i64, &'static str, String);

fn of_another_version() -> DatabaseError {
    DatabaseError::Corrupt(
        "another version of this server wrote the database; start that version, or begin with an \
         empty folder or database"
            .into(),
    )
}

/// FNV-1a.
fn hash<'a>(bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Tells versions of a file apart.
fn digest(sql: &str) -> String {
    format!("{:016x}", hash(sql.as_bytes().iter()))
}

/// Other programs may use advisory locks in the same database, so the number is spread over all 64
/// bits. It must not change between versions.
fn lock_number(table: &str) -> i64 {
    hash(b"sealpay ".iter().chain(table.as_bytes())).cast_signed()
}

/// Adapts a table to SQLite: strict, because SQLite otherwise accepts any type in any column, and
/// with `INTEGER`, the 64-bit type of strict tables. Clustered tables are stored in the order of
/// their primary key.
fn for_sqlite(sql: &str) -> String {
    sql.replace("BIGINT", "INTEGER")
        .replace("\n); -- clustered", "\n) STRICT, WITHOUT ROWID;")
        .replace("\n);", "\n) STRICT;")
}

pub(super) fn sqlite(
    connection: &mut Connection,
    migrations: &Migrations,
) -> Result<(), DatabaseError> {
    let failed = |error: rusqlite::Error| DatabaseError::Unavailable(format!("migration: {error}"));
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    transaction
        .execute_batch(&for_sqlite(&migrations.journal()))
        .map_err(failed)?;
    // A journal without digests is of a version before them: SQLite rejects the statement.
    let done = {
        let mut done = transaction
            .prepare(&migrations.done())
            .map_err(|error| match error {
                rusqlite::Error::SqlInputError { .. } => of_another_version(),
                error => failed(error),
            })?;
        let rows = done.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows = rows.map_err(failed)?;
        rows.collect::<Result<Vec<_>, _>>().map_err(failed)?
    };
    for (version, sql, digest) in migrations.missing(&done)? {
        transaction
            .execute_batch(&for_sqlite(sql))
            .map_err(failed)?;
        transaction
            .execute(&migrations.record(), (version, digest))
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

pub(super) async fn postgres(
    client: &mut Client,
    migrations: &Migrations,
) -> Result<(), DatabaseError> {
    let failed = |error: tokio_postgres::Error| {
        DatabaseError::Unavailable(format!("migration: {}", full(&error)))
    };
    let transaction = client.transaction().await.map_err(failed)?;
    transaction
        .batch_execute(&migrations.lock())
        .await
        .map_err(failed)?;
    transaction
        .batch_execute(&migrations.journal())
        .await
        .map_err(failed)?;
    let done = transaction.query_typed(&migrations.done(), &[]).await;
    let done = done.map_err(|error| match error.code() {
        Some(&SqlState::UNDEFINED_COLUMN) => of_another_version(),
        _ => failed(error),
    })?;
    let done = done
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    for (version, sql, digest) in migrations.missing(&done)? {
        transaction.batch_execute(sql).await.map_err(failed)?;
        let values: [(&(dyn ToSql + Sync), Type); 2] =
            [(&version, Type::INT8), (&digest, Type::TEXT)];
        transaction
            .execute_typed(&migrations.record(), &values)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

impl Migrations {
    /// The tables that the migrations create, and the one that records them.
    pub fn tables(&self) -> impl Iterator<Item = &'static str> {
        let created = self.steps.iter().flat_map(|sql| sql.split("CREATE TABLE "));
        let names = created.filter_map(|rest| rest.split_once(" ("));
        let is_name = |name: &&str| name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
        names
            .map(|(name, _)| name)
            .filter(is_name)
            .chain([self.table])
    }

    /// Tables that accept any type in any column on SQLite. There must be none; a test of each set
    /// of migrations checks that.
    ///
    /// # Errors
    /// The migrations cannot be run.
    pub fn tables_not_strict_on_sqlite(&self) -> Result<Vec<String>, DatabaseError> {
        const LAX: &str = "SELECT name FROM pragma_table_list
            WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'";
        let broken = |error: rusqlite::Error| DatabaseError::Corrupt(full(&error));
        let mut connection = Connection::open_in_memory().map_err(broken)?;
        sqlite(&mut connection, self)?;
        let mut lax = connection.prepare(LAX).map_err(broken)?;
        let names = lax.query_map([], |row| row.get(0)).map_err(broken)?;
        names.collect::<Result<_, _>>().map_err(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::{Migrations, digest, for_sqlite, lock_number, sqlite};
    use crate::DatabaseError;
    use rusqlite::Connection;

    static ONE: Migrations = Migrations {
        table: "one_migrations",
        steps: &[
            "CREATE TABLE one_first (\n    number BIGINT NOT NULL\n);",
            "CREATE TABLE one_second (\n    id TEXT NOT NULL PRIMARY KEY\n); -- clustered",
        ],
    };

    static OTHER: Migrations = Migrations {
        table: "other_migrations",
        steps: &["CREATE TABLE other_first (\n    number BIGINT NOT NULL\n);"],
    };

    /// The journal of the first migrations.
    fn applied(count: usize) -> Vec<(i64, String)> {
        let steps = (1..).zip(ONE.steps).take(count);
        steps.map(|(version, sql)| (version, digest(sql))).collect()
    }

    #[test]
    fn only_missing_migrations_are_applied() {
        let rows: [(usize, &[i64]); 3] = [(0, &[1, 2]), (1, &[2]), (2, &[])];
        for (done, expected) in rows {
            let missing = ONE.missing(&applied(done)).unwrap();
            let versions: Vec<_> = missing.into_iter().map(|(version, ..)| version).collect();
            assert_eq!(versions, expected, "{done}");
        }
    }

    #[test]
    fn a_database_of_another_version_is_rejected() {
        let mut newer = applied(2);
        newer.push((3, digest("CREATE TABLE one_third")));
        let mut changed = applied(1);
        changed[0].1 = digest("CREATE TABLE one_first (number TEXT)");
        for done in [newer, changed, applied(2).split_off(1)] {
            let refused = ONE.missing(&done).map(drop);
            assert!(
                matches!(refused, Err(DatabaseError::Corrupt(_))),
                "{done:?}"
            );
        }
        let mut connection = Connection::open_in_memory().unwrap();
        let old = "CREATE TABLE one_migrations (version INTEGER NOT NULL PRIMARY KEY) STRICT";
        connection.execute_batch(old).unwrap();
        let refused = sqlite(&mut connection, &ONE);
        assert!(matches!(refused, Err(DatabaseError::Corrupt(_))));
    }

    #[test]
    fn tables_are_strict_on_sqlite_unless_their_end_is_not_found() {
        assert_eq!(ONE.tables_not_strict_on_sqlite(), Ok(Vec::new()));
        let lax = Migrations {
            table: "lax_migrations",
            steps: &["CREATE TABLE lax (number BIGINT NOT NULL);"],
        };
        assert_eq!(lax.tables_not_strict_on_sqlite(), Ok(vec!["lax".into()]));
        let clustered = for_sqlite(ONE.steps[1]);
        assert!(
            clustered.ends_with(") STRICT, WITHOUT ROWID;"),
            "{clustered}"
        );
    }

    #[test]
    fn tables_are_named_by_the_migrations() {
        let tables: Vec<_> = ONE.tables().collect();
        assert_eq!(tables, ["one_first", "one_second", "one_migrations"]);
    }

    #[test]
    fn users_of_one_database_count_migrations_separately() {
        let mut connection = Connection::open_in_memory().unwrap();
        for migrations in [&ONE, &OTHER, &ONE, &OTHER] {
            sqlite(&mut connection, migrations).unwrap();
        }
        for (migrations, newest) in [(&ONE, 2), (&OTHER, 1)] {
            let count = format!("SELECT COUNT(*) FROM {}", migrations.table);
            let done = connection.query_row(&count, [], |row| row.get(0));
            assert_eq!(done, Ok(newest), "{}", migrations.table);
        }
    }

    #[test]
    fn each_journal_has_its_own_stable_lock() {
        let rows = [
            ("schema_migrations", -1_366_681_923_006_936_937),
            ("bank_migrations", -2_075_498_828_880_114_876),
        ];
        for (table, number) in rows {
            assert_eq!(lock_number(table), number, "{table}");
        }
    }
}
