//! Creates and changes webhook endpoints. A secret is shown only in the response that creates it;
//! that response is stored encrypted for repeated requests.

use super::change::{EndpointAction, carry_out, find};
use super::event::EventDraft;
pub use super::input::{ChangedEndpoint, EndpointState, NewEndpoint, SecretRotation};
use super::input::{description, event_types, url};
use super::replay::{admit, endpoint_id, same};
use super::store::change::EndpointChange;
use super::store::write::EndpointWrite;
use crate::auth::access::require_readable;
use crate::auth::principal::Principal;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::model::{IdempotencyReplay, IdempotentRequest};
use crate::merchants::register::endpoint_label;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use crate::webhooks::events::view::{EndpointRecord, EventRecord, RevealedEndpoint};
use sealpay_protocol::ids::{EndpointId, EventId, MerchantId};
use sealpay_protocol::limits::{SECRET_OVERLAP_SECONDS, WEBHOOK_ENDPOINTS};
use sealpay_protocol::webhook::EndpointSecret;
use zeroize::Zeroizing;

/// Default overlap of a previous secret, seconds.
const OVERLAP_SECONDS: u64 = 24 * 60 * 60;

/// A response body, which may contain a secret.
pub type SecretAnswer = Zeroizing<String>;

/// The label for encrypting the response to a request.
fn answer_label(request: &IdempotentRequest) -> String {
    stored_response_label(&request.merchant.to_string(), &request.key, &request.digest)
}

/// The same for a stored row.
pub(crate) fn stored_response_label(merchant: &str, key: &str, digest: &str) -> String {
    format!("idempotent-response:{merchant}:{digest}:{key}")
}

/// The response that shows a secret, and its encrypted form.
fn showing(
    gateway: &Gateway,
    request: &IdempotentRequest,
    endpoint: &WebhookEndpoint,
    secret: &EndpointSecret,
) -> Result<(SecretAnswer, String), ApiError> {
    let revealed = secret.reveal();
    let shown = RevealedEndpoint {
        endpoint: EndpointRecord::new(endpoint, gateway.clock.now_ms_i64()),
        secret: &revealed,
    };
    let written = serde_json::to_string(&shown);
    let written = written.map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
    let written = Zeroizing::new(written);
    let label = answer_label(request);
    let nonce = gateway.rng.bytes();
    let encrypted = gateway
        .encryption
        .encrypt(&label, written.as_bytes(), nonce);
    Ok((written, encrypted))
}

