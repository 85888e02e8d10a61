//! Lists the modifications of a payment.

use super::view::ModificationRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page, PageRequest};
use crate::store::Store;
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId};

/// The modifications of a merchant's payment, newest first.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's payment.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: &str,
    page: PageRequest<ModificationId>,
) -> Result<Page<ModificationRecord>, ApiError> {
    let id: PaymentId = payment
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    if gateway
        .store
        .payments
        .get_owned(merchant, id)
        .await?
        .is_none()
    {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    let rows = move |store: Store, PageRequest { after, limit }| async move {
        store.modifications.list(merchant, id, after, limit).await
    };
    let record = |row| ModificationRecord::new(&row);
    paging::read(gateway, (merchant, false), page, rows, record).await
}
