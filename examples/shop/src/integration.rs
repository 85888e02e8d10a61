//! What a merchant copies: sign an order, verify a webhook. Nothing else is needed to be paid.

use ed25519_dalek::{SigningKey, VerifyingKey};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::limits::ORDER_LIFETIME_SECONDS;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::{self, AuthenticationRequirement, OrderClaims, OrderItem, Simulate};
use sealpay_protocol::origin::Origin;
use sealpay_protocol::webhook::{self, EndpointSecret, WebhookError, WebhookHeaders};
use serde::Deserialize;

use crate::orders::Order;

/// What the merchant got when it was registered, and its own key.
pub(crate) struct Integration {
    pub(crate) merchant: MerchantId,
    /// Whether real money moves, or this is a test.
    pub(crate) livemode: bool,
    /// The name under which the public half of `order_key` is registered.
    pub(crate) key_id: String,
    pub(crate) order_key: SigningKey,
    pub(crate) webhook_secret: EndpointSecret,
    pub(crate) verifier: Origin,
    /// The origin of the pages that show the payment form.
    pub(crate) shop: Origin,
}

/// What the verifier tells. Members that this shop does not use are left unread.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Whom it is for: the verifier signs for every merchant with the same keys.
    merchant: String,
    /// Whether real money moved: an event that does not say so is a test's.
    #[serde(default)]
    livemode: bool,
    /// Read once the type is known: an event of a later version must not break the shop.
    pub(crate) data: serde_json::Value,
}

impl Event {
    /// What the verifier wants back before it sends anything else: that proves whose endpoint this is.
    pub(crate) fn challenge(&self) -> Option<&str> {
        let asked = self.kind == "webhook_endpoint.verification";
        self.data["challenge"].as_str().filter(|_| asked)
    }
}

/// Why a delivery was not believed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The shared secret did not make the signature, or the delivery is old.
    Secret(WebhookError),
    /// The secret fits but none of the verifier's known keys does: fetch its keys and look again.
    UnknownKey,
    /// Signed, and yet not an event.
    NotAnEvent,
    /// Signed by the verifier, for somebody else.
    OtherMerchant,
    /// A test's event where money is real, or the reverse.
    OtherMode,
}

impl Integration {
    /// Signs what the shopper is asked to pay. The text goes into the page, for the form.
    ///
    /// The price comes from the shop's own records, never from the browser. The simulated wallet is
    /// there in test mode only: elsewhere an order that offers it would be refused.
    pub(crate) fn sign_order(
        &self,
        order: &Order,
        test_mode: bool,
        unique: [u8; 16],
        now: u64,
    ) -> Result<String, serde_json::Error> {
        let amount = order.total.amount_minor();
        let terms = &order.terms;
        let mut methods = terms.methods.clone();
        methods.retain(|method| test_mode || *method != Method::Wallet);
        let authentication = terms
            .requires_authentication
            .then_some(AuthenticationRequirement::Required);
        let claims = OrderClaims {
            iss: self.merchant,
            aud: self.verifier.clone(),
            jti: base64url(&unique),
            iat: now,
            exp: now + ORDER_LIFETIME_SECONDS,
            amount,
            currency: order.total.currency().to_string(),
            order_ref: order.reference.clone(),
            capture: terms.capture,
            parent_origins: vec![self.shop.clone()],
            description: None,
            items: Some(vec![OrderItem {
                name: order.product.name.to_owned(),
                quantity: order.pieces,
                amount,
            }]),
            customer: None,
            // Nothing offered means a card (PROTOCOL section 3).
            methods: Some(methods).filter(|methods| !methods.is_empty()),
            billing_country: terms.billing_country.clone(),
            authentication,
            simulate: terms.simulate.clone().map(|outcome| Simulate { outcome }),
        };
        order::sign(&claims, &self.key_id, &self.order_key)
    }

    /// Verifies a delivery over the bytes that arrived, before anything is read from them.
    ///
    /// Both signatures have to fit: `v1` by the shared secret, and `v1a` by a key of the verifier
    /// as soon as one is known. Then the event has to be this merchant's, and
    /// of its mode.
    pub(crate) fn verify_webhook(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        verifier_keys: &[VerifyingKey],
        now: u64,
    ) -> Result<Event, Refused> {
        webhook::verify_secret(headers, body, &self.webhook_secret, now)
            .map_err(Refused::Secret)?;
        let fits = |key| webhook::verify_key(headers, body, key, now).is_ok();
        if !verifier_keys.is_empty() && !verifier_keys.iter().any(fits) {
            return Err(Refused::UnknownKey);
        }
        let event: Event = serde_json::from_slice(body).map_err(|_| Refused::NotAnEvent)?;
        if event.merchant != self.merchant.to_string() {
            return Err(Refused::OtherMerchant);
        }
        if event.livemode != self.livemode {
            return Err(Refused::OtherMode);
        }
        Ok(event)
    }
}
