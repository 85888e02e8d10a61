//! The second transaction of a payment: its outcome and the event that tells it, together.

use super::tx::{Fault, Statement, Tx};
use super::value::{Value, values};
use super::{Store, StoreError, payments};
use crate::domain::event::Event;
use crate::domain::payment::Payment;
use crate::domain::state::PaymentState;
use sealpay_protocol::ids::PaymentId;

/// What became of the wish to write an outcome down.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is written; the payment as it stands.
    Done(Payment),
    /// The payment was in another state or further on; as it stands. Nothing was written.
    NotInState(Payment),
}

/// Decides every race between outcomes of one payment. `$5` is how many events tell of it then,
/// which is one more than before, or null when none tells of this outcome.
const MOVE: &str = concat!(
    "UPDATE payments SET state = $3, decline = $4, sequence = COALESCE($5, sequence), \
     updated_at_ms = $6 \
     WHERE id = $1 AND state = $2 AND sequence + 1 = COALESCE($5, sequence + 1) RETURNING ",
    payments::columns!()
);

const TELL: &str = "INSERT INTO events
    (id, merchant, payment, kind, sequence, body, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const DELIVER: &str = "INSERT INTO deliveries
    (event, endpoint, merchant, state, attempts, next_at_ms)
    SELECT $1, id, merchant, 'pending', 0, $3 FROM webhook_endpoints
    WHERE merchant = $2 AND disabled_at_ms IS NULL";

const FREE: &str = "UPDATE sessions SET active_attempt = NULL
    WHERE id = $1 AND active_attempt = $2";

struct Outcome {
    payment: PaymentId,
    movement: [Value; 6],
    told: Option<([Value; 7], [Value; 3])>,
    frees_session: bool,
}

async fn settle(tx: &mut Tx<'_>, outcome: &Outcome) -> Result<Settled, Fault> {
    let Some(row) = tx.optional(MOVE, &outcome.movement).await? else {
        let row = tx
            .optional(payments::BY_ID, &values![outcome.payment])
            .await?;
        let missing = || StoreError::Corrupt("there is no such payment".into());
        return Ok(Settled::NotInState(payments::payment(
            row.ok_or_else(missing)?,
        )?));
    };
    let payment = payments::payment(row)?;
    let session = values![payment.session, payment.attempt];
    let mut statements: Vec<Statement<'_>> = Vec::with_capacity(3);
    if let Some((event, deliveries)) = &outcome.told {
        statements.push((TELL, event));
        statements.push((DELIVER, deliveries));
    }
    if outcome.frees_session {
        statements.push((FREE, &session));
    }
    if !statements.is_empty() {
        tx.execute_together(&statements).await?;
    }
    Ok(Settled::Done(payment))
}

impl Store {
    /// Moves a payment from one state to the next, keeps the event with a delivery for each enabled
    /// endpoint of the merchant, and lets the session go when the payment was declined.
    ///
    /// The event's sequence has to be the next one of the payment.
    ///
    /// # Errors
    /// The database did not do its work, or there is no such payment; nothing was written, unless
    /// the outcome is unknown.
    pub async fn settle_outcome(
        &self,
        payment: PaymentId,
        from: PaymentState,
        to: PaymentState,
        decline: Option<&str>,
        event: Option<&Event>,
        now_ms: i64,
    ) -> Result<Settled, StoreError> {
        let movement = values![
            payment,
            from.name(),
            to.name(),
            decline.map(str::to_owned),
            event.map(|event| event.sequence),
            now_ms,
        ];
        let told = event.map(|event| {
            (
                values![
                    event.id,
                    event.merchant,
                    event.payment,
                    &event.kind,
                    event.sequence,
                    &event.body,
                    event.created_at_ms,
                ],
                values![event.id, event.merchant, now_ms],
            )
        });
        let frees_session = to == PaymentState::Declined;
        let outcome = Outcome {
            payment,
            movement,
            told,
            frees_session,
        };
        self.write(outcome, |tx, outcome| Box::pin(settle(tx, outcome)))
            .await
    }
}
