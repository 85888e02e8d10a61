//! Opens a checkout session: verifies the order and binds it to the browser's key.

use super::model::Session;
use super::store::SessionOpened;
use crate::auth::nonces::Nonce;
use crate::auth::signed_request::{IncomingRequest, SignedRequest, VerifiedRequest};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::keys::hosted::ORDER_KEY_ID;
use crate::merchants::model::Merchant;
use crate::payments::methods;
use crate::payments::shopper_view;
use sealpay_protocol::agreement::AgreementTerms;
use sealpay_protocol::api::{NEW_SESSION, OpenSessionRequest, SessionView};
use sealpay_protocol::ids::SessionId;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::{self, AuthenticationRequirement, CompactOrder, Order};
use sealpay_protocol::origin::Origin;

/// Opens a session, or returns the one that the same browser opened before.
///
/// # Errors
/// The first error, by precedence.
pub async fn open_session(
    gateway: &Gateway,
    request: IncomingRequest<'_>,
) -> Result<SessionView, ApiError> {
    let another = request
        .session
        .is_some_and(|session| session != NEW_SESSION);
    if another && request.has_signature() {
        let detail = "sealpay-session must be new where a session is opened.";
        return Err(
            ApiError::for_param(ErrorCode::MalformedRequest, "sealpay-session").explained(detail),
        );
    }
    let signed = SignedRequest::read(request, gateway.clock.now())?;
    let body: OpenSessionRequest = crate::http::json::json(signed.body())?;
    let key = body.key.verifying_key().map_err(|error| {
        ApiError::for_param(ErrorCode::MalformedRequest, "key").explained(error.to_string())
    })?;
    let verified = signed.verify(&key, gateway.settings.public_origin.authority())?;
    let (order, merchant) = verify_order(gateway, &body.order).await?;
    if let Some(simulate) = &order.claims().simulate {
        gateway.check_simulated_outcome(&simulate.outcome)?;
    }
    check_methods(gateway, &order, &merchant)?;
    check_origin(gateway, &merchant, &order, &body.parent_origin)?;
    let session = new_session(gateway, &order, &body, key.to_bytes());
    let session = bind(gateway, &session, verified).await?;
    shopper_view::session_view(gateway, &merchant, &session).await
}

async fn verify_order(gateway: &Gateway, compact: &str) -> Result<(Order, Merchant), ApiError> {
    let compact = CompactOrder::parse(compact)?;
    let merchant = gateway.store.merchants.get(compact.issuer()).await?;
    let merchant =
        merchant.ok_or_else(|| ApiError::for_param(ErrorCode::UnknownMerchant, "iss"))?;
    let is_own = compact.key_id() == ORDER_KEY_ID;
    let key = if is_own {
        Some(gateway.encryption.hosted().order_key())
    } else {
        let mut keys = merchant.order_keys.iter();
        keys.find(|key| key.key_id == compact.key_id())
            .and_then(|key| sealpay_protocol::key::verifying_key(&key.public_key).ok())
    };
    let key = key.ok_or_else(|| ApiError::for_param(ErrorCode::UnknownOrderKey, "kid"))?;
    let now = gateway.clock.wall();
    let order = compact.verify(&key, &gateway.settings.public_origin, now)?;
    if order.claims().invoice.is_some() && !is_own {
        return Err(ApiError::for_param(ErrorCode::InvoiceNotAllowed, "invoice"));
    }
    Ok((order, merchant))
}

fn check_methods(gateway: &Gateway, order: &Order, merchant: &Merchant) -> Result<(), ApiError> {
    let claims = order.claims();
    let is_mandate = |terms: &AgreementTerms| terms.kind.is_mandate();
    let stores_cards = claims
        .agreement
        .as_ref()
        .is_some_and(|terms| !is_mandate(terms));
    if stores_cards && gateway.providers.vaults().next().is_none() {
        let detail = "No provider of this verifier stores cards.";
        return Err(
            ApiError::for_param(ErrorCode::MethodNotOffered, "agreement").explained(detail),
        );
    }
    let refused = || ApiError::for_param(ErrorCode::MethodNotOffered, "methods");
    for method in claims.methods.iter().flatten().copied().map(methods::find) {
        if !method.is_offered(gateway) {
            return Err(refused());
        }
        let checked = method.check_order(merchant, order.money());
        checked.map_err(|detail| refused().explained(detail))?;
    }
    Ok(())
}

