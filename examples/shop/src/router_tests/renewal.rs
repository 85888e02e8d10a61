//! Another signed order for a form whose own is over.

use super::delivery::of_payment;
use super::{Scene, claims_of, scene, signed_order, verifier_key};
use axum::http::{StatusCode, header};
use serde_json::json;

async fn on_the_page(scene: &Scene, reference: &str) -> String {
    let page = scene.get(&format!("/checkout/{reference}")).await;
    signed_order(&page.text).to_owned()
}

#[tokio::test]
async fn a_form_that_is_over_gets_another_order_and_a_second_one_gets_the_same() {
    let scene = scene("renewal", &[]);
    let reference = scene.order().await;
    let path = format!("/checkout/{reference}/sign");
    let first = on_the_page(&scene, &reference).await;

    let answer = scene.post_text(&path, &first).await;
    assert_eq!(answer.status, StatusCode::OK);
    let kind = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(kind.starts_with("text/plain"), "{kind}");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let second = answer.text;
    let (before, after) = (claims_of(&first), claims_of(&second));
    assert_ne!(after.jti, before.jti);
    assert_eq!(
        (after.amount, &after.order_ref),
        (before.amount, &before.order_ref)
    );

    for over in [first.as_str(), "", "not.an.order"] {
        let again = scene.post_text(&path, over).await;
        assert_eq!(again.text, second, "{over}");
    }
    assert_eq!(on_the_page(&scene, &reference).await, second);
}

#[tokio::test]
async fn no_other_order_goes_out_while_one_is_being_paid_or_is_paid() {
    let rows = [
        ("declined", StatusCode::OK),
        ("requires_action", StatusCode::OK),
        ("unknown", StatusCode::CONFLICT),
        ("captured", StatusCode::CONFLICT),
    ];
    for (state, expected) in rows {
        let scene = scene(&format!("renewal-{state}"), &[verifier_key()]);
        let reference = scene.order().await;
        let first = on_the_page(&scene, &reference).await;
        let told = of_payment(state, &reference, 1, state, json!({}));
        scene.deliver(&told).await;
        let path = format!("/checkout/{reference}/sign");
        let answer = scene.post_text(&path, &first).await;
        assert_eq!(answer.status, expected, "{state}");
        // What waits for the shopper goes on where it began.
        let is_the_same = answer.text == first;
        assert_eq!(is_the_same, state == "requires_action", "{state}");
    }
}

#[tokio::test]
async fn only_an_order_of_this_shop_is_signed() {
    let scene = scene("renewal-refused", &[]);
    let answer = scene.post_text("/checkout/PL-0/sign", "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let path = format!("/checkout/{}/sign", scene.order().await);
    let answer = scene.post_text(&path, &"x".repeat(5_000)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
