//! Lists disputes.

use super::view::DisputeRecord;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::store::Store;
use sealpay_protocol::ids::{DisputeId, MerchantId, PaymentId};

/// The filter of a dispute list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisputeFilter {
    /// Of this payment.
    pub payment: Option<PaymentId>,
    /// Older than this one.
    pub after: Option<DisputeId>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// The merchant's disputes, or those of one payment, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: DisputeFilter,
) -> Result<Page<DisputeRecord>, ApiError> {
    let rows = move |store: Store, filter: DisputeFilter| async move {
        let DisputeFilter {
            payment,
            after,
            limit,
        } = filter;
        store.disputes.list(merchant, payment, after, limit).await
    };
    let record = |row| DisputeRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, false), filter, rows, record).await
}
