//! Looking disputes up.

use super::view::DisputeRecord;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::store::Store;
use sealpay_protocol::ids::{DisputeId, MerchantId, PaymentId};

/// Which of a merchant's disputes, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisputeFilter {
    /// Only those of this payment.
    pub payment: Option<PaymentId>,
    /// Only those older than this one.
    pub after: Option<DisputeId>,
    /// At most so many.
    pub limit: u32,
}

/// Disputes of the merchant, or of one payment of theirs, newest first.
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
