//! The second transaction of a payment: its outcome and the event about it.

use crate::agreements;
use crate::dunning::store as card_attempts;
use crate::idempotency::write::{Prepared, Rows, outdated};
use crate::instruments;
use crate::ledger::posting::Posting;
use crate::ledger::store::PreparedPosting;
use crate::payments::methods::sepa_debit::model::DebitDetails;
use crate::payments::model::Payment;
use crate::payments::reversals::store as reversals;
use crate::payments::state::PaymentState;
use crate::payments::store;
use crate::payments::store::PaymentStore;
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_storage::{AsJson, Codec, DatabaseError, Fault, Statement, Tx, Value, values};

/// The result of recording an outcome.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Recorded; the payment as stored.
    Done(Payment),
    /// The payment was in another state or has changed since; the payment as stored. Nothing was
    /// written.
    NotInState(Payment),
}

/// Decides every race between outcomes of one payment: `$2` is the state and `$3` the number of
/// events that the caller saw. `$4` is the lease that the caller holds, or 0 if none is needed: a
/// response counts even after another server has begun to reconcile. A payment that pays an invoice
/// since the caller read it has changed, too. Returns what it does not write
/// and others may have changed.
const UPDATE: &str = "UPDATE payments SET state = $5, decline = $6, sequence = $7,
        updated_at_ms = $8, provider = $9, route_reason = $10, details = $11,
        transfer_reference = $12, lease_until_ms = $13, captured_minor = $14, overpaid_minor = $15,
        agreement = $16, returned_minor = $17
    WHERE id = $1 AND state = $2 AND sequence = $3 AND modification IS NULL
    AND COALESCE(invoice, '') = $18
    AND (CAST($4 AS BIGINT) = 0 OR lease_until_ms = $4)
    RETURNING modification, refunded_minor, disputed_minor";

/// What is written together with an outcome.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutcomeEffects<'a> {
    /// The event; its sequence must be the payment's next one.
    pub event: Option<&'a Event>,
    /// Events before it, whose sequences come before its own.
    pub beside: &'a [Event],
    /// The ledger posting.
    pub posting: Option<&'a Posting>,
    /// The agreement that the payment makes, and the invoice that it is for.
    pub related: Option<&'a Rows>,
}

impl<'a> OutcomeEffects<'a> {
    /// The effects of a payment that nothing else depends on.
    #[must_use]
    pub const fn new(event: Option<&'a Event>, posting: Option<&'a Posting>) -> Self {
        Self {
            event,
            beside: &[],
            posting,
            related: None,
        }
    }
}

const FREE: &str = "UPDATE sessions SET active_attempt = NULL
    WHERE id = $1 AND active_attempt = $2";

/// The columns of a payment that an outcome leaves as they are.
type Unwritten = (Option<ModificationId>, i64, i64);

struct PreparedOutcome {
    payment: PaymentId,
    movement: [Value; 18],
    event: Option<EventInsert>,
    posting: Option<PreparedPosting>,
    /// The session to free.
    freed: Option<[Value; 2]>,
    /// The rows of related resources; each guarded one has to change.
    guarded: Vec<Prepared>,
    others: Vec<Prepared>,
    published: Vec<EventInsert>,
    /// What the provider may still hold, or may still approve, is given back later.
    reversal: Option<(&'static str, Vec<Value>)>,
}

/// Gives the stored payment if nothing was written.
async fn apply(
    tx: &mut Tx<'_>,
    outcome: &PreparedOutcome,
) -> Result<Result<Unwritten, Payment>, Fault> {
    let Some(unwritten) = tx.get(UPDATE, &outcome.movement).await? else {
        let stored = tx.get(store::BY_ID, &values![outcome.payment]).await?;
        let missing = || DatabaseError::Corrupt("there is no such payment".into());
        return Ok(Err(stored.ok_or_else(missing)?));
    };
    let mut statements: Vec<Statement<'_>> = Vec::with_capacity(6);
    let prepared = outcome.guarded.iter().chain(&outcome.others);
    statements.extend(prepared.map(|(sql, values)| (*sql, &values[..])));
    statements.extend(outcome.published.iter().flat_map(EventInsert::statements));
    statements.extend(outcome.event.iter().flat_map(EventInsert::statements));
    statements.extend(outcome.posting.iter().flat_map(PreparedPosting::statements));
    statements.extend(outcome.freed.iter().map(|freed| (FREE, freed.as_slice())));
    let reversal = outcome.reversal.iter();
    statements.extend(reversal.map(|(schedule, values)| (*schedule, values.as_slice())));
    if !statements.is_empty() {
        let counts = tx.execute_together(&statements).await?;
        if counts
            .iter()
            .take(outcome.guarded.len())
            .any(|count| *count != 1)
        {
            return Err(outdated());
        }
    }
    Ok(Ok(unwritten))
}

/// The payment after the update: all columns of `after` are written, or did not change.
fn updated(after: &Payment, (modification, refunded_minor, disputed_minor): Unwritten) -> Payment {
    Payment {
        modification,
        refunded_minor,
        disputed_minor,
        ..after.clone()
    }
}

impl PaymentStore {
    /// Moves a payment to the next state; stores the event with a delivery for each enabled
    /// endpoint that subscribes to it, and the ledger posting; and frees the session if the payment
    /// ended unpaid.
    ///
    /// Writes all fields of `after` except its ids and money. The event's sequence must be the
    /// payment's next one, and a change of the details requires an event or another state.
    ///
    /// # Errors
    /// The database failed, or the payment does not exist; nothing was written, unless the outcome
    /// is unknown.
    pub async fn record_outcome(
        &self,
        before: &Payment,
        after: &Payment,
        effects: OutcomeEffects<'_>,
    ) -> Result<Recorded, DatabaseError> {
        self.change_payment(before, after, effects, 0).await
    }

