//! What the outcome of a payment does to its invoice, in the transaction of the outcome.

use super::change::Change;
use super::finalize;
use super::model::{CustomerAction, Invoice, InvoiceDue, InvoiceState};
use super::store;
use crate::dunning::decide::{self, Next};
use crate::dunning::history::{CardCredential, CardDecline, History, PastAttempt};
use crate::dunning::scheme_limits::SchemeLimits;
use crate::dunning::store::{StoredAttempt, brand_of, credential_of, next_number};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::write::Rows;
use crate::instruments::model::Instrument;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use crate::subscriptions::anchor::zone_of_name;
use crate::subscriptions::model::instant;
use jiff::tz::TimeZone;
use sealpay_protocol::ids::InvoiceId;
use sealpay_provider::decline;

/// The changes that follow from a payment's new state.
///
/// # Errors
/// The store does not respond.
pub(crate) async fn prepare(
    gateway: &Gateway,
    payment: &Payment,
    invoice: InvoiceId,
) -> Result<Rows, ApiError> {
    let mut change = Change::load(gateway, invoice).await?;
    match payment.state {
        PaymentState::Authorized | PaymentState::Captured => paid(&mut change, payment).await?,
        PaymentState::Pending => accepted(&mut change, payment)?,
        PaymentState::Declined | PaymentState::Expired | PaymentState::Voided => {
            declined(gateway, &mut change, payment).await?;
        }
        PaymentState::Returned => returned(gateway, &mut change, payment).await?,
        _ => return Ok(Rows::default()),
    }
    change.into_rows()
}

async fn paid(change: &mut Change<'_>, payment: &Payment) -> Result<(), ApiError> {
    let invoice = &mut change.invoice;
    if invoice.collection.payment == Some(payment.id) {
        invoice.collection.is_pending = false;
    }
    let due_minor = invoice.due_minor();
    let amount_minor = payment.money.amount_minor();
    let counted_minor = if invoice.state.is_payable() {
        amount_minor.min(due_minor)
    } else {
        0
    };
    invoice.paid_minor = invoice.paid_minor.saturating_add(counted_minor);
    let surplus_minor = amount_minor - counted_minor;
    if surplus_minor > 0 {
        // The invoice was voided or paid otherwise while the payment was under way.
        let customer = invoice.customer;
        let credit = finalize::credit(customer, payment.money.currency(), surplus_minor);
        change.add_row(credit);
    }
    if counted_minor == 0 {
        return change.publish("invoice.updated");
    }
    // A mandate's first debit settles days after the subscription began with it, or with another one.
    let is_on_page = payment.session.is_some() && payment.details.debit().is_none();
    match payment.agreement.filter(|_| is_on_page) {
        Some(agreement) => change.settle_by(agreement).await,
        None => change.settle().await,
    }
}

async fn declined(
    gateway: &Gateway,
    change: &mut Change<'_>,
    payment: &Payment,
) -> Result<(), ApiError> {
    let collection = &mut change.invoice.collection;
    if collection.payment != Some(payment.id) {
        return Ok(());
    }
    let debit = payment.details.debit();
    let was_accepted = debit.is_some_and(|debit| debit.reversal.is_some());
    if payment.session.is_some() && !was_accepted {
        // The customer's own try on the page: what was planned before goes on.
        let subscription = change.subscription.as_ref();
        let goes_on = subscription.is_some_and(|subscription| !subscription.state.has_ended());
        change.invoice.resume(change.now_ms, goes_on);
        change.invoice.touch(change.now_ms);
        return Ok(());
    }
    collection.is_pending = false;
    if was_accepted {
        // The horizon counts from now, days after the try.
        collection.first_try_at_ms = Some(change.now_ms);
    }
    let reason = payment.failure().unwrap_or("not_processed");
    collection.failure = Some(reason.to_owned());
    if !change.invoice.state.is_payable() || !change.is_collecting() {
        change.invoice.schedule(None);
        if change.invoice.state == InvoiceState::Open {
            change.invoice.collection.action = Some(CustomerAction::NewInstrument);
        }
        return change.publish("invoice.payment_failed");
    }
    let next = decide_next(gateway, change, payment).await?;
    follow(change, next).await
}

/// The bank will collect, and the money comes days later: the customer has done everything, so the
/// subscription begins.
fn accepted(change: &mut Change<'_>, payment: &Payment) -> Result<(), ApiError> {
    if change.invoice.collection.payment == Some(payment.id) {
        return change.activate();
    }
    Ok(())
}

