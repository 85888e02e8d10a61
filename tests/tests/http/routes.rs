//! Paths, methods and content types that are not accepted.

use crate::refusals::{Checkout, bare, refused};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::sign::RequestParts;
use verifier_server::error::ErrorCode::{
    MethodNotAllowed, NotFound, PayloadTooLarge, SignatureInvalid, UnsupportedMediaType,
};

/// Every path with the methods that it takes.
const ROUTES: [(&str, &[&str]); 14] = [
    ("/v1/sessions", &["POST"]),
    ("/v1/payments", &["GET", "HEAD", "POST"]),
    (
        "/v1/payments/pay_01jd0000000000000000000000",
        &["GET", "HEAD"],
    ),
    ("/v1/events", &["GET", "HEAD"]),
    ("/v1/keys", &["GET", "HEAD"]),
    ("/sim/personas", &["GET", "HEAD"]),
    ("/checkout.js", &["GET", "HEAD"]),
    ("/checkout.json", &["GET", "HEAD"]),
    ("/checkout/mer_01jd0000000000000000000000", &["GET", "HEAD"]),
    ("/assets/0123456789abcdef/style.css", &["GET", "HEAD"]),
    ("/errors", &["GET", "HEAD"]),
    ("/errors/not_found", &["GET", "HEAD"]),
    ("/healthz", &["GET", "HEAD"]),
    ("/metrics", &["GET", "HEAD"]),
];

const METHODS: [&str; 11] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "4242424242424242",
];

