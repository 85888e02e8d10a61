//! Looking payments up.

use super::store::list::PaymentFilter;
use super::view::PaymentRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{Page, page};
use sealpay_protocol::ids::{MerchantId, PaymentId};

/// A payment of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for somebody else's payment.
pub async fn get(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<PaymentRecord, ApiError> {
    let id: PaymentId = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let payment = gateway.store.payments.get_owned(merchant, id).await?;
    payment
        .map(|payment| PaymentRecord::of(&payment, gateway.livemode()))
        .ok_or(ApiError::new(ErrorCode::NotFound))
}

/// Payments of the merchant, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: PaymentFilter,
) -> Result<Page<PaymentRecord>, ApiError> {
    let limit = filter.limit;
    let one_more = PaymentFilter {
        limit: limit.saturating_add(1),
        ..filter
    };
    // Behind the index that gives the order, these are compared row by row.
    let scans = one_more.state.is_some()
        || one_more.currency.is_some()
        || one_more.method.is_some()
        || one_more.amount_from_minor.is_some()
        || one_more.amount_until_minor.is_some();
    let store = gateway.store.clone();
    let reading = async move { Ok(store.payments.list(merchant, &one_more).await?) };
    let rows = gateway
        .merchant_queues
        .list(merchant, scans, reading)
        .await?;
    Ok(page(rows, limit, |payment| {
        Some(PaymentRecord::of(&payment, gateway.livemode()))
    }))
}
