//! Finds invoices, and changes them at the merchant's request.

use super::change::{Change, issue};
use super::collect;
use super::finalize;
use super::model::{Invoice, InvoiceDue, InvoiceState};
pub use super::store::InvoiceFilter;
use super::view::InvoiceRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::Written;
use crate::store::Store;
use sealpay_protocol::ids::{InvoiceId, MerchantId};

/// The merchant's invoices, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: InvoiceFilter,
) -> Result<Page<InvoiceRecord>, ApiError> {
    let scans =
        filter.customer.is_some() || filter.subscription.is_some() || filter.state.is_some();
    let rows =
        move |store: Store, filter| async move { store.invoices.list(merchant, &filter).await };
    let record = |row| InvoiceRecord::new(gateway, &row);
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

/// An invoice of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's invoice.
pub async fn get(gateway: &Gateway, merchant: MerchantId, id: &str) -> Result<Invoice, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    get_owned(gateway, merchant, id).await
}

async fn get_owned(
    gateway: &Gateway,
    merchant: MerchantId,
    id: InvoiceId,
) -> Result<Invoice, ApiError> {
    let found = gateway.store.invoices.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// What a merchant does to an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceRequest {
    /// It was issued by mistake.
    Void,
    /// It will probably not be paid.
    MarkUncollectible,
}

/// Closes an invoice, once for each `Idempotency-Key`.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] if the state does not permit it,
/// [`ErrorCode::InvoicePaymentInProgress`].
pub async fn close(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    wanted: InvoiceRequest,
) -> Result<Invoice, ApiError> {
    let invoice = get(gateway, request.merchant, id).await?;
    if let Some(made) = idempotency::made_before(gateway, request).await? {
        return get_owned(gateway, request.merchant, made).await;
    }
    let mut change = Change::begin(gateway, invoice).await?;
    let state = match wanted {
        InvoiceRequest::Void => InvoiceState::Void,
        InvoiceRequest::MarkUncollectible => InvoiceState::Uncollectible,
    };
    // What was paid would be lost with a void invoice.
    let loses = wanted == InvoiceRequest::Void && change.invoice.paid_minor != 0;
    if !change.invoice.state.may_become(state) || loses {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    change.invoice.check_no_payment()?;
    match wanted {
        InvoiceRequest::Void => {
            change.void();
            change.publish("invoice.voided")?;
        }
        InvoiceRequest::MarkUncollectible => {
            change.invoice.close(state, change.now_ms);
            change.publish("invoice.uncollectible")?;
        }
    }
    finish(gateway, request, change).await
}

impl Invoice {
    /// Whether no payment is under way.
    ///
    /// # Errors
    /// [`ErrorCode::InvoicePaymentInProgress`].
    pub(super) fn check_no_payment(&self) -> Result<(), ApiError> {
        if self.collection.is_pending {
            return Err(ApiError::new(ErrorCode::InvoicePaymentInProgress));
        }
        Ok(())
    }
}

async fn finish(
    gateway: &Gateway,
    request: &IdempotentRequest,
    change: Change<'_>,
) -> Result<Invoice, ApiError> {
    let before = change.invoice_before();
    let (invoice, rows) = change.into_parts()?;
    let invoices = &gateway.store.invoices;
    let written = invoices.change(before, &invoice, rows, Some(request));
    match written.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => {
            gateway.wake_outbox();
            Ok(invoice)
        }
        Written::Repeated(replay) => get_owned(gateway, request.merchant, replay.resource()?).await,
        Written::Moved => Err(ApiError::new(ErrorCode::StateConflict)),
    }
}

/// Issues a draft, once for each `Idempotency-Key`, and charges it.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] if it is no draft.
pub async fn finalize(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Invoice, ApiError> {
    let mut draft = get(gateway, request.merchant, id).await?;
    if let Some(made) = idempotency::made_before(gateway, request).await? {
        return get_owned(gateway, request.merchant, made).await;
    }
    if draft.state != InvoiceState::Draft {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    let (id, now_ms) = (draft.id, gateway.clock.now_ms_i64());
    draft.state = InvoiceState::Open;
    draft.touch(now_ms);
    finalize::charge_at(&mut draft, now_ms);
    let draft = issue(gateway, draft).stored();
    let written = gateway.store.invoices.issue_draft(draft, request);
    match written.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => {
            gateway.wake_outbox();
            get_owned(gateway, request.merchant, id).await
        }
        Written::Repeated(replay) => get_owned(gateway, request.merchant, replay.resource()?).await,
        Written::Moved => Err(ApiError::new(ErrorCode::StateConflict)),
    }
}

/// Schedules a try to charge an open invoice now, once for each `Idempotency-Key`, and makes it: the
/// schemes' limits hold, and the dunning policy does not. A decline is not an error.
///
/// # Errors
/// An error; nothing was charged. [`ErrorCode::StateConflict`] if it is not open,
/// [`ErrorCode::InvoicePaymentInProgress`], [`ErrorCode::CardBlocked`] if the scheme forbids another
/// try, and the errors of agreements.
pub async fn pay(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Invoice, ApiError> {
    let invoice = get(gateway, request.merchant, id).await?;
    if let Some(made) = idempotency::made_before(gateway, request).await? {
        return get_owned(gateway, request.merchant, made).await;
    }
    if invoice.state != InvoiceState::Open {
        return Err(ApiError::new(ErrorCode::StateConflict));
    }
    invoice.check_no_payment()?;
    // The key is stored with the wish to try: a repeated request never starts another payment.
    let mut change = Change::begin(gateway, invoice).await?;
    collect::check(gateway, &change).await?;
    change
        .invoice
        .schedule(Some((InvoiceDue::Charge, change.now_ms)));
    let action = &mut change.invoice.collection.action;
    *action = action.filter(|action| !action.needs_agreement());
    change.publish("invoice.updated")?;
    let invoice = finish(gateway, request, change).await?;
    collect::charge_now(gateway, invoice.id).await;
    get_owned(gateway, request.merchant, invoice.id).await
}
