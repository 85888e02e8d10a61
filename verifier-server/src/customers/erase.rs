//! Erases a customer: the person goes, the books stay.

use super::model::Customer;
use super::service::{self, CustomerChange};
use crate::agreements::revoke;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::idempotency::model::IdempotentRequest;
use crate::subscriptions::cancel::cancel_all;

/// Erases the personal data of a customer, cancels the subscriptions, detaches the instruments and
/// revokes the agreements.
/// Repeating it completes an erasure that was interrupted.
///
/// # Errors
/// [`ErrorCode::NotFound`](crate::error::ErrorCode::NotFound), also for another merchant's
/// customer; [`ErrorCode::StateConflict`](crate::error::ErrorCode::StateConflict) if another
/// request erased it.
pub async fn erase(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Customer, ApiError> {
    let erased = service::carry_out(gateway, request, id, &CustomerChange::Erase).await?;
    cancel_all(gateway, erased.id).await?;
    for instrument in gateway.store.instruments.of_customer(erased.id).await? {
        revoke::detach(gateway, None, instrument.id).await?;
    }
    Ok(erased)
}
