//! Charges invoices by their subscription's agreement, when they are due.
//!
//! The steps are those of every payment: claim (transaction 1: the try, on the invoice, and its
//! payment) → ask the acquirer, with no transaction open → record (transaction 2: the outcome with
//! what it does to invoice and subscription). After a crash, the payment is reconciled like any other.

use super::change::Change;
use super::model::{CustomerAction, Invoice, InvoiceDue, InvoiceState};
use super::settle::{self, ChargedInstrument};
use super::store;
use crate::dunning::decide::Next;
use crate::dunning::store::credential_of;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::write::Written;
use crate::instruments::updater;
use crate::payments::merchant_initiated::{self, Agreed, InvoicePayment};
use crate::payments::model::Payment;
use crate::payments::store::claim::InvoiceTry;
use crate::subscriptions::simulated_renewal::SimulatedRenewal;
use crate::worker::{self, Lease};
use futures_util::{StreamExt, stream};
use sealpay_protocol::ids::InvoiceId;
use std::collections::BTreeMap;

/// Maximum number of invoices in one batch.
const BATCH: u32 = 128;
/// Maximum number of concurrent charges: shoppers use the same database and the same acquirer.
const AT_ONCE: usize = 16;

/// Does what is due for one batch of invoices; returns how many were done.
///
/// # Errors
/// The store does not respond.
pub async fn collect(gateway: &Gateway) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let until_ms = Lease::within(gateway.settings.provider_timeout).until_ms(now_ms);
    let due = gateway.store.invoices.claim_due(now_ms, until_ms, BATCH);
    let working = stream::iter(in_order(due.await?)).map(async |invoices: Vec<Invoice>| {
        let mut done = 0;
        for invoice in invoices {
            let id = invoice.id;
            match work(gateway, invoice).await {
                Ok(()) => done += 1,
                Err(error) => worker::retries("the collection of an invoice", &id, &error),
            }
        }
        done
    });
    let done = working.buffer_unordered(AT_ONCE);
    Ok(done.fold(0, async |sum, one| sum + one).await)
}

/// Those of one customer one after the other, so that they do not compete for the next try of a card;
/// and what ends a subscription first, so that nothing is charged for a period that is not to be.
fn in_order(due: Vec<Invoice>) -> Vec<Vec<Invoice>> {
    let mut of_customers: BTreeMap<_, Vec<Invoice>> = BTreeMap::new();
    for invoice in due {
        of_customers
            .entry(invoice.customer)
            .or_default()
            .push(invoice);
    }
    let mut groups: Vec<_> = of_customers.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|invoice| (invoice.due != Some(InvoiceDue::GiveUp), invoice.id));
    }
    groups
}

async fn work(gateway: &Gateway, invoice: Invoice) -> Result<(), ApiError> {
    let due = invoice.due;
    let mut change = Change::begin(gateway, invoice).await?;
    match due {
        Some(InvoiceDue::Charge) => return charge(gateway, change).await,
        Some(InvoiceDue::AskUpdater) => ask_updater(gateway, &mut change).await?,
        Some(InvoiceDue::GiveUp) => {
            change.invoice.collection.action = None;
            change.give_up().await?;
        }
        None => return Ok(()),
    }
    write(gateway, change).await
}

/// Writes a change that no payment belongs to. Another server, or a merchant, may have been first.
async fn write(gateway: &Gateway, change: Change<'_>) -> Result<(), ApiError> {
    let (before, leased) = (change.invoice_before(), change.leased());
    let (invoice, rows) = change.into_parts()?;
    let invoices = &gateway.store.invoices;
    if invoices.change(before, &invoice, rows, None).await? == Written::Done {
        gateway.wake_outbox();
        return Ok(());
    }
    give_back(gateway, leased).await
}

/// What is still due, is so at once.
async fn give_back(gateway: &Gateway, leased: (InvoiceId, i64)) -> Result<(), ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    gateway.store.invoices.release(leased, now_ms).await?;
    Ok(())
}

/// Whether a payment of what is due could be started now.
///
/// # Errors
/// [`ErrorCode::CardBlocked`], or the error of the agreement or its instrument.
pub(super) async fn check(gateway: &Gateway, change: &Change<'_>) -> Result<(), ApiError> {
    let (_, agreed) = prepare(gateway, change).await?.map_err(ApiError::new)?;
    match settle::decide_first(gateway, change, &charged_by(&agreed))
        .await?
        .0
    {
        Next::RetryAt(at) if at.as_millisecond() <= change.now_ms => Ok(()),
        _ => Err(ApiError::new(ErrorCode::CardBlocked)),
    }
}

/// Charges one invoice that is due, without waiting for its turn. The request that asks for it has been
/// written already, so a failure is not its error: what is due stays so, and the worker does it.
pub(crate) async fn charge_now(gateway: &Gateway, id: InvoiceId) {
    if let Err(error) = try_now(gateway, id).await {
        worker::retries("a charge", &id, &error);
    }
}

async fn try_now(gateway: &Gateway, id: InvoiceId) -> Result<(), ApiError> {
    // Again if the card was tried for another invoice meanwhile; in the end, the worker does it.
    for _ in 0..AT_ONCE {
        let change = Change::load(gateway, id).await?;
        let invoice = &change.invoice;
        if invoice.due != Some(InvoiceDue::Charge) || invoice.due_at_ms > change.now_ms {
            break;
        }
        charge(gateway, change).await?;
    }
    Ok(())
}