    /// The same without an event, and only while the caller holds the lease of `before`: another
    /// provider must not be asked while a concurrent caller may do the same.
    pub async fn reroute(
        &self,
        before: &Payment,
        after: &Payment,
    ) -> Result<Recorded, DatabaseError> {
        let effects = OutcomeEffects::default();
        self.change_payment(before, after, effects, before.lease_until_ms)
            .await
    }

    async fn change_payment(
        &self,
        before: &Payment,
        after: &Payment,
        effects: OutcomeEffects<'_>,
        lease_ms: i64,
    ) -> Result<Recorded, DatabaseError> {
        let [details] = AsJson::write(&after.details)?;
        let movement = values![
            before.id,
            before.state.name(),
            before.sequence,
            lease_ms,
            after.state.name(),
            after.decline.clone(),
            after.sequence,
            after.updated_at_ms,
            &after.provider,
            &after.route_reason,
            details,
            after.details.transfer_reference(),
            after.lease_until_ms,
            after.captured_minor,
            after.overpaid_minor(),
            after.agreement,
            after.returned_minor,
            before
                .invoice
                .map(|invoice| invoice.to_string())
                .unwrap_or_default(),
        ];
        let frees_session = matches!(after.state, PaymentState::Declined | PaymentState::Expired);
        let related = effects.related;
        let mut others = related
            .map(|related| related.others.clone())
            .unwrap_or_default();
        others.extend(card_attempts::declined(after)?);
        let is_paid = matches!(
            after.state,
            PaymentState::Authorized | PaymentState::Captured | PaymentState::Pending
        );
        if let Some(instrument) = after.details.instrument().filter(|_| is_paid) {
            others.push(instruments::store::used(instrument, after.updated_at_ms));
        }
        let debit = after.details.debit();
        let debit = debit.filter(|_| after.state == PaymentState::Pending);
        let lapses_at_ms = debit.and_then(DebitDetails::lapses_at_ms);
        if let (None, Some(agreement), Some(at_ms)) = (after.session, after.agreement, lapses_at_ms)
        {
            others.push(agreements::store::extend(agreement, at_ms));
        }
        let published = related.into_iter().flat_map(|related| &related.events);
        let published = published.chain(effects.beside);
        let published = published.map(EventInsert::new);
        let outcome = PreparedOutcome {
            payment: before.id,
            movement,
            event: effects.event.map(EventInsert::new).transpose()?,
            posting: effects.posting.map(PreparedPosting::new).transpose()?,
            freed: frees_session.then(|| values![before.session, before.attempt]),
            guarded: related
                .map(|related| related.guarded.clone())
                .unwrap_or_default(),
            others,
            published: published.collect::<Result<_, _>>()?,
            reversal: reversals::schedule(after),
        };
        let written = self
            .database
            .write(outcome, |tx, outcome| Box::pin(apply(tx, outcome)))
            .await?;
        Ok(match written {
            Ok(unwritten) => Recorded::Done(updated(after, unwritten)),
            Err(stored) => Recorded::NotInState(stored),
        })
    }
}
