//! The page of a visitor's subscriptions, and its forms.

use super::merchant_api::{COOKIE, MerchantApi, OTHER_COOKIE};
use super::{shop, shop_with};
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

const DAY: u64 = 24 * 60 * 60;
const PERIOD_END: u64 = 1_798_675_200;

fn plan(quantity: u32) -> Value {
    json!({ "interval": { "unit": "month", "count": 1 }, "currency": "EUR",
            "amount": quantity * 900, "items": [{ "price": "pri_1", "name": "Lantern oil",
            "unit_amount": 900, "quantity": quantity }] })
}

fn subscription(state: &str, other: Value) -> Value {
    let mut subscription = json!({
        "id": "sub_1", "customer": "cus_1", "agreement": "agr_1", "state": state,
        "plan": plan(2), "queued_plan": null, "period_end": PERIOD_END,
        "cancel_at_period_end": false, "created_at": PERIOD_END - 31 * DAY, "ended_at": null, "end_reason": null,
    });
    let Value::Object(other) = other else {
        panic!("members")
    };
    subscription.as_object_mut().unwrap().extend(other);
    subscription
}

/// State | members | open invoice | texts | forms.
const STATES: [(&str, &str, &str, &str, &str); 11] = [
    (
        "active",
        "{}",
        "",
        "Active; 2 bottles a month · €18.00; 31 Dec 2026; visa •••• 4242",
        "change pause cancel",
    ),
    (
        "active",
        r#"{"queued_plan":3}"#,
        "",
        "From; : 3 bottles a month.; €27.00",
        "change pause cancel",
    ),
    (
        "active",
        r#"{"cancel_at_period_end":true}"#,
        "",
        "Ending; You won’t be charged again",
        "keep",
    ),
    // The first direct debit is on its way.
    (
        "active",
        "{}",
        r#"{"failure":null}"#,
        "Active",
        "change pause cancel",
    ),
    (
        "past_due",
        "{}",
        r#"{"next_attempt_at":1798675200}"#,
        "Payment failed; We couldn’t collect €18.00.; try again on; Pay €18.00",
        "change cancel",
    ),
    (
        "past_due",
        "{}",
        r#"{"customer_action":"new_instrument"}"#,
        "Your card can’t be charged any more; Use another card",
        "change cancel",
    ),
    (
        "past_due",
        "{}",
        r#"{"customer_action":"authenticate"}"#,
        "Confirm payment",
        "change cancel",
    ),
    (
        "unpaid",
        "{}",
        "{}",
        "Stopped; Pay what is due; Pay €18.00",
        "cancel",
    ),
    (
        "paused",
        "{}",
        "",
        "Paused; until you resume; ends now",
        "resume cancel",
    ),
    (
        "incomplete",
        "{}",
        r#"{"customer_action":"first_payment"}"#,
        "Waiting for payment; Pay €18.00",
        "cancel",
    ),
    (
        "canceled",
        r#"{"ended_at":1798675200,"end_reason":"payment_failed"}"#,
        "",
        "Cancelled; Ended on; because we couldn’t collect",
        "",
    ),
];

#[tokio::test]
async fn page_says_what_a_subscription_is_and_offers_what_is_possible() {
    let api = MerchantApi::default();
    let shop = shop_with("listed", &api.serve().await, true);
    for (state, members, open, texts, forms) in STATES {
        let mut members: Value = serde_json::from_str(members).unwrap();
        if members["queued_plan"] == 3 {
            members["queued_plan"] = plan(3);
        }
        let mut invoice = json!({ "subscription": "sub_1", "amount_due": 1_800, "currency": "EUR",
            "next_attempt_at": null, "failure": "insufficient_funds", "customer_action": null,
            "hosted_url": "http://localhost:8787/pay/x" });
        if let Ok(Value::Object(open)) = serde_json::from_str(open) {
            invoice.as_object_mut().unwrap().extend(open);
        } else {
            invoice = Value::Null;
        }
        let is_due = !invoice["failure"].is_null();
        *api.subscription.lock().unwrap() = subscription(state, members);
        *api.invoice.lock().unwrap() = invoice;
        let page = shop.ask("GET /subscriptions", COOKIE, "").await.text;
        for text in texts.split("; ") {
            assert!(page.contains(text), "{state}: {text} in {page}");
        }
        assert_eq!(
            page.contains("http://localhost:8787/pay/x"),
            is_due,
            "{page}"
        );
        for action in ["change", "pause", "resume", "cancel", "keep"] {
            let path = format!("action=\"/subscriptions/sub_1/{action}\"");
            let is_offered = forms.split(' ').any(|form| form == action);
            assert_eq!(page.contains(&path), is_offered, "{state} {action}");
            if is_offered {
                continue;
            }
            let request = format!("POST /subscriptions/sub_1/{action}");
            let response = shop.ask(&request, COOKIE, "pieces=2").await;
            assert_eq!(response.status, StatusCode::SEE_OTHER);
            assert_eq!(api.posted(), [], "{state} {action}");
        }
    }
}

