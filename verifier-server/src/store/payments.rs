//! Payments: what is read of them, and the leases of those whose outcome is open.

use super::tx::{Fault, Tx};
use super::value::{Row, Value, values};
use super::{Store, StoreError, sessions};
use crate::domain::payment::{KeptCard, Payment};
use crate::domain::state::PaymentState;
use sealpay_protocol::ids::{AttemptId, MerchantId, PaymentId, SessionId};
use sealpay_protocol::money::Money;

/// Which of a merchant's payments, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Only those of this order.
    pub order_ref: Option<String>,
    /// Only those older than this one.
    pub after: Option<PaymentId>,
    /// At most so many.
    pub limit: u32,
}

/// How many columns a payment has.
pub(super) const COLUMNS: usize = 21;

macro_rules! columns {
    () => {
        "id, session, merchant, attempt, body_digest, order_ref, amount_minor, currency, capture, \
         card_brand, card_last4, card_expiry, card_fingerprint, state, decline, provider, \
         simulate, sequence, created_at_ms, updated_at_ms, lease_until_ms"
    };
}

pub(super) use columns;

pub(super) const INSERT: &str = concat!(
    "INSERT INTO payments (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21) ON CONFLICT (session, attempt) DO NOTHING"
);

pub(super) const TAKE_BACK: &str = "DELETE FROM payments WHERE id = $1";

pub(super) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM payments WHERE id = $1");

const OF_ATTEMPT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE session = $1 AND attempt = $2"
);

const OF_MERCHANT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

const OF_ORDER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE merchant = $1 AND order_ref = $4 AND id < $2 ORDER BY id DESC LIMIT $3"
);

/// The list of states is that of the partial index, word for word: otherwise SQLite does not use
/// the index.
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments WHERE state IN ('authorizing', 'unknown') AND lease_until_ms <= $1 \
     ORDER BY lease_until_ms LIMIT $2"
);

const EXTEND: &str = "UPDATE payments SET lease_until_ms = $3
    WHERE id = $1 AND lease_until_ms = $2 AND state IN ('authorizing', 'unknown')";

const COUNT_OPEN: &str = "SELECT COUNT(*) FROM payments
    WHERE state IN ('authorizing', 'unknown') AND state = $1";

const COUNT: &str = "SELECT COUNT(*) FROM payments WHERE state = $1";

/// Sorts behind every identifier of a payment.
const BEHIND_ALL: &str = "pay_z";

pub(super) fn insert_values(payment: &Payment) -> [Value; COLUMNS] {
    values![
        payment.id,
        payment.session,
        payment.merchant,
        payment.attempt,
        &payment.body_digest,
        &payment.order_ref,
        payment.money.amount_minor(),
        payment.money.currency().code().to_owned(),
        sessions::capture_name(payment.capture),
        &payment.card.brand,
        &payment.card.last4,
        &payment.card.expiry,
        &payment.card.fingerprint,
        payment.state.name(),
        payment.decline.as_ref(),
        &payment.provider,
        payment.simulate.as_ref(),
        payment.sequence,
        payment.created_at_ms,
        payment.updated_at_ms,
        payment.lease_until_ms,
    ]
}

pub(super) fn payment(mut row: Row) -> Result<Payment, StoreError> {
    Ok(Payment {
        id: row.parsed()?,
        session: row.parsed()?,
        merchant: row.parsed()?,
        attempt: row.parsed()?,
        body_digest: row.text()?,
        order_ref: row.text()?,
        money: Money::new(row.integer()?, row.parsed()?),
        capture: row.read(sessions::capture)?,
        card: KeptCard {
            brand: row.text()?,
            last4: row.text()?,
            expiry: row.text()?,
            fingerprint: row.text()?,
        },
        state: row.parsed()?,
        decline: row.optional_text()?,
        provider: row.text()?,
        simulate: row.optional_text()?,
        sequence: row.integer()?,
        created_at_ms: row.integer()?,
        updated_at_ms: row.integer()?,
        lease_until_ms: row.integer()?,
    })
}

pub(super) async fn of_attempt(
    tx: &mut Tx<'_>,
    session: SessionId,
    attempt: AttemptId,
) -> Result<Option<Payment>, Fault> {
    let row = tx.optional(OF_ATTEMPT, &values![session, attempt]).await?;
    Ok(row.map(payment).transpose()?)
}

impl Store {
    /// A merchant's payment; nothing when it is somebody else's.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn payment(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        let found = self
            .row(BY_ID, values![id])
            .await?
            .map(payment)
            .transpose()?;
        Ok(found.filter(|payment| payment.merchant == merchant))
    }

    /// What became of an attempt.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn payment_of_attempt(
        &self,
        session: SessionId,
        attempt: AttemptId,
    ) -> Result<Option<Payment>, StoreError> {
        self.row(OF_ATTEMPT, values![session, attempt])
            .await?
            .map(payment)
            .transpose()
    }

    /// A merchant's payments, newest first.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn payments(
        &self,
        merchant: MerchantId,
        filter: &PaymentFilter,
    ) -> Result<Vec<Payment>, StoreError> {
        let after = filter
            .after
            .map_or_else(|| Value::from(BEHIND_ALL), Value::from);
        let rows = match &filter.order_ref {
            None => {
                self.rows(OF_MERCHANT, values![merchant, after, filter.limit])
                    .await?
            }
            Some(order_ref) => {
                self.rows(OF_ORDER, values![merchant, after, filter.limit, order_ref])
                    .await?
            }
        };
        rows.into_iter().map(payment).collect()
    }

    /// Payments that are authorizing or unknown and whose lease has ended by a moment,
    /// milliseconds since 1970; those that wait longest first.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn open_payments(
        &self,
        lease_before_ms: i64,
        limit: u32,
    ) -> Result<Vec<Payment>, StoreError> {
        let rows = self.rows(OPEN, values![lease_before_ms, limit]).await?;
        rows.into_iter().map(payment).collect()
    }

    /// Takes over the lease of an open payment; says whether the caller has it. Of several callers
    /// that saw the same lease, one has.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn extend_lease(
        &self,
        payment: PaymentId,
        from_lease_ms: i64,
        to_lease_ms: i64,
    ) -> Result<bool, StoreError> {
        self.change(EXTEND, values![payment, from_lease_ms, to_lease_ms])
            .await
    }

    /// How many payments are in a state. Quick for authorizing and unknown; others are counted one
    /// by one.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn count_in_state(&self, state: PaymentState) -> Result<u64, StoreError> {
        let indexed = matches!(state, PaymentState::Authorizing | PaymentState::Unknown);
        let sql = if indexed { COUNT_OPEN } else { COUNT };
        self.one(sql, values![state.name()]).await?.number()
    }
}