/// The money of a direct debit was taken back: the invoice is open again, and what follows is what
/// follows a decline.
async fn returned(
    gateway: &Gateway,
    change: &mut Change<'_>,
    payment: &Payment,
) -> Result<(), ApiError> {
    let now_ms = change.now_ms;
    let invoice = &mut change.invoice;
    let returned_minor = payment.money.amount_minor();
    let counted_minor = if invoice.state == InvoiceState::Void {
        0
    } else {
        returned_minor.min(invoice.paid_minor)
    };
    invoice.reopen(counted_minor, now_ms);
    let (customer, currency) = (invoice.customer, payment.money.currency());
    if returned_minor > counted_minor {
        // It had become credit.
        let owed = finalize::credit(customer, currency, counted_minor - returned_minor);
        change.add_row(owed);
    }
    if counted_minor == 0 {
        return change.publish("invoice.updated");
    }
    change.invoice.collection.payment = Some(payment.id);
    take_back_credit(gateway, change, counted_minor).await?;
    change.publish("invoice.reopened")?;
    if change.invoice.due_minor() == 0 {
        // All of it had been credited.
        return change.settle().await;
    }
    declined(gateway, change, payment).await
}

/// What credit notes have given for a paid invoice lowers what is due, now that it is not paid.
async fn take_back_credit(
    gateway: &Gateway,
    change: &mut Change<'_>,
    counted_minor: i64,
) -> Result<(), ApiError> {
    let invoice = &mut change.invoice;
    let given = gateway.store.invoices.credited_to_balance(invoice.id);
    let given_minor = given.await?.min(counted_minor);
    if given_minor == 0 {
        return Ok(());
    }
    invoice.credited_minor = invoice.credited_minor.saturating_add(given_minor);
    let currency = invoice.total.currency();
    let taken = finalize::credit(invoice.customer, currency, -given_minor);
    let counted = store::notes_lower_what_is_due(invoice.id);
    change.add_row(taken);
    change.add_row(counted);
    Ok(())
}

/// Does what the dunning policy and the schemes say after a decline.
pub(super) async fn follow(change: &mut Change<'_>, next: Next) -> Result<(), ApiError> {
    match next {
        Next::RetryAt(at) => {
            let at_ms = at.as_millisecond().max(change.now_ms);
            change.invoice.schedule(Some((InvoiceDue::Charge, at_ms)));
            change.publish("invoice.payment_failed")?;
            change.fall_behind()
        }
        Next::AskUpdater => {
            let next = (InvoiceDue::AskUpdater, change.now_ms);
            change.invoice.schedule(Some(next));
            change.publish("invoice.payment_failed")?;
            change.fall_behind()
        }
        Next::WaitForShopper => change.wait_for(CustomerAction::Authenticate),
        Next::Never => {
            change.invoice.schedule(None);
            change.publish("invoice.payment_failed")?;
            change.wait_for(CustomerAction::NewInstrument)
        }
        // An unknown outcome never gets here: it is queried until it is known.
        Next::Exhausted | Next::AskOutcome => {
            change.invoice.schedule(None);
            change.publish("invoice.payment_failed")?;
            change.fall_behind()?;
            change.give_up().await
        }
    }
}

/// The instrument that a try charges, and what identifies its credential.
pub(super) struct ChargedInstrument {
    pub(super) instrument: Instrument,
    credential: String,
}

impl ChargedInstrument {
    /// The expiry tells a card from an earlier one with the same number, and the mandate one permission
    /// for an account from another.
    pub(super) fn new(instrument: Instrument, mandate: Option<&str>) -> Self {
        let version = mandate.unwrap_or(&instrument.card.expiry);
        Self {
            credential: credential_of(&instrument.card.fingerprint, version),
            instrument,
        }
    }

    /// Reads the one that the next try charges.
    pub(super) async fn load(
        gateway: &Gateway,
        change: &Change<'_>,
    ) -> Result<Option<Self>, ApiError> {
        let agreement = change.subscription.as_ref().and_then(|one| one.agreement);
        let Some(agreement) = agreement else {
            return Ok(None);
        };
        let Some(agreement) = gateway.store.agreements.get(agreement).await? else {
            return Ok(None);
        };
        let instrument = gateway.store.instruments.get(agreement.instrument).await?;
        Ok(instrument.map(|instrument| Self::new(instrument, agreement.mandate_reference())))
    }

