//! Paths, methods and cross-site requests.

use super::{ROUTES, WALLET, form, order, read, refused};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use serde_json::Value;
use verifier_server::error::ErrorCode;

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
];

fn bare(method: &str, path: &str) -> Prepared {
    let mut request = Prepared::get_of(path, None);
    request.method = method.into();
    request
}

#[tokio::test]
async fn every_path_accepts_only_its_methods() {
    let gateway = TestGateway::start().await;
    for (path, allowed) in ROUTES.into_iter().chain(WALLET) {
        // The answer to HEAD has no body to look at.
        let others = METHODS.iter().filter(|method| !allowed.contains(method));
        for method in others.filter(|method| **method != "HEAD") {
            let what = format!("{method} {path}");
            let code = (ErrorCode::MethodNotAllowed, None);
            let answer = refused(&gateway, &what, bare(method, path), code).await;
            let listed = answer.header("allow").unwrap_or_default();
            let mut listed: Vec<_> = listed.split(',').map(str::trim).collect();
            listed.sort_unstable();
            assert_eq!(listed, allowed, "{what}");
        }
        for method in allowed {
            let answer = gateway.send(bare(method, path)).await;
            assert_ne!(answer.status, 405, "{method} {path}");
        }
    }
    gateway.finish().await;
}

#[tokio::test]
async fn simulation_paths_do_not_exist_without_test_mode() {
    let gateway = TestGateway::with(|config| config.test_mode = false).await;
    let others = ["/sim/", "/sim/nothing", "/sim/clock/", "/sim/../sim/clock"];
    let others = others.map(|path| (path, &["GET"][..]));
    for (path, methods) in ROUTES.into_iter().chain(WALLET).chain(others) {
        for method in METHODS
            .iter()
            .chain(methods)
            .filter(|method| **method != "HEAD")
        {
            let what = format!("{method} {path}");
            let request = order(method, path, r#"{"advance_seconds":60}"#);
            refused(&gateway, &what, request, (ErrorCode::NotFound, None)).await;
        }
    }
    assert_eq!(gateway.server.state.gateway.clock().ahead_ms(), 0);
    gateway.finish().await;
}

/// What changes something, and would be done for a program.
fn changes() -> Vec<Prepared> {
    vec![
        order("POST", "/sim/clock", r#"{"advance_seconds":60}"#),
        order("POST", "/sim/faults", r#"{"kind":"request_lost","next":1}"#),
        bare("DELETE", "/sim/faults"),
        bare("DELETE", "/sim/faults/flt_none"),
        order("POST", "/sim/webhooks", r#"{"duplicate":1000}"#),
        order(
            "PUT",
            "/sim/accounts/ada_approved",
            r#"{"status":"blocked"}"#,
        ),
        order(
            "POST",
            "/sim/transfers",
            r#"{"reference":"RF18539007547034","amount":1,"currency":"EUR"}"#,
        ),
        order("POST", "/sim/worlds", r#"{"name":"a"}"#),
        bare("DELETE", "/sim/worlds/a"),
        bare("POST", "/sim/worlds/a/restore"),
        form("/test/wallet/none", "action=refuse"),
    ]
}

async fn state(gateway: &TestGateway) -> Value {
    let mut state = read(gateway, "/sim/state").await;
    state["clock"]["now"] = Value::Null;
    state
}

#[tokio::test]
async fn cross_site_requests_change_nothing() {
    let gateway = TestGateway::start().await;
    let before = state(&gateway).await;
    let own = gateway.origin.to_string();
    let host = gateway.origin.authority().to_owned();
    let localhost = own.replace("127.0.0.1", "localhost");
    let rows: [&[(&str, &str)]; 10] = [
        &[("host", "evil.example"), ("origin", "http://evil.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", &localhost)],
        &[("origin", "http://127.0.0.1:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", &own), ("sec-fetch-site", "same-site")],
        &[("origin", &own), ("origin", "https://evil.example")],
    ];
    for headers in rows {
        for mut request in changes() {
            request.set("host", &host);
            for (name, value) in headers.iter().filter(|(name, _)| *name == "host") {
                request.set(name, value);
            }
            for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
                request.headers.push(((*name).into(), (*value).into()));
            }
            let what = format!("{} {} {headers:?}", request.method, request.path);
            refused(
                &gateway,
                &what,
                request,
                (ErrorCode::CrossSiteRefused, None),
            )
            .await;
        }
    }
    assert_eq!(state(&gateway).await, before);
    // Reading is no harm: no other page is let at the answer.
    let mut reading = bare("GET", "/sim/clock");
    reading.set("origin", "https://evil.example");
    let answer = gateway.send(reading).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    gateway.finish().await;
}

#[tokio::test]
async fn same_site_pages_and_programs_are_accepted() {
    let gateway = TestGateway::start().await;
    let own = gateway.origin.to_string();
    let rows: [&[(&str, &str)]; 3] = [
        &[("origin", &own), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[],
    ];
    let host = gateway.origin.authority().to_owned();
    for (place, headers) in rows.iter().enumerate() {
        let mut request = order("POST", "/sim/clock", r#"{"advance_seconds":60}"#);
        request.set("host", &host);
        for (name, value) in *headers {
            request.set(name, value);
        }
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
        let clock: Value = answer.json();
        assert_eq!(clock["ahead_seconds"], 60 * (place + 1));
    }
    gateway.finish().await;
}

#[tokio::test]
async fn simulation_pages_have_strict_security_headers() {
    let gateway = TestGateway::start().await;
    let page = gateway.get("/sim", None).await;
    let header = |name| page.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        header("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    for (path, content_type) in [
        ("/sim/control.css", "text/css; charset=utf-8"),
        ("/sim/control.js", "text/javascript; charset=utf-8"),
        ("/test/wallet.css", "text/css; charset=utf-8"),
        ("/test/wallet.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = gateway.get(path, None).await;
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        let text = answer.text();
        for dangerous in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
        ] {
            assert!(!text.contains(dangerous), "{path}: {dangerous}");
        }
        assert!(
            page.text().contains(path) || path.contains("wallet"),
            "{path}"
        );
    }
    gateway.finish().await;
}
