//! Invalid requests to `/sim` name the member at fault and change nothing.

use super::bad_requests::{ACCOUNT, CLOCK, FAULTS, OF_ANY, Row, TRANSFERS, WEBHOOKS, WORLDS};
use super::{done, form, order, read, refused};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use serde_json::Value;
use verifier_server::error::ErrorCode;
use verifier_server::error::ErrorCode::{
    InvalidParameter, MalformedJson, MalformedRequest, NotFound,
};

fn paths() -> [(&'static str, &'static str, &'static [Row]); 6] {
    [
        ("POST", "/sim/clock", &CLOCK),
        ("POST", "/sim/faults", &FAULTS),
        ("POST", "/sim/webhooks", &WEBHOOKS),
        ("PUT", "/sim/accounts/ada_approved", &ACCOUNT),
        ("POST", "/sim/transfers", &TRANSFERS),
        ("POST", "/sim/worlds", &WORLDS),
    ]
}

async fn state(gateway: &TestGateway) -> Value {
    let mut state = read(gateway, "/sim/state").await;
    state["clock"]["now"] = Value::Null;
    state
}

#[tokio::test]
async fn invalid_requests_name_the_member_and_change_nothing() {
    let gateway = TestGateway::start().await;
    let before = state(&gateway).await;
    for (method, path, rows) in paths() {
        for (body, code, param) in OF_ANY.iter().chain(rows) {
            let what = format!("{method} {path} {body}");
            refused(&gateway, &what, order(method, path, body), (*code, *param)).await;
        }
        let long = format!(r#"{{"reference":"{}"}}"#, "x".repeat(32 * 1024));
        let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
        let large = (ErrorCode::PayloadTooLarge, None);
        refused(&gateway, path, order(method, path, &long), large).await;
        refused(
            &gateway,
            path,
            order(method, path, &deep),
            (MalformedJson, None),
        )
        .await;
        let mut not_utf8 = order(method, path, "");
        not_utf8.body = b"{\"status\":\"\xff\"}".to_vec();
        let cut = (MalformedJson, Some("status"));
        refused(&gateway, path, not_utf8, cut).await;
    }
    let reference = "x".repeat(141);
    let body = format!(r#"{{"reference":"{reference}","amount":1,"currency":"EUR"}}"#);
    let request = order("POST", "/sim/transfers", &body);
    refused(
        &gateway,
        "too long",
        request,
        (InvalidParameter, Some("reference")),
    )
    .await;
    assert_eq!(state(&gateway).await, before);
    gateway.finish().await;
}

#[tokio::test]
async fn only_json_is_accepted() {
    let gateway = TestGateway::start().await;
    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "text/json; charset=utf-8",
        "",
    ];
    for (method, path, _) in paths() {
        let unsupported = (ErrorCode::UnsupportedMediaType, Some("content-type"));
        for content_type in types {
            let mut request = order(method, path, r#"{"advance_seconds":60}"#);
            request.set("content-type", content_type);
            let what = format!("{path} {content_type}");
            refused(&gateway, &what, request, unsupported).await;
        }
        let mut none = order(method, path, "{}");
        none.remove("content-type");
        refused(&gateway, path, none, unsupported).await;
    }
    assert_eq!(read(&gateway, "/sim/clock").await["ahead_seconds"], 0);
    gateway.finish().await;
}

#[tokio::test]
async fn unknown_simulation_resources_return_not_found() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("GET", "/sim/accounts/nobody", ""),
        ("GET", "/sim/accounts/persona:nobody", ""),
        ("GET", "/sim/accounts/%27%20OR%201=1", ""),
        ("GET", "/sim/accounts/a%00b", ""),
        ("PUT", "/sim/accounts/nobody", r#"{"status":"active"}"#),
        ("DELETE", "/sim/faults/flt_none", ""),
        ("DELETE", "/sim/faults/%00", ""),
        ("GET", "/sim/nothing", ""),
        ("GET", "/sim/", ""),
        ("GET", "/sim/accounts/", ""),
    ];
    for (method, path, body) in rows {
        let what = format!("{method} {path}");
        refused(&gateway, &what, order(method, path, body), (NotFound, None)).await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn list_queries_are_validated_strictly() {
    let gateway = TestGateway::start().await;
    let limit = Some("limit");
    let rows = [
        ("limit=0", limit),
        ("limit=101", limit),
        ("limit=-1", limit),
        ("limit=%2B5", limit),
        ("limit=", limit),
        ("limit=all", limit),
        ("limit=1&limit=2", limit),
        ("limits=1", Some("limits")),
    ];
    for path in ["/sim/payments", "/sim/transfers", "/sim/phone"] {
        for (query, param) in rows {
            let what = format!("{path}?{query}");
            let request = Prepared::get_of(&what, None);
            refused(&gateway, &what, request, (InvalidParameter, param)).await;
        }
        for query in ["limit=1", "limit=100"] {
            read(&gateway, &format!("{path}?{query}")).await;
        }
    }
    gateway.finish().await;
}

#[tokio::test]
async fn ambiguous_wallet_forms_are_rejected() {
    let gateway = TestGateway::start().await;
    let path = "/test/wallet/none";
    let rows = [
        ("", (InvalidParameter, Some("action"))),
        ("action=pay", (InvalidParameter, Some("action"))),
        ("action=confirm", (InvalidParameter, Some("account"))),
        (
            "action=confirm&account=a&account=b",
            (MalformedRequest, None),
        ),
        ("action=refuse&amount=1", (MalformedRequest, None)),
        ("action=refuse", (NotFound, None)),
        ("action=confirm&account=wallet%3Aeveryday", (NotFound, None)),
    ];
    for (body, expected) in rows {
        refused(&gateway, body, form(path, body), expected).await;
    }
    let large = form(path, &format!("action={}", "x".repeat(1024)));
    refused(&gateway, "large", large, (ErrorCode::PayloadTooLarge, None)).await;
    let json = order("POST", path, r#"{"action":"refuse"}"#);
    let unsupported = (ErrorCode::UnsupportedMediaType, Some("content-type"));
    refused(&gateway, "JSON", json, unsupported).await;
    gateway.finish().await;
}

#[tokio::test]
async fn valid_request_succeeds_after_invalid_ones() {
    let gateway = TestGateway::start().await;
    for (body, ..) in FAULTS {
        gateway.send(order("POST", "/sim/faults", body)).await;
    }
    let body = r#"{"kind":"latency","target":"harbor","min_ms":1,"max_ms":2,"next":3}"#;
    let fault = done(&gateway, "POST", "/sim/faults", body).await;
    let listed = read(&gateway, "/sim/faults").await;
    assert_eq!(listed["data"], serde_json::json!([fault]));
    let path = format!("/sim/faults/{}", fault["id"].as_str().unwrap());
    let mended = gateway.send(order("DELETE", &path, "")).await;
    assert_eq!((mended.status.as_u16(), mended.text().as_str()), (204, ""));
    assert_eq!(
        read(&gateway, "/sim/faults").await["data"],
        serde_json::json!([])
    );
    done(
        &gateway,
        "POST",
        "/sim/faults",
        r#"{"kind":"request_lost","share_per_mille":1}"#,
    )
    .await;
    let mended = gateway.send(order("DELETE", "/sim/faults", "")).await;
    assert_eq!(mended.status, 204);
    assert_eq!(
        read(&gateway, "/sim/faults").await["data"],
        serde_json::json!([])
    );
    let path = "/sim/accounts/ada_approved";
    let account = done(
        &gateway,
        "PUT",
        path,
        r#"{"status":"blocked","credit_limit_minor":7}"#,
    )
    .await;
    assert_eq!(
        (&account["status"], &account["credit_limit_minor"]),
        (&"blocked".into(), &7.into())
    );
    let account = done(&gateway, "PUT", path, r#"{"credit_limit_minor":null}"#).await;
    assert_eq!(
        (&account["status"], &account["credit_limit_minor"]),
        (&"blocked".into(), &Value::Null)
    );
    assert_eq!(read(&gateway, path).await, account);
    gateway.finish().await;
}
