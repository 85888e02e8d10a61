//! Writes statements atomically, once for each idempotent request.

use super::model::{IdempotencyReplay, IdempotentRequest};
use super::store;
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_storage::{Database, DatabaseError, Fault, Statement, Tx, Value};
use std::pin::Pin;

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

/// Prepared rows and events that belong together.
#[derive(Debug, Default)]
pub struct Rows {
    /// Each has to change one row, or nothing is written.
    pub(crate) guarded: Vec<Prepared>,
    pub(crate) others: Vec<Prepared>,
    pub(crate) events: Vec<Event>,
}

impl Rows {
    /// Adds other rows.
    pub(crate) fn append(&mut self, other: Self) {
        self.guarded.extend(other.guarded);
        self.others.extend(other.others);
        self.events.extend(other.events);
    }
}

const OUTDATED: &str = "a row has changed since it was read";

/// The error that undoes a transaction because a guarded row has changed.
pub(crate) fn outdated() -> Fault {
    DatabaseError::Unavailable(OUTDATED.into()).into()
}

/// Whether a guarded row had changed; nothing was written.
pub(crate) fn is_outdated(error: &DatabaseError) -> bool {
    matches!(error, DatabaseError::Unavailable(reason) if reason == OUTDATED)
}

/// A part of a write that depends on what it finds in the transaction. It runs again if the
/// transaction does.
pub(crate) trait WriteStep: Send + Sync {
    /// Reads and writes in the transaction.
    fn run<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;
}

/// A write, prepared by the caller to keep the single writer fast.
pub(crate) struct IdempotentWrite {
    request: Option<(IdempotentRequest, String, i64)>,
    guard: Prepared,
    guarded: Vec<Prepared>,
    others: Vec<Prepared>,
    steps: Vec<Box<dyn WriteStep>>,
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
            guarded: Vec::new(),
            others: Vec::new(),
            steps: Vec::new(),
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

    /// Adds rows and their events.
    pub(crate) fn with_rows(mut self, rows: Rows) -> Result<Self, DatabaseError> {
        self.guarded.extend(rows.guarded);
        self.others.extend(rows.others);
        let events = rows.events.iter().map(EventInsert::new);
        self.events.extend(events.collect::<Result<Vec<_>, _>>()?);
        Ok(self)
    }

    /// Adds a step, which runs after all statements.
    pub(crate) fn then(mut self, step: impl WriteStep + 'static) -> Self {
        self.steps.push(Box::new(step));
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
        let written = database
            .write(self, |tx, write| Box::pin(run(tx, write)))
            .await;
        match written {
            Err(error) if is_outdated(&error) => Ok(Written::Moved),
            written => written,
        }
    }
}

async fn replayed(
    tx: &mut Tx<'_>,
    write: &IdempotentWrite,
) -> Result<Option<IdempotencyReplay>, Fault> {
    match &write.request {
        Some((request, ..)) => store::find(tx, request).await,
        None => Ok(None),
    }
}

async fn run(tx: &mut Tx<'_>, write: &IdempotentWrite) -> Result<Written, Fault> {
    if let Some(replay) = replayed(tx, write).await? {
        return Ok(Written::Repeated(replay));
    }
    let (guard, values) = &write.guard;
    if tx.execute(guard, values).await? == 0 {
        // The guard may have waited for the same request.
        let replay = replayed(tx, write).await?;
        return Ok(replay.map_or(Written::Moved, Written::Repeated));
    }
    if let Some((request, resource, now_ms)) = &write.request
        && let Some(_) = store::insert(tx, request, resource, None, *now_ms).await?
    {
        return Err(Fault::Retry("the key was used in between".into()));
    }
    let mut statements: Vec<Statement<'_>> = Vec::new();
    let guarded = write.guarded.iter();
    statements.extend(guarded.map(|(sql, values)| (*sql, &values[..])));
    statements.extend(write.others.iter().map(|(sql, values)| (*sql, &values[..])));
    statements.extend(write.events.iter().flat_map(EventInsert::statements));
    if !statements.is_empty() {
        let counts = tx.execute_together(&statements).await?;
        let mut guarded = counts.iter().take(write.guarded.len());
        if guarded.any(|count| *count != 1) {
            return Err(outdated());
        }
    }
    for step in &write.steps {
        step.run(tx).await?;
    }
    Ok(Written::Done)
}
