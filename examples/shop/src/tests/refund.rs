//! Refunds with the merchant API.

use super::shop_with;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn refund_names_itself_and_every_response_has_one_meaning() {
    let failure = json!({ "detail": "The account is closed." });
    let rows: [(u16, Value, Result<&str, &str>); 5] = [
        (
            200,
            json!({ "state": "succeeded", "failure": null }),
            Ok("succeeded"),
        ),
        (202, json!({ "state": "pending" }), Ok("pending")),
        (
            200,
            json!({ "state": "failed", "failure": failure }),
            Err("The account is closed."),
        ),
        (
            422,
            json!({ "detail": "Only 5 is left." }),
            Err("Only 5 is left."),
        ),
        (
            502,
            json!("no JSON object"),
            Err("The response is unreadable."),
        ),
    ];
    for (place, (status, body, expected)) in rows.into_iter().enumerate() {
        let response = (StatusCode::from_u16(status).unwrap(), body.to_string());
        let respond = async move |request: Request| {
            let (parts, body) = request.into_parts();
            let header = |name| parts.headers[name].to_str().unwrap();
            assert_eq!(header("authorization"), "Bearer sk_test_1");
            assert_eq!(header("idempotency-key"), "pay_1-return-7");
            assert_eq!(parts.uri.path(), "/v1/payments/pay_1/refunds");
            let sent = to_bytes(body, 1000).await.unwrap();
            let sent: Value = serde_json::from_slice(&sent).unwrap();
            assert_eq!(sent, json!({ "amount": 500, "reference": "return-7" }));
            response
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let verifier = format!("http://{}", listener.local_addr().unwrap());
        let server = Router::new().fallback(respond);
        tokio::spawn(async { axum::serve(listener, server).await });
        let shop = shop_with(&format!("refund-{place}"), &verifier, true);
        let refund = shop.merchant.refund("pay_1", Some(500), "return-7").await;
        assert_eq!(
            refund.as_deref().map_err(String::as_str),
            expected,
            "{status}"
        );
    }
}
