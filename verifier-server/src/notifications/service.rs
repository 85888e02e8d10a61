//! Processes a provider's notification.

use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::payments::methods::bank_transfer::incoming;
use crate::payments::methods::sepa_debit::news;
use crate::payments::reconcile;
use crate::payouts;
use sealpay_provider::notification::{Notification, NotificationError, NotificationRequest};

/// Maximum number of subjects of one notification.
const MOST: usize = 256;

/// Parses a notification and queries everything that it names. The provider is told to retry unless
/// all queries succeeded.
///
/// # Errors
/// [`ErrorCode::NotFound`] if no provider of this name sends notifications,
/// [`ErrorCode::NotificationNotAuthenticated`] if authentication fails, [`ErrorCode::Overloaded`]
/// if the provider or the store does not respond.
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
            Notification::DirectDebits => news::collect(gateway).await.map(drop),
            Notification::Payouts => payouts::service::pay_out(gateway).await.map(drop),
        };
        // A failed query does not block the others.
        all_asked = all_asked.and(asked);
    }
    all_asked
}

fn refusal(provider: &str, error: NotificationError) -> ApiError {
    match error {
        NotificationError::Unauthenticated(reason) => {
            tracing::warn!(provider, reason, "a notification was not authenticated");
            ApiError::new(ErrorCode::NotificationNotAuthenticated)
        }
        NotificationError::Malformed(reason) => {
            tracing::warn!(provider, reason, "a notification could not be parsed");
            ApiError::new(ErrorCode::MalformedRequest)
        }
    }
}
