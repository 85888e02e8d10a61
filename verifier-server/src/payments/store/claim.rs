//! The first transaction of a payment: an attempt claims its session, exactly once, before a
//! provider is asked for money.

use crate::auth::nonces;
use crate::auth::nonces::Nonce;
use crate::dunning::store as card_attempts;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::{IdempotentWrite, Prepared, Rows, Written};
use crate::invoices::hosted::claim::{self as invoice, InvoiceClaim, InvoiceRefusal};
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::payments::store;
use crate::payments::store::PaymentStore;
use crate::sessions;
use sealpay_storage::{DatabaseError, Fault, Tx, Value, values};

/// The result of a claim, in order of precedence. The nonce is consumed unless it was replayed.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is looked at once, where it is returned"
)]
pub enum Claim {
    /// The signature was used before. Nothing else was checked.
    NonceReplayed,
    /// The same attempt with the same bytes already has a payment.
    Existing(Payment),
    /// The same attempt was made with other bytes.
    Conflict,
    /// The session does not exist.
    SessionUnknown,
    /// Another attempt of the session has no outcome yet.
    AttemptInProgress,
    /// The session is paid.
    SessionComplete,
    /// The session has no attempts left.
    TooManyAttempts,
    /// The invoice that it is to pay cannot be paid.
    InvoiceRefused(InvoiceRefusal),
    /// The attempt is claimed; the caller may ask the provider.
    Claimed,
}

/// Decides every race between attempts of one session.
const LOCK: &str = "UPDATE sessions SET active_attempt = $2, attempts = attempts + 1
    WHERE id = $1 AND active_attempt IS NULL AND attempts < $3";

/// Decides every race between a payment and the end of its agreement: both lock the agreement.
const AGREED: &str = "UPDATE agreements SET updated_at_ms = updated_at_ms
    WHERE id = $1 AND state = 'active'";

const RELEASE: &str = "UPDATE sessions SET active_attempt = NULL, attempts = attempts - 1
    WHERE id = $1 AND active_attempt = $2";

/// A try of an invoice, as it was decided.
#[derive(Debug)]
pub(crate) struct InvoiceTry {
    /// Records it on the invoice; changes nothing if the invoice has changed.
    pub(crate) of_invoice: Prepared,
    /// The number of the try of the card.
    pub(crate) number: i64,
}

/// A payment that the merchant makes, as the try of this number of its card. Whether the card has had
/// that try decides first, because nothing has been written then.
fn new_try(
    payment: &Payment,
    number: i64,
    of_invoice: Option<Prepared>,
) -> Result<IdempotentWrite, DatabaseError> {
    let agreed = (AGREED, values![payment.agreement].to_vec());
    let attempt = card_attempts::next_attempt(payment, number)?;
    let (first, second) = match attempt {
        Some(attempt) => (attempt, Some(agreed)),
        None => (agreed, None),
    };
    let mut rows = Rows::default();
    rows.guarded.extend(second.into_iter().chain(of_invoice));
    rows.others.push((store::INSERT, store::new_row(payment)?));
    IdempotentWrite::guarded(first).with_rows(rows)
}

/// The statements of a claim, prepared by the caller to keep the single writer fast.
struct NewClaim {
    payment: Payment,
    nonce: [Value; 3],
    lock: [Value; 3],
    row: Vec<Value>,
    attempts_per_session: u32,
}

async fn claim(tx: &mut Tx<'_>, new: &NewClaim) -> Result<Claim, Fault> {
    // The invoice before the session, as in the outcome transaction; another order could deadlock.
    let release = match new.payment.invoice {
        None => None,
        Some(id) => match invoice::claim(tx, id, &new.payment).await? {
            InvoiceClaim::Claimed(release) => Some(release),
            InvoiceClaim::Refused(refusal) => return refused(tx, new, refusal).await,
        },
    };
    let claimed = claim_session(tx, new).await?;
    if let Some((sql, values)) = release.filter(|_| claimed != Claim::Claimed) {
        tx.execute(sql, &values).await?;
    }
    Ok(claimed)
}

/// The invoice cannot be paid; another reason may come before that.
async fn refused(tx: &mut Tx<'_>, new: &NewClaim, refusal: InvoiceRefusal) -> Result<Claim, Fault> {
    if tx.execute(nonces::CONSUME, &new.nonce).await? == 0 {
        return Ok(Claim::NonceReplayed);
    }
    let session = new.payment.session.ok_or_else(no_session)?;
    if store::of_attempt(tx, session, new.payment.attempt)
        .await?
        .is_some()
    {
        return came_before(tx, &new.payment).await;
    }
    let found = sessions::store::with_active(tx, session).await?;
    let Some((session, _)) = found else {
        return Ok(Claim::SessionUnknown);
    };
    if session.active_attempt.is_some() || session.attempts >= new.attempts_per_session {
        return held_by(tx, new).await;
    }
    Ok(Claim::InvoiceRefused(refusal))
}

