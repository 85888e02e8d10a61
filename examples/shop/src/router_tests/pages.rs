//! Every page, and the forms on them.

use super::{merchant, scene, scene_with};
use axum::http::{StatusCode, header};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::AuthenticationRequirement;

#[tokio::test]
async fn the_form_gets_the_order_that_the_shop_priced_and_signed() {
    let scene = scene("signed", &[]);
    let reference = scene.order().await;
    let first = scene.claims(&reference).await;
    assert_eq!(
        (first.amount, first.currency.as_str(), &first.order_ref),
        (4_980, "EUR", &reference)
    );
    assert_eq!(
        (first.exp - first.iat, first.iss, first.simulate.as_ref()),
        (1_800, merchant(), None)
    );
    assert_eq!(first.methods.as_deref(), Some(&Method::ALL[..]));
    assert_eq!(
        (&first.billing_country, first.authentication),
        (&None, None)
    );
    assert_eq!(
        scene.claims(&reference).await,
        first,
        "a reload gets the same order"
    );

    let path = format!("/checkout/{reference}");
    let answer = scene
        .post_form(
            &path,
            "wallet=yes&bank_transfer=yes&authentication=required&billing_country=US&\
             simulate=lost_card&capture=manual",
        )
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let second = scene.claims(&reference).await;
    assert_eq!(second.simulate.unwrap().outcome, "lost_card");
    assert_eq!(
        second.methods.as_deref(),
        Some(&[Method::Wallet, Method::BankTransfer][..])
    );
    assert_eq!(second.billing_country.as_deref(), Some("US"));
    assert_eq!(
        second.authentication,
        Some(AuthenticationRequirement::Required)
    );
    assert_ne!(second.jti, first.jti);
    for wrong in [
        "card=yes&simulate=made_up&capture=manual",
        "card=yes&simulate=&capture=later",
        "card=yes&simulate=",
        "simulate=&capture=manual",
        "card=yes&capture=manual&billing_country=XX",
        "card=yes&capture=manual&authentication=never",
    ] {
        let answer = scene.post_form(&path, wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let third = scene.claims(&reference).await;
    assert_eq!(third.jti, second.jti, "what is refused changes nothing");
}

#[tokio::test]
async fn what_only_a_test_has_is_offered_in_test_mode_only() {
    let reference_and_scene = async |name, cards| {
        let scene = scene_with(name, &[], cards);
        (scene.order().await, scene)
    };
    let (reference, scene) = reference_and_scene("live", Vec::new()).await;
    let methods = scene.claims(&reference).await.methods;
    assert_eq!(methods, Some(vec![Method::Card, Method::BankTransfer]));
    let path = format!("/checkout/{reference}");
    assert!(!scene.get(&path).await.text.contains("/sim"));
    scene.post_form(&path, "wallet=yes&capture=automatic").await;
    assert_eq!(scene.claims(&reference).await.methods, None);

    let cards = vec![crate::personas::example("approved", "4242424242424242")];
    let (reference, scene) = reference_and_scene("test", cards).await;
    let page = scene.get(&format!("/checkout/{reference}")).await.text;
    let link = "<a href=\"http://localhost:8788/sim\" target=\"_blank\" rel=\"noopener\">";
    assert!(page.contains(link) && page.contains("Test controls"));
    assert!(page.contains("We’ll confirm your order as soon as your transfer arrives."));
}

#[tokio::test]
async fn an_order_that_the_shop_does_not_sell_is_refused() {
    let scene = scene("wishes", &[]);
    let rows = [
        "",
        "product=moon",
        "product=gold&pieces=1",
        "product=moon-lantern&pieces=0",
        "product=moon-lantern&pieces=10",
        "product=moon-lantern&pieces=-1",
    ];
    for wish in rows {
        let answer = scene.post_form("/checkout", wish).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wish}");
        assert!(
            answer.text.contains("Please check what you entered"),
            "{wish}"
        );
    }
    assert!(scene.get("/orders").await.text.contains("No orders yet."));
}

#[tokio::test]
async fn every_page_has_a_policy_without_inline_code_and_nothing_inline() {
    let scene = scene("policy", &[]);
    let reference = scene.order().await;
    let checkout = format!("/checkout/{reference}");
    let order = format!("/orders/{reference}");
    for path in [
        "/",
        "/orders",
        &checkout,
        &order,
        "/nowhere",
        "/orders/PL-0",
    ] {
        let answer = scene.get(path).await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self' http://127.0.0.1:8787;"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!answer.text.contains("style="), "{path}");
        assert!(!answer.text.contains("<style"), "{path}");
        for script in answer.text.split("<script").skip(1) {
            assert!(
                script.split("</script>").next().unwrap().ends_with('>'),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn what_the_verifier_says_of_its_cards_is_escaped() {
    let scene = scene("cards", &[]);
    let reference = scene.order().await;
    let page = scene.get(&format!("/checkout/{reference}")).await.text;
    assert!(page.contains("4000 0000 0000 0010"));
    assert!(page.contains("A card to try &lt;b&gt;, see <code>&lt;i&gt;</code>."));
    assert!(!page.contains("<b>") && !page.contains("<i>"));
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let scene = scene("missing", &[]);
    for path in [
        "/nowhere",
        "/orders/PL-0",
        "/orders/PL-0/status",
        "/checkout/PL-0",
        "/assets/x",
    ] {
        assert_eq!(
            scene.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    for (path, kind) in [("shop.css", "text/css"), ("shop.js", "text/javascript")] {
        let answer = scene.get(&format!("/assets/{path}")).await;
        assert!(
            answer.headers[header::CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with(kind)
        );
    }
    assert_eq!(scene.get("/healthz").await.text, "ok\n");
}
