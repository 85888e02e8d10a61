//! `POST /webhooks/sealpay`

use super::{event, shop};
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

#[tokio::test]
async fn order_is_paid_by_webhook_only_and_then_not_offered_again() {
    let shop = shop("paid");
    let reference = shop.order().await;
    assert_eq!(shop.state(&reference).await, "waiting");
    for (sequence, state, expected) in [(1, "authorized", "reserved"), (2, "captured", "paid")] {
        let event = event(&reference, sequence, state, json!({}));
        let response = shop.deliver(state, &event).await;
        assert_eq!(
            (response.status, response.text.as_str()),
            (StatusCode::NO_CONTENT, "")
        );
        assert_eq!(shop.state(&reference).await, expected);
    }
    let checkout = shop.get(&format!("/checkout/{reference}")).await;
    assert_eq!(
        checkout.headers[header::LOCATION],
        format!("/orders/{reference}")
    );
}

#[tokio::test]
async fn rejected_event_changes_nothing_and_may_be_delivered_again() {
    let shop = shop("rejected");
    let reference = shop.order().await;
    let good = event(&reference, 1, "captured", json!({}));
    let changed = |pointer: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        event.to_string()
    };
    let rows = [
        ("no".into(), 400),
        (changed("/merchant", json!("mer_2")), 400),
        (changed("/livemode", json!(true)), 400),
        (changed("/data/payment", json!({})), 400),
        (changed("/data/payment/method", json!("pigeon")), 400),
        (changed("/data/payment/amount", json!(4_979)), 409),
        (changed("/data/payment/currency", json!("JPY")), 409),
        (changed("/data/payment/order_ref", json!("PL-0")), 409),
        ("x".repeat(64 * 1024 + 1), 413),
    ];
    let other_secret = shop.deliver_with(9, 0, "evt_1", &good.to_string()).await;
    let too_old = shop.deliver_with(7, 301, "evt_1", &good.to_string()).await;
    for response in [other_secret, too_old] {
        assert_eq!(
            response.status,
            StatusCode::BAD_REQUEST,
            "{}",
            response.text
        );
    }
    for (body, status) in rows {
        let response = shop.deliver_with(7, 0, "evt_1", &body).await;
        assert_eq!(
            response.status.as_u16(),
            status,
            "{}: {body}",
            response.text
        );
        assert_eq!(shop.state(&reference).await, "waiting", "{body}");
    }
    let response = shop.deliver("evt_1", &good).await;
    assert_eq!(response.status, StatusCode::NO_CONTENT);
    assert_eq!(shop.state(&reference).await, "paid");
}

#[tokio::test]
async fn replayed_and_stale_events_are_acknowledged_and_change_nothing() {
    let shop = shop("replayed");
    let reference = shop.order().await;
    let rows = [
        ("evt_2", 2, "captured"),
        ("evt_1", 1, "unknown"),
        // The same delivery never changes anything again, whatever it carries.
        ("evt_2", 3, "declined"),
        ("evt_3", 2, "declined"),
        ("evt_0", 1, "expired"),
    ];
    for (id, sequence, state) in rows {
        let event = event(&reference, sequence, state, json!({}));
        let response = shop.deliver(id, &event).await;
        assert_eq!(response.status, StatusCode::NO_CONTENT, "{id}");
        assert_eq!(shop.state(&reference).await, "paid", "{id}");
    }
}

#[tokio::test]
async fn challenge_of_the_verifier_is_returned_and_other_events_are_acknowledged() {
    let shop = shop("challenge");
    let reference = shop.order().await;
    let mut event = event(&reference, 1, "state_of_a_later_version", json!({}));
    assert_eq!(
        shop.deliver("evt_1", &event).await.status,
        StatusCode::NO_CONTENT
    );
    event["data"] = json!({ "challenge": "q-7_x" });
    for event_type in [
        "payout.paid",
        "settlement.closed",
        "ping",
        "invoice.created",
    ] {
        event["type"] = json!(event_type);
        let response = shop.deliver(event_type, &event).await;
        assert_eq!(response.status, StatusCode::NO_CONTENT, "{event_type}");
    }
    event["type"] = json!("webhook_endpoint.verification");
    let response = shop.deliver("evt_2", &event).await;
    assert_eq!(response.text, r#"{"challenge":"q-7_x"}"#);
    let forged = shop.deliver_with(9, 0, "evt_3", &event.to_string()).await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
    assert_eq!(shop.state(&reference).await, "waiting");
}
