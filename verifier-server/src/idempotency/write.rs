//! Writes statements atomically, once for each idempotent request.

use super::model::{IdempotencyReplay, IdempotentRequest};
use super::store;
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_storage::{Database, DatabaseError, Fault, Statement, Tx, Value};

/// The result of a write.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Written.
    Done,
    /// The same request, or another one with the same key, was made before. Nothing was written.
    Repeated(IdempotencyReplay),
    /// The guard changed no row: the resource has changed since it was read, or exists already.
    /// Nothing was written.
    Moved,
}

/// One prepared statement with its values.
pub type Prepared = (&'static str, Vec<Value>);

/// A write, prepared by the caller to keep the single writer fast.
pub(crate) struct IdempotentWrite {
    request: Option<(IdempotentRequest, String, i64)>,
    guard: Prepared,
    others: Vec<Prepared>,
    events: Vec<EventInsert>,
}

impl IdempotentWrite {
    /// Begins with the statement that has to change one row; it decides every race.
    pub(crate) fn guarded_by<const N: usize>(sql: &'static str, values: [Value; N]) -> Self {
        Self::guarded((sql, values.to_vec()))
    }

    /// The same with a prepared statement.
    pub(crate) fn guarded(guard: Prepared) -> Self {
        Self {
            request: None,
            guard,
            others: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Stores the request that creates or changes `resource`.
    pub(crate) fn answering(
        mut self,
        request: Option<&IdempotentRequest>,
        resource: impl ToString,
        now_ms: i64,
    ) -> Self {
        self.request = request.map(|request| (request.clone(), resource.to_string(), now_ms));
        self
    }

    /// Adds a statement.
    pub(crate) fn and<const N: usize>(self, sql: &'static str, values: [Value; N]) -> Self {
        self.and_prepared((sql, values.to_vec()))
    }

    /// Adds a prepared statement.
    pub(crate) fn and_prepared(mut self, statement: Prepared) -> Self {
        self.others.push(statement);
        self
    }

    /// Adds an event with its deliveries.
    pub(crate) fn publishing(mut self, event: &Event) -> Result<Self, DatabaseError> {
        self.events.push(EventInsert::new(event)?);
        Ok(self)
    }

    /// Writes everything, or nothing.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub(crate) async fn run(self, database: &Database) -> Result<Written, DatabaseError> {
        database
            .write(self, |tx, write| Box::pin(run(tx, write)))
            .await
    }
}

async fn run(tx: &mut Tx<'_>, write: &IdempotentWrite) -> Result<Written, Fault> {
    if let Some((request, ..)) = &write.request
        && let Some(replay) = store::find(tx, request).await?
    {
        return Ok(Written::Repeated(replay));
    }
    let (guard, values) = &write.guard;
    if tx.execute(guard, values).await? == 0 {
        return Ok(Written::Moved);
    }
    if let Some((request, resource, now_ms)) = &write.request
        && let Some(_) = store::insert(tx, request, resource, None, *now_ms).await?
    {
        return Err(Fault::Retry("the key was used in between".into()));
    }
    let mut statements: Vec<Statement<'_>> = Vec::new();
    statements.extend(write.others.iter().map(|(sql, values)| (*sql, &values[..])));
    statements.extend(write.events.iter().flat_map(EventInsert::statements));
    if !statements.is_empty() {
        tx.execute_together(&statements).await?;
    }
    Ok(Written::Done)
}
