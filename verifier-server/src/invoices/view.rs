//! Invoices as the merchant sees them, and their events.

use super::hosted::link;
use super::model::{
    CreditNote, CustomerAction, Invoice, InvoiceDue, InvoiceLine, InvoiceReason, InvoiceState,
    LineKind,
};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::webhooks::events::body::NewEvent;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::EventId;
use sealpay_system::unix_seconds;
use serde::Serialize;
use utoipa::ToSchema;

/// An invoice.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InvoiceRecord {
    /// `inv_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `mer_…`.
    pub merchant: String,
    /// `cus_…`.
    pub customer: String,
    /// `sub_…`: the subscription that it is for.
    pub subscription: Option<String>,
    /// The number in the merchant's series, without gaps; null for a draft.
    pub number: Option<String>,
    /// The current state.
    pub state: InvoiceState,
    /// Why it was made.
    pub reason: InvoiceReason,
    /// ISO 4217.
    pub currency: String,
    /// The lines.
    pub lines: Vec<LineRecord>,
    /// The sum of the lines, minor units. It is also the sum of `credit_applied`, `amount_paid`,
    /// `amount_credited` and `amount_due`.
    pub total: i64,
    /// What was taken from the customer's credit, minor units; negative if the total was, and became
    /// credit.
    pub credit_applied: i64,
    /// Paid, minor units.
    pub amount_paid: i64,
    /// Credited by credit notes, minor units.
    pub amount_credited: i64,
    /// What is still to be paid, minor units.
    pub amount_due: i64,
    /// `pay_…`: the latest payment.
    pub payment: Option<String>,
    /// How many payments the merchant has started.
    pub attempts: u32,
    /// When the next one starts, seconds since 1970; null if none is planned.
    pub next_attempt_at: Option<u64>,
    /// Why the latest payment failed: a decline reason or an error code.
    pub failure: Option<String>,
    /// What the customer has to do; null if nothing.
    pub customer_action: Option<CustomerAction>,
    /// The page on which the customer can pay it; null unless it is open.
    pub hosted_url: Option<String>,
    /// When it got its number, seconds since 1970.
    pub finalized_at: Option<u64>,
    /// When it was paid, voided or given up, seconds since 1970.
    pub closed_at: Option<u64>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub updated_at: u64,
}

/// A line of an invoice.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LineRecord {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: LineKind,
    /// The name of the price.
    pub description: String,
    /// `pri_…`.
    pub price: Option<String>,
    /// How many units.
    pub quantity: u32,
    /// Minor units; negative for a credit.
    pub amount: i64,
    /// Whether it is for a part of a period.
    pub prorated: bool,
    /// The start of the time that it pays for, seconds since 1970.
    pub period_start: Option<u64>,
    /// Its end, seconds since 1970.
    pub period_end: Option<u64>,
}

impl LineRecord {
    /// A line as the merchant sees it.
    #[must_use]
    pub fn new(line: &InvoiceLine) -> Self {
        Self {
            kind: line.kind,
            description: line.description.clone(),
            price: line.price.map(|price| price.to_string()),
            quantity: line.quantity,
            amount: line.amount_minor,
            prorated: line.is_prorated,
            period_start: line.period_start_ms.map(unix_seconds),
            period_end: line.period_end_ms.map(unix_seconds),
        }
    }
}

impl InvoiceRecord {
    /// An invoice as its merchant sees it.
    pub(crate) fn new(gateway: &Gateway, invoice: &Invoice) -> Self {
        let hosted_url = link::url(gateway, invoice);
        Self::with_page(invoice, gateway.livemode(), hosted_url)
    }

    fn with_page(invoice: &Invoice, livemode: bool, hosted_url: Option<String>) -> Self {
        let next_attempt = (invoice.due == Some(InvoiceDue::Charge)).then_some(invoice.due_at_ms);
        let collection = &invoice.collection;
        Self {
            id: invoice.id.to_string(),
            livemode,
            merchant: invoice.merchant.to_string(),
            customer: invoice.customer.to_string(),
            subscription: invoice.subscription.map(|id| id.to_string()),
            number: invoice.number.clone(),
            state: invoice.state,
            reason: invoice.reason,
            currency: invoice.total.currency().to_string(),
            lines: invoice.lines.iter().map(LineRecord::new).collect(),
            total: invoice.total.amount_minor(),
            credit_applied: invoice.applied_minor,
            amount_paid: invoice.paid_minor,
            amount_credited: invoice.credited_minor,
            amount_due: invoice.due_minor(),
            payment: collection.payment.map(|id| id.to_string()),
            attempts: collection.tries,
            next_attempt_at: next_attempt.map(unix_seconds),
            failure: collection.failure.clone(),
            customer_action: collection.action,
            hosted_url,
            finalized_at: invoice.finalized_at_ms.map(unix_seconds),
            closed_at: invoice.closed_at_ms.map(unix_seconds),
            created_at: unix_seconds(invoice.created_at_ms),
            updated_at: unix_seconds(invoice.updated_at_ms),
        }
    }
}

/// A credit note.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreditNoteRecord {
    /// `crn_…`.
    pub id: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// `inv_…`: the invoice that it corrects.
    pub invoice: String,
    /// The number in the merchant's series, without gaps.
    pub number: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The part of the amount that became credit of the customer, because it was paid, minor units.
    pub customer_credit: i64,
    /// Why.
    pub reason: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
}

impl CreditNoteRecord {
    /// A credit note as its merchant sees it.
    #[must_use]
    pub fn new(note: &CreditNote, livemode: bool) -> Self {
        Self {
            id: note.id.to_string(),
            livemode,
            invoice: note.invoice.to_string(),
            number: note.number.clone(),
            amount: note.money.amount_minor(),
            currency: note.money.currency().to_string(),
            customer_credit: note.to_balance_minor,
            reason: note.reason.clone(),
            created_at: unix_seconds(note.created_at_ms),
        }
    }
}

/// The data of an invoice's event.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceEventData {
    /// Counts the invoice's changes from 1.
    pub sequence: i64,
    /// The invoice as it was then.
    pub invoice: InvoiceRecord,
}

/// The event of an invoice's latest change.
pub(crate) fn event(
    gateway: &Gateway,
    kind: &'static str,
    invoice: &Invoice,
) -> Result<Event, ApiError> {
    let hosted_url = link::url(gateway, invoice);
    event_with_page(gateway.event_origin(), kind, invoice, hosted_url)
}

/// The same for an invoice that a transaction numbers, whose page is known before.
pub(super) fn event_with_page(
    (id, livemode): (EventId, bool),
    kind: &'static str,
    invoice: &Invoice,
    hosted_url: Option<String>,
) -> Result<Event, ApiError> {
    let data = InvoiceEventData {
        sequence: invoice.sequence,
        invoice: InvoiceRecord::with_page(invoice, livemode, hosted_url),
    };
    NewEvent {
        kind,
        merchant: invoice.merchant,
        subject: invoice.id.to_string(),
        sequence: invoice.sequence,
        at_ms: invoice.updated_at_ms,
        data,
    }
    .with_id(id, livemode)
}
