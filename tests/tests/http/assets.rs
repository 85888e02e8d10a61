//! Files that browsers load, and the origins that may embed them.

use crate::refusals::{bare, refused};
use harness::gateway::{Answer, TestGateway};
use std::fs;
use verifier_server::error::ErrorCode;
use verifier_server::http::frame_origins;
use verifier_server::store::Addition;

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
async fn only_widget_files_are_served_under_their_digest() {
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
        refused(&gateway, &path, bare("GET", &path), ErrorCode::NotFound).await;
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
async fn content_encoding_is_used_only_where_accepted() {
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

fn frame_ancestors(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    policy.rsplit("; ").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn frame_ancestors_are_the_merchants_origins() {
    let gateway = with_widget().await;
    let bare_path = format!("/checkout/{}", gateway.merchant.id);
    let path = format!("{bare_path}?parent=http%3A%2F%2Fshop.localhost%3A4242");
    let answer = gateway.get(&path, None).await;
    assert_eq!(answer.status, 200);
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.ends_with("frame-ancestors http://shop.localhost:4242"),
        "{policy}"
    );
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
        "{policy}"
    );
    for query in ["", "?parent=", "?parent=http://other.test", "?parent=*"] {
        let answer = gateway.get(&[&bare_path, query].concat(), None).await;
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(
            frame_ancestors(&answer),
            "frame-ancestors 'none'",
            "{query}"
        );
    }
    let store = gateway.server.state.gateway.store();
    assert!(
        store
            .merchants
            .remove_origin(gateway.merchant.id, "http://shop.localhost:4242")
            .await
            .unwrap()
    );
    let seconds = frame_origins::FRESH_MS.div_ceil(1000);
    gateway.move_clock(i64::try_from(seconds).unwrap());
    assert_eq!(
        frame_ancestors(&gateway.get(&path, None).await),
        "frame-ancestors 'none'"
    );
    for merchant in [
        "mer_01jd0000000000000000000000",
        "x",
        "%3Cscript%3E",
        "mer_%00",
    ] {
        let path = format!("/checkout/{merchant}");
        refused(
            &gateway,
            &path,
            bare("GET", &path),
            ErrorCode::UnknownMerchant,
        )
        .await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn checkout_page_names_one_merchant_origin_with_one_database_query() {
    let gateway = with_widget().await;
    let store = gateway.server.state.gateway.store();
    let staging = "https://staging.shop.localhost";
    let path = format!("/checkout/{}?parent={staging}", gateway.merchant.id);
    let ancestors = async || frame_ancestors(&gateway.get(&path, None).await);
    assert_eq!(ancestors().await, "frame-ancestors 'none'");
    let added = store
        .merchants
        .add_origin(gateway.merchant.id, staging)
        .await;
    assert_eq!(added.unwrap(), Addition::Added);
    assert_eq!(ancestors().await, "frame-ancestors 'none'", "from memory");
    let seconds = frame_origins::FRESH_MS.div_ceil(1000);
    gateway.move_clock(i64::try_from(seconds).unwrap());
    assert_eq!(
        ancestors().await,
        "frame-ancestors https://staging.shop.localhost",
        "the other origin is not told"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn every_error_code_has_a_static_page() {
    let gateway = TestGateway::start().await;
    let index = gateway.get("/errors", None).await.text();
    for code in ErrorCode::ALL {
        let page = gateway.get(&format!("/errors/{}", code.name()), None).await;
        assert_eq!(page.status, 200, "{}", code.name());
        assert_eq!(
            page.header("content-security-policy"),
            Some("default-src 'none'")
        );
        assert!(page.text().contains(code.detail()), "{}", code.name());
        assert!(
            index.contains(&format!("href=\"/errors/{}\"", code.name())),
            "{}",
            code.name()
        );
    }
    gateway.finish().await;
}
