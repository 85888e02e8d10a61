//! Authenticates requests of a session.

use super::model::Session;
use crate::auth::signed_request::{IncomingRequest, SignedRequest, VerifiedRequest};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use sealpay_protocol::ids::SessionId;
use sealpay_protocol::key::verifying_key;
use serde::de::DeserializeOwned;

/// A request signed with the session's key.
pub(crate) struct Verified<T> {
    pub(crate) session: Session,
    pub(crate) request: VerifiedRequest,
    pub(crate) body: T,
    /// Whether its nonce had been consumed when the session was read.
    pub(crate) is_replay: bool,
}

/// Verifies that a request was signed with its session's key. Does not consume the nonce.
pub(crate) async fn verify<T: DeserializeOwned>(
    gateway: &Gateway,
    request: IncomingRequest<'_>,
) -> Result<Verified<T>, ApiError> {
    // Without either, the error is about the missing signature, not about an unknown session.
    if request.session.is_none() && !request.has_signature() {
        return Err(ApiError::new(ErrorCode::MissingSignature));
    }
    let unknown = || ApiError::for_param(ErrorCode::UnknownSession, "sealpay-session");
    let id: SessionId = request
        .session
        .and_then(|session| session.parse().ok())
        .ok_or_else(unknown)?;
    // `unknown_session` takes precedence over every error of the signature.
    let (found, signed) = match SignedRequest::read(request, gateway.clock.now()) {
        Ok(signed) => {
            let nonce = signed.nonce();
            let found = gateway.store.sessions.get_with_nonce(id, &nonce).await?;
            (found, Ok(signed))
        }
        Err(error) => {
            let found = gateway.store.sessions.get(id).await?;
            (found.map(|session| (session, false)), Err(error))
        }
    };
    let (session, is_replay) = found.ok_or_else(unknown)?;
    let signed = signed?;
    let body = crate::http::json::json(signed.body())?;
    let key = verifying_key(&session.public_key)
        .map_err(|error| ApiError::because(ErrorCode::Internal, error))?;
    let request = signed.verify(&key, gateway.settings.public_origin.authority())?;
    Ok(Verified {
        session,
        request,
        body,
        is_replay,
    })
}
