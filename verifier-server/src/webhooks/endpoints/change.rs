//! Changes an existing webhook endpoint and notifies the merchant's other endpoints.

use super::event::EventDraft;
use super::store::change::EndpointChange;
use super::store::write::{EndpointWrite, StoredResponse};
use crate::auth::access::require_readable;
use crate::auth::principal::Principal;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use sealpay_protocol::ids::{EndpointId, MerchantId};

pub(crate) async fn find(
    gateway: &Gateway,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<WebhookEndpoint, ApiError> {
    let found = gateway.store.endpoints.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// A change of an existing endpoint.
pub(crate) enum EndpointAction<'a> {
    /// Requires the principal to be allowed to read the events that the endpoint gets afterwards.
    Change(&'a Principal, EndpointChange),
    Delete,
    /// A new secret, encrypted, and until when the current one also signs.
    Rotate(String, Option<i64>),
}

/// Applies a change and notifies the merchant's other endpoints with the endpoint's next event.
/// Permissions are checked against the endpoint's state within the transaction.
pub(crate) async fn carry_out(
    gateway: &Gateway,
    merchant: MerchantId,
    id: EndpointId,
    action: EndpointAction<'_>,
    answered: StoredResponse,
) -> Result<EndpointWrite, ApiError> {
    let (store, draft) = (&gateway.store, EventDraft::new(gateway));
    let written = match action {
        EndpointAction::Change(principal, change) => {
            let (principal, wanted) = (principal.clone(), change.clone());
            let describe = Box::new(move |seen: &WebhookEndpoint, sequence| {
                require_readable(&principal, &newly_told(seen, &wanted))?;
                let after = wanted.applied_to(seen, draft.at_ms);
                let changes = after != *seen;
                changes.then(|| draft.updated(&after, sequence)).transpose()
            });
            store
                .endpoints
                .change(merchant, id, change, describe, answered)
                .await
        }
        EndpointAction::Delete => {
            let describe = Box::new(move |seen: &WebhookEndpoint, sequence| {
                let event = draft.event(seen, "webhook_endpoint.deleted", None, sequence)?;
                Ok(Some(event.into()))
            });
            store
                .endpoints
                .delete(merchant, id, describe, answered)
                .await
        }
        EndpointAction::Rotate(secret, until_ms) => {
            let describe = Box::new(move |seen: &WebhookEndpoint, sequence| {
                let mut after = seen.clone();
                after.previous_secret = until_ms.map(|until_ms| (String::new(), until_ms));
                let kind = "webhook_endpoint.secret_rotated";
                Ok(Some(draft.event(&after, kind, None, sequence)?.into()))
            });
            let secrets = (secret, until_ms);
            store
                .endpoints
                .rotate_secret(merchant, id, secrets, describe, answered)
                .await
        }
    };
    gateway.wake_outbox();
    written.map_err(ApiError::of_first_transaction)
}

/// The event types that a change sends to a new destination: all subscribed types for a new
/// address, otherwise the added ones.
fn newly_told(seen: &WebhookEndpoint, change: &EndpointChange) -> String {
    let wanted = change.event_types.as_ref().unwrap_or(&seen.event_types);
    let is_redirected = change.url.as_ref().is_some_and(|url| *url != seen.url);
    if is_redirected || seen.event_types == wanted.as_str() {
        return if is_redirected {
            wanted.clone()
        } else {
            String::new()
        };
    }
    if seen.event_types == "*" || wanted == "*" {
        return if wanted == "*" {
            wanted.clone()
        } else {
            String::new()
        };
    }
    let known = |kind: &&str| seen.event_types.split(',').any(|known| known == *kind);
    let new: Vec<_> = wanted.split(',').filter(|kind| !known(kind)).collect();
    new.join(",")
}
