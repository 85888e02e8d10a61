//! Invalid requests, and settlements of other merchants.

use super::{on_a_monday, sell, settled};
use harness::gateway::TestGateway;
use sealpay_protocol::api::Problem;

#[tokio::test]
async fn invalid_parameters_are_named() {
    let gateway = TestGateway::start().await;
    let id = "set_01jd0000000000000000000000";
    #[rustfmt::skip]
    let rows = [
        ("/v1/balance/transactions?limit=0", "limit"),
        ("/v1/balance/transactions?limit=101", "limit"),
        ("/v1/balance/transactions?limit=+1", "limit"),
        ("/v1/balance/transactions?after=pay_01jd0000000000000000000000", "after"),
        ("/v1/balance/transactions?currency=eur", "currency"),
        ("/v1/balance/transactions?currency=", "currency"),
        ("/v1/balance/transactions?type=captures", "type"),
        ("/v1/balance/transactions?payment=txn_01jd0000000000000000000000", "payment"),
        ("/v1/balance/transactions?settlement=7", "settlement"),
        ("/v1/balance/transactions?created_from=-1", "created_from"),
        ("/v1/balance/transactions?created_from=%2B1", "created_from"),
        ("/v1/balance/transactions?created_until=1e9", "created_until"),
        ("/v1/balance/transactions?created_until=99999999999999999999", "created_until"),
        ("/v1/balance/transactions?colour=red", "colour"),
        ("/v1/balance/transactions?type=capture&type=refund", "type"),
        ("/v1/settlements?after=7", "after"),
        ("/v1/settlements?currency=XXX", "currency"),
        ("/v1/settlements?number=1", "number"),
        ("/v1/payouts?state=sent", "state"),
        ("/v1/payouts?limit=", "limit"),
    ];
    for (path, param) in rows {
        let answer = gateway.get(path, Some(&gateway.merchant.api_key)).await;
        assert_eq!(answer.status, 400, "{path}");
        let problem: Problem = answer.json();
        assert_eq!(problem.code, "invalid_parameter", "{path}");
        assert_eq!(problem.param.as_deref(), Some(param), "{path}");
    }
    // The greatest second that can be asked for is one that has not come.
    let path = format!("/v1/balance/transactions?created_from={}", i64::MAX);
    let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for path in [
        format!("/v1/settlements/{id}"),
        format!("/v1/settlements/{id}/lines"),
        format!("/v1/settlements/{id}/report?format=csv"),
        "/v1/settlements/7".into(),
        "/v1/payouts/pyo_01jd0000000000000000000000".into(),
        format!("/v1/payouts/{id}"),
    ] {
        let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
        assert_eq!(answer.code(), "not_found", "{path}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn settlements_are_visible_only_to_their_merchant() {
    let gateway = TestGateway::start().await;
    on_a_monday(&gateway).await;
    let sold = sell(&gateway, 1_000).await;
    let settlement = settled(&gateway, sold).await;
    let (id, payout) = (settlement.id, settlement.payout.unwrap());
    let paths = [
        format!("/v1/settlements/{id}"),
        format!("/v1/settlements/{id}/lines"),
        format!("/v1/settlements/{id}/report?format=json"),
        format!("/v1/payouts/{payout}"),
    ];
    let lists = [
        "/v1/balance".to_owned(),
        "/v1/balance/transactions".into(),
        format!("/v1/balance/transactions?settlement={id}"),
        format!("/v1/balance/transactions?payment={sold}"),
        "/v1/settlements".into(),
        "/v1/payouts".into(),
    ];
    let other = gateway.register(None).await;
    for path in &paths {
        let own = gateway.get(path, Some(&gateway.merchant.api_key)).await;
        assert_eq!(own.status, 200, "{path}");
        let foreign = gateway.get(path, Some(&other.api_key)).await;
        assert_eq!(foreign.code(), "not_found", "{path}");
    }
    for path in &lists {
        let foreign = gateway.get(path, Some(&other.api_key)).await;
        let rows: serde_json::Value = foreign.json();
        assert_eq!(rows["data"], serde_json::json!([]), "{path}");
    }
    for path in paths.iter().chain(&lists) {
        let nobody = gateway.get(path, None).await;
        assert_eq!(nobody.code(), "api_key_invalid", "{path}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn unknown_report_format_is_rejected() {
    let gateway = TestGateway::start().await;
    on_a_monday(&gateway).await;
    let sold = sell(&gateway, 1_000).await;
    let id = settled(&gateway, sold).await.id;
    for query in ["", "?format=", "?format=CSV", "?format=pdf"] {
        let path = format!("/v1/settlements/{id}/report{query}");
        let answer = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
        let problem: Problem = answer.json();
        let refused = (problem.code.as_str(), problem.param.as_deref());
        assert_eq!(refused, ("invalid_parameter", Some("format")), "{path}");
    }
    gateway.finish().await;
}
