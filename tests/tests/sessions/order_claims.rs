//! Claims of correctly signed orders that are out of range.

use crate::refusals::refused;
use harness::client::{SHOP_ORIGIN, origin};
use harness::gateway::TestGateway;
use sealpay_protocol::api::Problem;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::order::{OrderClaims, OrderItem, Simulate};
use verifier_server::error::ErrorCode;

type Claim = fn(&mut OrderClaims);

fn item(name: &str, quantity: u32, amount: i64) -> OrderItem {
    OrderItem {
        name: name.into(),
        quantity,
        amount,
    }
}

/// Claims that a merchant signed rightly and still may not have: code, and what is named.
#[rustfmt::skip]
const CLAIMS: [(&str, Claim, ErrorCode, &str); 44] = [
    ("an unknown merchant", |c| c.iss = MerchantId::new(1, [1; 10]), ErrorCode::UnknownMerchant, "iss"),
    ("another verifier", |c| c.aud = origin("https://pay.example"), ErrorCode::OrderForAnotherVerifier, "aud"),
    ("https for http", |c| c.aud = origin("https://127.0.0.1:8787"), ErrorCode::OrderForAnotherVerifier, "aud"),
    ("another port", |c| c.aud = origin("http://127.0.0.1:8788"), ErrorCode::OrderForAnotherVerifier, "aud"),
    ("amount zero", |c| c.amount = 0, ErrorCode::AmountInvalid, "amount"),
    ("amount negative", |c| c.amount = -1, ErrorCode::AmountInvalid, "amount"),
    ("the least number", |c| c.amount = i64::MIN, ErrorCode::AmountInvalid, "amount"),
    ("amount over the limit", |c| c.amount = 1_000_000_000_000, ErrorCode::AmountInvalid, "amount"),
    ("the largest number", |c| c.amount = i64::MAX, ErrorCode::AmountInvalid, "amount"),
    ("unknown currency", |c| c.currency = "ABC".into(), ErrorCode::CurrencyUnknown, "currency"),
    ("no currency", |c| c.currency = String::new(), ErrorCode::CurrencyUnknown, "currency"),
    ("currency in small letters", |c| c.currency = "eur".into(), ErrorCode::CurrencyUnknown, "currency"),
    ("currency with a space", |c| c.currency = "EUR ".into(), ErrorCode::CurrencyUnknown, "currency"),
    ("the code for no currency", |c| c.currency = "XXX".into(), ErrorCode::CurrencyUnknown, "currency"),
    ("gold", |c| c.currency = "XAU".into(), ErrorCode::CurrencyUnknown, "currency"),
    ("jti of 7", |c| c.jti = "order-1".into(), ErrorCode::MalformedOrder, "jti"),
    ("jti of 65", |c| c.jti = "j".repeat(65), ErrorCode::MalformedOrder, "jti"),
    ("jti with a slash", |c| c.jti = "order/0001".into(), ErrorCode::MalformedOrder, "jti"),
    ("jti with a NUL", |c| c.jti = "order\u{0}0001".into(), ErrorCode::MalformedOrder, "jti"),
    ("no order number", |c| c.order_ref = String::new(), ErrorCode::MalformedOrder, "order_ref"),
    ("order number of 65", |c| c.order_ref = "A".repeat(65), ErrorCode::MalformedOrder, "order_ref"),
    ("order number not ASCII", |c| c.order_ref = "Ä-1".into(), ErrorCode::MalformedOrder, "order_ref"),
    ("order number with a line", |c| c.order_ref = "A\n1".into(), ErrorCode::MalformedOrder, "order_ref"),
    ("no page", |c| c.parent_origins.clear(), ErrorCode::MalformedOrder, "parent_origins"),
    ("nine pages", |c| c.parent_origins = vec![origin(SHOP_ORIGIN); 9], ErrorCode::MalformedOrder, "parent_origins"),
    ("an empty description", |c| c.description = Some(String::new()), ErrorCode::MalformedOrder, "description"),
    ("a description of 141", |c| c.description = Some("ä".repeat(141)), ErrorCode::MalformedOrder, "description"),
    (
        "a description that turns around",
        |c| c.description = Some("a\u{202e}b".into()),
        ErrorCode::MalformedOrder,
        "description",
    ),
    ("a description with a NUL", |c| c.description = Some("a\u{0}b".into()), ErrorCode::MalformedOrder, "description"),
    ("no items", |c| c.items = Some(Vec::new()), ErrorCode::MalformedOrder, "items"),
    (
        "201 items",
        |c| {
            c.items = Some(vec![item("Lantern", 1, 10); 201]);
            c.amount = 2010;
        },
        ErrorCode::MalformedOrder,
        "items",
    ),
    ("items of another sum", |c| c.items = Some(vec![item("Lantern", 1, 2489)]), ErrorCode::MalformedOrder, "items"),
    (
        "items that overflow",
        |c| {
            c.items = Some(vec![item("Lantern", 1, i64::MAX), item("Lamp", 1, i64::MAX)]);
        },
        ErrorCode::MalformedOrder,
        "items",
    ),
    (
        "none of an item",
        |c| c.items = Some(vec![item("Lantern", 0, 2490)]),
        ErrorCode::MalformedOrder,
        "items[0].quantity",
    ),
    (
        "10000 of an item",
        |c| c.items = Some(vec![item("Lantern", 10_000, 2490)]),
        ErrorCode::MalformedOrder,
        "items[0].quantity",
    ),
    ("an item without a name", |c| c.items = Some(vec![item("", 1, 2490)]), ErrorCode::MalformedOrder, "items[0].name"),
    (
        "an item with a long name",
        |c| c.items = Some(vec![item(&"L".repeat(81), 1, 2490)]),
        ErrorCode::MalformedOrder,
        "items[0].name",
    ),
    ("an empty customer", |c| c.customer = Some(String::new()), ErrorCode::MalformedOrder, "customer"),
    ("a customer of 65", |c| c.customer = Some("c".repeat(65)), ErrorCode::MalformedOrder, "customer"),
    (
        "an outcome without a name",
        |c| c.simulate = Some(Simulate { outcome: String::new() }),
        ErrorCode::MalformedOrder,
        "simulate",
    ),
    (
        "an outcome that is a path",
        |c| c.simulate = Some(Simulate { outcome: "../x".into() }),
        ErrorCode::MalformedOrder,
        "simulate",
    ),
    (
        "an outcome that nobody knows",
        |c| c.simulate = Some(Simulate { outcome: "win".into() }),
        ErrorCode::InvalidParameter,
        "simulate",
    ),
    (
        "the verifier's own reason",
        |c| {
            c.simulate = Some(Simulate { outcome: "not_processed".into() });
        },
        ErrorCode::InvalidParameter,
        "simulate",
    ),
    (
        "a page that is not registered",
        |c| c.parent_origins = vec![origin(SHOP_ORIGIN), origin("https://evil.example")],
        ErrorCode::OriginNotAllowed,
        "parent_origin",
    ),
];

#[tokio::test]
async fn out_of_range_claims_are_rejected_and_named() {
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
