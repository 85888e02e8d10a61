//! Webhook endpoints, as their merchant makes and changes them. A secret is shown in the answer that
//! makes it and nowhere else; that answer is kept encrypted for a request that comes again.

use super::access::require_readable;
use super::endpoint_deed::{Deed, NUMBERINGS, find, telling};
use super::endpoint_event;
pub use super::endpoint_wish::{ChangedEndpoint, EndpointState, NewEndpoint, SecretRotation};
use super::endpoint_wish::{description, event_types, url};
use super::event_view::{EndpointRecord, EventRecord, RevealedEndpoint};
use super::gateway::Gateway;
use super::register::endpoint_label;
use crate::domain::idempotency::{IdempotentRequest, Repetition};
use crate::domain::merchant::WebhookEndpoint;
use crate::domain::principal::Principal;
use crate::gate::refusal::{Code, Refusal};
use crate::store::{Answered, EndpointChange, EndpointWrite};
use sealpay_protocol::ids::{EndpointId, EventId, MerchantId};
use sealpay_protocol::limits::{SECRET_OVERLAP_SECONDS, WEBHOOK_ENDPOINTS};
use sealpay_protocol::webhook::EndpointSecret;
use zeroize::Zeroizing;

/// How long the previous secret signs beside a new one when nothing else is asked for, seconds.
const OVERLAP_SECONDS: u64 = 24 * 60 * 60;

/// An answer as it is sent, which may hold a secret.
pub type SecretAnswer = Zeroizing<String>;

pub(super) fn endpoint_id(text: &str) -> Result<EndpointId, Refusal> {
    text.parse().map_err(|_| Refusal::new(Code::NotFound))
}

/// What an earlier request with this key made, and what it was answered.
pub(super) fn same(repetition: Repetition) -> Result<(String, Option<String>), Refusal> {
    match repetition {
        Repetition::Same { resource, answer } => Ok((resource, answer)),
        Repetition::Other => Err(Refusal::of(Code::IdempotencyKeyReused, "idempotency-key")),
    }
}

pub(super) fn answered(
    gateway: &Gateway,
    request: &IdempotentRequest,
    answer: Option<String>,
) -> Answered {
    Answered {
        request: request.clone(),
        answer,
        at_ms: gateway.clock.now_ms_i64(),
    }
}

/// The label under which the answer to a request is encrypted.
fn answer_label(request: &IdempotentRequest) -> String {
    stored_response_label(&request.merchant.to_string(), &request.key, &request.digest)
}

/// The same of a row.
pub(super) fn stored_response_label(merchant: &str, key: &str, digest: &str) -> String {
    format!("idempotent-answer:{merchant}:{digest}:{key}")
}

/// The answer that shows a secret, and the same encrypted.
fn showing(
    gateway: &Gateway,
    request: &IdempotentRequest,
    endpoint: &WebhookEndpoint,
    secret: &EndpointSecret,
) -> Result<(SecretAnswer, String), Refusal> {
    let revealed = secret.reveal();
    let shown = RevealedEndpoint {
        endpoint: EndpointRecord::of(endpoint, gateway.clock.now_ms_i64()),
        secret: &revealed,
    };
    let written = serde_json::to_string(&shown);
    let written = written.map_err(|error| Refusal::because(Code::Internal, error))?;
    let written = Zeroizing::new(written);
    let label = answer_label(request);
    let nonce = gateway.entropy.bytes();
    let encrypted = gateway.vault.encrypt(&label, written.as_bytes(), nonce);
    Ok((written, encrypted))
}

