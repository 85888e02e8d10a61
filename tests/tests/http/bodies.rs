//! Request bodies that are too large, too deep, not UTF-8, not JSON, or of another schema. All are
//! signed correctly.

use crate::refusals::{Checkout, refused};
use harness::gateway::TestGateway;
use sealpay_protocol::limits::{BODY_BYTES, SESSION_BODY_BYTES};
use serde_json::{Value, json};
use verifier_server::error::ErrorCode::{self, MalformedJson, MalformedRequest, PayloadTooLarge};

/// Bodies that are refused on a path of the widget that reads so many bytes.
fn rows(most: usize) -> Vec<(&'static str, Vec<u8>, ErrorCode)> {
    let megabyte = format!("{{\"order\":\"{}\"}}", "a".repeat(1 << 20));
    let deep = |open: &str, close: &str| {
        let depth = 5000;
        [open.repeat(depth), close.repeat(depth)]
            .concat()
            .into_bytes()
    };
    vec![
        ("a megabyte of JSON", megabyte.into_bytes(), PayloadTooLarge),
        ("a byte too many", vec![b' '; most + 1], PayloadTooLarge),
        ("as many spaces as allowed", vec![b' '; most], MalformedJson),
        ("nothing", Vec::new(), MalformedJson),
        ("a NUL", vec![0], MalformedJson),
        ("NULs", vec![0; 1000], MalformedJson),
        ("deep arrays", deep("[", "]"), MalformedJson),
        ("deep objects", deep("{\"a\":", "}"), MalformedJson),
        (
            "deep arrays in a known member",
            [b"{\"card\":".to_vec(), deep("[", "]"), b"}".to_vec()].concat(),
            MalformedJson,
        ),
        ("open brackets", vec![b'['; 30_000], MalformedJson),
        (
            "as deep as nobody needs",
            [[b'['; 100], [b']'; 100]].concat(),
            MalformedRequest,
        ),
        ("open braces", b"{\"".repeat(10_000), MalformedJson),
        (
            "not UTF-8",
            b"{\"card\":\"\xff\xfe\"}".to_vec(),
            MalformedJson,
        ),
        (
            "a lone surrogate",
            br#"{"\ud800":1}"#.to_vec(),
            MalformedJson,
        ),
        ("UTF-16", b"{\0}\0".to_vec(), MalformedJson),
        (
            "a byte order mark",
            b"\xef\xbb\xbf{}".to_vec(),
            MalformedJson,
        ),
        ("half an object", b"{\"card\":".to_vec(), MalformedJson),
        (
            "a comma too many",
            br#"{"method":"card",}"#.to_vec(),
            MalformedJson,
        ),
        ("a form", b"method=card&card=4242".to_vec(), MalformedJson),
        (
            "XML",
            b"<?xml version=\"1.0\"?><card/>".to_vec(),
            MalformedJson,
        ),
        ("not a number", b"{\"card\":NaN}".to_vec(), MalformedJson),
        ("null", b"null".to_vec(), MalformedRequest),
        ("a text", b"\"card\"".to_vec(), MalformedRequest),
        ("a number", b"1e999".to_vec(), MalformedJson),
        ("an array", b"[]".to_vec(), MalformedRequest),
        ("an empty object", b"{}".to_vec(), MalformedRequest),
    ]
}

#[tokio::test]
async fn malformed_bodies_are_rejected_on_both_paths() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    for (what, body, code) in rows(SESSION_BODY_BYTES) {
        let opening = gateway.browser().open_with(body);
        refused(&gateway, &format!("open: {what}"), opening, code).await;
    }
    for (what, body, code) in rows(BODY_BYTES) {
        let paying = checkout.request_with(body);
        refused(&gateway, &format!("pay: {what}"), paying, code).await;
    }
    checkout.works(&gateway, "all of it").await;
    gateway.finish().await;
}

