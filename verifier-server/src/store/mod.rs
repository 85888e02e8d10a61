//! What is kept: one `Store` for SQLite and Postgres, with one SQL text and one set of operations.
//!
//! Every method takes its times as arguments. What a race decides is an outcome of its own type;
//! a [`DatabaseError`] means that the database did not do its work.

pub mod clock;
mod mode;

pub use sealpay_storage::{Addition, DatabaseError, Options};

use sealpay_storage::{Database, Durability, Migrations};

pub(crate) static MIGRATIONS: Migrations = Migrations {
    table: "schema_migrations",
    steps: &[
        include_str!("../../migrations/0001_first.sql"),
        include_str!("../../migrations/0002_methods.sql"),
        include_str!("../../migrations/0003_money.sql"),
        include_str!("../../migrations/0004_safety.sql"),
        include_str!("../../migrations/0005_responsibility.sql"),
    ],
};

/// What the server keeps. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) database: Database,
}

impl Store {
    /// Opens `postgres://…`, `sqlite:` and a path, or a path, and brings it to the present form.
    ///
    /// # Errors
    /// The database cannot be opened, or was written by a newer version.
    pub async fn open(url_or_path: &str, options: &Options) -> Result<Self, DatabaseError> {
        // An answer is given only after what it says is durable.
        let opening = Database::open(url_or_path, &MIGRATIONS, Durability::Full, options);
        Ok(Self {
            database: opening.await?,
        })
    }

    /// Says whether the database answers and takes changes.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.database.ping().await
    }

    /// Finishes what waits and closes the database; what comes later is refused.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn every_table_is_strict_on_sqlite() {
        assert_eq!(MIGRATIONS.tables_not_strict_on_sqlite(), Ok(Vec::new()));
    }
}