/// The answer that was given before. It is kept for a day and for the credential that asked; after
/// that, and to another one, a request that comes again is answered with the endpoint as it is now,
/// without the secret.
async fn shown_before(
    gateway: &Gateway,
    request: &IdempotentRequest,
    repetition: Repetition,
) -> Result<SecretAnswer, Refusal> {
    let (resource, answer) = same(repetition)?;
    let Some(answer) = answer else {
        let endpoint = one(gateway, request.merchant, &resource).await?;
        let written = serde_json::to_string(&endpoint);
        let written = written.map_err(|error| Refusal::because(Code::Internal, error))?;
        return Ok(Zeroizing::new(written));
    };
    let lost = || Refusal::because(Code::Internal, "a kept answer cannot be read");
    let opened = gateway
        .vault
        .decrypt(&answer_label(request), &answer)
        .map_err(|_| lost())?;
    let text = std::str::from_utf8(&opened).map_err(|_| lost())?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Makes an endpoint; the answer shows its secret.
///
/// # Errors
/// A refusal; nothing was made then.
pub async fn create(
    gateway: &Gateway,
    principal: &Principal,
    request: &IdempotentRequest,
    new: NewEndpoint,
) -> Result<SecretAnswer, Refusal> {
    let event_types = match &new.event_types {
        Some(wanted) => event_types(wanted)?,
        None => "*".into(),
    };
    require_readable(principal, &event_types)?;
    let id = EndpointId::new(gateway.clock.now_ms(), gateway.entropy.bytes());
    let secret = EndpointSecret::new(gateway.entropy.bytes());
    let label = endpoint_label(id);
    let nonce = gateway.entropy.bytes();
    let url = url(gateway, &new.url)?;
    let verified_at_ms = gateway.vouched_at_ms(&url);
    let now_ms = gateway.clock.now_ms_i64();
    let endpoint = WebhookEndpoint {
        id,
        merchant: request.merchant,
        url,
        event_types,
        description: description(new.description.unwrap_or_default())?,
        secret_encrypted: gateway.vault.encrypt(&label, secret.bytes(), nonce),
        previous_secret: None,
        failing_since_ms: None,
        disabled_at_ms: None,
        created_at_ms: now_ms,
        verified_at_ms,
        verification_at_ms: verified_at_ms.is_none().then_some(now_ms),
        verification_error: None,
        created_by: Some(principal.credential.clone()),
    };
    let (answer, encrypted) = showing(gateway, request, &endpoint, &secret)?;
    let answered = answered(gateway, request, Some(encrypted));
    let told = endpoint_event::of(gateway, &endpoint, "webhook_endpoint.created", None, 1)?;
    let written = gateway
        .store
        .create_endpoint(&endpoint, WEBHOOK_ENDPOINTS, Some(told), answered)
        .await?;
    match written {
        EndpointWrite::Done(()) => {
            gateway.wake_outbox();
            Ok(answer)
        }
        EndpointWrite::Repeated(repetition) => shown_before(gateway, request, repetition).await,
        EndpointWrite::NotNow | EndpointWrite::NotThere => Err(Refusal::new(Code::StateConflict)),
        EndpointWrite::LimitReached => Err(Refusal::of(Code::LimitReached, "url")),
    }
}

/// The merchant's endpoints, the oldest first.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn list(gateway: &Gateway, merchant: MerchantId) -> Result<Vec<EndpointRecord>, Refusal> {
    let now_ms = gateway.clock.now_ms_i64();
    let endpoints = gateway.store.endpoints(merchant).await?;
    let records = endpoints
        .iter()
        .map(|endpoint| EndpointRecord::of(endpoint, now_ms));
    Ok(records.collect())
}

