//! Issues invoices: the number, and the customer's credit, are taken in the transaction that writes
//! the invoice, so that numbers have no gaps and credit is used once.

use super::model::{CreditNote, CustomerAction, Invoice, InvoiceDue, InvoiceState};
use super::update::update;
use crate::idempotency::write::{Prepared, Rows, WriteStep};
use crate::webhooks::events::insert::EventInsert;
use crate::webhooks::events::model::Event;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{CustomerId, MerchantId};
use sealpay_storage::{DatabaseError, Entity, Fault, Statement, Tx, values};
use std::pin::Pin;

/// The series of invoices.
const INVOICES: &str = "INV";
/// The series of credit notes.
const CREDIT_NOTES: &str = "CRN";

/// Takes the next number, which is one less than the one that it leaves.
const NEXT_NUMBER: &str = "INSERT INTO number_series (merchant, series, next_number)
    VALUES ($1, $2, 2)
    ON CONFLICT (merchant, series) DO UPDATE SET next_number = number_series.next_number + 1
    RETURNING next_number";

const CREDIT: &str = "SELECT amount_minor FROM customer_credits
    WHERE customer = $1 AND currency = $2";

/// Fails if another transaction has changed the credit since it was read.
const USE_CREDIT: &str = "UPDATE customer_credits SET amount_minor = $3
    WHERE customer = $1 AND currency = $2 AND amount_minor = $4";

const ADD_CREDIT: &str = "INSERT INTO customer_credits (customer, currency, amount_minor)
    VALUES ($1, $2, $3)
    ON CONFLICT (customer, currency)
    DO UPDATE SET amount_minor = customer_credits.amount_minor + excluded.amount_minor";

/// Takes the next number of a series: `INV-000001`.
async fn next_number(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    series: &'static str,
) -> Result<String, Fault> {
    let next: i64 = tx.scalar(NEXT_NUMBER, &values![merchant, series]).await?;
    Ok(format!("{series}-{:06}", next - 1))
}

/// The statement that gives a customer credit.
pub(crate) fn credit(customer: CustomerId, currency: Currency, amount_minor: i64) -> Prepared {
    (
        ADD_CREDIT,
        values![customer, currency, amount_minor].to_vec(),
    )
}

/// Applies a customer's credit to what is due; a negative total becomes credit.
async fn apply_credit(tx: &mut Tx<'_>, invoice: &mut Invoice) -> Result<(), Fault> {
    let (customer, currency) = (invoice.customer, invoice.total.currency());
    let total_minor = invoice.total.amount_minor();
    if total_minor < 0 {
        let (sql, values) = credit(customer, currency, -total_minor);
        tx.execute(sql, &values).await?;
        invoice.applied_minor = total_minor;
        return Ok(());
    }
    let credit: Option<(i64,)> = tx.get(CREDIT, &values![customer, currency]).await?;
    let credit_minor = credit.map_or(0, |(credit_minor,)| credit_minor);
    let due_minor = if invoice.collection.is_pending {
        // The payment that is under way pays all of it.
        0
    } else {
        invoice.due_minor().max(0)
    };
    let applied_minor = credit_minor.clamp(0, due_minor);
    if applied_minor > 0 {
        let left_minor = credit_minor - applied_minor;
        let wanted = values![customer, currency, left_minor, credit_minor];
        if tx.execute(USE_CREDIT, &wanted).await? == 0 {
            return Err(Fault::Retry("the credit was used in between".into()));
        }
        invoice.applied_minor = applied_minor;
    }
    Ok(())
}

