//! Database errors for callers, and faults that are retried internally.

use std::error::Error;
use std::fmt;

/// A database operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseError {
    /// Too many operations are waiting; nothing was changed.
    Overloaded,
    /// The database cannot be reached or rejects work; nothing was changed. The text is for logs.
    Unavailable(String),
    /// The query took too long and was cancelled; nothing was changed.
    TooLong,
    /// The response to a commit was lost: it may or may not have happened.
    OutcomeUnknown,
    /// Stored or new data is invalid; nothing was changed. The text is for logs.
    Corrupt(String),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded => f.write_str("Too many operations wait for the database."),
            Self::TooLong => f.write_str("The operation looked at too much and was ended."),
            Self::Unavailable(why) => write!(f, "The database is not available: {why}."),
            Self::OutcomeUnknown => {
                f.write_str("The database did not say whether the change was made.")
            }
            Self::Corrupt(what) => write!(f, "The database holds what it should not: {what}."),
        }
    }
}

impl Error for DatabaseError {}

/// Why an operation did not complete.
#[derive(Debug)]
pub enum Fault {
    /// A concurrent operation won: roll back and run the operation again.
    Retry(String),
    /// The server went away or is read-only: discard the connection; another one may work.
    Away(String),
    /// A prepared statement is missing or another client's: a pooler shares connections.
    Prepared(String),
    /// The operation failed and is not retried.
    Failed(DatabaseError),
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(error)
    }
}

/// The error with its causes; the driver nests the server's message one level down.
pub(super) fn full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