#[tokio::test]
async fn path_accepts_only_its_methods_and_lists_them_in_allow() {
    let gateway = TestGateway::start().await;
    for (path, allowed) in ROUTES {
        for method in METHODS {
            let what = format!("{method} {path}");
            if allowed.contains(&method) {
                let answer = gateway.send(bare(method, path)).await;
                assert_ne!(answer.status, 405, "{what}");
                continue;
            }
            let answer = refused(&gateway, &what, bare(method, path), MethodNotAllowed).await;
            let listed = answer.header("allow").unwrap_or_default();
            let mut listed: Vec<_> = listed.split(',').map(str::trim).collect();
            listed.sort_unstable();
            assert_eq!(listed, allowed, "{what}");
        }
    }
    Checkout::open(&gateway)
        .await
        .works(&gateway, "all of it")
        .await;
    let metrics = gateway.get("/metrics", None).await.text();
    assert!(
        !metrics.contains("4242424242424242"),
        "no label holds what a client sent"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn unknown_paths_return_not_found() {
    let gateway = TestGateway::start().await;
    let rows = [
        "/",
        "/v1",
        "/v1/",
        "/v2/payments",
        "/v1/payments/",
        "//v1/payments",
        "/v1//payments",
        "/V1/payments",
        "/v1/payment",
        "/v1/payments/a/b",
        "/v1/%70ayments",
        "/v1/payments%2f",
        "/v1/payments%00",
        "/v1/payments;x=1",
        "/./v1/payments",
        "/x/../v1/payments",
        "/v1/..%2fv1/payments",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/../../etc/passwd",
        "/.git/config",
        "/sealpay.sqlite",
        "/data/sealpay.sqlite",
        "/master.key",
        "/admin",
        "/checkout/",
        "/assets/",
        "/errors/",
        "/errors/nothing",
        "/errors/%3Cscript%3E",
        "/errors/not_found/",
        "/sim/",
        "/favicon.ico",
        "/robots.txt",
        "/index.html",
        "/v1/sessions/chk_01jd0000000000000000000000",
        "/v1/webhooks",
        "/debug/pprof",
    ];
    for path in rows {
        refused(&gateway, path, bare("GET", path), NotFound).await;
    }
    let long = format!("/v1/{}", "a".repeat(60_000));
    refused(
        &gateway,
        "a path of 60000 characters",
        bare("GET", &long),
        NotFound,
    )
    .await;
    // Percent signs that hide no text are refused like any other path, not with words of a library.
    for path in [
        "/errors/%ff",
        "/checkout/%ff",
        "/assets/%ff/x",
        "/assets/x/%c3%28",
    ] {
        let answer = gateway.send(bare("GET", path)).await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
        assert!([400, 404].contains(&answer.status.as_u16()), "{path}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn signed_request_with_another_spelling_of_the_path_is_rejected() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let body = checkout.good_body();
    let (session, attempt) = (
        checkout.session.session.to_string(),
        checkout.attempt.to_string(),
    );
    for path in [
        "/v1/%70ayments",
        "/v1/payments/",
        "//v1/payments",
        "/v1/./payments",
    ] {
        let parts = RequestParts {
            method: "POST",
            authority: checkout.browser.verifier.authority(),
            path,
            query: None,
            content_type: CONTENT_TYPE,
            idempotency_key: &attempt,
            session: &session,
            body: &body,
        };
        let request = checkout.browser.signed(&parts, checkout.browser.now());
        refused(&gateway, path, request, NotFound).await;
    }
    let query = RequestParts {
        method: "POST",
        authority: checkout.browser.verifier.authority(),
        path: "/v1/payments",
        query: Some("a=%2F&b=1"),
        content_type: CONTENT_TYPE,
        idempotency_key: &attempt,
        session: &session,
        body: &body,
    };
    let mut request = checkout.browser.signed(&query, checkout.browser.now());
    let good = request.clone();
    request.path = "/v1/payments?a=/&b=1".into();
    refused(
        &gateway,
        "another spelling of the query",
        request,
        SignatureInvalid,
    )
    .await;
    let answer = gateway.send(good).await;
    assert_eq!(
        answer.status,
        200,
        "a query that was signed is one: {}",
        answer.text()
    );
    gateway.finish().await;
}

#[tokio::test]
async fn content_types_other_than_json_are_rejected() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let rows = [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        "application/json; charset",
        "application/json charset=utf-8",
        "application/problem+json",
        "application/jsonp",
        "application/xml",
        "application/octet-stream",
    ];
    for content_type in rows {
        for mut request in [
            gateway.browser().open_session(&checkout.order),
            checkout.good_request(),
        ] {
            request.set("content-type", content_type);
            refused(&gateway, content_type, request, UnsupportedMediaType).await;
        }
    }
    for spoil in [
        |request: &mut Prepared| request.remove("content-type"),
        |request: &mut Prepared| {
            request
                .headers
                .push(("content-type".into(), CONTENT_TYPE.into()))
        },
    ] {
        let mut request = checkout.good_request();
        spoil(&mut request);
        refused(&gateway, "none, or twice", request, UnsupportedMediaType).await;
    }
    // A body that nobody reads does no harm.
    let mut reading = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    reading.set("content-type", "text/html");
    reading.body = vec![b'<'; 30_000];
    assert_eq!(gateway.send(reading.clone()).await.status, 200);
    reading.body = vec![b'<'; 100_000];
    refused(&gateway, "a large one", reading, PayloadTooLarge).await;
    checkout.works(&gateway, "all of it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn unrelated_request_headers_are_ignored() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("x-http-method-override", "GET"),
        ("x-forwarded-host", "evil.example"),
        ("host", "evil.example"),
        ("x-original-url", "/v1/keys"),
        ("origin", "https://evil.example"),
        ("authorization", "Bearer sk_test_x"),
        ("cookie", "session=1"),
        ("x-request-id", "req_of_the_client"),
        ("accept", "text/html"),
        ("accept-language", "xx"),
        ("content-encoding", "gzip"),
        ("expect", "100-continue"),
        ("range", "bytes=0-1"),
    ];
    for (name, value) in rows {
        let checkout = Checkout::open(&gateway).await;
        let mut request = checkout.good_request();
        request.set(name, value);
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_ne!(answer.header("x-request-id"), Some("req_of_the_client"));
        assert_eq!(answer.header("access-control-allow-origin"), None, "{name}");
    }
    let mut long = Checkout::open(&gateway).await.good_request();
    long.set("x-anything", &"x".repeat(60_000));
    assert_eq!(gateway.send(long).await.status, 200);
    gateway.finish().await;
}
