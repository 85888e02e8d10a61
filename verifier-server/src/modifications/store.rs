//! Modifications: claimed before the provider is asked, completed with its response. The payment
//! names its pending modification, and nothing else changes the payment meanwhile.

use super::model::Modification;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use crate::idempotency::store as idempotency;
use crate::ledger::posting::Posting;
use crate::ledger::store::PreparedPosting;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::store::lease::{self, leased};
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{Identifier, MerchantId, ModificationId, PaymentId};
use sealpay_storage::{
    AsJson, ByName, Codec, Database, DatabaseError, Entity, Extent, Fault, Projection, Statement,
};
use sealpay_storage::{Tx, Value, entity, sql, values};

/// The result of a claim, in order of precedence.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModificationClaim {
    /// A repeated request: the modification that it created.
    Same(Modification),
    /// Another request used the same key.
    KeyReused,
    /// The payment has changed since the caller read it: read it again.
    Moved,
    /// Claimed; the caller may ask the provider.
    Claimed,
}

/// The result of recording an outcome.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModificationRecorded {
    /// Recorded.
    Done,
    /// The modification was already completed. Nothing was written.
    Ended(Modification),
}

entity! {
    Modification in "modifications" {
        id,
        payment,
        merchant,
        kind as ByName,
        money: (amount_minor, currency),
        is_final,
        reference,
        state as ByName,
        failure,
        created_at_ms,
        updated_at_ms,
        lease_until_ms,
        created_by,
    }
}

/// A provider that has not answered for an hour is asked again, but not waited for.
const NEXT_DUE: &str = "SELECT MIN(lease_until_ms) FROM modifications
    WHERE state = 'pending' AND lease_until_ms > $1
    AND lease_until_ms <= created_at_ms + 3600000";

const BY_ID: &str = sql!(Modification::SELECT, "WHERE id = $1");

const OF_PAYMENT: &str = sql!(
    Modification::SELECT,
    "WHERE payment = $1 AND merchant = $2 AND id < $3 ORDER BY id DESC LIMIT $4"
);

leased!(Modification in "modifications" where "state = 'pending'");

const COUNT_OPEN: &str = "SELECT COUNT(*) FROM modifications WHERE state = 'pending'";

/// Decides races between changes of a payment: it must be as the caller saw it.
const LOCK: &str = "UPDATE payments SET modification = $2
    WHERE id = $1 AND modification IS NULL AND state = $3 AND sequence = $4";

const RELEASE: &str = "UPDATE payments SET modification = NULL WHERE id = $1 AND modification = $2";

const END: &str = "UPDATE modifications SET state = $2, failure = $3, updated_at_ms = $4
    WHERE id = $1 AND state = 'pending'";

const MODIFY: &str = "UPDATE payments SET state = $3, captured_minor = $4, refunded_minor = $5,
    sequence = $6, updated_at_ms = $7, modification = NULL, details = COALESCE($9, details)
    WHERE id = $1 AND modification = $2 AND sequence = $8";

/// A payment that ended unpaid frees its session.
const FREE: &str = "UPDATE sessions SET active_attempt = NULL
    WHERE id = $1 AND active_attempt = $2";

async fn by_id(tx: &mut Tx<'_>, id: Value) -> Result<Modification, Fault> {
    let missing = || DatabaseError::Corrupt("there is no such modification".into());
    Ok(tx.get(BY_ID, &[id]).await?.ok_or_else(missing)?)
}

struct NewModification {
    modification: Modification,
    request: Option<IdempotentRequest>,
    row: <Modification as Entity>::Values,
    lock: [Value; 4],
}

async fn repeated(tx: &mut Tx<'_>, replay: IdempotencyReplay) -> Result<ModificationClaim, Fault> {
    Ok(match replay {
        IdempotencyReplay::Other => ModificationClaim::KeyReused,
        IdempotencyReplay::Same { resource, .. } => {
            // A key used for another type of resource has another path and therefore another
            // digest.
            ModificationClaim::Same(by_id(tx, resource.into()).await?)
        }
    })
}

async fn claim(tx: &mut Tx<'_>, new: &NewModification) -> Result<ModificationClaim, Fault> {
    if let Some(request) = &new.request
        && let Some(replay) = idempotency::find(tx, request).await?
    {
        return repeated(tx, replay).await;
    }
    if tx.execute(LOCK, &new.lock).await? == 0 {
        return Ok(ModificationClaim::Moved);
    }
    let Modification {
        id,
        payment,
        created_at_ms,
        ..
    } = new.modification;
    if let Some(request) = &new.request {
        let made = id.to_string();
        let replay = idempotency::insert(tx, request, &made, None, created_at_ms).await?;
        if let Some(replay) = replay {
            tx.execute(RELEASE, &values![payment, id]).await?;
            return repeated(tx, replay).await;
        }
    }
    tx.execute(Modification::INSERT, &new.row).await?;
    Ok(ModificationClaim::Claimed)
}

