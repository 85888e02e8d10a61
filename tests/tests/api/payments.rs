//! `/v1/payments`

use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, ShopperState};

#[tokio::test]
async fn a_good_card_is_captured_and_the_merchant_can_read_it() {
    let gateway = TestGateway::start().await;
    let order = gateway.merchant.order(&gateway.origin, None);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let answer = gateway
        .send(browser.pay(&order, &session, attempt(), &card(APPROVED)))
        .await;
    assert_eq!(answer.status, 200);
    let paid: PaymentView = answer.json();
    assert_eq!(paid.state, ShopperState::Captured);
    let path = format!("/v1/payments/{}", paid.payment);
    let read = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
    let read: serde_json::Value = read.json();
    assert_eq!(
        (read["state"].as_str(), read["amount"].as_i64()),
        (Some("captured"), Some(2490))
    );
}
