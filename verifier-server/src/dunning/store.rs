//! The repository of tries of stored cards without their customers.

use super::history::{CardAttempt, CardCredential, CardDecline, PastAttempt};
use crate::idempotency::write::Prepared;
use crate::payments::methods::sepa_debit::model as sepa_debit;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::subscriptions::model::instant;
use sealpay_protocol::card::Brand;
use sealpay_protocol::ids::{InvoiceId, MerchantId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_provider::Initiator;
use sealpay_provider::decline;
use sealpay_storage::{Database, DatabaseError, Entity, Projection, entity, sql, values};

/// A try of a stored card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    /// The payment.
    pub payment: PaymentId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The invoice that it was for, if any.
    pub invoice: Option<InvoiceId>,
    /// Identifies the number.
    pub fingerprint: String,
    /// Its place among the tries of this card; none of a debit of the customer's that was returned.
    pub number: Option<i64>,
    /// Identifies the number with its expiry.
    pub credential: String,
    /// The brand's slug.
    pub brand: String,
    /// The amount.
    pub money: Money,
    /// When it was sent, milliseconds since 1970.
    pub at_ms: i64,
    /// The decline reason; none if it was approved or its outcome is not known yet.
    pub decline: Option<String>,
    /// The merchant advice code.
    pub advice_code: Option<String>,
}

entity! {
    StoredAttempt in "card_attempts" {
        payment,
        merchant,
        invoice,
        fingerprint,
        number,
        credential,
        brand,
        money: (amount_minor, currency),
        at_ms,
        decline,
        advice_code,
    }
}

/// Old approvals count for nothing, but for the number of the last try; an old decline may forbid
/// every later try.
const HISTORY: &str = sql!(
    StoredAttempt::SELECT,
    "WHERE merchant = $1 AND fingerprint = $2 AND (at_ms >= $3 OR decline IS NOT NULL \
     OR number = (SELECT MAX(number) FROM card_attempts WHERE merchant = $1 AND fingerprint = $2)) \
     UNION ",
    StoredAttempt::SELECT,
    "WHERE invoice = $4 ORDER BY at_ms, payment"
);

const DECLINED: &str = "UPDATE card_attempts SET decline = $2, advice_code = $3, at_ms = $4
    WHERE payment = $1";

/// Schemes count the tries of thirty days.
const WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What identifies a card as it is now, by its expiry: the account updater changes the number or the
/// expiry. An account is identified with its mandate.
#[must_use]
pub fn credential_of(fingerprint: &str, version: &str) -> String {
    [fingerprint, "/", version].concat()
}

const LAST_NUMBER: &str = "SELECT MAX(number) FROM card_attempts
    WHERE merchant = $1 AND fingerprint = $2";

/// Changes nothing if the card has had a try of this number.
const NEXT: &str = sql!(
    StoredAttempt::INSERT,
    "ON CONFLICT (merchant, fingerprint, number) DO NOTHING"
);

/// The statement that records the try of this number, in the transaction that claims its payment;
/// none without a stored instrument.
pub(crate) fn next_attempt(
    payment: &Payment,
    number: i64,
) -> Result<Option<Prepared>, DatabaseError> {
    let Some(mut attempt) = StoredAttempt::of_payment(payment) else {
        return Ok(None);
    };
    attempt.number = Some(number);
    Ok(Some((NEXT, attempt.to_row()?.to_vec())))
}

/// The number of a card's next try, by what a decision is based on.
pub(crate) fn next_number(attempts: &[StoredAttempt], fingerprint: &str) -> i64 {
    let of_card = attempts.iter().filter(|one| one.fingerprint == fingerprint);
    after(of_card.filter_map(|attempt| attempt.number).max())
}

/// The number after the last one; tries are counted from 1.
fn after(last: Option<i64>) -> i64 {
    last.unwrap_or(0).saturating_add(1)
}

