//! Requests of a session: who sent them, and that nobody altered them.

use super::gateway::Gateway;
use crate::auth::signed_request::{IncomingRequest, SignedRequest, VerifiedRequest};
use crate::domain::session::Session;
use crate::error::{ApiError, ErrorCode};
use sealpay_protocol::ids::SessionId;
use sealpay_protocol::key::verifying_key;
use serde::de::DeserializeOwned;

/// A request whose signature fits the session's key.
pub(super) struct Verified<T> {
    pub(super) session: Session,
    pub(super) request: VerifiedRequest,
    pub(super) body: T,
}

/// Checks who sent a request of a session and that it was not altered. The nonce is not spent yet.
pub(super) async fn verify<T: DeserializeOwned>(
    gateway: &Gateway,
    request: IncomingRequest<'_>,
) -> Result<Verified<T>, ApiError> {
    // Who sends neither is told what every request needs, and not that there is no such session.
    if request.session.is_none() && !request.has_signature() {
        return Err(ApiError::new(ErrorCode::MissingSignature));
    }
    let unknown = || ApiError::of(ErrorCode::UnknownSession, "sealpay-session");
    let id: SessionId = request
        .session
        .and_then(|session| session.parse().ok())
        .ok_or_else(unknown)?;
    let session = gateway.store.session(id).await?.ok_or_else(unknown)?;
    let signed = SignedRequest::read(request, gateway.clock.now())?;
    let body = super::read::json(signed.body())?;
    let key = verifying_key(&session.public_key)
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
    let request = signed.verify(&key, gateway.settings.public_origin.authority())?;
    Ok(Verified {
        session,
        request,
        body,
    })
}
