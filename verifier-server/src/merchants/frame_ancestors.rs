//! The origins that may embed a merchant's widget.

use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use sealpay_protocol::ids::MerchantId;

/// The origins that may embed a merchant's widget, for `frame-ancestors`.
///
/// # Errors
/// [`ErrorCode::UnknownMerchant`].
pub async fn frame_ancestors(gateway: &Gateway, merchant: &str) -> Result<Vec<String>, ApiError> {
    let unknown = || ApiError::new(ErrorCode::UnknownMerchant);
    let id: MerchantId = merchant.parse().map_err(|_| unknown())?;
    Ok(gateway
        .store
        .merchants
        .get(id)
        .await?
        .ok_or_else(unknown)?
        .origins)
}
