//! Looking up what was done to a payment.

use super::view::ModificationRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{Page, page};
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId};

/// What was done to a payment of the merchant after its authorization, newest first.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for somebody else's payment.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: &str,
    after: Option<ModificationId>,
    limit: u32,
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
    let more = limit.saturating_add(1);
    let rows = gateway
        .store
        .operations
        .list(merchant, id, after, more)
        .await?;
    Ok(page(rows, limit, |row| Some(ModificationRecord::of(&row))))
}
