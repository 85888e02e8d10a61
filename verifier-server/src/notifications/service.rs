//! From a provider's request to the question that it gives rise to.

use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::methods::bank_transfer::incoming;
use crate::payments::reconcile;
use crate::payouts;
use sealpay_provider::notification::{Notification, NotificationError, NotificationRequest};

/// Maximum number of things that one notification may be about.
const MOST: usize = 256;

/// Reads a notification and asks about everything that it names. The provider sends it again unless
/// all of it was asked about.
///
/// # Errors
/// [`ErrorCode::NotFound`] where no provider of this name sends any,
/// [`ErrorCode::NotificationNotAuthenticated`] where it is not the provider's,
/// [`ErrorCode::Overloaded`] where the provider or the store did not answer.
pub(super) async fn receive(
    gateway: &Gateway,
    provider: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<(), ApiError> {
    let reader = gateway.providers.notifications.get(provider);
    let reader = reader.ok_or(ApiError::new(ErrorCode::NotFound))?;
    let notifications = reader
        .read(NotificationRequest {
            headers,
            body,
            now: gateway.clock.now(),
        })
        .map_err(|error| refusal(provider, error))?;
    if notifications.len() > MOST {
        return Err(ApiError::invalid("body", "It is about too many things."));
    }
    let mut all_asked = Ok(());
    for notification in notifications {
        let asked = match notification {
            Notification::Payment(id) => reconcile::look_at(gateway, id).await,
            Notification::Credits => incoming::collect(gateway).await.map(drop),
            Notification::Payouts => payouts::service::pay_out(gateway).await.map(drop),
        };
        // One that cannot be asked about does not keep the others waiting.
        all_asked = all_asked.and(asked);
    }
    all_asked
}

fn refusal(provider: &str, error: NotificationError) -> ApiError {
    match error {
        NotificationError::Unauthenticated(reason) => {
            tracing::warn!(provider, reason, "a notification is not the provider's");
            ApiError::new(ErrorCode::NotificationNotAuthenticated)
        }
        NotificationError::Malformed(reason) => {
            tracing::warn!(provider, reason, "a notification cannot be read");
            ApiError::new(ErrorCode::MalformedRequest)
        }
    }
}
