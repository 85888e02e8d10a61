//! A failure is one or more sentences that say what happened and what to do about it.

use std::fmt::{self, Display, Formatter};

/// What a step that has nothing to hand on answers.
pub(crate) type Outcome = Result<(), Failure>;

/// Sentences for the person who ran the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure that these sentences describe completely.
    pub(crate) fn new(sentences: impl Into<String>) -> Self {
        Self(sentences.into())
    }

    /// A failure with the words of the operating system, or of a library, behind it.
    pub(crate) fn because(what: impl Display, cause: impl Display) -> Self {
        Self(format!("{what}: {cause}."))
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