async fn claim_session(tx: &mut Tx<'_>, new: &NewClaim) -> Result<Claim, Fault> {
    // All three statements are sent at once, and undone if the claim fails. That is rare, and saves
    // a round trip for each payment. The payment is written before the session, as in the outcome
    // transaction; another order could deadlock.
    let changed = tx
        .execute_together(&[
            (nonces::CONSUME, &new.nonce),
            (store::INSERT, &new.row),
            (LOCK, &new.lock),
        ])
        .await?;
    let [fresh, inserted, locked] = changed[..] else {
        return Err(DatabaseError::Corrupt("three statements have three counts".into()).into());
    };
    if (fresh, inserted, locked) == (1, 1, 1) {
        return Ok(Claim::Claimed);
    }
    let payment = &new.payment;
    if locked == 1 {
        tx.execute(RELEASE, &values![payment.session, payment.attempt])
            .await?;
    }
    if inserted == 1 {
        tx.execute(store::DELETE, &values![payment.id]).await?;
    }
    if fresh == 0 {
        return Ok(Claim::NonceReplayed);
    }
    if inserted == 0 {
        return came_before(tx, payment).await;
    }
    held_by(tx, new).await
}

fn no_session() -> DatabaseError {
    DatabaseError::Corrupt("a payment without a session claims none".into())
}

/// The attempt already has a payment.
async fn came_before(tx: &mut Tx<'_>, wanted: &Payment) -> Result<Claim, Fault> {
    let session = wanted.session.ok_or_else(no_session)?;
    match store::of_attempt(tx, session, wanted.attempt).await? {
        Some(stored) if stored.body_digest == wanted.body_digest => Ok(Claim::Existing(stored)),
        Some(_) => Ok(Claim::Conflict),
        None => Err(Fault::Retry("a payment was there and is gone".into())),
    }
}

/// The attempt is new but did not get the session: finds out why.
async fn held_by(tx: &mut Tx<'_>, new: &NewClaim) -> Result<Claim, Fault> {
    let id = new.payment.session.ok_or_else(no_session)?;
    let Some((session, active)) = sessions::store::with_active(tx, id).await? else {
        return Ok(Claim::SessionUnknown);
    };
    match (session.active_attempt, active) {
        (Some(_), Some(payment)) if payment.state.is_open() => Ok(Claim::AttemptInProgress),
        // Postgres reads the two rows one after the other: the decline happened in between.
        (Some(_), Some(payment))
            if matches!(
                payment.state,
                PaymentState::Declined | PaymentState::Expired
            ) =>
        {
            Err(Fault::Retry("a session was let go in between".into()))
        }
        (Some(_), _) => Ok(Claim::SessionComplete),
        (None, _) if session.attempts >= new.attempts_per_session => Ok(Claim::TooManyAttempts),
        (None, _) => Err(Fault::Retry("a session was let go in between".into())),
    }
}

impl PaymentStore {
    /// Consumes the nonce and claims an attempt: inserts the payment and assigns it the session.
    /// Only a caller that gets [`Claim::Claimed`] may ask the provider.
    ///
    /// # Errors
    /// The database failed; nothing was claimed, unless the outcome is unknown.
    pub async fn claim(
        &self,
        payment: &Payment,
        nonce: &Nonce,
        attempts_per_session: u32,
    ) -> Result<Claim, DatabaseError> {
        let new = NewClaim {
            nonce: nonce.values()?,
            lock: values![payment.session, payment.attempt, attempts_per_session],
            row: store::new_row(payment)?,
            payment: payment.clone(),
            attempts_per_session,
        };
        self.database
            .write(new, |tx, new| Box::pin(claim(tx, new)))
            .await
    }

    /// Claims a payment that the merchant makes by an agreement, as the try of this number of its card;
    /// [`Written::Moved`] if the agreement is not active, or the card has had that try. Only a caller
    /// that gets [`Written::Done`] may ask the provider.
    ///
    /// # Errors
    /// The database failed; nothing was claimed, unless the outcome is unknown.
    pub async fn claim_by_agreement(
        &self,
        payment: &Payment,
        number: i64,
        request: &IdempotentRequest,
    ) -> Result<Written, DatabaseError> {
        new_try(payment, number, None)?
            .answering(Some(request), payment.id, payment.created_at_ms)
            .run(&self.database)
            .await
    }

    /// The same for an invoice; also [`Written::Moved`] if the invoice has changed since the try was
    /// decided.
    ///
    /// # Errors
    /// The database failed; nothing was claimed, unless the outcome is unknown.
    pub(crate) async fn claim_for_invoice(
        &self,
        payment: &Payment,
        decided: InvoiceTry,
    ) -> Result<Written, DatabaseError> {
        let InvoiceTry { of_invoice, number } = decided;
        new_try(payment, number, Some(of_invoice))?
            .run(&self.database)
            .await
    }
}