/// Changes a good body and expects what becomes of it.
fn changed(good: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(good).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

#[tokio::test]
async fn payment_with_unknown_or_missing_members_is_rejected() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let good = checkout.good_body();
    let text = String::from_utf8(good.clone()).unwrap();
    let parsed: Value = serde_json::from_slice(&good).unwrap();
    let card = parsed["card"].clone();
    let members = ["v", "kid", "enc", "ct"].map(|name| card[name].clone());
    #[rustfmt::skip]
    let rows = [
        ("an unknown member", changed(&good, |v| v["amount"] = json!(1))),
        ("an unknown member of the card", changed(&good, |v| v["card"]["number"] = json!("4"))),
        ("no method", changed(&good, |v| drop(v.as_object_mut().unwrap().remove("method")))),
        ("no card", changed(&good, |v| drop(v.as_object_mut().unwrap().remove("card")))),
        ("an unknown method", changed(&good, |v| v["method"] = json!("cash"))),
        ("a method in capitals", changed(&good, |v| v["method"] = json!("Card"))),
        ("a card of null", changed(&good, |v| v["card"] = Value::Null)),
        ("a card as a text", changed(&good, |v| v["card"] = json!("sealed"))),
        ("a card as an array", changed(&good, |v| v["card"] = json!(members))),
        ("all of it as an array", json!(["card", card]).to_string().into_bytes()),
        ("a version as a text", changed(&good, |v| v["card"]["v"] = json!("1"))),
        ("a version of 256", changed(&good, |v| v["card"]["v"] = json!(256))),
        ("a version below zero", changed(&good, |v| v["card"]["v"] = json!(-1))),
        ("a version with a fraction", changed(&good, |v| v["card"]["v"] = json!(1.0))),
        ("enc as numbers", changed(&good, |v| v["card"]["enc"] = json!([1, 2, 3]))),
        ("no ct", changed(&good, |v| drop(v["card"].as_object_mut().unwrap().remove("ct")))),
        ("the method twice", text.replacen('{', "{\"method\":\"card\",", 1).into_bytes()),
        ("the version twice", text.replacen("\"v\":1", "\"v\":1,\"v\":1", 1).into_bytes()),
        ("the card twice", [&text[..text.len() - 1], ",\"card\":", &card.to_string(), "}"].concat().into_bytes()),
    ];
    for (what, body) in rows {
        assert_ne!(body, good, "{what}");
        let request = checkout.request_with(body);
        refused(&gateway, what, request, MalformedRequest).await;
    }
    let trailing = checkout.request_with(format!("{text} {{}}").into_bytes());
    refused(&gateway, "two bodies", trailing, MalformedJson).await;
    // Spaces are nothing.
    let spaced = checkout.request_with(format!(" \r\n\t{text}\n").into_bytes());
    assert_eq!(gateway.send(spaced).await.status, 200);
    gateway.finish().await;
}

/// A derived enum also reads an object with one member, which no other implementation would.
#[tokio::test]
async fn payment_method_as_an_object_is_rejected() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let body = changed(&checkout.good_body(), |v| {
        v["method"] = json!({"card": null})
    });
    let request = checkout.request_with(body);
    refused(&gateway, "a method as an object", request, MalformedRequest).await;
    checkout.works(&gateway, "it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn session_request_with_unknown_or_missing_members_is_rejected() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let order = gateway.order(None);
    let good = browser.open_body(&order, harness::client::SHOP_ORIGIN);
    let text = String::from_utf8(good.clone()).unwrap();
    let parsed: Value = serde_json::from_slice(&good).unwrap();
    let key = &parsed["key"];
    let values = json!([parsed["order"], key, parsed["parent_origin"]]);
    #[rustfmt::skip]
    let rows = [
        ("an unknown member", changed(&good, |v| v["session"] = json!("chk_1"))),
        ("no order", changed(&good, |v| drop(v.as_object_mut().unwrap().remove("order")))),
        ("no key", changed(&good, |v| drop(v.as_object_mut().unwrap().remove("key")))),
        ("no page", changed(&good, |v| drop(v.as_object_mut().unwrap().remove("parent_origin")))),
        ("an order as an object", changed(&good, |v| v["order"] = json!({"amount": 1}))),
        ("an order of null", changed(&good, |v| v["order"] = Value::Null)),
        ("a private key", changed(&good, |v| v["key"]["d"] = json!("AAAA"))),
        ("a key that names its use", changed(&good, |v| v["key"]["use"] = json!("sig"))),
        ("a key as a text", changed(&good, |v| v["key"] = json!("AAAA"))),
        ("a key as an array", changed(&good, |v| v["key"] = json!(["OKP", "Ed25519", key["x"]]))),
        ("all of it as an array", values.to_string().into_bytes()),
        ("the order twice", text.replacen('{', "{\"order\":\"\",", 1).into_bytes()),
        ("the kind of key twice", text.replacen("\"crv\"", "\"kty\":\"OKP\",\"crv\"", 1).into_bytes()),
        ("pages", changed(&good, |v| v["parent_origin"] = json!([harness::client::SHOP_ORIGIN]))),
    ];
    for (what, body) in rows {
        assert_ne!(body, good, "{what}");
        refused(&gateway, what, browser.open_with(body), MalformedRequest).await;
    }
    gateway.open(&browser, &order).await;
    gateway.finish().await;
}

#[tokio::test]
async fn largest_body_is_accepted_and_one_byte_more_is_rejected() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let mut body = checkout.good_body();
    body.resize(32_769, b' ');
    let too_large = checkout.request_with(body.clone());
    refused(&gateway, "a byte too many", too_large, PayloadTooLarge).await;
    let mut announced = checkout.good_request();
    announced.set("content-length", "32769");
    refused(&gateway, "announced", announced, PayloadTooLarge).await;
    body.truncate(32_768);
    let largest = gateway.send(checkout.request_with(body)).await;
    assert_eq!(largest.status, 200, "{}", largest.text());
    gateway.finish().await;
}
