//! `GET /v1/payments/{id}` of payments that do not exist.

use crate::refusals::refused;
use harness::client::Prepared;
use harness::gateway::TestGateway;
use verifier_server::error::ErrorCode;

#[tokio::test]
async fn unknown_payment_ids_return_not_found() {
    let gateway = TestGateway::start().await;
    let key = gateway.merchant.api_key.clone();
    for id in [
        "pay_01jd0000000000000000000000",
        "pay_1",
        "chk_01jd0000000000000000000000",
        "%00",
        "%20",
        "..",
        "%2e%2e",
        "pay_01jd0000000000000000000000%00",
        "1%20OR%201=1",
        "*",
        "%FF",
    ] {
        let path = format!("/v1/payments/{id}");
        let request = Prepared::get_of(&path, Some(&key));
        refused(&gateway, &path, request, ErrorCode::NotFound).await;
    }
    gateway.finish().await;
}
