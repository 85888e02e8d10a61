//! Orders: of nobody, of somebody else, out of bounds, and of a form that nobody should sign.

use super::refused;
use ed25519_dalek::{Signer, SigningKey};
use harness::client::{Prepared, SHOP_ORIGIN, origin};
use harness::gateway::TestGateway;
use harness::time::random;
use sealpay_protocol::api::Problem;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::order::{OrderClaims, OrderItem, Simulate};
use serde_json::{Value, json};
use verifier_server::gate::refusal::Code;

type Claim = fn(&mut OrderClaims);

fn item(name: &str, quantity: u32, amount: i64) -> OrderItem {
    OrderItem {
        name: name.into(),
        quantity,
        amount,
    }
}

/// Claims that a merchant signed rightly and still may not have: code, and what is named.
const CLAIMS: [(&str, Claim, Code, &str); 44] = [
    (
        "an unknown merchant",
        |c| c.iss = MerchantId::new(1, [1; 10]),
        Code::UnknownMerchant,
        "iss",
    ),
    (
        "another verifier",
        |c| c.aud = origin("https://pay.example"),
        Code::OrderForAnotherVerifier,
        "aud",
    ),
    (
        "https for http",
        |c| c.aud = origin("https://127.0.0.1:8787"),
        Code::OrderForAnotherVerifier,
        "aud",
    ),
    (
        "another port",
        |c| c.aud = origin("http://127.0.0.1:8788"),
        Code::OrderForAnotherVerifier,
        "aud",
    ),
    (
        "amount zero",
        |c| c.amount = 0,
        Code::AmountInvalid,
        "amount",
    ),
    (
        "amount negative",
        |c| c.amount = -1,
        Code::AmountInvalid,
        "amount",
    ),
    (
        "the least number",
        |c| c.amount = i64::MIN,
        Code::AmountInvalid,
        "amount",
    ),
    (
        "amount over the limit",
        |c| c.amount = 1_000_000_000_000,
        Code::AmountInvalid,
        "amount",
    ),
    (
        "the largest number",
        |c| c.amount = i64::MAX,
        Code::AmountInvalid,
        "amount",
    ),
    (
        "unknown currency",
        |c| c.currency = "ABC".into(),
        Code::CurrencyUnknown,
        "currency",
    ),
    (
        "no currency",
        |c| c.currency = String::new(),
        Code::CurrencyUnknown,
        "currency",
    ),
    (
        "currency in small letters",
        |c| c.currency = "eur".into(),
        Code::CurrencyUnknown,
        "currency",
    ),
    (
        "currency with a space",
        |c| c.currency = "EUR ".into(),
        Code::CurrencyUnknown,
        "currency",
    ),
    (
        "the code for no currency",
        |c| c.currency = "XXX".into(),
        Code::CurrencyUnknown,
        "currency",
    ),
    (
        "gold",
        |c| c.currency = "XAU".into(),
        Code::CurrencyUnknown,
        "currency",
    ),
    (
        "jti of 7",
        |c| c.jti = "order-1".into(),
        Code::MalformedOrder,
        "jti",
    ),
    (
        "jti of 65",
        |c| c.jti = "j".repeat(65),
        Code::MalformedOrder,
        "jti",
    ),
    (
        "jti with a slash",
        |c| c.jti = "order/0001".into(),
        Code::MalformedOrder,
        "jti",
    ),
    (
        "jti with a NUL",
        |c| c.jti = "order\u{0}0001".into(),
        Code::MalformedOrder,
        "jti",
    ),
    (
        "no order number",
        |c| c.order_ref = String::new(),
        Code::MalformedOrder,
        "order_ref",
    ),
    (
        "order number of 65",
        |c| c.order_ref = "A".repeat(65),
        Code::MalformedOrder,
        "order_ref",
    ),
    (
        "order number not ASCII",
        |c| c.order_ref = "Ä-1".into(),
        Code::MalformedOrder,
        "order_ref",
    ),
    (
        "order number with a line",
        |c| c.order_ref = "A\n1".into(),
        Code::MalformedOrder,
        "order_ref",
    ),
    (
        "no page",
        |c| c.parent_origins.clear(),
        Code::MalformedOrder,
        "parent_origins",
    ),
    (
        "nine pages",
        |c| c.parent_origins = vec![origin(SHOP_ORIGIN); 9],
        Code::MalformedOrder,
        "parent_origins",
    ),
    (
        "an empty description",
        |c| c.description = Some(String::new()),
        Code::MalformedOrder,
        "description",
    ),
    (
        "a description of 141",
        |c| c.description = Some("ä".repeat(141)),
        Code::MalformedOrder,
        "description",
    ),
    (
        "a description that turns around",
        |c| c.description = Some("a\u{202e}b".into()),
        Code::MalformedOrder,
        "description",
    ),
    (
        "a description with a NUL",
        |c| c.description = Some("a\u{0}b".into()),
        Code::MalformedOrder,
        "description",
    ),
    (
        "no items",
        |c| c.items = Some(Vec::new()),
        Code::MalformedOrder,
        "items",
    ),
    (
        "21 items",
        |c| {
            c.items = Some(vec![item("Lantern", 1, 100); 21]);
            c.amount = 2100;
        },
        Code::MalformedOrder,
        "items",
    ),
    (
        "items of another sum",
        |c| c.items = Some(vec![item("Lantern", 1, 2489)]),
        Code::MalformedOrder,
        "items",
    ),
    (
        "items that overflow",
        |c| {
            c.items = Some(vec![
                item("Lantern", 1, i64::MAX),
                item("Lamp", 1, i64::MAX),
            ]);
        },
        Code::MalformedOrder,
        "items",
    ),
    (
        "none of an item",
        |c| c.items = Some(vec![item("Lantern", 0, 2490)]),
        Code::MalformedOrder,
        "items",
    ),
    (
        "10000 of an item",
        |c| c.items = Some(vec![item("Lantern", 10_000, 2490)]),
        Code::MalformedOrder,
        "items",
    ),
    (
        "an item without a name",
        |c| c.items = Some(vec![item("", 1, 2490)]),
        Code::MalformedOrder,
        "items",
    ),
    (
        "an item with a long name",
        |c| c.items = Some(vec![item(&"L".repeat(81), 1, 2490)]),
        Code::MalformedOrder,
        "items",
    ),
    (
        "an empty customer",
        |c| c.customer = Some(String::new()),
        Code::MalformedOrder,
        "customer",
    ),
    (
        "a customer of 65",
        |c| c.customer = Some("c".repeat(65)),
        Code::MalformedOrder,
        "customer",
    ),
    (
        "an outcome without a name",
        |c| {
            c.simulate = Some(Simulate {
                outcome: String::new(),
            })
        },
        Code::MalformedOrder,
        "simulate",
    ),
    (
        "an outcome that is a path",
        |c| {
            c.simulate = Some(Simulate {
                outcome: "../x".into(),
            })
        },
        Code::MalformedOrder,
        "simulate",
    ),
    (
        "an outcome that nobody knows",
        |c| {
            c.simulate = Some(Simulate {
                outcome: "win".into(),
            })
        },
        Code::InvalidParameter,
        "simulate",
    ),
    (
        "the verifier's own reason",
        |c| {
            c.simulate = Some(Simulate {
                outcome: "not_processed".into(),
            });
        },
        Code::InvalidParameter,
        "simulate",
    ),
    (
        "a page that is not registered",
        |c| c.parent_origins = vec![origin(SHOP_ORIGIN), origin("https://evil.example")],
        Code::OriginNotAllowed,
        "parent_origin",
    ),
];

