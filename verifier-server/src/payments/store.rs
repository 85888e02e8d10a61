//! Payments: what is read of them, and the leases of those whose outcome is open.

pub mod claim;
pub mod list;
pub mod outcome;

use super::methods::details::PaymentDetails;
use super::model::Payment;
use super::state::PaymentState;
use super::store;
use sealpay_protocol::ids::{AttemptId, MerchantId, PaymentId, SessionId};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::creditor_reference;
use sealpay_storage::{Database, DatabaseError, Fault, Row, Tx, Value, values};

/// How many columns a new payment has.
pub(crate) const COLUMNS: usize = 24;

/// What a payment is born with. What was captured, refunded and disputed comes later.
macro_rules! born_with {
    () => {
        "id, session, merchant, attempt, owner, body_digest, order_ref, amount_minor, currency, \
         capture, details, state, decline, provider, route_reason, simulate, sequence, \
         created_at_ms, updated_at_ms, lease_until_ms"
    };
}

macro_rules! columns {
    () => {
        concat!(
            store::born_with!(),
            ", captured_minor, refunded_minor, disputed_minor, modification"
        )
    };
}

pub(crate) use born_with;

pub(crate) use columns;

pub(crate) const INSERT: &str = concat!(
    "INSERT INTO payments (",
    born_with!(),
    ", method, assessed_card, assessed_address, transfer_reference) VALUES ($1, $2, $3, $4, $5, \
     $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24) \
     ON CONFLICT (session, attempt) DO NOTHING"
);

pub(crate) const TAKE_BACK: &str = "DELETE FROM payments WHERE id = $1";

pub(crate) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM payments WHERE id = $1");

const OF_ATTEMPT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE session = $1 AND attempt = $2"
);

/// The list of states is that of the partial index, word for word: otherwise SQLite does not use
/// the index.
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE state IN ('authorizing', 'requires_action', 'unknown') \
     AND lease_until_ms <= $1 \
     ORDER BY lease_until_ms LIMIT $2"
);

const EXTEND: &str = concat!(
    "UPDATE payments SET lease_until_ms = $3 WHERE id = $1 AND lease_until_ms = $2 \
     AND state IN ('authorizing', 'requires_action', 'unknown') RETURNING ",
    columns!()
);

const COUNT_OPEN: &str = "SELECT COUNT(*) FROM payments
    WHERE state IN ('authorizing', 'requires_action', 'unknown') AND state = $1";

const OF_TRANSFER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE transfer_reference = $1"
);

/// A provider that refused to end a hold is asked again after a pause that is as long as the time
/// since the hold should have ended: at least a minute, and at most a day.
const HELD: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE state IN ('authorized', 'partially_captured') \
     AND created_at_ms <= $1 AND modification IS NULL AND NOT EXISTS ( \
         SELECT 1 FROM modifications m \
         WHERE m.payment = payments.id AND m.kind = 'expiry' AND m.state = 'failed' \
         AND (m.updated_at_ms > CAST($3 AS BIGINT) - 60000 \
             OR (m.updated_at_ms > CAST($3 AS BIGINT) - 86400000 \
                 AND 2 * m.updated_at_ms - payments.created_at_ms \
                     > 2 * CAST($3 AS BIGINT) - CAST($1 AS BIGINT)))) \
     ORDER BY created_at_ms LIMIT $2"
);

const NEWEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments ORDER BY id DESC LIMIT $1"
);

const COUNT: &str = "SELECT COUNT(*) FROM payments WHERE state = $1";

/// No statement looks inside: what is looked up has a column of its own.
pub(crate) fn details_text(details: &PaymentDetails) -> Result<String, DatabaseError> {
    serde_json::to_string(details).map_err(|error| DatabaseError::Corrupt(error.to_string()))
}

pub(crate) fn insert_values(payment: &Payment) -> Result<[Value; COLUMNS], DatabaseError> {
    let lookups = payment.details.lookups();
    Ok(values![
        payment.id,
        payment.session,
        payment.merchant,
        payment.attempt,
        &payment.owner,
        &payment.body_digest,
        &payment.order_ref,
        payment.money.amount_minor(),
        payment.money.currency().code().to_owned(),
        payment.capture.name(),
        details_text(&payment.details)?,
        payment.state.name(),
        payment.decline.as_ref(),
        &payment.provider,
        &payment.route_reason,
        payment.simulate.as_ref(),
        payment.sequence,
        payment.created_at_ms,
        payment.updated_at_ms,
        payment.lease_until_ms,
        payment.details.method().name(),
        lookups.assessed_card,
        lookups.assessed_address,
        lookups.transfer_reference,
    ])
}

pub(crate) fn payment(mut row: Row) -> Result<Payment, DatabaseError> {
    Ok(Payment {
        id: row.parsed()?,
        session: row.parsed()?,
        merchant: row.parsed()?,
        attempt: row.parsed()?,
        owner: row.text()?,
        body_digest: row.text()?,
        order_ref: row.text()?,
        money: Money::new(row.integer()?, row.parsed()?),
        capture: row.read(Capture::from_name)?,
        details: row.read(|text| serde_json::from_str(text).ok())?,
        state: row.parsed()?,
        decline: row.optional_text()?,
        provider: row.text()?,
        route_reason: row.text()?,
        simulate: row.optional_text()?,
        sequence: row.integer()?,
        created_at_ms: row.integer()?,
        updated_at_ms: row.integer()?,
        lease_until_ms: row.integer()?,
        captured_minor: row.integer()?,
        refunded_minor: row.integer()?,
        disputed_minor: row.integer()?,
        modification: row.optional_parsed()?,
    })
}

