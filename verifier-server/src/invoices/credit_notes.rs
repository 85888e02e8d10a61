//! Credit notes: invoices are corrected, never edited.

use super::change::Change;
use super::finalize::{self, NewCreditNote};
use super::model::{CreditNote, InvoiceState};
use super::service;
use super::view::CreditNoteRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::Written;
use crate::store::Store;
use sealpay_protocol::ids::{CreditNoteId, MerchantId};
use sealpay_protocol::limits::DESCRIPTION_CHARACTERS;
use sealpay_protocol::money::Money;
use sealpay_protocol::text;
use serde::Deserialize;
use utoipa::ToSchema;

/// A new credit note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditNoteRequest {
    /// Minor units of the invoice's currency: at most what is due, or was paid.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    pub amount: i64,
    /// Why.
    #[schema(max_length = 140)]
    pub reason: Option<String>,
}

/// Credits a part of an invoice, once for each `Idempotency-Key`: of an open one, what is due becomes
/// less; of a paid one, the amount becomes credit of the customer, for later invoices.
///
/// # Errors
/// An error; nothing was credited. [`ErrorCode::StateConflict`] for a draft, a void invoice, and one
/// whose payment is under way; [`ErrorCode::AmountTooLarge`] above what can be credited.
pub async fn create(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    wanted: CreditNoteRequest,
) -> Result<CreditNote, ApiError> {
    let invoice = service::get(gateway, request.merchant, id).await?;
    if let Some(made) = idempotency::made_before(gateway, request).await? {
        return get(gateway, made).await;
    }
    let money = Money::charge(wanted.amount, invoice.total.currency())
        .map_err(|_| ApiError::for_param(ErrorCode::AmountInvalid, "amount"))?;
    if let Some(reason) = &wanted.reason {
        text::check(reason, DESCRIPTION_CHARACTERS)
            .map_err(|fault| ApiError::invalid("reason", format!("reason {fault}.")))?;
    }
    let mut change = Change::begin(gateway, invoice).await?;
    let is_open = change.invoice.state.is_payable();
    if !is_open && change.invoice.state != InvoiceState::Paid {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    change.invoice.check_no_payment()?;
    let creditable_minor = if is_open {
        change.invoice.due_minor()
    } else {
        let credited = gateway
            .store
            .invoices
            .credited_to_balance(change.invoice.id);
        let settled = change.invoice.paid_minor + change.invoice.applied_minor.max(0);
        settled.saturating_sub(credited.await?)
    };
    if money.amount_minor() > creditable_minor {
        let detail = format!("At most {creditable_minor} minor units can be credited.");
        let error = ApiError::for_param(ErrorCode::AmountTooLarge, "amount");
        return Err(error.explained(detail));
    }
    let note = CreditNote {
        id: CreditNoteId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
        merchant: request.merchant,
        invoice: change.invoice.id,
        number: String::new(),
        money,
        to_balance_minor: if is_open { 0 } else { money.amount_minor() },
        reason: wanted.reason.as_deref().map(text::on_one_line),
        created_at_ms: change.now_ms,
    };
    if is_open {
        change.invoice.credited_minor += money.amount_minor();
        change.publish("invoice.credited")?;
        if change.invoice.due_minor() == 0 {
            change.settle().await?;
        }
    } else {
        let customer = change.invoice.customer;
        let credit = finalize::credit(customer, money.currency(), money.amount_minor());
        change.add_row(credit);
        change.publish("invoice.credited")?;
    }
    let before = change.invoice_before();
    let (after, rows) = change.into_parts()?;
    let (id, invoices) = (note.id, &gateway.store.invoices);
    let written = invoices.credit(NewCreditNote(note), (before, &after), rows, request);
    match written.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => {
            gateway.wake_outbox();
            get(gateway, id).await
        }
        Written::Repeated(replay) => get(gateway, replay.resource()?).await,
        Written::Moved => Err(ApiError::new(ErrorCode::StateConflict)),
    }
}

async fn get(gateway: &Gateway, id: CreditNoteId) -> Result<CreditNote, ApiError> {
    let found = gateway.store.invoices.credit_note(id).await?;
    found.ok_or_else(idempotency::missing)
}

/// The filter of a list of credit notes.
#[derive(Debug, Clone, Copy)]
pub struct CreditNoteFilter {
    /// Older than this one.
    pub after: Option<CreditNoteId>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// The credit notes of an invoice of the merchant, newest first.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's invoice.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    invoice: &str,
    page: CreditNoteFilter,
) -> Result<Page<CreditNoteRecord>, ApiError> {
    let invoice = service::get(gateway, merchant, invoice).await?.id;
    let rows = move |store: Store, page: CreditNoteFilter| async move {
        store
            .invoices
            .credit_notes(invoice, page.after, page.limit)
            .await
    };
    let record = |row| CreditNoteRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, false), page, rows, record).await
}
