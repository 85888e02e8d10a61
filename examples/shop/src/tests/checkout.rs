//! From the product to the payment form.

use super::{event, shop, shop_with};
use crate::pages::test_cards;
use axum::http::{StatusCode, header};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde_json::json;

#[tokio::test]
async fn shop_signs_its_own_price_and_what_a_tester_chose() {
    let shop = shop("price");
    let reference = shop.order().await;
    let first = shop.signed(&reference).await;
    let claims = shop.claims(&first);
    let price = (claims.amount, claims.currency.as_str(), &claims.order_ref);
    assert_eq!(price, (4_980, "EUR", &reference));
    assert_eq!(
        (claims.methods.as_deref(), claims.simulate),
        (Some(&Method::ALL[..]), None)
    );
    assert_eq!(
        shop.signed(&reference).await,
        first,
        "a reload gets the same order"
    );

    let path = format!("/checkout/{reference}");
    let settings = "wallet=yes&bank_transfer=yes&simulate=lost_card&capture=manual";
    let response = shop.post(&path, settings).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    let second = shop.signed(&reference).await;
    let claims = shop.claims(&second);
    assert_eq!(claims.simulate.unwrap().outcome, "lost_card");
    let methods = vec![Method::Wallet, Method::BankTransfer];
    assert_eq!(
        (claims.methods, claims.capture),
        (Some(methods), Capture::Manual)
    );
    let second = {
        let settings = "card=yes&is_returning=yes&capture=automatic";
        shop.post(&path, settings).await;
        let second = shop.signed(&reference).await;
        let claims = shop.claims(&second);
        assert_eq!(claims.agreement.unwrap().kind, AgreementKind::CardOnFile);
        assert!(claims.customer.is_some());
        second
    };
    for wrong in ["card=yes&capture=later", "capture=manual"] {
        let response = shop.post(&path, wrong).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert_eq!(
        shop.signed(&reference).await,
        second,
        "rejected settings change nothing"
    );
}

#[tokio::test]
async fn live_shop_has_no_test_features() {
    let shop = shop_with("live", "http://127.0.0.1:1", false);
    let reference = shop.order().await;
    let path = format!("/checkout/{reference}");
    let response = shop
        .post(&path, "wallet=yes&capture=manual&simulate=approved")
        .await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
    let claims = shop.claims(&shop.signed(&reference).await);
    assert_eq!(
        claims.methods,
        Some(vec![Method::Card, Method::BankTransfer])
    );
    assert_eq!(
        (claims.capture, claims.simulate),
        (Capture::Automatic, None)
    );
    let page = shop.get(&path).await.text;
    assert!(
        !page.contains("For testers") && !page.contains("/sim"),
        "{page}"
    );
}

#[tokio::test]
async fn form_that_is_over_gets_another_order_and_a_second_form_gets_the_same() {
    let shop = shop("renewal");
    let reference = shop.order().await;
    let path = format!("/checkout/{reference}/sign");
    let first = shop.signed(&reference).await;
    let renewed = shop.post(&path, first.clone()).await;
    assert_eq!(renewed.headers[header::CACHE_CONTROL], "no-store");
    assert_ne!(shop.claims(&renewed.text).jti, shop.claims(&first).jti);
    for over in [first.as_str(), "", "not.an.order"] {
        assert_eq!(
            shop.post(&path, over.to_owned()).await.text,
            renewed.text,
            "{over}"
        );
    }
    assert_eq!(shop.signed(&reference).await, renewed.text);
    let rows = [
        (1, "declined", StatusCode::OK),
        (2, "requires_action", StatusCode::OK),
        (3, "unknown", StatusCode::CONFLICT),
        (4, "captured", StatusCode::CONFLICT),
    ];
    for (sequence, state, expected) in rows {
        shop.deliver(state, &event(&reference, sequence, state, json!({})))
            .await;
        let response = shop.post(&path, "").await;
        assert_eq!(response.status, expected, "{state}");
    }
    let response = shop.post(&path, "x".repeat(5_000)).await;
    assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn order_of_something_that_the_shop_does_not_sell_is_rejected() {
    let shop = shop("not-sold");
    for form in [
        "",
        "product=gold&pieces=1",
        "product=moon-lantern&pieces=10",
    ] {
        let response = shop.post("/checkout", form).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
    }
    assert!(shop.get("/orders").await.text.contains("No orders yet."));
}

#[tokio::test]
async fn every_page_has_a_strict_policy_and_nothing_inline() {
    let shop = shop("policy");
    let reference = shop.order().await;
    let (checkout, order) = (
        format!("/checkout/{reference}"),
        format!("/orders/{reference}"),
    );
    let missing = ["/nowhere", "/orders/PL-0", "/checkout/PL-0", "/assets/x"];
    let found = [
        "/",
        "/orders",
        &checkout,
        &order,
        "/assets/shop.css",
        "/healthz",
    ];
    for path in found.into_iter().chain(missing) {
        let response = shop.get(path).await;
        let expected = if missing.contains(&path) { 404 } else { 200 };
        assert_eq!(response.status.as_u16(), expected, "{path}");
        let policy = response.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self' http://127.0.0.1:1;"));
        assert!(!policy.contains("unsafe"), "{policy}");
        let text = response.text;
        assert!(
            !text.contains("style=") && !text.contains("<style"),
            "{path}"
        );
        for script in text.split("<script").skip(1) {
            assert!(
                script.split("</script>").next().unwrap().ends_with('>'),
                "{path}"
            );
        }
    }
}

#[test]
fn test_cards_are_grouped_by_outcome_and_their_texts_are_escaped() {
    let cards = [
        ("approved", "4242424242424242"),
        ("account", "378282246310005"),
        ("challenge_code", "4000000000000010"),
        ("lost_card", "6200000000000000003"),
    ];
    let cards = cards.map(|(outcome, number)| {
        json!({ "name": "n", "title": "A card", "number": number, "brand": "visa",
                "outcome": outcome, "description": "A <b> card, see `<i>`." })
    });
    let outcomes = json!([{ "name": "challenge_code", "kind": "authentication" }]);
    let cards = json!({ "personas": cards, "outcomes": outcomes });
    let page = test_cards(&serde_json::from_value(cards).unwrap()).into_string();
    let mut rest = page.as_str();
    for part in [
        "Approved",
        "4242 4242 4242 4242",
        "A &lt;b&gt; card, see <code>&lt;i&gt;</code>.",
        "The account decides",
        "3782 822463 10005",
        "Identity check",
        "Declined or failed",
        "6200 0000 0000 0000 003",
    ] {
        rest = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("{part} in {rest}"))
            .1;
    }
}
