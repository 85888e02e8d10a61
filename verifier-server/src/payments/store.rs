//! Reads payments, and manages the leases of payments without an outcome.

pub mod claim;
pub mod list;
pub mod outcome;

use super::model::Payment;
use super::state::PaymentState;
use crate::idempotency::write::Prepared;
use crate::store::lease::{self, leased};
use sealpay_protocol::ids::{AttemptId, InvoiceId, MerchantId, PaymentId, SessionId};
use sealpay_provider::creditor_reference;
use sealpay_storage::sql::placeholders;
use sealpay_storage::{
    AsJson, ByName, Database, DatabaseError, Entity, Fault, Projection, Tx, Value,
};
use sealpay_storage::{entity, sql, values};

entity! {
    Payment in "payments" {
        id,
        session,
        agreement,
        invoice,
        merchant,
        attempt,
        owner,
        body_digest,
        order_ref,
        money: (amount_minor, currency),
        capture as ByName,
        details as AsJson,
        state as ByName,
        decline,
        provider,
        route_reason,
        simulate,
        sequence,
        created_at_ms,
        updated_at_ms,
        lease_until_ms,
        captured_minor,
        refunded_minor,
        disputed_minor,
        returned_minor,
        modification,
    }
}

/// No statement queries the details; indexed values have columns of their own.
pub(crate) const INSERT: &str = sql!(
    "INSERT INTO payments (",
    Payment::COLUMNS,
    ", method, assessed_card, assessed_address, transfer_reference) VALUES (",
    placeholders(COLUMNS),
    ") ON CONFLICT (session, attempt) DO NOTHING"
);

/// Number of columns of a new payment: those of the entity, and the four above.
const COLUMNS: usize = Payment::WIDTH + 4;

pub(crate) const DELETE: &str = "DELETE FROM payments WHERE id = $1";

/// A provider that has not answered for an hour is asked again, but not waited for.
const NEXT_DUE: &str = "SELECT MIN(lease_until_ms) FROM payments
    WHERE state IN ('authorizing', 'requires_action', 'unknown') AND lease_until_ms > $1
    AND (state = 'requires_action' OR lease_until_ms <= created_at_ms + 3600000)";

/// Those whose provider is being asked. The list is that of the index.
const LEASED: &str = "SELECT COUNT(*) FROM payments
    WHERE state IN ('authorizing', 'requires_action', 'unknown') AND state = 'authorizing'
    AND lease_until_ms > $1";

pub(crate) const BY_ID: &str = sql!(Payment::SELECT, "WHERE id = $1");

const OF_ATTEMPT: &str = sql!(Payment::SELECT, "WHERE session = $1 AND attempt = $2");

leased!(Payment in "payments" where "state IN ('authorizing', 'requires_action', 'unknown')");

const COUNT_OPEN: &str = "SELECT COUNT(*) FROM payments
    WHERE state IN ('authorizing', 'requires_action', 'unknown') AND state = $1";

const OF_TRANSFER: &str = sql!(Payment::SELECT, "WHERE transfer_reference = $1");

/// If a provider declined to void an expired authorization, the void is retried after a pause as
/// long as the time since the expiry: at least a minute, at most a day.
const HELD: &str = sql!(
    Payment::SELECT,
    "WHERE state IN ('authorized', 'partially_captured') \
     AND created_at_ms <= $1 AND modification IS NULL AND NOT EXISTS ( \
         SELECT 1 FROM modifications m \
         WHERE m.payment = payments.id AND m.kind = 'expiry' AND m.state = 'failed' \
         AND (m.updated_at_ms > CAST($3 AS BIGINT) - 60000 \
             OR (m.updated_at_ms > CAST($3 AS BIGINT) - 86400000 \
                 AND 2 * m.updated_at_ms - payments.created_at_ms \
                     > 2 * CAST($3 AS BIGINT) - CAST($1 AS BIGINT)))) \
     ORDER BY created_at_ms LIMIT $2"
);

/// The oldest authorization that is younger.
const NEXT_HELD: &str = "SELECT MIN(created_at_ms) FROM payments
    WHERE state IN ('authorized', 'partially_captured') AND created_at_ms > $1";

const NEWEST: &str = sql!(Payment::SELECT, "ORDER BY id DESC LIMIT $1");

const COUNT: &str = "SELECT COUNT(*) FROM payments WHERE state = $1";

pub(crate) fn new_row(payment: &Payment) -> Result<Vec<Value>, DatabaseError> {
    let lookups = payment.details.lookups();
    let mut row = Vec::with_capacity(COLUMNS);
    row.extend(payment.to_row()?);
    row.extend(values![
        payment.details.method().name(),
        lookups.assessed_card,
        lookups.assessed_address,
        lookups.transfer_reference,
    ]);
    Ok(row)
}

/// A payment pays one invoice at most.
const PAYS: &str = "UPDATE payments SET invoice = $2
    WHERE id = $1 AND invoice IS NULL AND state = $3";

