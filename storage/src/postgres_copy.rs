//! Copies of our tables in a Postgres database, each copy in a schema of its own in that database.
//!
//! A copy is made in one `REPEATABLE READ` transaction, so it is of one moment and locks out no
//! writer. A restore is one transaction that has locked every table, so that a crash leaves the old
//! rows or the new, and nothing that was under way elsewhere can be committed in between.

use super::error::{DatabaseError, full};
use super::postgres::connect;
use super::postgres_tls::Tls;
use super::postgres_url::PostgresUrl;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio_postgres::{Client, SimpleQueryMessage};

const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Prefix of the schemas with copies. Names have at most 63 bytes in Postgres.
const PREFIX: &str = "sealpay-world-";

/// The tables of the current schema.
const TABLES: &str = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()";

const BEGIN: &str = "BEGIN ISOLATION LEVEL";

/// What each of these transactions does first.
const LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 5000; LOCK TABLE";

/// Larger tables are emptied by `TRUNCATE`, which makes new files of the table and its indexes;
/// for small ones `DELETE` is faster, bytes.
const SMALL: &str = "1000000";

/// A copy: its name, its note, and the space it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaCopy {
    /// The name given to it.
    pub name: String,
    /// The text stored with it.
    pub note: String,
    /// Its size, bytes.
    pub bytes: u64,
}

/// Rows of each table of a copy.
pub type RowCounts = BTreeMap<String, u64>;

/// The tables that are copied: other programs may have tables in the same schema.
#[derive(Debug)]
pub struct OwnTables {
    /// Their names.
    pub names: BTreeSet<String>,
    /// Prefix of the names of others.
    pub prefix: &'static str,
    /// The one that is locked while copies are changed.
    pub journal: &'static str,
}

/// The copies of our tables in one schema. Names of copies are lowercase letters, digits and
/// hyphens, checked by the caller.
#[derive(Debug)]
pub struct SchemaCopies {
    client: Client,
    own: OwnTables,
}

fn failed(error: &tokio_postgres::Error) -> DatabaseError {
    DatabaseError::Unavailable(full(error))
}

fn schema(name: &str) -> String {
    // Safe within quotes: the caller checks names.
    format!("\"{PREFIX}{name}\"")
}

impl SchemaCopies {
    /// Connects to the database.
    ///
    /// # Errors
    /// The URL is invalid, or the database does not respond.
    pub async fn open(url: &str, own: OwnTables) -> Result<Self, DatabaseError> {
        let mut url = PostgresUrl::parse(url).map_err(DatabaseError::Unavailable)?;
        url.config.connect_timeout(CONNECTION_TIMEOUT);
        url.config.application_name("sealpay-worlds");
        let tls = url.tls.as_ref().map(Tls::new).transpose();
        let tls = tls.map_err(DatabaseError::Unavailable)?;
        let client = connect(&url.config, tls).await?;
        Ok(Self { client, own })
    }

    /// The first column of each row, as text.
    async fn texts(&self, sql: &str) -> Result<Vec<String>, DatabaseError> {
        let rows = self.rows(sql).await?;
        Ok(rows.into_iter().map(|[text, ..]| text).collect())
    }