struct ModificationOutcome {
    id: ModificationId,
    end: [Value; 4],
    change: [Value; 9],
    event: Option<EventInsert>,
    posting: Option<PreparedPosting>,
    frees: Option<[Value; 2]>,
}

async fn record(
    tx: &mut Tx<'_>,
    ending: &ModificationOutcome,
) -> Result<ModificationRecorded, Fault> {
    if tx.execute(END, &ending.end).await? == 0 {
        let ended = by_id(tx, ending.id.into()).await?;
        return Ok(ModificationRecorded::Ended(ended));
    }
    if tx.execute(MODIFY, &ending.change).await? == 0 {
        // Only the holder of the pending modification may change the payment.
        let what = "a payment was changed while a modification was open";
        return Err(DatabaseError::Corrupt(what.into()).into());
    }
    let mut statements: Vec<Statement<'_>> = Vec::with_capacity(5);
    statements.extend(ending.event.iter().flat_map(EventInsert::statements));
    statements.extend(ending.posting.iter().flat_map(PreparedPosting::statements));
    if let Some(session) = &ending.frees {
        statements.push((FREE, session));
    }
    if !statements.is_empty() {
        tx.execute_together(&statements).await?;
    }
    Ok(ModificationRecorded::Done)
}

/// The repository of captures, voids, refunds and expiries.
#[derive(Debug, Clone)]
pub struct ModificationStore {
    pub(crate) database: Database,
}

impl ModificationStore {
    /// Claims a modification of a payment that must be as the caller saw it.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub async fn claim(
        &self,
        seen: &Payment,
        modification: &Modification,
        request: Option<&IdempotentRequest>,
    ) -> Result<ModificationClaim, DatabaseError> {
        let new = NewModification {
            row: modification.to_row()?,
            lock: values![seen.id, modification.id, seen.state.name(), seen.sequence],
            modification: modification.clone(),
            request: request.cloned(),
        };
        self.database
            .write(new, |tx, new| Box::pin(claim(tx, new)))
            .await
    }

    /// Completes a modification: writes `modification`, the payment as in `after`, the event, and
    /// the ledger posting. The event's sequence must be the payment's next one.
    ///
    /// # Errors
    /// The database failed; nothing was written, unless the outcome is unknown.
    pub async fn record(
        &self,
        before: &Payment,
        after: &Payment,
        modification: &Modification,
        event: Option<&Event>,
        posting: Option<&Posting>,
    ) -> Result<ModificationRecorded, DatabaseError> {
        let [details] = match after.details == before.details {
            true => values![None::<String>],
            false => AsJson::write(&after.details)?,
        };
        let ending = ModificationOutcome {
            id: modification.id,
            end: values![
                modification.id,
                modification.state.name(),
                modification.failure.clone(),
                modification.updated_at_ms,
            ],
            change: values![
                before.id,
                modification.id,
                after.state.name(),
                after.captured_minor,
                after.refunded_minor,
                after.sequence,
                after.updated_at_ms,
                before.sequence,
                details,
            ],
            event: event.map(EventInsert::new).transpose()?,
            posting: posting.map(PreparedPosting::new).transpose()?,
            frees: (after.state == PaymentState::Expired)
                .then(|| values![before.session, before.attempt]),
        };
        self.database
            .write(ending, |tx, ending| Box::pin(record(tx, ending)))
            .await
    }

    /// A modification of any merchant, for repeated requests.
    pub async fn get(&self, id: ModificationId) -> Result<Option<Modification>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// Modifications of a merchant's payment, newest first, older than `after`.
    pub async fn list(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
        after: Option<ModificationId>,
        limit: u32,
    ) -> Result<Vec<Modification>, DatabaseError> {
        let after = after.unwrap_or(ModificationId::MAX);
        let wanted = values![payment, merchant, after, limit];
        self.database
            .scan_list(Extent::List, OF_PAYMENT, wanted)
            .await
    }

    /// Pending modifications whose lease has ended by a time, milliseconds since 1970; longest
    /// waiting first.
    pub async fn open(
        &self,
        lease_before_ms: i64,
        limit: u32,
    ) -> Result<Vec<Modification>, DatabaseError> {
        lease::open(&self.database, lease_before_ms, limit).await
    }

    /// When the lease of the next open modification ends after a time, milliseconds since 1970.
    pub(crate) async fn next_due_ms(&self, after_ms: i64) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT_DUE, values![after_ms]).await
    }

    /// Takes over the lease of a pending modification; only one of concurrent callers that saw the
    /// same lease gets it.
    pub async fn extend_lease(
        &self,
        id: ModificationId,
        from_lease_ms: i64,
        to_lease_ms: i64,
    ) -> Result<Option<Modification>, DatabaseError> {
        lease::take(&self.database, id, (from_lease_ms, to_lease_ms)).await
    }

    /// Counts the pending modifications.
    pub async fn count_open(&self) -> Result<u64, DatabaseError> {
        self.database.scalar(COUNT_OPEN, []).await
    }
}
