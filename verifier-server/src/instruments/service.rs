//! Finds saved instruments.

use super::model::Instrument;
pub use super::store::InstrumentFilter;
use super::view::InstrumentRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::store::Store;
use sealpay_protocol::ids::MerchantId;

/// The merchant's instruments, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: InstrumentFilter,
) -> Result<Page<InstrumentRecord>, ApiError> {
    let scans = filter.customer.is_some() || filter.state.is_some();
    let rows =
        move |store: Store, filter| async move { store.instruments.list(merchant, &filter).await };
    let record = |row| InstrumentRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

/// An instrument of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's instrument.
pub async fn get(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<Instrument, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let found = gateway.store.instruments.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}
