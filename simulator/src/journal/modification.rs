//! Modifications in the journal: the first decision stands.

use super::Journal;
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{ModificationRequest, ProviderDecision, ProviderError};
use sealpay_storage::{ByName, Entity, Fault, Operation, Projection, Tx, entity, sql, values};

struct Modification {
    modification: ModificationId,
    provider: String,
    reference: PaymentId,
    kind: ModificationKind,
    money: Money,
    is_final: bool,
    decline: Option<String>,
    created_at_ms: i64,
}

entity! {
    Modification in "bank_modifications" {
        modification,
        provider,
        reference,
        kind as ByName,
        money: (amount_minor, currency),
        is_final,
        decline,
        created_at_ms,
    }
}

const BY_KEY: &str = sql!(
    Modification::SELECT,
    "WHERE modification = $1 AND provider = $2"
);

const ADD: &str = sql!(
    Modification::INSERT,
    "ON CONFLICT (modification, provider) DO NOTHING"
);

const LOSE: &str =
    "INSERT INTO bank_lost_messages (message) VALUES ($1) ON CONFLICT (message) DO NOTHING";

/// A modification of a payment.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Who passes it on.
    pub(crate) provider: String,
    pub(crate) request: ModificationRequest,
    /// The decision, where it does not depend on the payment.
    pub(crate) decision: Option<ProviderDecision>,
    pub(crate) now_ms: i64,
}

/// The decision about a modification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Modified {
    pub(crate) decision: ProviderDecision,
    /// Whether it was decided by an earlier request.
    pub(crate) is_repeated: bool,
}

struct ModificationInput {
    change: Change,
    decide: Operation<Change, ProviderDecision>,
}

async fn modify(tx: &mut Tx<'_>, input: &ModificationInput) -> Result<Modified, Fault> {
    let ModificationInput { change, decide } = input;
    let request = &change.request;
    let key = values![request.modification, change.provider.clone()];
    if let Some(stored) = tx.get::<Modification>(BY_KEY, &key).await? {
        let declined = stored.decline.map(ProviderDecision::declined);
        return Ok(Modified {
            decision: declined.unwrap_or(ProviderDecision::approved()),
            is_repeated: true,
        });
    }
    let decision = match &change.decision {
        Some(decision) => decision.clone(),
        None => decide(tx, change).await?,
    };
    let modification = Modification {
        modification: request.modification,
        provider: change.provider.clone(),
        reference: request.payment,
        kind: request.kind,
        money: request.money,
        is_final: request.is_final,
        decline: decision.reason().map(str::to_owned),
        created_at_ms: change.now_ms,
    };
    // Of the same request twice at once, one alone changes anything.
    if tx.execute(ADD, &modification.to_row()?).await? == 0 {
        return Err(Fault::Retry("a modification came twice at once".into()));
    }
    Ok(Modified {
        decision,
        is_repeated: false,
    })
}

impl Journal {
    /// Modifies a payment unless the modification is known; gives the decision that stands.
    pub(crate) async fn modify(
        &self,
        change: Change,
        decide: Operation<Change, ProviderDecision>,
    ) -> Result<Modified, ProviderError> {
        let input = ModificationInput { change, decide };
        self.write(input, |tx, input| Box::pin(modify(tx, input)))
            .await
    }

    /// Whether a message is lost for the first time. It is lost only once.
    pub(crate) async fn lose_once(&self, message: String) -> Result<bool, ProviderError> {
        self.change(LOSE, values![message]).await
    }
}