    async fn rows(&self, sql: &str) -> Result<Vec<[String; 3]>, DatabaseError> {
        let messages = self.client.simple_query(sql).await;
        let messages = messages.map_err(|error| failed(&error))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some([0, 1, 2].map(|column| {
                let text = (column < row.len()).then(|| row.get(column)).flatten();
                text.unwrap_or_default().to_owned()
            })),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Our tables of a schema, in one order.
    async fn tables(&self, sql: &str) -> Result<BTreeSet<String>, DatabaseError> {
        let tables = self.texts(sql).await?.into_iter();
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        Ok(tables
            .filter(|name| self.own.names.contains(name) || name.starts_with(self.own.prefix))
            .filter(|name| name.chars().all(is_plain))
            .collect())
    }

    /// Runs statements; returns the number of rows of each.
    async fn counts(&self, sql: &str) -> Result<Vec<u64>, DatabaseError> {
        let messages = self.client.simple_query(sql).await;
        let messages = messages.map_err(|error| failed(&error))?;
        let counts = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
            _ => None,
        });
        Ok(counts.collect())
    }

    async fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        let done = self.client.batch_execute(sql).await;
        done.map_err(|error| failed(&error))
    }

    /// Begins a transaction; only one at a time changes copies. `LOCK` is the one statement that
    /// does not fix what a `REPEATABLE READ` transaction sees, so it sees what the one before it has
    /// done. This mode of the lock keeps nobody from reading or writing.
    async fn begin(&self, isolation: &str) -> Result<(), DatabaseError> {
        let journal = self.own.journal;
        let mode = "SHARE UPDATE EXCLUSIVE";
        self.run(&format!(
            "{BEGIN} {isolation}; {LOCK} {journal} IN {mode} MODE"
        ))
        .await
    }

    /// Lists the copies.
    ///
    /// # Errors
    /// The database does not respond.
    pub async fn list(&self) -> Result<Vec<SchemaCopy>, DatabaseError> {
        let sql = format!(
            "SELECT substr(nspname, {start}), obj_description(n.oid, 'pg_namespace'),
                (SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0) FROM pg_class c
                 WHERE c.relnamespace = n.oid AND c.relkind = 'r')
             FROM pg_namespace n WHERE starts_with(nspname, '{PREFIX}') ORDER BY nspname",
            start = PREFIX.len() + 1
        );
        let rows = self.rows(&sql).await?.into_iter();
        let copies = rows.map(|[name, note, bytes]| SchemaCopy {
            name,
            note,
            bytes: bytes.parse().unwrap_or(u64::MAX),
        });
        Ok(copies.collect())
    }

    /// Copies every table. The note is written from the number of rows of each.
    ///
    /// # Errors
    /// There is a copy of this name, or the database fails; nothing was changed.
    pub async fn create(
        &self,
        name: &str,
        note: impl FnOnce(&RowCounts) -> String,
    ) -> Result<(), DatabaseError> {
        self.begin("REPEATABLE READ").await?;
        let schema = schema(name);
        self.run(&format!("CREATE SCHEMA {schema}")).await?;
        let tables = self.tables(TABLES).await?;
        let copies = tables
            .iter()
            .map(|table| format!("CREATE TABLE {schema}.{table} AS TABLE {table};"));
        let rows = self.counts(&copies.collect::<String>()).await?;
        let counts: RowCounts = tables.into_iter().zip(rows).collect();
        let comment = format!(
            "SELECT format('COMMENT ON SCHEMA %s IS %L', '{schema}', {})",
            literal(&note(&counts))
        );
        for comment in self.texts(&comment).await? {
            self.run(&comment).await?;
        }
        self.run("COMMIT").await
    }

    /// Replaces the rows of every table by those of a copy. Dropping the future rolls back.
    ///
    /// # Errors
    /// [`DatabaseError::Corrupt`] if the copy has other tables or other numbers of rows than
    /// `expected`; otherwise the database fails. Nothing was changed.
    pub async fn restore(&self, name: &str, expected: &RowCounts) -> Result<(), DatabaseError> {
        // Each statement sees what was committed before it, and after the locks nothing can be.
        self.begin("READ COMMITTED").await?;
        let tables = self.tables(TABLES).await?;
        let of_copy =
            format!("SELECT tablename FROM pg_tables WHERE schemaname = '{PREFIX}{name}'");
        let is_complete = self.tables(&of_copy).await? == tables
            && tables.iter().eq(expected.keys())
            && !tables.is_empty();
        if !is_complete {
            self.run("ROLLBACK").await?;
            let why = "the copy does not have the tables of the database";
            return Err(DatabaseError::Corrupt(why.into()));
        }
        let names = || tables.iter().map(String::as_str);
        let all = names().collect::<Vec<_>>().join(", ");
        self.run(&format!("LOCK TABLE {all} IN ACCESS EXCLUSIVE MODE"))
            .await?;
        let emptied = names().map(|table| {
            format!(
                "SELECT CASE WHEN pg_total_relation_size('{table}') > {SMALL}
                 THEN 'TRUNCATE {table}' ELSE 'DELETE FROM {table}' END;"
            )
        });
        let emptied = self.texts(&emptied.collect::<String>()).await?;
        self.run(&emptied.join("; ")).await?;
        let schema = schema(name);
        let filled =
            names().map(|table| format!("INSERT INTO {table} SELECT * FROM {schema}.{table};"));
        let rows = self.counts(&filled.collect::<String>()).await?;
        if !rows.iter().eq(expected.values()) {
            self.run("ROLLBACK").await?;
            return Err(DatabaseError::Corrupt(
                "rows of the copy are missing".into(),
            ));
        }
        self.run("COMMIT").await
    }

    /// Deletes a copy.
    ///
    /// # Errors
    /// The database does not respond.
    pub async fn delete(&self, name: &str) -> Result<(), DatabaseError> {
        let schema = schema(name);
        self.run(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))
            .await
    }

    /// The number of the last migration, by the table that records them.
    ///
    /// # Errors
    /// The database does not respond.
    pub async fn form(&self, table: &'static str) -> Result<Option<i64>, DatabaseError> {
        let is_there = format!("SELECT to_regclass('{table}') IS NOT NULL");
        if self.texts(&is_there).await? != ["t"] {
            return Ok(None);
        }
        let newest = format!("SELECT COALESCE(MAX(version), 0) FROM {table}");
        let newest = self.texts(&newest).await?;
        Ok(newest.first().and_then(|text| text.parse().ok()))
    }
}

/// A string constant in SQL, whatever `standard_conforming_strings` is.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    format!("E'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::{literal, schema};

    #[test]
    fn texts_are_escaped_in_sql() {
        let rows = [
            ("", "E''"),
            ("it's", "E'it''s'"),
            (r"a\'; DROP TABLE x; --", r"E'a\\''; DROP TABLE x; --'"),
        ];
        for (text, sql) in rows {
            assert_eq!(literal(text), sql);
        }
        assert_eq!(schema("a-1"), "\"sealpay-world-a-1\"");
    }
}