/// The stored response. It is available for a day and only to the credential that made the request;
/// otherwise a repeated request returns the endpoint's current state, without the secret.
async fn shown_before(
    gateway: &Gateway,
    request: &IdempotentRequest,
    replay: IdempotencyReplay,
) -> Result<SecretAnswer, ApiError> {
    let (resource, response) = same(replay)?;
    let Some(response) = response else {
        let endpoint = get(gateway, request.merchant, &resource).await?;
        let written = serde_json::to_string(&endpoint);
        let written = written.map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
        return Ok(Zeroizing::new(written));
    };
    let lost = || ApiError::because(ErrorCode::Internal, "a stored response cannot be read");
    let opened = gateway
        .encryption
        .decrypt(&answer_label(request), &response)
        .map_err(|_| lost())?;
    let text = std::str::from_utf8(&opened).map_err(|_| lost())?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Creates an endpoint; the response shows its secret.
///
/// # Errors
/// An error; nothing was created.
pub async fn create(
    gateway: &Gateway,
    principal: &Principal,
    request: &IdempotentRequest,
    new: NewEndpoint,
) -> Result<SecretAnswer, ApiError> {
    let event_types = match &new.event_types {
        Some(wanted) => event_types(wanted)?,
        None => "*".into(),
    };
    require_readable(principal, &event_types)?;
    let id = EndpointId::new(gateway.clock.now_ms(), gateway.rng.bytes());
    let secret = EndpointSecret::new(gateway.rng.bytes());
    let label = endpoint_label(id);
    let nonce = gateway.rng.bytes();
    let url = url(gateway, &new.url)?;
    let verified_at_ms = gateway.vouched_at_ms(&url);
    let now_ms = gateway.clock.now_ms_i64();
    let endpoint = WebhookEndpoint {
        id,
        merchant: request.merchant,
        url,
        event_types,
        description: description(new.description.unwrap_or_default())?,
        secret_encrypted: gateway.encryption.encrypt(&label, secret.bytes(), nonce),
        previous_secret: None,
        failing_since_ms: None,
        disabled_at_ms: None,
        created_at_ms: now_ms,
        verified_at_ms,
        verification_at_ms: verified_at_ms.is_none().then_some(now_ms),
        verification_error: None,
        created_by: Some(principal.credential.clone()),
    };
    let (response, encrypted) = showing(gateway, request, &endpoint, &secret)?;
    let (answered, _slot) = admit(gateway, request, Some(encrypted)).await?;
    let draft = EventDraft::new(gateway);
    let event = draft.event(&endpoint, "webhook_endpoint.created", None, 1)?;
    let written = gateway
        .store
        .endpoints
        .create(&endpoint, WEBHOOK_ENDPOINTS, Some(event), answered)
        .await
        .map_err(ApiError::of_first_transaction)?;
    match written {
        EndpointWrite::Done(()) => {
            gateway.wake_outbox();
            Ok(response)
        }
        EndpointWrite::Repeated(replay) => shown_before(gateway, request, replay).await,
        EndpointWrite::NotNow | EndpointWrite::NotThere => {
            Err(ApiError::new(ErrorCode::StateConflict))
        }
        EndpointWrite::LimitReached => Err(ApiError::for_param(ErrorCode::LimitReached, "url")),
        EndpointWrite::Refused(error) => Err(error),
    }
}

/// The merchant's endpoints, oldest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
) -> Result<Vec<EndpointRecord>, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let endpoints = gateway.store.endpoints.list(merchant).await?;
    let records = endpoints
        .iter()
        .map(|endpoint| EndpointRecord::new(endpoint, now_ms));
    Ok(records.collect())
}