/// The page must be named by the order, and every page of the order must be registered by the
/// merchant, so that a stolen order key alone cannot embed the widget elsewhere. The page of an
/// invoice is the verifier's own.
fn check_origin(
    gateway: &Gateway,
    merchant: &Merchant,
    order: &Order,
    parent: &Origin,
) -> Result<(), ApiError> {
    let claims = order.claims();
    let named = &claims.parent_origins;
    let may_embed = |origin: &Origin| match claims.invoice {
        Some(_) => *origin == gateway.settings.public_origin,
        None => merchant.origins.iter().any(|o| o == origin.as_str()),
    };
    if named.contains(parent) && named.iter().all(may_embed) {
        Ok(())
    } else {
        Err(ApiError::for_param(
            ErrorCode::OriginNotAllowed,
            "parent_origin",
        ))
    }
}

fn new_session(
    gateway: &Gateway,
    order: &Order,
    body: &OpenSessionRequest,
    public_key: [u8; 32],
) -> Session {
    let claims = order.claims().clone();
    let now_ms = gateway.clock.now_ms();
    let is_charged_later = |terms: &AgreementTerms| terms.kind.is_merchant_initiated();
    let mut methods = claims.methods.unwrap_or_else(|| vec![Method::Card]);
    if claims.agreement.as_ref().is_some_and(is_charged_later) {
        // Nothing else can make the agreement.
        methods.retain(|method| methods::find(*method).stores_instruments());
    }
    Session {
        id: SessionId::new(now_ms, gateway.rng.bytes()),
        merchant: claims.iss,
        jti: claims.jti,
        order_digest: order::digest(&body.order),
        order_ref: claims.order_ref,
        money: order.money(),
        capture: claims.capture,
        description: claims.description,
        items: claims.items,
        customer: claims.customer,
        agreement: claims.agreement,
        simulate: claims.simulate.map(|simulate| simulate.outcome),
        invoice: claims.invoice,
        methods,
        billing_country: claims.billing_country,
        requires_authentication: claims.authentication == Some(AuthenticationRequirement::Required),
        parent_origin: body.parent_origin.to_string(),
        order_origins: claims
            .parent_origins
            .iter()
            .map(Origin::to_string)
            .collect(),
        public_key,
        key_rebind_count: 0,
        attempts: 0,
        active_attempt: None,
        // The order uses the merchant's clock, the session simulated time.
        expires_at: claims.exp.saturating_add(gateway.clock.ahead_ms() / 1000),
        created_at_ms: gateway.clock.now_ms_i64(),
    }
}

async fn bind(
    gateway: &Gateway,
    session: &Session,
    verified: VerifiedRequest,
) -> Result<Session, ApiError> {
    let opened = gateway
        .store
        .sessions
        .open(session, &Nonce::from_verified(verified))
        .await?;
    match opened {
        SessionOpened::New(session)
        | SessionOpened::Same(session)
        | SessionOpened::Rebound(session) => Ok(session),
        SessionOpened::Reused => Err(ApiError::for_param(ErrorCode::OrderReused, "jti")),
        SessionOpened::AttemptInProgress(_) => Err(ApiError::new(ErrorCode::AttemptInProgress)),
        SessionOpened::NonceReplayed => Err(ApiError::new(ErrorCode::NonceReplayed)),
    }
}

impl Nonce {
    /// The nonce of a verified request.
    #[must_use]
    pub(crate) fn from_verified(verified: VerifiedRequest) -> Self {
        Self::in_request(&verified)
    }

    /// The same, for a request that is processed further.
    #[must_use]
    pub(crate) fn in_request(verified: &VerifiedRequest) -> Self {
        Self {
            expires_at: verified.nonce_expires_at,
            value: verified.nonce.clone(),
            thumbprint: verified.thumbprint.as_str().to_owned(),
        }
    }
}
