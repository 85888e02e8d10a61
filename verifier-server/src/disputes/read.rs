//! Looking disputes up.

use super::view::DisputeRecord;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::paging::{Page, page};
use sealpay_protocol::ids::{DisputeId, MerchantId, PaymentId};

/// Disputes of the merchant, or of one payment of theirs, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: Option<PaymentId>,
    after: Option<DisputeId>,
    limit: u32,
) -> Result<Page<DisputeRecord>, ApiError> {
    let more = limit.saturating_add(1);
    let rows = gateway
        .store
        .disputes
        .list(merchant, payment, after, more)
        .await?;
    Ok(page(rows, limit, |row| {
        Some(DisputeRecord::of(&row, gateway.livemode()))
    }))
}