/// Composes the first or second event of an invoice that a transaction has numbered.
pub(crate) type ComposeEvent =
    Box<dyn Fn(usize, &'static str, &Invoice) -> Result<Event, DatabaseError> + Send + Sync>;

/// An invoice that a transaction issues.
pub(crate) struct Issue {
    /// A draft stays one.
    pub(crate) invoice: Invoice,
    is_new: bool,
    compose: ComposeEvent,
    /// What follows if nothing is due, because the customer's credit covers it.
    if_paid: Rows,
}

impl Issue {
    /// A new invoice, to be issued in a transaction unless it is a draft.
    pub(crate) fn new(invoice: Invoice, compose: ComposeEvent) -> Self {
        Self {
            invoice,
            is_new: true,
            compose,
            if_paid: Rows::default(),
        }
    }

    /// The same for a stored draft.
    pub(crate) fn stored(mut self) -> Self {
        self.is_new = false;
        self
    }

    /// Adds what follows if nothing is due, because the customer's credit covers it.
    pub(crate) fn if_paid(mut self, rows: Rows) -> Self {
        self.if_paid = rows;
        self
    }

    /// Writes the invoice and its events; returns it as written.
    pub(crate) async fn write(&self, tx: &mut Tx<'_>) -> Result<Invoice, Fault> {
        let mut invoice = self.invoice.clone();
        let mut published = Vec::new();
        if invoice.state == InvoiceState::Draft {
            published.push(("invoice.created", invoice.clone()));
        } else {
            let number = next_number(tx, invoice.merchant, INVOICES).await?;
            invoice.number = Some(number);
            invoice.finalized_at_ms = Some(invoice.updated_at_ms);
            apply_credit(tx, &mut invoice).await?;
            if invoice.due_minor() <= 0 {
                published.push(("invoice.finalized", invoice.clone()));
                let at_ms = invoice.updated_at_ms;
                invoice.touch(at_ms);
                invoice.close(InvoiceState::Paid, at_ms);
                published.push(("invoice.paid", invoice.clone()));
            } else {
                published.push(("invoice.finalized", invoice.clone()));
                if invoice.collection.action.is_some() {
                    let at_ms = invoice.updated_at_ms;
                    invoice.touch(at_ms);
                    published.push(("invoice.action_required", invoice.clone()));
                }
            }
        }
        let row = invoice.to_row().map_err(Fault::from)?;
        if self.is_new {
            tx.execute(Invoice::INSERT, row.as_ref()).await?;
        } else {
            let (sql, values) = update(self.invoice.sequence - 1, &invoice)?;
            if tx.execute(sql, &values).await? == 0 {
                return Err(Fault::Retry("the draft has changed in between".into()));
            }
        }
        let events = published
            .iter()
            .enumerate()
            .map(|(place, (kind, invoice))| {
                EventInsert::new(&(self.compose)(place, kind, invoice)?)
            });
        let mut events: Vec<_> = events.collect::<Result<_, _>>()?;
        let mut statements: Vec<Statement<'_>> = Vec::new();
        if invoice.state == InvoiceState::Paid {
            let following = self.if_paid.events.iter().map(EventInsert::new);
            events.extend(following.collect::<Result<Vec<_>, _>>()?);
            let others = self.if_paid.others.iter();
            statements.extend(others.map(|(sql, values)| (*sql, &values[..])));
        }
        statements.extend(events.iter().flat_map(EventInsert::statements));
        tx.execute_together(&statements).await?;
        Ok(invoice)
    }
}

impl WriteStep for Issue {
    fn run<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>> {
        Box::pin(async move { self.write(tx).await.map(|_| ()) })
    }
}

/// A credit note that a transaction writes, with the next number.
#[derive(Debug)]
pub(crate) struct NewCreditNote(pub(crate) CreditNote);

impl WriteStep for NewCreditNote {
    fn run<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>> {
        Box::pin(async move {
            let number = next_number(tx, self.0.merchant, CREDIT_NOTES).await?;
            let note = CreditNote {
                number,
                ..self.0.clone()
            };
            let row = note.to_row()?;
            tx.execute(CreditNote::INSERT, row.as_ref()).await?;
            Ok(())
        })
    }
}

/// Leaves the first payment of an invoice to the customer, who pays it on its page.
pub(crate) fn leave_to_customer(invoice: &mut Invoice) {
    invoice.collection.action = Some(CustomerAction::FirstPayment);
    invoice.schedule(None);
}

/// When the first payment of an invoice is due.
pub(crate) fn charge_at(invoice: &mut Invoice, at_ms: i64) {
    invoice.collection.is_automatic = true;
    invoice.schedule(Some((InvoiceDue::Charge, at_ms)));
}
