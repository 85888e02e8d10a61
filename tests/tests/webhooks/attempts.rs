//! Delivery attempts are recorded, and `Retry-After` is honoured.

use super::receiver::{Endpoint, Reaction};
use super::{deliveries_when, delivery_when, gateway, later, made, pay_for};
use harness::client::Merchant;
use harness::gateway::TestGateway;
use serde_json::{Value, json};

fn attempts(expected: usize) -> impl Fn(&Value) -> bool {
    move |rows| rows[0]["attempts"].as_array().map(Vec::len) == Some(expected)
}

/// A merchant without an endpoint but the one that reacts by a script.
async fn told(gateway: &TestGateway, script: Vec<Reaction>) -> (Merchant, Endpoint, String) {
    let endpoint = Endpoint::start(script).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(gateway, &merchant, &endpoint, &["*"]).await;
    (merchant, endpoint, id)
}

#[tokio::test]
async fn every_attempt_is_stored_with_its_response() {
    let gateway = gateway().await;
    let script = vec![
        Reaction::Answer(500, "", b"<h1>Oh\0 no</h1>\r\n".to_vec()),
        Reaction::Break,
        Reaction::Answer(404, "content-type: x\r\n", vec![0xff; 5000]),
        Reaction::Answer(200, "", "angekommen – danke".into()),
    ];
    let (merchant, _endpoint, id) = told(&gateway, script).await;
    let _beside = gateway.run_beside();
    let paid = pay_for(&gateway, &merchant, None).await;
    for made in 1..=4 {
        let rows = deliveries_when(&gateway, &merchant, &id, attempts(made)).await;
        let expected = if made == 4 { "delivered" } else { "pending" };
        assert_eq!(rows[0]["state"], expected, "{rows}");
        assert_eq!(rows[0]["next_at"].is_null(), made == 4);
        later(&gateway, 200);
    }
    let rows = deliveries_when(&gateway, &merchant, &id, attempts(4)).await;
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    let row = &rows[0];
    assert_eq!(row["type"], "payment.captured");
    assert_eq!(row["subject"], paid.payment.to_string());
    let kept = row["attempts"].as_array().unwrap();
    let told: Vec<_> = kept
        .iter()
        .map(|attempt| json!([attempt["number"], attempt["status"], attempt["error"]]))
        .collect();
    let expected = [
        json!([1, 500, null]),
        json!([2, null, "the connection broke"]),
        json!([3, 404, null]),
        json!([4, 200, null]),
    ];
    assert_eq!(told, expected);
    assert_eq!(kept[0]["response"], "<h1>Oh\u{fffd} no</h1>\u{fffd}\n");
    assert_eq!(kept[1]["response"], Value::Null);
    let cut = kept[2]["response"].as_str().unwrap();
    assert_eq!(
        cut.chars().count(),
        1023,
        "the last may have been cut in two"
    );
    assert_eq!(kept[3]["response"], "angekommen – danke");
    for attempt in kept {
        let duration = attempt["duration_ms"].as_u64().unwrap();
        assert!(duration < 15_000, "{attempt}");
        let at = attempt["at"].as_u64().unwrap();
        assert!(
            at <= gateway.now() && at + 1000 > gateway.now(),
            "{attempt}"
        );
    }
    gateway.finish().await;
}

#[tokio::test]
async fn retry_after_is_honoured_up_to_a_day() {
    // (status, header, shortest and longest pause in seconds)
    let rows = [
        (429, "retry-after: 600\r\n", 595, 601),
        (503, "Retry-After: 600\r\n", 595, 601),
        (503, "retry-after: 864000\r\n", 86_395, 86_401),
        (503, "retry-after: 99999999999999999999\r\n", 86_395, 86_401),
        (
            503,
            "retry-after: Fri, 31 Dec 2100 23:59:59 GMT\r\n",
            86_395,
            86_401,
        ),
        (503, "retry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 0, 3),
        (503, "retry-after: 0\r\n", 0, 3),
        (503, "retry-after: soon\r\n", 0, 3),
        (503, "retry-after: -5\r\n", 0, 3),
        (503, "retry-after: 600\r\nretry-after: 700\r\n", 0, 3),
        (500, "retry-after: 600\r\n", 0, 3),
    ];
    let gateway = gateway().await;
    let _beside = gateway.run_beside();
    for (status, header, shortest, longest) in rows {
        let script = vec![Reaction::Answer(status, header, Vec::new())];
        let (merchant, _endpoint, _) = told(&gateway, script).await;
        pay_for(&gateway, &merchant, None).await;
        let tried = |delivery: &Value| delivery["attempts"] == 1;
        let delivery = delivery_when(&gateway, &merchant.api_key, tried).await;
        let next = delivery["next_at"].as_u64().unwrap();
        let pause = next.saturating_sub(gateway.now());
        assert!((shortest..=longest).contains(&pause), "{header}: {pause} s");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn rescheduled_delivery_keeps_its_last_response() {
    let gateway = gateway().await;
    let (merchant, endpoint, _) = told(&gateway, vec![Reaction::Status(500)]).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let tried = |delivery: &Value| delivery["attempts"] == 1;
    delivery_when(&gateway, &merchant.api_key, tried).await;
    endpoint.wait_for(1).await;
    let store = gateway.server.state.gateway.store();
    later(&gateway, 0);
    let due_ms = i64::try_from(gateway.now() * 1000 + 60_000).unwrap();
    let due = store.deliveries.due(due_ms, due_ms + 1, 1).await.unwrap();
    let held = store
        .deliveries
        .hold(&due[0], due_ms + 60_000, "waits")
        .await;
    assert_eq!(held, Ok(true));
    let waits = |delivery: &Value| delivery["last_error"] == "waits";
    let delivery = delivery_when(&gateway, &merchant.api_key, waits).await;
    assert_eq!(delivery["last_status"], 500);
    assert_eq!(delivery["attempts"], 1);
    gateway.finish().await;
}
