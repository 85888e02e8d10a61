//! What is done to a webhook endpoint that is there, and told the merchant's others.

use super::event;
use super::store::change::{EndpointChange, ExpectedEndpoint};
use super::store::write::{EndpointWrite, StoredResponse};
use crate::auth::access::require_readable;
use crate::auth::principal::Principal;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::merchants::model::WebhookEndpoint;
use crate::webhooks::events::model::Event;
use sealpay_protocol::ids::{EndpointId, MerchantId};

/// How often an event of an endpoint is numbered anew because another took its number.
pub(crate) const NUMBERINGS: usize = 8;

pub(crate) async fn find(
    gateway: &Gateway,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<WebhookEndpoint, ApiError> {
    let found = gateway.store.endpoints.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// What is done to an endpoint that is there.
pub(crate) enum Deed<'a> {
    /// For whoever may read what goes there then.
    Change(&'a Principal, EndpointChange),
    Delete,
    /// Another secret, encrypted, and until when the present one signs beside it.
    Rotate(String, Option<i64>),
}

/// Does something to an endpoint, which its merchant's others are told as the next of its events.
/// It is found allowed for the endpoint as it was read; where it is another one by then, all is
/// looked at anew.
pub(crate) async fn telling(
    gateway: &Gateway,
    merchant: MerchantId,
    id: EndpointId,
    mut deed: Deed<'_>,
    answered: StoredResponse,
) -> Result<EndpointWrite, ApiError> {
    let store = &gateway.store;
    for _ in 0..NUMBERINGS {
        let sequence = store.events.last_sequence(&id.to_string()).await?;
        let seen = find(gateway, merchant, id).await?;
        let event = told(gateway, &seen, &mut deed, sequence.saturating_add(1))?;
        let answered = answered.clone();
        let written = match &deed {
            Deed::Change(_, change) => {
                let change = change.clone();
                store
                    .endpoints
                    .change(merchant, id, change, event, answered)
                    .await
            }
            Deed::Delete => store.endpoints.delete(merchant, id, event, answered).await,
            Deed::Rotate(secret, until_ms) => {
                let secrets = (secret.clone(), *until_ms);
                store
                    .endpoints
                    .rotate_secret(merchant, id, secrets, event, answered)
                    .await
            }
        };
        match written? {
            EndpointWrite::NotNow => {}
            written => {
                gateway.wake_outbox();
                return Ok(written);
            }
        }
    }
    let why = "an event of an endpoint found no number";
    Err(ApiError::because(ErrorCode::Overloaded, why))
}

/// What is told of a deed, if it changes anything, once it is found to be allowed.
fn told(
    gateway: &Gateway,
    seen: &WebhookEndpoint,
    deed: &mut Deed<'_>,
    sequence: i64,
) -> Result<Option<Event>, ApiError> {
    let mut after = seen.clone();
    let kind = match deed {
        Deed::Change(principal, change) => {
            require_readable(principal, &newly_told(seen, change))?;
            change.expected = Some(ExpectedEndpoint::from(seen));
            after = change.applied_to(seen, gateway.clock.now_ms_i64());
            "webhook_endpoint.updated"
        }
        Deed::Delete => "webhook_endpoint.deleted",
        Deed::Rotate(_, until_ms) => {
            after.previous_secret = until_ms.map(|until_ms| (String::new(), until_ms));
            "webhook_endpoint.secret_rotated"
        }
    };
    if matches!(deed, Deed::Change(..)) && after == *seen {
        return Ok(None);
    }
    event::of(gateway, &after, kind, None, sequence).map(Some)
}

/// The types of events that go somewhere by a change where they did not go before: all that the
/// endpoint hears of, by another address; what is new among them otherwise.
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
