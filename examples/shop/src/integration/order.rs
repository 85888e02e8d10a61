//! Signing an order: what the shopper is asked to pay.

use super::{Merchant, state::Order};
use sealpay_protocol::order::{self, Capture, OrderClaims, OrderItem};
use sealpay_protocol::{limits::ORDER_LIFETIME_SECONDS, method::Method};

/// The time that a shopper needs to type: a signed order that ends earlier is replaced.
const TYPING_SECONDS: u64 = 120;

impl Merchant {
    /// The claims of an order. The price comes from the shop's records, never from the browser.
    pub(crate) fn claims(
        &self,
        order: &Order,
        items: Vec<OrderItem>,
        unique: String,
        now: u64,
    ) -> OrderClaims {
        let mut claims = OrderClaims {
            iss: self.id,
            aud: self.verifier.clone(),
            jti: unique,
            iat: now,
            exp: now + ORDER_LIFETIME_SECONDS,
            amount: order.total.amount_minor(),
            currency: order.total.currency().to_string(),
            order_ref: order.reference.clone(),
            capture: Capture::Automatic,
            parent_origins: vec![self.shop.clone()],
            description: None,
            items: Some(items),
            agreement: None,
            customer: None,
            methods: Some(vec![Method::Card, Method::BankTransfer]),
            billing_country: None,
            authentication: None,
            simulate: None,
            invoice: None,
        };
        if let Some(subscription) = &order.subscription {
            subscription.add_to(&mut claims);
        }
        claims
    }

    /// The signed order for the form, renewed if it is `over` or ends soon; `None` if it is paid.
    pub(crate) fn sign(
        &self,
        order: &mut Order,
        claims: &OrderClaims,
        over: &str,
    ) -> serde_json::Result<Option<String>> {
        let is_over = order.signed == over || order.signed_until <= claims.iat + TYPING_SECONDS;
        if order.can_be_signed() && is_over {
            order.signed = order::sign(claims, &self.key_id, &self.order_key)?;
            order.signed_until = claims.exp;
        }
        Ok(order.can_be_paid(claims.iat).then(|| order.signed.clone()))
    }
}
