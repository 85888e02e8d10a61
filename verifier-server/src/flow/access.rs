//! Who a request of a merchant's server is from, and whether it may do what it asks for.

use super::gateway::Gateway;
use crate::domain::scope::Scope;
use crate::gate::api_key;
use crate::gate::merchant_signature::{IncomingMerchantRequest, SignedMerchantRequest};
use crate::gate::refusal::{Code, Refusal};
use crate::store::Nonce;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::key::verifying_key;

/// What a request brings to show whose it is.
#[derive(Debug, Clone, Copy)]
pub enum Credentials<'a> {
    /// An `Authorization` header, or nothing at all.
    ApiKey(Option<&'a str>),
    /// A signature by an order key.
    Signature(IncomingMerchantRequest<'a>),
    /// Both: nobody says which of the two is meant.
    Both,
}

/// The merchant that a request is from, if it may do what the scope names.
///
/// # Errors
/// [`Code::CredentialsAmbiguous`], [`Code::ApiKeyInvalid`], [`Code::ScopeMissing`], or what is wrong
/// with the signature, in the order that PROTOCOL section 8 gives.
pub async fn merchant_of(
    gateway: &Gateway,
    credentials: Credentials<'_>,
    scope: Scope,
) -> Result<MerchantId, Refusal> {
    match credentials {
        Credentials::ApiKey(header) => of_api_key(gateway, header, scope).await,
        Credentials::Signature(request) => of_signature(gateway, request, scope).await,
        Credentials::Both => Err(Refusal::of(Code::CredentialsAmbiguous, "authorization")),
    }
}

async fn of_api_key(
    gateway: &Gateway,
    header: Option<&str>,
    scope: Scope,
) -> Result<MerchantId, Refusal> {
    let hash = api_key::hash_of_header(header, &gateway.vault)?;
    let key = gateway.store.api_key_by_hash(&hash).await?;
    let now_ms = gateway.clock.now_ms_i64();
    // Unknown, revoked and expired are one answer: it tells nobody that a key was one.
    let key = key
        .filter(|key| api_key::is_good_at(key, now_ms))
        .ok_or_else(|| Refusal::of(Code::ApiKeyInvalid, "authorization"))?;
    if scope.is_in(&key.scopes) {
        Ok(key.merchant)
    } else {
        Err(Refusal::of(Code::ScopeMissing, scope.name()))
    }
}

/// An order key may do what it was given for: one that only signs orders lies on a web server, where
/// it should not be able to refund anything as well. The times in the signature are those of the merchant's machine, so the wall's time judges them.
async fn of_signature(
    gateway: &Gateway,
    request: IncomingMerchantRequest<'_>,
    scope: Scope,
) -> Result<MerchantId, Refusal> {
    let signed = SignedMerchantRequest::read(request, gateway.clock.wall())?;
    let merchant = gateway.store.merchant(signed.merchant()).await?;
    let merchant =
        merchant.ok_or_else(|| Refusal::of(Code::UnknownMerchant, "sealpay-merchant"))?;
    let known = merchant
        .order_keys
        .iter()
        .find(|key| key.key_id == signed.key_id())
        .ok_or_else(|| Refusal::of(Code::UnknownOrderKey, "keyid"))?;
    let key = verifying_key(&known.public_key)
        .map_err(|_| Refusal::of(Code::UnknownOrderKey, "keyid"))?;
    let verified = signed.verify(&key, gateway.settings.public_origin.authority())?;
    let nonce = Nonce {
        expires_at: verified.nonce_expires_at,
        value: verified.nonce,
        thumbprint: format!("{}/{}", verified.merchant, verified.key_id),
    };
    if !gateway.store.spend_nonce(&nonce).await? {
        return Err(Refusal::new(Code::NonceReplayed));
    }
    if scope.is_in(&known.scopes) {
        Ok(verified.merchant)
    } else {
        Err(Refusal::of(Code::ScopeMissing, scope.name()))
    }
}
