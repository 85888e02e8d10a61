//! What a merchant copies; the rest of this crate is a shop around it. `order` signs what the
//! shopper is asked to pay, `page` shows the payment form, `webhook` receives what became of it,
//! `state` says what that means for the order, and `refund` returns money. A merchant who sells
//! subscriptions copies `subscription` too: it starts one when its order is paid.

pub(crate) mod order;
pub(crate) mod page;
pub(crate) mod refund;
pub(crate) mod state;
pub(crate) mod subscription;
pub(crate) mod webhook;

use crate::database::Orders;
use ed25519_dalek::SigningKey;
use sealpay_protocol::webhook::EndpointSecret;
use sealpay_protocol::{ids::MerchantId, origin::Origin, secret::Secret};

/// The merchant as `verifier-server merchant add` registered it.
pub(crate) struct Merchant {
    pub(crate) id: MerchantId,
    /// Whether money moves; `false` for a merchant in test mode.
    pub(crate) livemode: bool,
    pub(crate) order_key: SigningKey,
    /// The name under which the public half of `order_key` is registered.
    pub(crate) key_id: String,
    pub(crate) webhook_secret: EndpointSecret,
    pub(crate) api_key: Secret<String>,
    pub(crate) verifier: Origin,
    /// The origin of the pages that show the payment form.
    pub(crate) shop: Origin,
    pub(crate) orders: Orders,
    pub(crate) client: reqwest::Client,
}
