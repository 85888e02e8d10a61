//! What can go wrong with a database, and who hears of it.

use std::error::Error;
use std::fmt;

/// The database did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseError {
    /// Too many operations wait already; nothing was changed.
    Overloaded,
    /// The database cannot be reached or refused to work; nothing was changed. The text is for
    /// logs.
    Unavailable(String),
    /// It looked at too much and was ended; nothing was changed.
    TooLong,
    /// The answer to a commit was lost: it may have happened or not.
    OutcomeUnknown,
    /// What is stored, or should be, is not what it has to be; nothing was changed. The text is
    /// for logs.
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

/// Why an operation did not end.
#[derive(Debug)]
pub enum Fault {
    /// Somebody else was there first: roll back and run the operation again from its beginning.
    Retry(String),
    /// The server went away or takes no changes: the connection is worth nothing any more, another
    /// one may be.
    Away(String),
    /// A prepared statement is not the one that was prepared: somebody hands out connections.
    Prepared(String),
    /// It will not work this time.
    Failed(DatabaseError),
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(error)
    }
}

/// The error with its causes; the driver keeps what the server said one level down.
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