#[tokio::test]
async fn each_form_sends_one_request() {
    let api = MerchantApi::default();
    let shop = shop_with("forms", &api.serve().await, true);
    let change = json!({ "items": [{ "price": "pri_1", "quantity": 6 }],
                         "effective": "period_end" });
    let ending = json!({ "cancel_at_period_end": true });
    let rows = [
        ("active", json!({}), "change", "/change", change),
        ("active", json!({}), "pause", "/pause", json!({})),
        ("paused", json!({}), "resume", "/resume", json!({})),
        ("active", json!({}), "cancel", "/cancel", json!({})),
        (
            "active",
            ending,
            "keep",
            "",
            json!({ "cancel_at_period_end": false }),
        ),
    ];
    for (state, members, action, path, body) in rows {
        *api.subscription.lock().unwrap() = subscription(state, members);
        let request = format!("POST /subscriptions/sub_1/{action}");
        let response = shop.ask(&request, COOKIE, "pieces=6").await;
        assert_eq!(response.headers[header::LOCATION], "/subscriptions#sub_1");
        let posted = api.posted();
        assert_eq!(posted.len(), 1, "{action}");
        let (sent, key) = posted[0].0.split_once(' ').unwrap();
        assert_eq!(
            (sent, key.len()),
            (&*format!("/v1/subscriptions/sub_1{path}"), 22)
        );
        assert_eq!(posted[0].1, body, "{action}");
    }
}

#[tokio::test]
async fn nobody_changes_what_is_not_theirs_or_not_for_sale() {
    let api = MerchantApi::default();
    *api.subscription.lock().unwrap() = subscription("active", json!({}));
    let shop = shop_with("hostile", &api.serve().await, true);
    let good = ["change", "pause", "cancel"];
    for action in good {
        let own = format!("POST /subscriptions/sub_1/{action}");
        let foreign = format!("POST /subscriptions/sub_2/{action}");
        let escaping = format!("POST /subscriptions/sub_1%2F..%2Fsub_1/{action}");
        // A form of another site comes without the cookie.
        for (request, cookie) in [
            (&own, ""),
            (&own, OTHER_COOKIE),
            (&own, "visitor=AAECAwQFBgcICQoLDA0OD!"),
            (&foreign, COOKIE),
            (&escaping, COOKIE),
        ] {
            let response = shop.ask(request, cookie, "pieces=2").await;
            assert_eq!(response.status, StatusCode::NOT_FOUND, "{request} {cookie}");
        }
    }
    for action in ["delete", "Change", "%63hange%2F"] {
        let request = format!("POST /subscriptions/sub_1/{action}");
        let response = shop.ask(&request, COOKIE, "pieces=2").await;
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{action}");
    }
    for pieces in ["0", "7", "-1", "2.5", "4294967297", "many", ""] {
        let form = format!("pieces={pieces}");
        let request = "POST /subscriptions/sub_1/change";
        let response = shop.ask(request, COOKIE, &form).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
    }
    let missing = shop
        .ask("POST /subscriptions/sub_1/change", COOKIE, "")
        .await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let get = shop.ask("GET /subscriptions/sub_1/pause", COOKIE, "").await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(api.posted(), []);
    for cookie in ["", OTHER_COOKIE] {
        let page = shop.ask("GET /subscriptions", cookie, "").await.text;
        assert!(
            page.contains("You don’t have any subscriptions yet"),
            "{page}"
        );
        assert!(!page.contains("sub_1"), "{page}");
    }
}

#[tokio::test]
async fn page_without_the_merchant_api_says_so() {
    let shop = shop("listed-down");
    for request in ["GET /subscriptions", "POST /subscriptions/sub_1/pause"] {
        let response = shop.ask(request, COOKIE, "").await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.text.contains("Subscriptions aren’t available"));
    }
}
