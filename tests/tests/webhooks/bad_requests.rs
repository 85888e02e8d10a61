//! Requests to `/v1/webhook-endpoints` that are rejected.

use super::receiver::{Endpoint, Reaction};
use super::{gateway, gateway_that_allows, made, pay_for, post};
use harness::back_office::{key, write};
use harness::gateway::TestGateway;
use serde_json::{Value, json};

const PATH: &str = "/v1/webhook-endpoints";

#[tokio::test]
async fn forbidden_urls_are_rejected() {
    let gateway = gateway_that_allows(&[], false).await;
    let long = format!("https://shop.example/{}", "a".repeat(1024));
    let urls = [
        "",
        "shop.example/webhooks",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://shop.example/",
        "unix:/run/socket",
        "http://shop.example/",
        "https://",
        "https://user@shop.example/",
        "https://user:word@shop.example/",
        "https://:word@shop.example/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://①②⑦.⓪.⓪.①/",
        "https://10.0.0.1/",
        "https://172.16.5.4/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[::1",
        "https://shop example/",
        &long,
    ];
    let merchant = gateway.register(None).await;
    let good = json!({"url": "https://shop.example/webhooks"});
    let made = post(&gateway, &merchant.api_key, PATH, &good).await;
    let id = made.json::<Value>()["id"].as_str().unwrap().to_owned();
    for url in urls {
        for path in [PATH.to_owned(), format!("{PATH}/{id}")] {
            let body = json!({"url": url});
            let answer = post(&gateway, &merchant.api_key, &path, &body).await;
            let problem: Value = answer.json();
            let said = (&problem["code"], &problem["param"]);
            assert_eq!(
                said,
                (&json!("invalid_parameter"), &json!("url")),
                "{path} {url}"
            );
        }
    }
    let listed: Value = gateway.read(&merchant, PATH).await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["data"][0]["url"], "https://shop.example/webhooks");
    gateway.finish().await;
}

#[tokio::test]
async fn invalid_endpoint_requests_change_nothing() {
    let gateway = gateway().await;
    let merchant = gateway.register(None).await;
    let url = "https://shop.example/";
    let good = post(&gateway, &merchant.api_key, PATH, &json!({"url": url})).await;
    let id = good.json::<Value>()["id"].as_str().unwrap().to_owned();
    let long = "ü".repeat(201);
    let many = vec!["payment.captured"; 1000];
    let of = |rest: &str| format!("{PATH}/{id}{rest}");
    #[rustfmt::skip]
    let rows = [
        (PATH.to_owned(), json!({}), "malformed_request"),
        (PATH.to_owned(), json!([]), "malformed_request"),
        (PATH.to_owned(), json!({"url": url, "secret": "whsec_x"}), "malformed_request"),
        (PATH.to_owned(), json!({"url": url, "merchant": "mer_x"}), "malformed_request"),
        (PATH.to_owned(), json!({"url": [url]}), "malformed_request"),
        (PATH.to_owned(), json!({"url": url, "event_types": "*"}), "malformed_request"),
        (PATH.to_owned(), json!({"url": url, "event_types": []}), "invalid_parameter"),
        (PATH.to_owned(), json!({"url": url, "event_types": ["payment.*"]}), "invalid_parameter"),
        (PATH.to_owned(), json!({"url": url, "event_types": ["*", "ping"]}), "invalid_parameter"),
        (PATH.to_owned(), json!({"url": url, "event_types": ["' OR 1=1"]}), "invalid_parameter"),
        (PATH.to_owned(), json!({"url": url, "event_types": many}), "invalid_parameter"),
        (PATH.to_owned(), json!({"url": url, "description": long}), "invalid_parameter"),
        (PATH.to_owned(), json!({"url": url, "description": "a\u{0}b"}), "invalid_parameter"),
        (of(""), json!({"state": "deleted"}), "malformed_request"),
        (of(""), json!({"state": {"disabled": null}}), "malformed_request"),
        (of(""), json!({"id": "whe_x"}), "malformed_request"),
        (of(""), json!({"event_types": ["unknown"]}), "invalid_parameter"),
        (of("/rotate-secret"), json!({"overlap_seconds": 604_801}), "invalid_parameter"),
        (of("/rotate-secret"), json!({"overlap_seconds": -1}), "malformed_request"),
        (of("/rotate-secret"), json!({"overlap_seconds": 1.5}), "malformed_request"),
        (of("/rotate-secret"), json!({"secret": "whsec_x"}), "malformed_request"),
        (of("/ping"), json!({"url": url}), "malformed_request"),
        (of("/redeliver"), json!({}), "invalid_parameter"),
        (of("/redeliver"), json!({"event": "pay_1"}), "invalid_parameter"),
        (of("/redeliver"), json!({"from": 1}), "invalid_parameter"),
        (of("/redeliver"), json!({"until": 1}), "invalid_parameter"),
        (of("/redeliver"), json!({"from": 2, "until": 1}), "invalid_parameter"),
        (of("/redeliver"), json!({"from": -1, "until": 1}), "malformed_request"),
        (of("/redeliver"), json!({"from": 1, "until": 2, "after": "x"}), "invalid_parameter"),
        (of("/redeliver"), json!({"from": 1, "until": 2, "limit": 5}), "malformed_request"),
    ];
    let before: Value = gateway.read(&merchant, &of("")).await;
    for (path, body, code) in rows {
        let answer = post(&gateway, &merchant.api_key, &path, &body).await;
        assert_eq!(answer.code(), code, "{path} {body}");
    }
    let mut request = write(&merchant.api_key, PATH, &key(), &json!({"url": url}));
    request.remove("idempotency-key");
    assert_eq!(
        gateway.send(request).await.code(),
        "idempotency_key_invalid"
    );
    let after: Value = gateway.read(&merchant, &of("")).await;
    assert_eq!(before, after);
    let listed: Value = gateway.read(&merchant, PATH).await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    gateway.finish().await;
}

