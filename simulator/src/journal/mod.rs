//! The bank's journal: the references that it was asked for, its decisions, and the amounts that
//! are reserved for them.
//!
//! It is not flushed at every entry: the bank stands for an external system, whose durability is
//! not the verifier's.

mod accounts;
mod authorization;
mod authorize;
mod credential;
mod modification;
mod operations;
#[cfg(test)]
mod tests;

pub use authorization::{Authorization, AuthorizationState};
pub(crate) use authorize::AuthorizationInput;
pub(crate) use credential::{
    BankCredential, Charge, CredentialStep, NewCredential, StoredUpdate, on_file,
};
pub(crate) use modification::Change;
pub(crate) use operations::modify_authorization;

use sealpay_protocol::limits;
use sealpay_provider::ProviderError;
use sealpay_storage::{Database, DatabaseError, Entity, FromRow, Operation, Value};

/// How long an authorization lasts, milliseconds.
pub(crate) const HOLD_MS: i64 = limits::HOLD_LIFETIME_SECONDS.cast_signed() * 1000;

/// The bank's own database.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) database: Database,
}

/// A database that fails leaves open what became of a request.
fn outcome_unknown(error: DatabaseError) -> ProviderError {
    ProviderError::OutcomeUnknown(format!("the bank's journal failed: {error}"))
}

impl Journal {
    /// Runs an operation that changes something, all of it or nothing.
    pub(crate) async fn write<I: Send + Sync + 'static, T: Send + 'static>(
        &self,
        input: I,
        operation: Operation<I, T>,
    ) -> Result<T, ProviderError> {
        let written = self.database.write(input, operation).await;
        written.map_err(outcome_unknown)
    }

    /// Runs one statement and says whether it changed anything.
    pub(crate) async fn change<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<bool, ProviderError> {
        let changed = self.database.change(sql, values).await;
        changed.map_err(outcome_unknown)
    }

    /// Runs one `SELECT`.
    pub(crate) async fn list<T: FromRow, const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<T>, ProviderError> {
        let rows = self.database.list(sql, values).await;
        rows.map_err(outcome_unknown)
    }

    /// Runs one `SELECT` of one row.
    pub(crate) async fn get<T: FromRow, const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Option<T>, ProviderError> {
        let row = self.database.get(sql, values).await;
        row.map_err(outcome_unknown)
    }

    /// Runs an `INSERT` of a row; says whether it was inserted.
    pub(crate) async fn add<T, const N: usize>(
        &self,
        sql: &'static str,
        row: &T,
    ) -> Result<bool, ProviderError>
    where
        T: Entity<Values = [Value; N]>,
    {
        let values = row.to_row().map_err(outcome_unknown)?;
        self.change(sql, values).await
    }
}