/// The statement that lets a payment pay an invoice, unless its state has changed since it was read.
pub(crate) fn pays(payment: &Payment, invoice: InvoiceId) -> Prepared {
    (
        PAYS,
        values![payment.id, invoice, payment.state.name()].to_vec(),
    )
}

pub(crate) async fn of_attempt(
    tx: &mut Tx<'_>,
    session: SessionId,
    attempt: AttemptId,
) -> Result<Option<Payment>, Fault> {
    tx.get(OF_ATTEMPT, &values![session, attempt]).await
}

/// The repository of payments.
#[derive(Debug, Clone)]
pub struct PaymentStore {
    pub(crate) database: Database,
}

impl PaymentStore {
    /// A merchant's payment; none if it is another merchant's.
    pub async fn get_owned(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Option<Payment>, DatabaseError> {
        let found = self.get(id).await?;
        Ok(found.filter(|payment| payment.merchant == merchant))
    }

    /// A payment of any merchant. For messages of providers, never for requests of merchants.
    pub async fn get(&self, id: PaymentId) -> Result<Option<Payment>, DatabaseError> {
        self.database.get(BY_ID, values![id]).await
    }

    /// The newest payments of all merchants, newest first.
    pub async fn newest(&self, limit: u32) -> Result<Vec<Payment>, DatabaseError> {
        self.database.list(NEWEST, values![limit]).await
    }

    /// A payment of a session; none if it is another session's.
    pub async fn get_by_session(
        &self,
        session: SessionId,
        id: PaymentId,
    ) -> Result<Option<Payment>, DatabaseError> {
        let found = self.get(id).await?;
        Ok(found.filter(|payment| payment.session == Some(session)))
    }

    /// The payment with the transfer reference in this text, in any spelling. None if the text
    /// matches several payments.
    pub async fn get_by_transfer(&self, reference: &str) -> Result<Option<Payment>, DatabaseError> {
        let mut found: Option<Payment> = None;
        for reference in creditor_reference::meant_by(reference) {
            let payment = self.database.get(OF_TRANSFER, values![reference]).await?;
            let Some(payment): Option<Payment> = payment else {
                continue;
            };
            if found.is_some_and(|other| other.id != payment.id) {
                return Ok(None);
            }
            found = Some(payment);
        }
        Ok(found)
    }

    /// Authorized payments made by a time, milliseconds since 1970, without a pending modification;
    /// oldest first. Omits those whose provider recently declined to void.
    pub async fn authorized_before(
        &self,
        made_by_ms: i64,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Payment>, DatabaseError> {
        let wanted = values![made_by_ms, limit, now_ms];
        self.database.list(HELD, wanted).await
    }

    /// When the next authorized payment after a time was made, milliseconds since 1970.
    pub(crate) async fn authorized_after(
        &self,
        made_ms: i64,
    ) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT_HELD, values![made_ms]).await
    }

    /// The payment of an attempt.
    pub async fn get_by_attempt(
        &self,
        session: SessionId,
        attempt: AttemptId,
    ) -> Result<Option<Payment>, DatabaseError> {
        let wanted = values![session, attempt];
        self.database.get(OF_ATTEMPT, wanted).await
    }

    /// Payments that are authorizing, unknown or require action, and whose lease has ended by a
    /// time, milliseconds since 1970; longest waiting first.
    pub async fn open(
        &self,
        lease_before_ms: i64,
        limit: u32,
    ) -> Result<Vec<Payment>, DatabaseError> {
        lease::open(&self.database, lease_before_ms, limit).await
    }

    /// Takes over the lease of an open payment; returns the current payment, or none if another
    /// caller has the lease. Only one of concurrent callers that saw the same lease gets it.
    pub async fn extend_lease(
        &self,
        id: PaymentId,
        from_lease_ms: i64,
        to_lease_ms: i64,
    ) -> Result<Option<Payment>, DatabaseError> {
        lease::take(&self.database, id, (from_lease_ms, to_lease_ms)).await
    }

    /// When the lease of the next open payment ends after a time, milliseconds since 1970.
    pub(crate) async fn next_due_ms(&self, after_ms: i64) -> Result<Option<i64>, DatabaseError> {
        self.database.scalar(NEXT_DUE, values![after_ms]).await
    }

    /// How many a server is working on at a time, milliseconds since 1970.
    pub(crate) async fn count_leased(&self, now_ms: i64) -> Result<u64, DatabaseError> {
        self.database.scalar(LEASED, values![now_ms]).await
    }

    /// Counts the payments in a state. Fast for open states; others are counted row by row.
    pub async fn count_in_state(&self, state: PaymentState) -> Result<u64, DatabaseError> {
        let sql = if state.is_open() { COUNT_OPEN } else { COUNT };
        self.database.scalar(sql, values![state.name()]).await
    }
}