    /// The tries that a decision about this card and invoice is based on.
    async fn attempts(
        &self,
        gateway: &Gateway,
        change: &Change<'_>,
    ) -> Result<Vec<StoredAttempt>, ApiError> {
        let invoice = &change.invoice;
        let card = (invoice.merchant, self.instrument.card.fingerprint.as_str());
        let attempts = &gateway.store.attempts;
        Ok(attempts.history(card, invoice.id, change.now_ms).await?)
    }

    fn history<'a>(
        &'a self,
        invoice: &Invoice,
        attempts: &'a [PastAttempt<'a>],
        zone: &'a TimeZone,
    ) -> History<'a> {
        History {
            attempts,
            credential: CardCredential {
                reference: &self.credential,
                fingerprint: &self.instrument.card.fingerprint,
                brand: brand_of(&self.instrument.card.brand),
            },
            credential_since: instant(self.instrument.created_at_ms),
            is_updater_asked: invoice.collection.updated_card.as_ref() == Some(&self.credential),
            zone,
        }
    }
}

/// Decides whether a new try is possible; with the number of the card's next try.
pub(super) async fn decide_first(
    gateway: &Gateway,
    change: &Change<'_>,
    stored: &ChargedInstrument,
) -> Result<(Next, i64), ApiError> {
    let attempts = stored.attempts(gateway, change).await?;
    let number = next_number(&attempts, &stored.instrument.card.fingerprint);
    let own = change.invoice.id.to_string();
    let past = past(&attempts, change.invoice.id, &own);
    // A first try waits for no payday, so the zone does not matter.
    let zone = TimeZone::UTC;
    let history = stored.history(&change.invoice, &past, &zone);
    let limits = SchemeLimits::built_in();
    let (amount, wanted) = (change.invoice.due_money(), instant(change.now_ms));
    let next = decide::decide_first(limits, &history, amount, wanted);
    Ok((next, number))
}

/// Decides what follows a decline.
async fn decide_next(
    gateway: &Gateway,
    change: &Change<'_>,
    payment: &Payment,
) -> Result<Next, ApiError> {
    let Some(stored) = ChargedInstrument::load(gateway, change).await? else {
        return Ok(Next::Never);
    };
    let Some(attempt) = StoredAttempt::of_payment(payment) else {
        return Ok(Next::Never);
    };
    let mut attempts = stored.attempts(gateway, change).await?;
    attempts.retain(|attempt| attempt.payment != payment.id);
    let own = change.invoice.id.to_string();
    let past = past(&attempts, change.invoice.id, &own);
    let zone = zone_of(gateway, change).await?;
    let history = stored.history(&change.invoice, &past, &zone);
    let last = attempt.past(&own);
    // An expired or voided payment has no reason; it is tried again as after a failed system.
    let fallback = || decline::find("system_malfunction");
    let reason = payment.failure().and_then(decline::find);
    let reason = reason.or_else(fallback);
    let decline = last.decline.or_else(|| {
        let reason = reason?;
        CardDecline::new(reason, None)
    });
    let Some(decline) = decline else {
        return Err(ApiError::because(
            ErrorCode::Internal,
            "a decline without a reason",
        ));
    };
    Ok(decide::decide(
        change.policy(),
        SchemeLimits::built_in(),
        &history,
        &last.attempt,
        &decline,
    ))
}

/// The tries for a decision about an invoice, whose id is `own`.
fn past<'a>(
    attempts: &'a [StoredAttempt],
    invoice: InvoiceId,
    own: &'a str,
) -> Vec<PastAttempt<'a>> {
    let attempts = attempts.iter();
    let past = attempts.map(|attempt| {
        let is_own = attempt.invoice == Some(invoice);
        attempt.past(if is_own { own } else { "" })
    });
    past.collect()
}

async fn zone_of(gateway: &Gateway, change: &Change<'_>) -> Result<TimeZone, ApiError> {
    let invoice = &change.invoice;
    let customers = &gateway.store.customers;
    let customer = customers
        .get_owned(invoice.merchant, invoice.customer)
        .await?;
    let zone = customer.and_then(|customer| zone_of_name(&customer.time_zone));
    Ok(zone.unwrap_or(TimeZone::UTC))
}