/// One endpoint of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's endpoint.
pub async fn get(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<EndpointRecord, ApiError> {
    let endpoint = find(gateway, merchant, endpoint_id(id)?).await?;
    Ok(EndpointRecord::new(&endpoint, gateway.clock.now_ms_i64()))
}

/// Changes an endpoint.
///
/// # Errors
/// An error; nothing was changed.
pub async fn change(
    gateway: &Gateway,
    principal: &Principal,
    request: &IdempotentRequest,
    id: &str,
    changed: ChangedEndpoint,
) -> Result<EndpointRecord, ApiError> {
    let endpoint = endpoint_id(id)?;
    let url = match &changed.url {
        Some(text) => Some(url(gateway, text)?),
        None => None,
    };
    let verified_at_ms = url.as_deref().and_then(|url| gateway.vouched_at_ms(url));
    let change = EndpointChange {
        url,
        verified_at_ms,
        event_types: changed
            .event_types
            .map(|wanted| event_types(&wanted))
            .transpose()?,
        description: changed.description.map(description).transpose()?,
        enabled: changed.state.map(|state| state == EndpointState::Active),
    };
    let (answered, _slot) = admit(gateway, request, None).await?;
    let change = EndpointAction::Change(principal, change);
    done(carry_out(gateway, request.merchant, endpoint, change, answered).await?)?;
    get(gateway, request.merchant, id).await
}

fn done(written: EndpointWrite) -> Result<(), ApiError> {
    match written {
        EndpointWrite::Done(()) => Ok(()),
        EndpointWrite::Repeated(replay) => same(replay).map(drop),
        EndpointWrite::NotThere => Err(ApiError::new(ErrorCode::NotFound)),
        EndpointWrite::NotNow => Err(ApiError::new(ErrorCode::StateConflict)),
        EndpointWrite::LimitReached => Err(ApiError::new(ErrorCode::LimitReached)),
        EndpointWrite::Refused(error) => Err(error),
    }
}

/// Deletes an endpoint.
///
/// # Errors
/// An error; nothing was changed.
pub async fn delete(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<(), ApiError> {
    let endpoint = endpoint_id(id)?;
    let (answered, _slot) = admit(gateway, request, None).await?;
    done(
        carry_out(
            gateway,
            request.merchant,
            endpoint,
            EndpointAction::Delete,
            answered,
        )
        .await?,
    )
}

/// Replaces an endpoint's secret; the response shows the new one. A still earlier secret stops
/// signing at once.
///
/// # Errors
/// An error; nothing was changed.
pub async fn rotate_secret(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    rotation: &SecretRotation,
) -> Result<SecretAnswer, ApiError> {
    let overlap = rotation.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    if overlap > SECRET_OVERLAP_SECONDS {
        let most = SECRET_OVERLAP_SECONDS;
        let detail = format!("overlap_seconds must be a whole number from 0 to {most}.");
        return Err(ApiError::invalid("overlap_seconds", detail));
    }
    let endpoint = endpoint_id(id)?;
    let now_ms = gateway.clock.now_ms_i64();
    let overlap_ms = i64::try_from(overlap.saturating_mul(1000)).unwrap_or(i64::MAX);
    let until_ms = (overlap > 0).then(|| now_ms.saturating_add(overlap_ms));
    let mut seen = find(gateway, request.merchant, endpoint).await?;
    seen.previous_secret = until_ms.map(|until_ms| (String::new(), until_ms));
    let secret = EndpointSecret::new(gateway.rng.bytes());
    let label = endpoint_label(endpoint);
    let nonce = gateway.rng.bytes();
    let secret_encrypted = gateway.encryption.encrypt(&label, secret.bytes(), nonce);
    let (response, encrypted) = showing(gateway, request, &seen, &secret)?;
    let (answered, _slot) = admit(gateway, request, Some(encrypted)).await?;
    let rotate = EndpointAction::Rotate(secret_encrypted, until_ms);
    match carry_out(gateway, request.merchant, endpoint, rotate, answered).await? {
        EndpointWrite::Repeated(replay) => shown_before(gateway, request, replay).await,
        written => done(written).map(|()| response),
    }
}

/// Starts the verification of an endpoint now; returns the endpoint.
///
/// # Errors
/// An error; no challenge is sent.
pub async fn verify(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<EndpointRecord, ApiError> {
    let endpoint = endpoint_id(id)?;
    let (answered, _slot) = admit(gateway, request, None).await?;
    let written = gateway
        .store
        .endpoints
        .verify(request.merchant, endpoint, answered)
        .await
        .map_err(ApiError::of_first_transaction)?;
    done(written)?;
    get(gateway, request.merchant, id).await
}

/// Sends a test event to an endpoint.
///
/// # Errors
/// An error; nothing is sent.
pub async fn ping(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<EventRecord, ApiError> {
    let (merchant, endpoint) = (request.merchant, endpoint_id(id)?);
    let draft = EventDraft::new(gateway);
    let describe = Box::new(move |seen: &WebhookEndpoint, sequence| {
        Ok(Some(draft.event(seen, "ping", None, sequence)?.into()))
    });
    let (answered, _slot) = admit(gateway, request, None).await?;
    let written = gateway
        .store
        .endpoints
        .ping(merchant, endpoint, (draft.id, describe), answered)
        .await
        .map_err(ApiError::of_first_transaction)?;
    let id = match written {
        EndpointWrite::Repeated(replay) => {
            let (resource, _) = same(replay)?;
            let endpoint = resource.parse();
            endpoint.map_err(|error| ApiError::because(ErrorCode::Internal, error))?
        }
        written => {
            done(written)?;
            gateway.wake_outbox();
            draft.id
        }
    };
    event_of(gateway, merchant, id).await
}

async fn event_of(
    gateway: &Gateway,
    merchant: MerchantId,
    id: EventId,
) -> Result<EventRecord, ApiError> {
    crate::webhooks::deliveries::service::event(gateway, merchant, &id.to_string()).await
}
