//! Selling a subscription: the order of its first payment, and the request that starts it.

use super::Merchant;
use super::state::{Order, Payment, PaymentState};
use axum::BoxError;
use reqwest::RequestBuilder;
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::{method::Method, money::Money, order::OrderClaims};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What can be charged later without the customer.
pub(crate) const METHODS: [Method; 2] = [Method::Card, Method::SepaDebit];

/// For one of the three requests of a webhook, which has 15 seconds.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The monthly subscription that the payment of an order starts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OrderedSubscription {
    /// The shop's own reference of the customer.
    pub(crate) customer: String,
    pub(crate) name: String,
    /// For one piece a month.
    pub(crate) price: Money,
    pub(crate) pieces: u32,
    /// `sub_…`, once it was created.
    pub(crate) id: Option<String>,
}

impl OrderedSubscription {
    /// Asks the shopper to agree to later charges, and offers only what can be charged later.
    pub(crate) fn add_to(&self, claims: &mut OrderClaims) {
        claims.customer = Some(self.customer.clone());
        claims.agreement = Some(AgreementTerms {
            kind: AgreementKind::Subscription,
            maximum_amount: None,
        });
        claims.methods = Some(METHODS.to_vec());
    }
}

impl Order {
    /// The subscription that is paid and was not created yet. A direct debit is pending for days,
    /// and the first period begins meanwhile.
    fn subscription_to_start(&self) -> Option<(&OrderedSubscription, &Payment)> {
        let (wanted, payment) = self.subscription.as_ref().zip(self.payment())?;
        let is_paid = [PaymentState::Captured, PaymentState::Pending].contains(&payment.state);
        (is_paid && wanted.id.is_none()).then_some((wanted, payment))
    }
}

impl Merchant {
    /// Starts the subscription that an order has paid for. The webhook does so after every event of
    /// a payment, and responds with an error when this fails: the event is then delivered again, for
    /// six days. A page could not make up for it, because a shopper who has paid may never open one.
    /// Nothing is charged here, so that the webhook responds in time, and the keys follow from the
    /// order, so that nothing is created twice.
    pub(crate) async fn start_subscription(&self, reference: &str) -> Result<(), BoxError> {
        let order = self.orders.find(reference)?;
        let Some((wanted, payment)) = order.as_ref().and_then(Order::subscription_to_start) else {
            return Ok(());
        };
        let agreement = payment.details["agreement"].as_str();
        let agreement = agreement.ok_or("The payment has no agreement.")?;
        let agreement = self.get(&format!("/v1/agreements/{agreement}")).await?;
        // The key returns the same price for 30 days, and an equal one does no harm later. You can
        // also create your prices by hand, and store their ids.
        let (amount, currency) = (wanted.price.amount_minor(), wanted.price.currency());
        let price = json!({ "name": wanted.name, "amount": amount, "currency": currency,
                            "interval": { "unit": "month", "count": 1 } });
        let key = format!("price-{}", base64url(&Sha256::digest(price.to_string())));
        let price = self.post("/v1/prices", &key, price).await?;
        let subscription = json!({
            "customer": agreement["customer"], "agreement": agreement["id"],
            "first_payment": payment.id,
            "items": [{ "price": price["id"], "quantity": wanted.pieces }],
        });
        let key = format!("subscription-{reference}");
        let created = self.post("/v1/subscriptions", &key, subscription).await?;
        let id = created["id"].as_str().map(str::to_owned);
        self.orders.update(reference, |order| {
            if let Some(started) = &mut order.subscription {
                started.id = id;
            }
        })?;
        Ok(())
    }

    /// Reads from the merchant API.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, BoxError> {
        let request = self.client.get(format!("{}{path}", self.verifier));
        self.call(request).await
    }

    /// Changes something with the merchant API, once for each key.
    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Result<Value, BoxError> {
        let request = self.client.post(format!("{}{path}", self.verifier));
        let request = request.header("idempotency-key", key).json(&body);
        self.call(request).await
    }

    async fn call(&self, request: RequestBuilder) -> Result<Value, BoxError> {
        let request = request.bearer_auth(self.api_key.expose()).timeout(TIMEOUT);
        let response = request.send().await?;
        let is_success = response.status().is_success();
        let body: Value = response.json().await?;
        match body["detail"].as_str() {
            _ if is_success => Ok(body),
            detail => Err(detail.unwrap_or("The response is unreadable.").into()),
        }
    }
}