#[tokio::test]
async fn claims_out_of_bounds_are_refused_and_named() {
    let gateway = TestGateway::start().await;
    for (what, spoil, code, named) in CLAIMS {
        let mut claims = gateway.claims();
        spoil(&mut claims);
        let order = gateway.merchant.sign(&claims);
        let request = gateway.browser().open_session(&order);
        let problem: Problem = refused(&gateway, what, request, code).await.json();
        assert_eq!(problem.param.as_deref(), Some(named), "{what}");
    }
    gateway.open(&gateway.browser(), &gateway.order(None)).await;
    gateway.finish().await;
}

#[tokio::test]
async fn amounts_and_texts_at_their_bounds_are_accepted() {
    let gateway = TestGateway::start().await;
    let rows: [Claim; 8] = [
        |c| c.amount = 1,
        |c| c.amount = 999_999_999_999,
        |c| (c.currency, c.amount) = ("KWD".into(), 1),
        |c| c.jti = ["j".repeat(30), c.jti.clone()].concat(),
        |c| c.order_ref = " ~".repeat(32),
        |c| c.description = Some("ä".repeat(140)),
        |c| c.items = Some(vec![item(&"L".repeat(80), 9999, 2490)]),
        |c| c.parent_origins = vec![origin(SHOP_ORIGIN); 8],
    ];
    for change in rows {
        let mut claims = gateway.claims();
        change(&mut claims);
        let order = gateway.merchant.sign(&claims);
        gateway.open(&gateway.browser(), &order).await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn keys_that_are_not_the_merchants_do_not_sign_for_it() {
    let gateway = TestGateway::start().await;
    let mut other = gateway.register(None).await;
    let browser = gateway.browser();
    let claims = gateway.claims();
    let store = gateway.server.state.gateway.store();

    // Both merchants call their keys the same.
    let order = other.sign(&claims);
    let request = browser.open_session(&order);
    refused(
        &gateway,
        "another merchant's key",
        request,
        Code::OrderSignatureInvalid,
    )
    .await;
    other.key_id = "other-key".into();
    let request = browser.open_session(&other.sign(&claims));
    refused(&gateway, "an unknown kid", request, Code::UnknownOrderKey).await;

    let good = gateway.merchant.sign(&claims);
    let flipped = if good.ends_with('A') { "Q" } else { "A" };
    let mut altered = good.clone();
    altered.replace_range(good.len() - 4..good.len() - 3, flipped);
    let request = browser.open_session(&altered);
    refused(
        &gateway,
        "a bit of the signature",
        request,
        Code::OrderSignatureInvalid,
    )
    .await;
    let dearer = gateway.merchant.sign(&OrderClaims {
        amount: 1,
        ..claims.clone()
    });
    let [header, _, signature] = [0, 1, 2].map(|part| good.split('.').nth(part).unwrap());
    let payload = dearer.split('.').nth(1).unwrap();
    let request = browser.open_session(&[header, payload, signature].join("."));
    refused(
        &gateway,
        "another amount",
        request,
        Code::OrderSignatureInvalid,
    )
    .await;

    gateway.open(&browser, &good).await;
    let now_ms = i64::try_from(gateway.now() * 1000).unwrap();
    let merchant = gateway.merchant.id;
    assert!(
        store
            .retire_order_key(merchant, "test-key", now_ms)
            .await
            .unwrap()
    );
    let request = browser.open_session(&gateway.order(None));
    refused(&gateway, "a retired key", request, Code::UnknownOrderKey).await;
    let request = browser.open_session(&good);
    refused(
        &gateway,
        "a retired key and an open session",
        request,
        Code::UnknownOrderKey,
    )
    .await;
    gateway.finish().await;
}

#[tokio::test]
async fn the_widget_is_opened_only_in_pages_of_the_order_that_are_registered() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let order = gateway.order(None);
    for page in [
        "https://evil.example",
        "https://shop.test:4242",
        "http://shop.test",
        "http://shop.test:4243",
        "http://www.shop.test:4242",
        "http://shop.test.evil.example:4242",
    ] {
        let request = browser.open_with(browser.open_body(&order, page));
        refused(&gateway, page, request, Code::OriginNotAllowed).await;
    }
    let mut claims = gateway.claims();
    claims.parent_origins = vec![origin("https://evil.example")];
    let order = gateway.merchant.sign(&claims);
    for page in ["https://evil.example", SHOP_ORIGIN] {
        let request = browser.open_with(browser.open_body(&order, page));
        refused(&gateway, page, request, Code::OriginNotAllowed).await;
    }
    // What is not an origin at all is not compared with any.
    let body = String::from_utf8(browser.open_body(&order, SHOP_ORIGIN)).unwrap();
    for page in [
        "null",
        "*",
        "",
        "http://shop.test:4242/",
        "HTTP://shop.test:4242",
    ] {
        let body = body.replace(SHOP_ORIGIN, page).into_bytes();
        let request = browser.open_with(body);
        refused(&gateway, page, request, Code::MalformedRequest).await;
    }
    gateway.open(&browser, &gateway.order(None)).await;
    gateway.finish().await;
}

#[tokio::test]
async fn outcomes_are_not_simulated_where_money_is_real() {
    let gateway = TestGateway::with(|config| config.test_mode = false).await;
    let browser = gateway.browser();
    let request = browser.open_session(&gateway.order(Some("approved")));
    refused(&gateway, "simulate", request, Code::SimulateNotAllowed).await;
    let personas = Prepared::get_of("/sim/personas", None);
    refused(&gateway, "personas", personas, Code::NotFound).await;
    gateway.open(&browser, &gateway.order(None)).await;
    gateway.finish().await;
}

#[tokio::test]
async fn a_stranger_cannot_tell_whether_a_merchant_has_a_key() {
    let gateway = TestGateway::start().await;
    let browser = gateway.browser();
    let stranger = SigningKey::from_bytes(&random());
    let mut claims = gateway.claims();
    let order = sealpay_protocol::order::sign(&claims, "test-key", &stranger).unwrap();
    let request = browser.open_session(&order);
    refused(
        &gateway,
        "a stranger's key",
        request,
        Code::OrderSignatureInvalid,
    )
    .await;
    // The claims of an order that nobody signed are not looked at.
    (claims.amount, claims.currency, claims.exp) = (-1, "???".into(), 0);
    let order = sealpay_protocol::order::sign(&claims, "test-key", &stranger).unwrap();
    let request = browser.open_session(&order);
    refused(
        &gateway,
        "and bad claims",
        request,
        Code::OrderSignatureInvalid,
    )
    .await;
    gateway.finish().await;
}