/// One endpoint of the merchant.
///
/// # Errors
/// [`Code::NotFound`], also for somebody else's.
pub async fn one(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<EndpointRecord, Refusal> {
    let endpoint = find(gateway, merchant, endpoint_id(id)?).await?;
    Ok(EndpointRecord::of(&endpoint, gateway.clock.now_ms_i64()))
}

/// Changes an endpoint.
///
/// # Errors
/// A refusal; nothing was changed then.
pub async fn change(
    gateway: &Gateway,
    principal: &Principal,
    request: &IdempotentRequest,
    id: &str,
    changed: ChangedEndpoint,
) -> Result<EndpointRecord, Refusal> {
    let endpoint = endpoint_id(id)?;
    let url = match &changed.url {
        Some(text) => Some(url(gateway, text)?),
        None => None,
    };
    let verified_at_ms = url.as_deref().and_then(|url| gateway.vouched_at_ms(url));
    let change = EndpointChange {
        expected: None,
        url,
        verified_at_ms,
        event_types: changed
            .event_types
            .map(|wanted| event_types(&wanted))
            .transpose()?,
        description: changed.description.map(description).transpose()?,
        enabled: changed.state.map(|state| state == EndpointState::Active),
    };
    let answered = answered(gateway, request, None);
    let change = Deed::Change(principal, change);
    done(telling(gateway, request.merchant, endpoint, change, answered).await?)?;
    one(gateway, request.merchant, id).await
}

fn done(written: EndpointWrite) -> Result<(), Refusal> {
    match written {
        EndpointWrite::Done(()) => Ok(()),
        EndpointWrite::Repeated(repetition) => same(repetition).map(drop),
        EndpointWrite::NotThere => Err(Refusal::new(Code::NotFound)),
        EndpointWrite::NotNow => Err(Refusal::new(Code::StateConflict)),
        EndpointWrite::LimitReached => Err(Refusal::new(Code::LimitReached)),
    }
}

/// Deletes an endpoint.
///
/// # Errors
/// A refusal; nothing was changed then.
pub async fn delete(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<(), Refusal> {
    let (merchant, endpoint) = (request.merchant, endpoint_id(id)?);
    let answered = answered(gateway, request, None);
    let store = &gateway.store;
    done(match store.endpoint(merchant, endpoint).await? {
        Some(_) => telling(gateway, merchant, endpoint, Deed::Delete, answered).await?,
        // There is none, or none any more: the same request may have come before.
        None => {
            store
                .delete_endpoint(merchant, endpoint, None, answered)
                .await?
        }
    })
}

/// Gives an endpoint another secret; the answer shows it. A secret that still signed beside the one
/// that is replaced stops at once.
///
/// # Errors
/// A refusal; nothing was changed then.
pub async fn rotate_secret(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
    rotation: &SecretRotation,
) -> Result<SecretAnswer, Refusal> {
    let overlap = rotation.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    if overlap > SECRET_OVERLAP_SECONDS {
        let most = SECRET_OVERLAP_SECONDS;
        let detail = format!("overlap_seconds must be a whole number from 0 to {most}.");
        return Err(Refusal::invalid("overlap_seconds", detail));
    }
    let endpoint = endpoint_id(id)?;
    let now_ms = gateway.clock.now_ms_i64();
    let overlap_ms = i64::try_from(overlap.saturating_mul(1000)).unwrap_or(i64::MAX);
    let until_ms = (overlap > 0).then(|| now_ms.saturating_add(overlap_ms));
    let mut seen = find(gateway, request.merchant, endpoint).await?;
    seen.previous_secret = until_ms.map(|until_ms| (String::new(), until_ms));
    let secret = EndpointSecret::new(gateway.entropy.bytes());
    let label = endpoint_label(endpoint);
    let nonce = gateway.entropy.bytes();
    let secret_encrypted = gateway.vault.encrypt(&label, secret.bytes(), nonce);
    let (answer, encrypted) = showing(gateway, request, &seen, &secret)?;
    let answered = answered(gateway, request, Some(encrypted));
    let rotate = Deed::Rotate(secret_encrypted, until_ms);
    match telling(gateway, request.merchant, endpoint, rotate, answered).await? {
        EndpointWrite::Repeated(repetition) => shown_before(gateway, request, repetition).await,
        written => done(written).map(|()| answer),
    }
}

/// Has an endpoint asked now to prove that it is the merchant's; the endpoint as it is.
///
/// # Errors
/// A refusal; it is not asked then.
pub async fn verify(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<EndpointRecord, Refusal> {
    let endpoint = endpoint_id(id)?;
    let answered = answered(gateway, request, None);
    let written = gateway
        .store
        .ask_endpoint(request.merchant, endpoint, answered)
        .await?;
    done(written)?;
    one(gateway, request.merchant, id).await
}

/// Sends an endpoint an event that tells of nothing.
///
/// # Errors
/// A refusal; nothing is sent then.
pub async fn ping(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<EventRecord, Refusal> {
    let merchant = request.merchant;
    let endpoint = find(gateway, merchant, endpoint_id(id)?).await?;
    for _ in 0..NUMBERINGS {
        let told = gateway
            .store
            .last_sequence(&endpoint.id.to_string())
            .await?;
        let sequence = told.saturating_add(1);
        let event = endpoint_event::of(gateway, &endpoint, "ping", None, sequence)?;
        let named = event.id;
        let answered = answered(gateway, request, None);
        let written = gateway
            .store
            .ping_endpoint(merchant, endpoint.id, event, answered)
            .await?;
        match written {
            EndpointWrite::Done(()) => {
                gateway.wake_outbox();
                return event_of(gateway, merchant, named).await;
            }
            EndpointWrite::Repeated(repetition) => {
                let (resource, _) = same(repetition)?;
                let kept = resource.parse();
                let kept = kept.map_err(|error| Refusal::because(Code::Internal, error))?;
                return event_of(gateway, merchant, kept).await;
            }
            EndpointWrite::NotThere => return Err(Refusal::new(Code::NotFound)),
            EndpointWrite::LimitReached => return Err(Refusal::new(Code::LimitReached)),
            EndpointWrite::NotNow => {
                let seen = find(gateway, merchant, endpoint.id).await?;
                if seen.disabled_at_ms.is_some() {
                    return Err(Refusal::new(Code::StateConflict));
                }
            }
        }
    }
    Err(Refusal::because(Code::Overloaded, "a ping found no number"))
}

async fn event_of(
    gateway: &Gateway,
    merchant: MerchantId,
    id: EventId,
) -> Result<EventRecord, Refusal> {
    super::deliveries::event(gateway, merchant, &id.to_string()).await
}