/// Starts a payment of what is due, if agreement, card and schemes permit it; otherwise plans what
/// follows.
async fn charge(gateway: &Gateway, mut change: Change<'_>) -> Result<(), ApiError> {
    if change.invoice.state != InvoiceState::Open || change.invoice.collection.is_pending {
        return Ok(());
    }
    let blocked = match prepare(gateway, &change).await? {
        Err(code) => code,
        Ok((payment, agreed)) => {
            let stored = charged_by(&agreed);
            let (next, number) = settle::decide_first(gateway, &change, &stored).await?;
            match next {
                Next::RetryAt(at) if at.as_millisecond() <= change.now_ms => {
                    return start(gateway, change, payment, (agreed, number)).await;
                }
                // The scheme's limits forbid it for now.
                Next::RetryAt(at) => {
                    let next = (InvoiceDue::Charge, at.as_millisecond());
                    change.invoice.schedule(Some(next));
                    change.publish("invoice.updated")?;
                    return write(gateway, change).await;
                }
                Next::AskUpdater => {
                    ask_updater(gateway, &mut change).await?;
                    return write(gateway, change).await;
                }
                _ => ErrorCode::CardBlocked,
            }
        }
    };
    let collection = &mut change.invoice.collection;
    collection.failure = Some(blocked.name().to_owned());
    collection.first_try_at_ms.get_or_insert(change.now_ms);
    change.invoice.schedule(None);
    change.publish("invoice.payment_failed")?;
    change.wait_for(CustomerAction::NewInstrument)?;
    write(gateway, change).await
}

fn charged_by(agreed: &Agreed) -> ChargedInstrument {
    let parts = agreed.parts();
    let mandate = parts.agreement.mandate_reference();
    ChargedInstrument::new(parts.instrument.clone(), mandate)
}

/// The payment, or why the agreement does not permit it.
async fn prepare(
    gateway: &Gateway,
    change: &Change<'_>,
) -> Result<Result<(Payment, Agreed), ErrorCode>, ApiError> {
    let invoice = &change.invoice;
    let subscription = change.subscription.as_ref();
    let Some(agreement) = subscription.and_then(|one| one.agreement) else {
        return Ok(Err(ErrorCode::AgreementInactive));
    };
    let simulate = simulated(gateway, change).await?;
    let wanted = InvoicePayment {
        invoice: invoice.id,
        merchant: invoice.merchant,
        money: invoice.due_money(),
        order_ref: invoice.number.clone().unwrap_or_default(),
        simulate: simulate.map(|simulate| simulate.outcome),
    };
    match merchant_initiated::prepare_for_invoice(gateway, agreement, wanted).await {
        Ok((agreed, payment)) => Ok(Ok((payment, agreed))),
        Err(error) if error.is_about_the_agreement() => Ok(Err(error.code)),
        Err(error) => Err(error),
    }
}

/// What a tester wants of the renewals of a customer, or of a price.
async fn simulated(
    gateway: &Gateway,
    change: &Change<'_>,
) -> Result<Option<SimulatedRenewal>, ApiError> {
    if !gateway.settings.test_mode {
        return Ok(None);
    }
    let (merchant, customer) = (change.invoice.merchant, change.invoice.customer);
    let customer = gateway
        .store
        .customers
        .get_owned(merchant, customer)
        .await?;
    let of_customer = customer.and_then(|customer| customer.simulate);
    let of_price = change.subscription.as_ref();
    let of_price = of_price.and_then(|one| one.plan.simulate.clone());
    let invoice = &change.invoice;
    let mut wanted = [of_customer, of_price].into_iter().flatten();
    Ok(wanted.find(|simulate| {
        let payments = u32::from(simulate.payments.unwrap_or(u16::MAX));
        invoice.period_number == Some(i64::from(simulate.invoice))
            && invoice.collection.tries < payments
    }))
}

async fn start(
    gateway: &Gateway,
    mut change: Change<'_>,
    payment: Payment,
    (agreed, number): (Agreed, i64),
) -> Result<(), ApiError> {
    let (before, leased) = (change.invoice_before(), change.leased());
    let invoice = &mut change.invoice;
    let collection = &mut invoice.collection;
    collection.payment = Some(payment.id);
    collection.is_pending = true;
    collection.tries = collection.tries.saturating_add(1);
    collection.action = None;
    collection.first_try_at_ms.get_or_insert(change.now_ms);
    invoice.schedule(None);
    invoice.touch(change.now_ms);
    let of_invoice = store::update(before, invoice)?;
    let decided = InvoiceTry { of_invoice, number };
    let charged = merchant_initiated::charge_invoice(gateway, &agreed, payment, decided);
    if charged.await? != Written::Done {
        give_back(gateway, leased).await?;
    }
    Ok(())
}

/// Asks the scheme whether the issuer has new data of the card.
async fn ask_updater(gateway: &Gateway, change: &mut Change<'_>) -> Result<(), ApiError> {
    let Some(ChargedInstrument { instrument, .. }) =
        ChargedInstrument::load(gateway, change).await?
    else {
        return change.wait_for(CustomerAction::NewInstrument);
    };
    let vault = gateway.providers.acquirer(&instrument.provider);
    let vault = vault.and_then(|acquirer| acquirer.credentials());
    let before = credential_of(&instrument.card.fingerprint, &instrument.card.expiry);
    let after = match vault {
        Some(vault) => {
            let status = gateway.within(vault.status(&instrument.credential)).await?;
            updater::apply(gateway, instrument, &status).await?
        }
        None => instrument,
    };
    let now = credential_of(&after.card.fingerprint, &after.card.expiry);
    change.invoice.collection.updated_card = Some(now.clone());
    if now != before && after.state.is_chargeable() {
        let next = (InvoiceDue::Charge, change.now_ms);
        change.invoice.schedule(Some(next));
        return change.publish("invoice.updated");
    }
    change.wait_for(CustomerAction::NewInstrument)
}