#[tokio::test]
async fn endpoints_and_events_of_another_merchant_are_not_found() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let (mine, theirs) = (gateway.register(None).await, gateway.register(None).await);
    let (own, _) = made(&gateway, &mine, &endpoint, &["*"]).await;
    let (foreign, _) = made(&gateway, &theirs, &endpoint, &["*"]).await;
    pay_for(&gateway, &theirs, None).await;
    let page: Value = gateway.read(&theirs, "/v1/events").await;
    let event = page["data"][0]["id"].as_str().unwrap().to_owned();
    let strange = [
        foreign.as_str(),
        "whe_01jd0000000000000000000000",
        "x",
        "..%2f",
    ];
    for id in strange {
        for rest in ["", "/deliveries"] {
            let path = format!("{PATH}/{id}{rest}");
            let answer = gateway.get(&path, Some(&mine.api_key)).await;
            assert_eq!(answer.code(), "not_found", "{path}");
        }
        let writes = [
            ("", json!({"state": "disabled"})),
            ("/rotate-secret", json!({})),
            ("/ping", json!({})),
            ("/redeliver", json!({"from": 0, "until": 9_999_999_999_u64})),
        ];
        for (rest, body) in writes {
            let path = format!("{PATH}/{id}{rest}");
            let answer = post(&gateway, &mine.api_key, &path, &body).await;
            assert_eq!(answer.code(), "not_found", "{path}");
        }
        let mut delete = write(&mine.api_key, &format!("{PATH}/{id}"), &key(), &json!({}));
        delete.method = "DELETE".into();
        assert_eq!(gateway.send(delete).await.code(), "not_found");
    }
    let path = format!("/v1/events/{event}");
    assert_eq!(
        gateway.get(&path, Some(&mine.api_key)).await.code(),
        "not_found"
    );
    assert_eq!(gateway.get(&path, Some(&theirs.api_key)).await.status, 200);
    let again = format!("{PATH}/{own}/redeliver");
    let answer = post(&gateway, &mine.api_key, &again, &json!({"event": event})).await;
    assert_eq!(answer.code(), "not_found");
    let seen = gateway
        .get(&format!("{PATH}/{foreign}"), Some(&theirs.api_key))
        .await;
    assert_eq!(seen.json::<Value>()["state"], "active");
    assert_eq!(gateway.get(PATH, None).await.code(), "api_key_invalid");
    gateway.finish().await;
}

#[tokio::test]
async fn merchant_has_at_most_sixteen_endpoints() {
    let gateway = gateway().await;
    let merchant = gateway.register(None).await;
    let url = json!({"url": "https://shop.example/"});
    for _ in 0..16 {
        let answer = post(&gateway, &merchant.api_key, PATH, &url).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let answer = post(&gateway, &merchant.api_key, PATH, &url).await;
    assert_eq!(answer.code(), "state_conflict");
    let listed: Value = gateway.read(&merchant, PATH).await;
    let id = listed["data"][3]["id"].as_str().unwrap();
    let mut delete = write(
        &merchant.api_key,
        &format!("{PATH}/{id}"),
        &key(),
        &json!({}),
    );
    delete.method = "DELETE".into();
    assert_eq!(gateway.send(delete).await.status, 204);
    let answer = post(&gateway, &merchant.api_key, PATH, &url).await;
    assert_eq!(answer.status, 201, "a deleted one makes room");
    gateway.finish().await;
}

async fn refused(gateway: &TestGateway, api_key: &str, path: &str) -> [Value; 2] {
    let mut problem: Value = gateway.get(path, Some(api_key)).await.json();
    [problem["code"].take(), problem["param"].take()]
}

#[tokio::test]
async fn unknown_list_parameters_are_rejected() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    let deliveries = format!("{PATH}/{id}/deliveries");
    #[rustfmt::skip]
    let rows = [
        ("/v1/events", "limit=0", "limit"),
        ("/v1/events", "limit=101", "limit"),
        ("/v1/events", "limit=%2b1", "limit"),
        ("/v1/events", "after=pay_1", "after"),
        ("/v1/events", "type=payment.exploded", "type"),
        ("/v1/events", "type=", "type"),
        ("/v1/events", "subject=", "subject"),
        ("/v1/events", "subject=a%20b", "subject"),
        ("/v1/events", "subject=a%00", "subject"),
        ("/v1/events", "subject=0123456789012345678901234567890", "subject"),
        ("/v1/events", "created_from=-1", "created_from"),
        ("/v1/events", "created_until=1e9", "created_until"),
        ("/v1/events", "created_until=99999999999999999999", "created_until"),
        ("/v1/events", "state=pending", "state"),
        (&deliveries, "limit=0", "limit"),
        (&deliveries, "after=x", "after"),
        (&deliveries, "state=lost", "state"),
        (&deliveries, "type=ping", "type"),
    ];
    for (path, query, param) in rows {
        let path = format!("{path}?{query}");
        let said = refused(&gateway, &merchant.api_key, &path).await;
        assert_eq!(said, [json!("invalid_parameter"), json!(param)], "{path}");
    }
    gateway.finish().await;
}
