//! The database of a test: a file, or a fresh Postgres database.

use harness::folder::Folder;
use harness::postgres::{Database, fresh_database};
use harness::rows::StoredState;
use sealpay_storage::{Entity, Value};
use verifier_server::store::{Options, Store};

/// An empty database that goes away with the test.
pub(crate) enum TestDatabase {
    Sqlite(Folder),
    Postgres(Database),
}

impl TestDatabase {
    pub(crate) async fn on_sqlite() -> Self {
        Self::Sqlite(Folder::new("store"))
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        fresh_database().await.map(Self::Postgres)
    }

    /// It goes away by itself.
    pub(crate) async fn finish(self) {}

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                format!("sqlite:{}", folder.path().join("sealpay.db").display())
            }
            Self::Postgres(database) => database.url().to_owned(),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        self.open_with(&Options {
            postgres_connections: 8,
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn open_with(&self, options: &Options) -> Store {
        Store::open(&self.url(), options).await.unwrap()
    }

    /// Runs a statement past the store.
    pub(crate) async fn tamper(&self, sql: &str) {
        let stored = match self {
            Self::Sqlite(folder) => StoredState::Sqlite(folder.path().join("sealpay.db")),
            Self::Postgres(database) => StoredState::Postgres(database.url().to_owned()),
        };
        stored.execute(sql).await;
    }

    /// Inserts a row past the store.
    pub(crate) async fn insert<T: Entity>(&self, entity: &T)
    where
        T::Values: AsRef<[Value]>,
    {
        let row = entity.to_row().unwrap();
        let mut sql = T::INSERT.to_owned();
        for (place, value) in row.as_ref().iter().enumerate().rev() {
            let literal = match value {
                Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
                Value::Integer(number) => number.to_string(),
                Value::Null => "NULL".into(),
            };
            sql = sql.replace(&format!("${}", place + 1), &literal);
        }
        self.tamper(&sql).await;
    }
}
