//! The newest payments of all merchants.

use crate::flow::gateway::Gateway;
use crate::flow::merchant_view::PaymentRecord;
use crate::gate::refusal::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

/// Payments, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payments {
    /// Each as its merchant sees it.
    pub data: Vec<PaymentRecord>,
}

/// The newest payments, at most so many.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn newest(gateway: &Gateway, limit: u32) -> Result<Payments, Refusal> {
    let payments = gateway.store.newest_payments(limit).await?;
    Ok(Payments {
        data: payments
            .iter()
            .map(|payment| PaymentRecord::of(payment, gateway.livemode()))
            .collect(),
    })
}