/// The statement that records a decline, in the transaction of its payment's outcome. A direct debit
/// that the customer made is tried again by the merchant, so it counts from its return on.
pub(crate) fn declined(payment: &Payment) -> Result<Option<Prepared>, DatabaseError> {
    let is_declined = matches!(
        payment.state,
        PaymentState::Declined | PaymentState::Returned
    );
    let Some(attempt) = StoredAttempt::of_payment(payment).filter(|_| is_declined) else {
        return Ok(None);
    };
    match payment.initiator() {
        Initiator::Merchant => {
            let values = values![
                payment.id,
                attempt.decline,
                attempt.advice_code,
                attempt.at_ms
            ];
            Ok(Some((DECLINED, values.to_vec())))
        }
        Initiator::Customer if payment.details.debit().is_some() && payment.invoice.is_some() => {
            Ok(Some((StoredAttempt::INSERT, attempt.to_row()?.to_vec())))
        }
        Initiator::Customer => Ok(None),
    }
}

/// When a try failed, or was made. A direct debit fails days after it was made, and delays count from
/// there.
const fn failed_at_ms(payment: &Payment) -> i64 {
    match payment.details.debit() {
        Some(_) => payment.updated_at_ms,
        None => payment.created_at_ms,
    }
}

impl StoredAttempt {
    /// The attempt that a payment is; none if it has no stored instrument.
    pub(crate) fn of_payment(payment: &Payment) -> Option<Self> {
        let shown = payment.details.shown_instrument()?;
        let card = payment.details.card();
        // Another mandate for the same account is another permission.
        let debit = payment.details.debit();
        let version = debit.map_or(&shown.expiry, |debit| &debit.mandate.reference);
        Some(Self {
            payment: payment.id,
            merchant: payment.merchant,
            invoice: payment.invoice,
            credential: credential_of(&shown.fingerprint, version),
            fingerprint: shown.fingerprint,
            number: None,
            brand: shown.brand,
            money: payment.money,
            at_ms: failed_at_ms(payment),
            decline: payment.failure().map(str::to_owned),
            advice_code: card.and_then(|card| card.codes.advice_code.clone()),
        })
    }

    /// The attempt for a decision. `invoice` is the text of its invoice's id.
    pub(crate) fn past<'a>(&'a self, invoice: &'a str) -> PastAttempt<'a> {
        let reason = self.decline.as_deref().and_then(decline::find);
        PastAttempt {
            attempt: CardAttempt {
                at: instant(self.at_ms),
                credential: CardCredential {
                    reference: &self.credential,
                    fingerprint: &self.fingerprint,
                    brand: brand_of(&self.brand),
                },
                amount: self.money,
                invoice_id: invoice,
            },
            decline: reason
                .and_then(|reason| CardDecline::new(reason, self.advice_code.as_deref())),
        }
    }
}

/// The brand of a slug; none for an account. A card without a known brand has the limits of Visa, the
/// stricter ones for repeated amounts.
#[must_use]
pub fn brand_of(slug: &str) -> Option<Brand> {
    (slug != sepa_debit::BRAND).then(|| Brand::from_slug(slug).unwrap_or(Brand::Visa))
}

/// The repository of tries.
#[derive(Debug, Clone)]
pub struct AttemptStore {
    pub(crate) database: Database,
}

impl AttemptStore {
    /// The number of a card's next try.
    pub(crate) async fn next_number(
        &self,
        (merchant, fingerprint): (MerchantId, &str),
    ) -> Result<i64, DatabaseError> {
        let card = values![merchant, fingerprint.to_owned()];
        let last = self.database.row(LAST_NUMBER, card).await?;
        let last = last.map(|mut row| row.optional_integer()).transpose()?;
        Ok(after(last.flatten()))
    }

    /// What a decision about a card and an invoice is based on, oldest first.
    pub(crate) async fn history(
        &self,
        (merchant, fingerprint): (MerchantId, &str),
        invoice: InvoiceId,
        now_ms: i64,
    ) -> Result<Vec<StoredAttempt>, DatabaseError> {
        let since_ms = now_ms.saturating_sub(WINDOW_MS);
        let wanted = values![merchant, fingerprint.to_owned(), since_ms, invoice];
        self.database.list(HISTORY, wanted).await
    }
}
