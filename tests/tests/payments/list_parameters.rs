//! Parameters of `GET /v1/payments` and `GET /v1/events` that are rejected, or compared literally.

use crate::refusals::refused;
use harness::client::{APPROVED, Prepared, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::Problem;
use serde_json::Value;
use verifier_server::error::ErrorCode;

#[tokio::test]
async fn rejected_list_parameters_are_named() {
    let gateway = TestGateway::start().await;
    gateway.pay(None, &card(APPROVED)).await;
    let key = gateway.merchant.api_key.clone();
    let rows = [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=abc", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%2B1", "limit"),
        ("limit=1e1", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=%D9%A1", "limit"),
        ("after=", "after"),
        ("after=x", "after"),
        ("after=chk_01jd0000000000000000000000", "after"),
        ("after=%00", "after"),
        ("after=pay_01JD0000000000000000000000", "after"),
        ("before=1", "before"),
        ("LIMIT=1", "LIMIT"),
        ("limit=1&limit=2", "limit"),
        ("merchant=mer_01jd0000000000000000000000", "merchant"),
        ("limit[]=1", "query"),
    ];
    let lists = ["/v1/payments", "/v1/events"];
    let of_both = lists.iter().flat_map(|list| {
        let path = move |(query, named)| (format!("{list}?{query}"), named);
        rows.map(path)
    });
    let too_long = format!("/v1/payments?order_ref={}", "A".repeat(65));
    let of_one = [
        ("/v1/payments?after=evt_01jd0000000000000000000000", "after"),
        ("/v1/events?after=pay_01jd0000000000000000000000", "after"),
        ("/v1/events?order_ref=A-1001", "order_ref"),
        ("/v1/payments?order_ref=", "order_ref"),
        ("/v1/payments?order_ref=%00", "order_ref"),
        ("/v1/payments?order_ref=A%00", "order_ref"),
        ("/v1/payments?order_ref=%0A", "order_ref"),
        ("/v1/payments?order_ref=%C3%84", "order_ref"),
        ("/v1/payments?order_ref=%FF", "order_ref"),
        (&too_long, "order_ref"),
    ];
    let of_one = of_one.map(|(path, named)| (path.to_owned(), named));
    for (path, named) in of_both.chain(of_one) {
        let request = Prepared::get_of(&path, Some(&key));
        let answer = refused(&gateway, &path, request, ErrorCode::InvalidParameter).await;
        assert_eq!(
            answer.json::<Problem>().param.as_deref(),
            Some(named),
            "{path}"
        );
    }
    gateway.finish().await;
}

#[tokio::test]
async fn order_reference_filter_is_compared_literally() {
    let gateway = TestGateway::start().await;
    gateway.pay(None, &card(APPROVED)).await;
    let key = Some(gateway.merchant.api_key.as_str());
    let rows = [
        ("A-1001", 1),
        ("a-1001", 0),
        ("A-1001%20", 0),
        ("A-100%25", 0),
        ("A-100_", 0),
        ("%25", 0),
        ("%27%20OR%20%271%27=%271", 0),
        ("%22", 0),
        ("A-1001%27--", 0),
        ("*", 0),
        ("A+1001", 0),
    ];
    for (order_ref, expected) in rows {
        let path = format!("/v1/payments?order_ref={order_ref}");
        let answer = gateway.get(&path, key).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let page: Value = answer.json();
        assert_eq!(
            page["data"].as_array().map(Vec::len),
            Some(expected),
            "{path}"
        );
    }
    gateway.finish().await;
}