pub(crate) async fn of_attempt(
    tx: &mut Tx<'_>,
    session: SessionId,
    attempt: AttemptId,
) -> Result<Option<Payment>, Fault> {
    let row = tx.optional(OF_ATTEMPT, &values![session, attempt]).await?;
    Ok(row.map(payment).transpose()?)
}

/// What is stored of payments.
#[derive(Debug, Clone)]
pub struct PaymentStore {
    pub(crate) database: Database,
}

impl PaymentStore {
    /// A merchant's payment; nothing when it is somebody else's.
    pub async fn get_owned(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Option<Payment>, DatabaseError> {
        let found = self
            .database
            .row(BY_ID, values![id])
            .await?
            .map(payment)
            .transpose()?;
        Ok(found.filter(|payment| payment.merchant == merchant))
    }

    /// A payment, whoever's it is: for what the bank says of it, and never for what somebody asks.
    pub async fn get(&self, id: PaymentId) -> Result<Option<Payment>, DatabaseError> {
        let row = self.database.row(BY_ID, values![id]).await?;
        row.map(payment).transpose()
    }

    /// The newest payments of all merchants, newest first.
    pub async fn newest(&self, limit: u32) -> Result<Vec<Payment>, DatabaseError> {
        let rows = self.database.rows(NEWEST, values![limit]).await?;
        rows.into_iter().map(payment).collect()
    }

    /// A payment of a session; nothing when it is another session's.
    pub async fn get_by_session(
        &self,
        session: SessionId,
        id: PaymentId,
    ) -> Result<Option<Payment>, DatabaseError> {
        let row = self.database.row(BY_ID, values![id]).await?;
        let found = row.map(payment).transpose()?;
        Ok(found.filter(|payment| payment.session == session))
    }

    /// The payment that waits, or waited, for a transfer with this text, however its reference is
    /// written in it. None where the text means more than one.
    pub async fn get_by_transfer(&self, reference: &str) -> Result<Option<Payment>, DatabaseError> {
        let mut found: Option<Payment> = None;
        for reference in creditor_reference::meant_by(reference) {
            let row = self.database.row(OF_TRANSFER, values![reference]).await?;
            let Some(payment) = row.map(payment).transpose()? else {
                continue;
            };
            if found.is_some_and(|other| other.id != payment.id) {
                return Ok(None);
            }
            found = Some(payment);
        }
        Ok(found)
    }

    /// Payments whose money is held, all of it or some, and that nothing is done to, made by
    /// a moment, milliseconds since 1970; the oldest first. Those whose provider has lately refused
    /// to end the hold are left out.
    pub async fn authorized_before(
        &self,
        made_by_ms: i64,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Payment>, DatabaseError> {
        let values = values![made_by_ms, limit, now_ms];
        let rows = self.database.rows(HELD, values).await?;
        rows.into_iter().map(payment).collect()
    }

    /// What became of an attempt.
    pub async fn get_by_attempt(
        &self,
        session: SessionId,
        attempt: AttemptId,
    ) -> Result<Option<Payment>, DatabaseError> {
        self.database
            .row(OF_ATTEMPT, values![session, attempt])
            .await?
            .map(payment)
            .transpose()
    }

    /// Payments that are authorizing, unknown or wait for the shopper, and whose lease has ended by a moment,
    /// milliseconds since 1970; those that wait longest first.
    pub async fn open(
        &self,
        lease_before_ms: i64,
        limit: u32,
    ) -> Result<Vec<Payment>, DatabaseError> {
        let rows = self
            .database
            .rows(OPEN, values![lease_before_ms, limit])
            .await?;
        rows.into_iter().map(payment).collect()
    }

    /// Takes over the lease of an open payment; gives it as it stands now, or nothing when somebody
    /// else has the lease. Of several callers that saw the same lease, one gets it.
    pub async fn extend_lease(
        &self,
        id: PaymentId,
        from_lease_ms: i64,
        to_lease_ms: i64,
    ) -> Result<Option<Payment>, DatabaseError> {
        let wanted = values![id, from_lease_ms, to_lease_ms];
        let taken = self.database.write(wanted, |tx, wanted| {
            Box::pin(async move {
                let row = tx.optional(EXTEND, wanted).await?;
                Ok(row.map(payment).transpose()?)
            })
        });
        taken.await
    }

    /// How many payments are in a state. Quick for open ones; others are counted one
    /// by one.
    pub async fn count_in_state(&self, state: PaymentState) -> Result<u64, DatabaseError> {
        let sql = if state.is_open() { COUNT_OPEN } else { COUNT };
        self.database
            .one(sql, values![state.name()])
            .await?
            .number()
    }
}
