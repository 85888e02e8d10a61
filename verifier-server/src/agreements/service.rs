//! Finds agreements.

use super::model::Agreement;
pub use super::store::AgreementFilter;
use super::view::AgreementRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::store::Store;
use sealpay_protocol::ids::MerchantId;

/// The merchant's agreements, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: AgreementFilter,
) -> Result<Page<AgreementRecord>, ApiError> {
    let scans = filter.customer.is_some() || filter.state.is_some();
    let rows =
        move |store: Store, filter| async move { store.agreements.list(merchant, &filter).await };
    let record = |row| AgreementRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

/// An agreement of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's agreement.
pub async fn get(gateway: &Gateway, merchant: MerchantId, id: &str) -> Result<Agreement, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let found = gateway.store.agreements.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}
