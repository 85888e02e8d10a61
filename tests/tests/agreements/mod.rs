//! `/v1/agreements`: made by a payment, charged by the merchant, revoked.

mod attacks;
mod charge;
mod make;
mod revoke;
mod store;

use harness::back_office::{key, write};
use harness::checkout::Checkout;
use harness::client::APPROVED;
pub(crate) use harness::client::CONSENT;
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::api::ShopperState;
use sealpay_protocol::order::OrderClaims;
use serde_json::{Value, json};

/// The merchant's reference of the customer.
pub(crate) const CUSTOMER: &str = "customer-7";

/// Makes an order ask for an agreement.
pub(crate) fn agreeing(claims: &mut OrderClaims, kind: AgreementKind, maximum: Option<i64>) {
    claims.customer = Some(CUSTOMER.into());
    claims.agreement = Some(AgreementTerms {
        kind,
        maximum_amount: maximum,
    });
}

/// A paid order with an agreement; the agreement as its merchant sees it.
pub(crate) async fn agreed_by(
    gateway: &TestGateway,
    kind: AgreementKind,
    maximum: Option<i64>,
    number: &str,
) -> Value {
    agreed_in(gateway, |claims| agreeing(claims, kind, maximum), number).await
}

/// The same with these claims of the order.
pub(crate) async fn agreed_in(
    gateway: &TestGateway,
    change: impl FnOnce(&mut OrderClaims),
    number: &str,
) -> Value {
    let checkout = gateway.checkout(change).await;
    let paid = checkout
        .pay_through(&checkout.agreeing(number, CONSENT))
        .await;
    assert_eq!(paid.state, ShopperState::Captured, "{paid:?}");
    let payment = gateway.payment(paid.payment).await;
    let agreement = payment["agreement"].as_str().expect("an agreement");
    let path = format!("/v1/agreements/{agreement}");
    gateway.read(&gateway.merchant, &path).await
}

/// The same with the card that is always approved.
pub(crate) async fn agreed(
    gateway: &TestGateway,
    kind: AgreementKind,
    maximum: Option<i64>,
) -> Value {
    agreed_by(gateway, kind, maximum, APPROVED).await
}

/// A checkout of the same customer, without an agreement.
pub(crate) async fn checkout_again(gateway: &TestGateway) -> Checkout<'_> {
    gateway
        .checkout(|claims| claims.customer = Some(CUSTOMER.into()))
        .await
}

/// The id of a resource.
pub(crate) fn id(resource: &Value) -> &str {
    resource["id"].as_str().expect("a resource has an id")
}

/// Charges an agreement with a key of its own.
pub(crate) async fn charge(gateway: &TestGateway, agreement: &Value, body: &Value) -> Answer {
    let path = format!("/v1/agreements/{}/payments", id(agreement));
    let request = write(&gateway.merchant.api_key, &path, &key(), body);
    gateway.send(request).await
}

/// Charges an amount, which is expected to lead to a payment.
pub(crate) async fn charged(gateway: &TestGateway, agreement: &Value, amount: i64) -> Value {
    let body = json!({"amount": amount, "order_ref": "renewal"});
    let answer = charge(gateway, agreement, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}
