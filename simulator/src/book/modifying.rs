//! Modifications as the book keeps them: the first answer stands.

use sealpay_provider::{ModificationRequest, ProviderDecision};
use sealpay_storage::{Database, DatabaseError, Fault, Operation, Tx, Value, values};

const KEPT: &str = "SELECT decline FROM bank_modifications
    WHERE modification = $1 AND provider = $2";

const KEEP: &str = "INSERT INTO bank_modifications
    (modification, provider, reference, kind, amount_minor, currency, is_final, decline,
    created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (modification, provider) DO NOTHING";

const LOSE: &str =
    "INSERT INTO bank_lost_messages (message) VALUES ($1) ON CONFLICT (message) DO NOTHING";

/// What the book is asked to change.
#[derive(Debug, Clone)]
pub(in super::super) struct Change {
    /// The name under which the payment stands in the book.
    pub(in super::super) provider: String,
    pub(in super::super) request: ModificationRequest,
    /// The answer, where it does not depend on the payment.
    pub(in super::super) script: Option<ProviderDecision>,
    pub(in super::super) now_ms: i64,
}

/// What the book says of a modification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Modified {
    pub(in super::super) answer: ProviderDecision,
    /// Whether it was answered before.
    pub(in super::super) is_repeated: bool,
}

impl Change {
    fn key(&self) -> [Value; 2] {
        values![self.request.modification, self.provider.clone()]
    }

    fn row(&self, answer: &ProviderDecision) -> [Value; 9] {
        let request = &self.request;
        let decline = match answer {
            ProviderDecision::Approved => None,
            ProviderDecision::Declined(reason) => Some(reason.clone()),
        };
        values![
            request.modification,
            self.provider.clone(),
            request.payment,
            request.kind.name(),
            request.money.amount_minor(),
            request.money.currency().code().to_owned(),
            i64::from(request.is_final),
            decline,
            self.now_ms,
        ]
    }
}

/// What is changed, and how it is decided whether it can be.
struct ModificationInput {
    change: Change,
    decide: Operation<Change, ProviderDecision>,
}

async fn run(tx: &mut Tx<'_>, input: &ModificationInput) -> Result<Modified, Fault> {
    let ModificationInput { change, decide } = input;
    if let Some(mut row) = tx.optional(KEPT, &change.key()).await? {
        let answer = row
            .optional_text()?
            .map_or(ProviderDecision::Approved, ProviderDecision::Declined);
        return Ok(Modified {
            answer,
            is_repeated: true,
        });
    }
    let answer = match &change.script {
        Some(answer) => answer.clone(),
        None => decide(tx, change).await?,
    };
    // The same one at the same time: only one of them changes anything.
    if tx.execute(KEEP, &change.row(&answer)).await? == 0 {
        return Err(Fault::Retry("a modification came twice at once".into()));
    }
    Ok(Modified {
        answer,
        is_repeated: false,
    })
}

/// Changes a payment unless the modification has an answer already, and says what stands.
pub(in super::super) async fn modify(
    database: &Database,
    change: Change,
    decide: Operation<Change, ProviderDecision>,
) -> Result<Modified, DatabaseError> {
    let input = ModificationInput { change, decide };
    database
        .write(input, |tx, input| Box::pin(run(tx, input)))
        .await
}

/// Whether a message is lost for the first time, which it is only once.
pub(in super::super) async fn lose_once(
    database: &Database,
    message: String,
) -> Result<bool, DatabaseError> {
    database.change(LOSE, values![message]).await
}
