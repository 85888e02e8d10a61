//! Paths, methods and content types that do not belong.

use super::{Checkout, check_refusal, refused};
use harness::client::{APPROVED, Prepared, attempt, card};
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::CONTENT_TYPE;
use sealpay_protocol::sign::RequestParts;
use std::fs;
use verifier_server::gate::refusal::Code;

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

fn bare(method: &str, path: &str) -> Prepared {
    let mut request = Prepared::get_of(path, None);
    request.method = method.into();
    request
}

#[tokio::test]
async fn a_path_takes_its_own_methods_only_and_lists_them() {
    let gateway = TestGateway::start().await;
    for (path, allowed) in ROUTES {
        for method in METHODS {
            let what = format!("{method} {path}");
            if allowed.contains(&method) {
                let answer = gateway.send(bare(method, path)).await;
                assert_ne!(answer.status, 405, "{what}");
                continue;
            }
            let answer = refused(&gateway, &what, bare(method, path), Code::MethodNotAllowed).await;
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
    let figures = gateway.get("/metrics", None).await.text();
    assert!(
        !figures.contains("4242424242424242"),
        "no label holds what a client sent"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn paths_that_are_not_there_are_not_found() {
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
        "/sim",
        "/sim/",
        "/favicon.ico",
        "/robots.txt",
        "/index.html",
        "/v1/sessions/chk_01jd0000000000000000000000",
        "/v1/webhooks",
        "/debug/pprof",
    ];
    for path in rows {
        refused(&gateway, path, bare("GET", path), Code::NotFound).await;
    }
    let long = format!("/v1/{}", "a".repeat(60_000));
    refused(
        &gateway,
        "a path of 60000 characters",
        bare("GET", &long),
        Code::NotFound,
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
async fn a_signed_request_to_another_spelling_of_the_path_is_not_found() {
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
        refused(&gateway, path, request, Code::NotFound).await;
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
        Code::SignatureInvalid,
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
async fn content_types_other_than_json_are_refused_where_a_body_is_read() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let rows = [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-8",
        "application/json;charset=utf-16",
        "application/json, text/plain",
        "Application/JSON",
        " application/json ",
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
            refused(&gateway, content_type, request, Code::UnsupportedMediaType).await;
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
        refused(
            &gateway,
            "none, or twice",
            request,
            Code::UnsupportedMediaType,
        )
        .await;
    }
    // A body that nobody reads does no harm.
    let mut reading = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    reading.set("content-type", "text/html");
    reading.body = vec![b'<'; 100_000];
    assert_eq!(gateway.send(reading).await.status, 200);
    checkout.works(&gateway, "all of it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn headers_that_mean_something_elsewhere_mean_nothing_here() {
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

/// A gateway with a widget of a few bytes, beside files that nobody may have.
async fn with_widget() -> TestGateway {
    TestGateway::with(|config| {
        let widget = config.data.join("widget");
        fs::create_dir(&widget).unwrap();
        let files = [
            ("index.html", "<script src=\"/assets/boot.js\"></script>"),
            ("boot.js", "boot"),
            ("checkout.js", "loader"),
            ("style.css", "a{}"),
            ("manifest.json", "{}"),
            ("notes.txt", "private"),
        ];
        for (name, content) in files {
            fs::write(widget.join(name), content).unwrap();
        }
        fs::write(widget.join("boot.js.br"), "br").unwrap();
        fs::write(widget.join("boot.js.gz"), "gz").unwrap();
        fs::write(config.data.join("secret.js"), "private").unwrap();
        config.widget = widget;
    })
    .await
}

async fn source_of_the_loader(gateway: &TestGateway) -> String {
    let pinned: serde_json::Value = gateway.get("/checkout.json", None).await.json();
    pinned["src"]
        .as_str()
        .unwrap()
        .replace("http://127.0.0.1:8787", "")
}

#[tokio::test]
async fn only_files_of_the_widget_are_served_and_only_under_their_digest() {
    let gateway = with_widget().await;
    let loader = source_of_the_loader(&gateway).await;
    let folder = loader.strip_suffix("/checkout.js").unwrap();
    let rows = [
        format!("{folder}/index.html"),
        format!("{folder}/manifest.json"),
        format!("{folder}/notes.txt"),
        format!("{folder}/boot.js.br"),
        format!("{folder}/boot.js/"),
        format!("{folder}/BOOT.JS"),
        format!("{folder}/"),
        folder.to_owned(),
        format!("{folder}/../secret.js"),
        format!("{folder}/..%2fsecret.js"),
        format!("{folder}/..%2Fsecret.js"),
        format!("{folder}/..%5csecret.js"),
        format!("{folder}/%2e%2e%2fsecret.js"),
        format!("{folder}/%252e%252e%252fsecret.js"),
        format!("{folder}/....//secret.js"),
        format!("{folder}/boot.js%00.css"),
        format!("{folder}/%2fetc%2fpasswd"),
        "/assets/..%2f..%2fsecret.js/boot.js".into(),
        "/assets/0000000000000000/boot.js".into(),
        "/assets//boot.js".into(),
    ];
    for path in rows {
        refused(&gateway, &path, bare("GET", &path), Code::NotFound).await;
    }
    let file = gateway.get(&format!("{folder}/boot.js"), None).await;
    assert_eq!((file.status.as_u16(), file.text().as_str()), (200, "boot"));
    assert_eq!(
        file.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    gateway.finish().await;
}

#[tokio::test]
async fn a_coding_is_used_only_where_it_is_accepted() {
    let gateway = with_widget().await;
    let loader = source_of_the_loader(&gateway).await;
    let path = loader.replace("checkout.js", "boot.js");
    let rows = [
        ("", None),
        ("identity", None),
        ("br", Some("br")),
        ("gzip", Some("gzip")),
        ("gzip, br", Some("br")),
        ("br;q=0, gzip", Some("gzip")),
        ("br;q=0.0,gzip;q=0", None),
        ("br;q=1.0", Some("br")),
        ("brotli", None),
        ("deflate", None),
        ("gzip;q=0.5", Some("gzip")),
    ];
    for (accepted, coding) in rows {
        let mut request = bare("GET", &path);
        request.set("accept-encoding", accepted);
        let answer = gateway.send(request).await;
        assert_eq!(answer.header("content-encoding"), coding, "{accepted}");
        assert_eq!(answer.header("vary"), Some("accept-encoding"), "{accepted}");
        let expected = coding.map_or("boot", |coding| if coding == "br" { "br" } else { "gz" });
        assert_eq!(answer.text(), expected, "{accepted}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn the_frame_may_stand_in_the_merchants_pages_only() {
    let gateway = with_widget().await;
    let path = format!("/checkout/{}", gateway.merchant.id);
    let answer = gateway.get(&path, None).await;
    assert_eq!(answer.status, 200);
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.ends_with("frame-ancestors http://shop.test:4242"),
        "{policy}"
    );
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
        "{policy}"
    );
    let store = gateway.server.state.gateway.store();
    assert!(
        store
            .remove_origin(gateway.merchant.id, "http://shop.test:4242")
            .await
            .unwrap()
    );
    let policy = |answer: &Answer| {
        let policy = answer.header("content-security-policy").unwrap_or_default();
        policy.rsplit("; ").next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        policy(&gateway.get(&path, None).await),
        "frame-ancestors 'none'"
    );
    for merchant in [
        "mer_01jd0000000000000000000000",
        "x",
        "%3Cscript%3E",
        "mer_%00",
    ] {
        let path = format!("/checkout/{merchant}");
        refused(&gateway, &path, bare("GET", &path), Code::UnknownMerchant).await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn every_code_has_a_page_of_our_own_words() {
    let gateway = TestGateway::start().await;
    let index = gateway.get("/errors", None).await.text();
    for code in Code::ALL {
        let page = gateway.get(&format!("/errors/{}", code.name()), None).await;
        assert_eq!(page.status, 200, "{}", code.name());
        assert_eq!(
            page.header("content-security-policy"),
            Some("default-src 'none'")
        );
        assert!(page.text().contains(code.sentence()), "{}", code.name());
        assert!(
            index.contains(&format!("href=\"/errors/{}\"", code.name())),
            "{}",
            code.name()
        );
    }
    gateway.finish().await;
}

#[tokio::test]
async fn too_many_requests_of_one_address_are_slowed_down() {
    let gateway = TestGateway::with(|config| {
        config.rate_limit.per_second = 1;
        config.rate_limit.burst = 3;
        config.behind_proxy = true;
    })
    .await;
    let from = |addresses: &[&str]| {
        let mut request = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
        for address in addresses {
            request
                .headers
                .push(("x-forwarded-for".into(), (*address).into()));
        }
        request
    };
    for _ in 0..3 {
        assert_eq!(gateway.send(from(&["203.0.113.1"])).await.status, 200);
    }
    // What the client itself wrote in front of the proxy's entry moves nobody to another address.
    let rows: [&[&str]; 4] = [
        &["203.0.113.1"],
        &["198.51.100.7, 203.0.113.1"],
        &["198.51.100.8", "203.0.113.1"],
        &["::ffff:203.0.113.1"],
    ];
    for addresses in rows {
        let answer = gateway.send(from(addresses)).await;
        check_refusal(
            &format!("{addresses:?}"),
            &answer,
            Code::RateLimited,
            gateway.now(),
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(gateway.send(from(&["203.0.113.2"])).await.status, 200);
    for _ in 0..10 {
        assert_eq!(
            gateway.get("/v1/keys", None).await.status,
            200,
            "keys are for everybody"
        );
    }
    gateway.finish().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_finishes_what_it_has() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    assert_eq!(gateway.get("/readyz", None).await.status, 200);
    let draining = &gateway.server.state.draining;
    draining.store(true, std::sync::atomic::Ordering::SeqCst);
    refused(
        &gateway,
        "draining",
        bare("GET", "/readyz"),
        Code::ShuttingDown,
    )
    .await;
    let request = checkout.browser.pay(
        &checkout.order,
        &checkout.session,
        attempt(),
        &card(APPROVED),
    );
    assert_eq!(gateway.send(request).await.status, 200);
    gateway.finish().await;
}
