//! Authenticates requests of merchants' servers and checks their permissions.

use super::api_keys::key;
use super::merchant_signature::{IncomingMerchantRequest, SignedMerchantRequest};
use super::nonces::Nonce;
use super::principal::Principal;
use super::scope::Scope;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::webhooks::events::model::read_scopes;
use sealpay_protocol::key::verifying_key;

/// The credentials of a request.
#[derive(Debug, Clone, Copy)]
pub enum RequestCredentials<'a> {
    /// An `Authorization` header, or no credential.
    ApiKey(Option<&'a str>),
    /// A signature with an order key.
    Signature(IncomingMerchantRequest<'a>),
    /// Both, which is ambiguous.
    Both,
}

/// Authenticates a request of a merchant's server.
///
/// # Errors
/// [`ErrorCode::CredentialsAmbiguous`], [`ErrorCode::ApiKeyInvalid`], or the error of the
/// signature, in the order of docs/reference/protocol.md section 8.
pub async fn identify(
    gateway: &Gateway,
    credentials: RequestCredentials<'_>,
) -> Result<Principal, ApiError> {
    match credentials {
        RequestCredentials::ApiKey(header) => of_api_key(gateway, header).await,
        RequestCredentials::Signature(request) => of_signature(gateway, request).await,
        RequestCredentials::Both => Err(ApiError::for_param(
            ErrorCode::CredentialsAmbiguous,
            "authorization",
        )),
    }
}

/// Checks that the principal has a scope.
///
/// # Errors
/// [`ErrorCode::ScopeMissing`], which names the scope.
pub fn require(principal: &Principal, scope: Scope) -> Result<(), ApiError> {
    if principal.may(scope) {
        Ok(())
    } else {
        Err(ApiError::for_param(ErrorCode::ScopeMissing, scope.name()))
    }
}

/// Checks that the principal may read the events of these types, in the stored form.
///
/// # Errors
/// [`ErrorCode::ScopeMissing`], which names the first missing scope.
pub fn require_readable(principal: &Principal, event_types: &str) -> Result<(), ApiError> {
    let mut needed = read_scopes(event_types).into_iter();
    needed.try_for_each(|scope| require(principal, scope))
}

async fn of_api_key(gateway: &Gateway, header: Option<&str>) -> Result<Principal, ApiError> {
    let hash = key::hash_of_header(header, gateway.livemode(), &gateway.encryption)?;
    let key = gateway.store.api_keys.get_by_hash(&hash).await?;
    let now_ms = gateway.clock.now_ms_i64();
    // Unknown, revoked and expired keys return the same error, so that nobody learns which keys
    // existed.
    let key = key
        .filter(|key| key::is_good_at(key, now_ms))
        .ok_or_else(|| ApiError::for_param(ErrorCode::ApiKeyInvalid, "authorization"))?;
    gateway.last_use.note(&key, now_ms);
    Ok(Principal::from_api_key(key.merchant, key.id, key.scopes))
}

/// An order key has its own scopes: a key that signs orders is stored on a web server, where it
/// should not be able to refund as well. The signature's timestamps come from the merchant's
/// machine, so they are compared with system time.
async fn of_signature(
    gateway: &Gateway,
    request: IncomingMerchantRequest<'_>,
) -> Result<Principal, ApiError> {
    let signed = SignedMerchantRequest::read(request, gateway.clock.wall())?;
    let merchant = gateway.store.merchants.get(signed.merchant()).await?;
    let merchant = merchant
        .ok_or_else(|| ApiError::for_param(ErrorCode::UnknownMerchant, "sealpay-merchant"))?;
    let known = merchant
        .order_keys
        .iter()
        .find(|key| key.key_id == signed.key_id())
        .ok_or_else(|| ApiError::for_param(ErrorCode::UnknownOrderKey, "keyid"))?;
    let key = verifying_key(&known.public_key)
        .map_err(|_| ApiError::for_param(ErrorCode::UnknownOrderKey, "keyid"))?;
    let verified = signed.verify(&key, gateway.settings.public_origin.authority())?;
    let nonce = Nonce {
        expires_at: verified.nonce_expires_at,
        value: verified.nonce,
        thumbprint: format!("{}/{}", verified.merchant, verified.key_id),
    };
    if !gateway.store.nonces.consume(&nonce).await? {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    let (merchant, scopes) = (verified.merchant, known.scopes.clone());
    Ok(Principal::from_order_key(merchant, &known.key_id, scopes))
}
