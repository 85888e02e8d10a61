//! Subscribing: the order, its form, and the events that start the subscription.

use super::merchant_api::{COOKIE, MerchantApi, OTHER_COOKIE, reference};
use super::{TestShop, event, shop, shop_with};
use axum::http::{StatusCode, header};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::method::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

impl TestShop {
    /// Orders two bottles a month; the order's reference.
    async fn subscribe(&self) -> String {
        let form = "product=lantern-oil&pieces=2";
        let response = self.ask("POST /checkout", COOKIE, form).await;
        let address = response.headers[header::LOCATION].to_str().unwrap();
        address.strip_prefix("/checkout/").unwrap().to_owned()
    }
}

/// An event about the first payment of two bottles.
fn payment(reference: &str, sequence: u64, state: &str) -> Value {
    let other = json!({ "amount": 1_800, "agreement": "agr_1", "invoice": null });
    event(reference, sequence, state, other)
}

#[tokio::test]
async fn order_asks_to_agree_and_names_a_visitor_who_gets_a_cookie() {
    let shop = shop("subscribe");
    let form = "product=lantern-oil&pieces=2";
    let response = shop.ask("POST /checkout", "", form).await;
    let cookie = response.headers[header::SET_COOKIE].to_str().unwrap();
    let (cookie, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax"
    );
    let path = response.headers[header::LOCATION].to_str().unwrap();
    let page = shop.ask(&format!("GET {path}"), cookie, "").await.text;
    assert!(
        page.contains("Renews each month until you cancel"),
        "{page}"
    );
    let (_, signed) = page.split_once(" order=\"").unwrap();
    let claims = shop.claims(signed.split('"').next().unwrap());
    assert_eq!((claims.amount, claims.currency.as_str()), (1_800, "EUR"));
    assert_eq!(claims.agreement.unwrap().kind, AgreementKind::Subscription);
    let methods = [Method::Card, Method::SepaDebit];
    assert_eq!(claims.methods.as_deref(), Some(&methods[..]));
    let customer = claims.customer.unwrap();
    assert_eq!(customer, reference(cookie));
    let (_, secret) = cookie.split_once('=').unwrap();
    assert!(
        !page.contains(secret) && !customer.contains(secret),
        "nobody learns the cookie from the order"
    );
    let response = shop.ask("POST /checkout", cookie, form).await;
    let renewed = response.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(renewed.starts_with(cookie), "a visitor stays the same");
    let once = shop
        .ask("POST /checkout", "", "product=moon-lantern&pieces=1")
        .await;
    assert!(!once.headers.contains_key(header::SET_COOKIE));
    for wrong in [
        "product=lantern-oil&pieces=7",
        "product=lantern-oil&pieces=0",
    ] {
        let response = shop.ask("POST /checkout", cookie, wrong).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}

#[tokio::test]
async fn tester_cannot_choose_what_a_subscription_cannot_have() {
    let shop = shop("subscribe-settings");
    let path = format!("/checkout/{}", shop.subscribe().await);
    let page = shop.ask(&format!("GET {path}"), COOKIE, "").await.text;
    for tick in ["wallet", "bank_transfer", "is_returning"] {
        assert!(!page.contains(&format!("name=\"{tick}\"")), "{tick}");
    }
    let settings = "card=yes&wallet=yes&is_returning=yes&capture=automatic";
    shop.ask(&format!("POST {path}"), COOKIE, settings).await;
    let page = shop.ask(&format!("GET {path}"), COOKIE, "").await.text;
    let (_, signed) = page.split_once(" order=\"").unwrap();
    let claims = shop.claims(signed.split('"').next().unwrap());
    assert_eq!(claims.methods, Some(vec![Method::Card]));
    assert_eq!(claims.agreement.unwrap().kind, AgreementKind::Subscription);
    assert_eq!(claims.customer, Some(reference(COOKIE)));
}

#[tokio::test]
async fn form_of_a_subscription_is_shown_to_its_visitor_only() {
    let shop = shop("subscribe-foreign");
    let path = format!("/checkout/{}", shop.subscribe().await);
    let forms = [
        (format!("GET {path}"), ""),
        (format!("POST {path}/sign"), ""),
        (format!("POST {path}"), "card=yes&capture=automatic"),
    ];
    for (request, body) in forms {
        for cookie in ["", OTHER_COOKIE, "visitor=", "visitor=AAEC", "other=1"] {
            let response = shop.ask(&request, cookie, body).await;
            assert_eq!(response.status, StatusCode::NOT_FOUND, "{request} {cookie}");
        }
        let response = shop.ask(&request, COOKIE, body).await;
        assert!(response.status.as_u16() < 400, "{request}");
    }
}

#[tokio::test]
async fn paid_order_starts_one_subscription_however_often_events_arrive() {
    for (place, state) in ["captured", "pending"].into_iter().enumerate() {
        let api = MerchantApi::default();
        let shop = shop_with(&format!("start-{place}"), &api.serve().await, true);
        let reference = shop.subscribe().await;
        for (sequence, early) in [(1, "requires_action"), (2, "authorized")] {
            shop.deliver(early, &payment(&reference, sequence, early))
                .await;
        }
        assert_eq!(api.posted(), []);
        let event = payment(&reference, 3, state);
        *api.is_down.lock().unwrap() = true;
        let response = shop.deliver("evt_3", &event).await;
        assert_eq!(
            (response.status, response.text.as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "The verifier is busy."),
            "the event is delivered again"
        );
        *api.is_down.lock().unwrap() = false;
        let response = shop.deliver("evt_3", &event).await;
        assert_eq!(response.status, StatusCode::NO_CONTENT);
        let price = json!({ "name": "Lantern oil", "amount": 900, "currency": "EUR",
                            "interval": { "unit": "month", "count": 1 } });
        let digest = base64url(&Sha256::digest(price.to_string()));
        let subscription = json!({ "customer": "cus_1", "agreement": "agr_1",
            "first_payment": "pay_1", "items": [{ "price": "pri_1", "quantity": 2 }] });
        let expected = [
            (format!("/v1/prices price-{digest}"), price),
            (
                format!("/v1/subscriptions subscription-{reference}"),
                subscription,
            ),
        ];
        assert_eq!(api.posted(), expected);
        for (id, sequence) in [("evt_3", 3), ("evt_4", 4)] {
            shop.deliver(id, &payment(&reference, sequence, "captured"))
                .await;
        }
        assert_eq!(api.posted(), [], "it exists already");
        let page = shop.get(&format!("/orders/{reference}")).await.text;
        assert!(page.contains("Go to My subscriptions"), "{page}");
    }
}

/// The invoice has to be paid then; a second first payment would start nothing.
#[tokio::test]
async fn returned_first_debit_is_not_paid_with_another_order() {
    let api = MerchantApi::default();
    let shop = shop_with("start-returned", &api.serve().await, true);
    let reference = shop.subscribe().await;
    for (sequence, state) in [(1, "pending"), (2, "declined")] {
        shop.deliver(state, &payment(&reference, sequence, state))
            .await;
    }
    let page = shop.get(&format!("/orders/{reference}")).await.text;
    assert!(
        page.contains("You can pay under My subscriptions"),
        "{page}"
    );
    assert!(!page.contains("Try again"), "{page}");
    let checkout = shop
        .ask(&format!("GET /checkout/{reference}"), COOKIE, "")
        .await;
    assert_eq!(checkout.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn other_payments_start_nothing_and_renewals_are_acknowledged() {
    let api = MerchantApi::default();
    let shop = shop_with("start-nothing", &api.serve().await, true);
    let reference = shop.order().await;
    let saved = event(&reference, 1, "captured", json!({ "agreement": "agr_1" }));
    let renewal = json!({ "id": "pay_2", "agreement": "agr_1", "invoice": "inv_2" });
    let renewal = event("INV-000002", 1, "captured", renewal);
    let unknown = event("INV-000002", 1, "captured", json!({ "invoice": null }));
    for (id, event, status) in [
        ("evt_1", saved, StatusCode::NO_CONTENT),
        ("evt_2", renewal, StatusCode::NO_CONTENT),
        ("evt_3", unknown, StatusCode::CONFLICT),
    ] {
        assert_eq!(shop.deliver(id, &event).await.status, status, "{id}");
    }
    assert_eq!(api.posted(), []);
}
