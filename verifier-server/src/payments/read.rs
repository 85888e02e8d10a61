//! Retrieves and lists payments.

use super::store::list::PaymentFilter;
use super::view::PaymentRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::store::Store;
use sealpay_protocol::ids::{MerchantId, PaymentId};

/// A payment of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's payment.
pub async fn get(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<PaymentRecord, ApiError> {
    let id: PaymentId = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let payment = gateway.store.payments.get_owned(merchant, id).await?;
    payment
        .map(|payment| PaymentRecord::new(&payment, gateway.livemode()))
        .ok_or(ApiError::new(ErrorCode::NotFound))
}

/// Lists the merchant's payments, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: PaymentFilter,
) -> Result<Page<PaymentRecord>, ApiError> {
    // The index gives the order only; these filters are compared row by row.
    let scans = filter.state.is_some()
        || filter.currency.is_some()
        || filter.method.is_some()
        || filter.amount_from_minor.is_some()
        || filter.amount_until_minor.is_some();
    let rows =
        move |store: Store, filter| async move { store.payments.list(merchant, &filter).await };
    let record = |row| PaymentRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}
