//! Finding and redelivering events.

use super::receiver::{Endpoint, Reaction};
use super::{deliveries_of, deliveries_when, gateway, later, made, pay_for, post};
use harness::back_office::write;
use harness::client::Merchant;
use harness::gateway::TestGateway;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

async fn list(gateway: &TestGateway, merchant: &Merchant, path: &str) -> Value {
    let answer = gateway.get(path, Some(&merchant.api_key)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn ids(page: &Value, member: &str) -> Vec<String> {
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row[member].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn events_are_filtered_by_type_subject_and_time() {
    let gateway = gateway().await;
    let merchant = gateway.register(None).await;
    let began = gateway.now();
    let first = pay_for(&gateway, &merchant, None).await;
    gateway.move_clock(100);
    pay_for(&gateway, &merchant, Some("insufficient_funds")).await;
    gateway.move_clock(100);
    pay_for(&gateway, &merchant, None).await;
    let all = ids(&list(&gateway, &merchant, "/v1/events").await, "id");
    assert_eq!(all.len(), 3);
    let at = |seconds: u64| began + seconds;
    #[rustfmt::skip]
    let rows = [
        ("type=payment.captured".to_owned(), vec![0, 2]),
        ("type=payment.declined".to_owned(), vec![1]),
        ("type=payment.voided".to_owned(), vec![]),
        (format!("subject={}", first.payment), vec![2]),
        ("subject=pay_nobody".to_owned(), vec![]),
        (format!("subject={}&type=payment.declined", first.payment), vec![]),
        (format!("created_from={}", at(100)), vec![0, 1]),
        (format!("created_from={}", at(101)), vec![0]),
        (format!("created_until={}", at(100)), vec![1, 2]),
        (format!("created_until={}", at(99)), vec![2]),
        (format!("created_from={0}&created_until={0}", at(100)), vec![1]),
        (format!("created_from={}&type=payment.captured", at(1)), vec![0]),
        (format!("created_from={}", u64::MAX), vec![]),
        (format!("created_until={}", u64::MAX), vec![0, 1, 2]),
        (format!("after={}", all[0]), vec![1, 2]),
        (format!("after={}&type=payment.captured", all[0]), vec![2]),
    ];
    for (query, expected) in rows {
        let page = list(&gateway, &merchant, &format!("/v1/events?{query}")).await;
        let expected: Vec<_> = expected
            .into_iter()
            .map(|place: usize| all[place].clone())
            .collect();
        assert_eq!(ids(&page, "id"), expected, "{query}");
        assert_eq!(page["has_more"], false);
    }
    let page = list(
        &gateway,
        &merchant,
        "/v1/events?limit=1&type=payment.captured",
    )
    .await;
    assert_eq!(
        (ids(&page, "id"), &page["has_more"]),
        (vec![all[0].clone()], &json!(true))
    );
    let one = list(&gateway, &merchant, &format!("/v1/events/{}", all[2])).await;
    assert_eq!(one["payment"], first.payment.to_string());
    assert_eq!(one["subject"], one["payment"]);
    assert_eq!(one["body"]["data"]["payment"]["id"], one["payment"]);
    gateway.finish().await;
}

#[tokio::test]
async fn delivered_event_is_redelivered_and_keeps_its_attempts() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200), Reaction::Status(500)]).await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    let delivered = |rows: &Value| rows[0]["state"] == "delivered";
    let rows = deliveries_when(&gateway, &merchant, &id, delivered).await;
    let event = rows[0]["event"].as_str().unwrap().to_owned();
    let path = format!("/v1/webhook-endpoints/{id}/redeliver");
    let body = json!({"event": event});
    let request = write(&merchant.api_key, &path, "again-1", &body);
    let answer = gateway.send(request.clone()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let begun = json!({"scheduled": 1, "has_more": false, "last_event": event});
    assert_eq!(answer.json::<Value>(), begun);
    let tried = |rows: &Value| rows[0]["attempts"].as_array().map(Vec::len) == Some(2);
    let rows = deliveries_when(&gateway, &merchant, &id, tried).await;
    assert_eq!(rows[0]["state"], "pending");
    let statuses = [
        &rows[0]["attempts"][0]["status"],
        &rows[0]["attempts"][1]["status"],
    ];
    assert_eq!(statuses, [&json!(200), &json!(500)]);
    let next = rows[0]["next_at"].as_u64().unwrap();
    assert!(
        next.saturating_sub(gateway.now()) <= 3,
        "the schedule begins anew"
    );
    // The same request is answered the same and does nothing more.
    assert_eq!(gateway.send(request.clone()).await.json::<Value>(), begun);
    // After a day nobody knows any more what it began, and it still begins nothing.
    let store = gateway.server.state.gateway.store();
    let later_ms = i64::try_from(gateway.now() * 1000 + 1000).unwrap();
    store.idempotency.purge_responses(later_ms).await.unwrap();
    assert_eq!(gateway.send(request).await.code(), "state_conflict");
    tokio::time::sleep(Duration::from_millis(700)).await;
    let arrivals = endpoint.arrivals();
    assert_eq!(arrivals.len(), 2);
    assert_eq!(
        (&arrivals[0].id, &arrivals[0].body),
        (&arrivals[1].id, &arrivals[1].body)
    );
    gateway.finish().await;
}

#[tokio::test]
async fn failed_or_unsubscribed_event_can_be_redelivered() {
    let gateway = gateway().await;
    let merchant = gateway.register(None).await;
    pay_for(&gateway, &merchant, None).await;
    pay_for(&gateway, &merchant, Some("insufficient_funds")).await;
    let began = gateway.now();
    later(&gateway, 10);
    let late = Endpoint::start(vec![Reaction::Status(200)]).await;
    let (id, _) = made(&gateway, &merchant, &late, &["payment.captured"]).await;
    let _beside = gateway.run_beside();
    let path = format!("/v1/webhook-endpoints/{id}/redeliver");
    let rows = [
        (json!({"from": began - 60, "until": began}), 1),
        (json!({"from": began + 1, "until": began + 60}), 0),
        (json!({"from": 0, "until": i64::MAX}), 1),
    ];
    for (body, expected) in rows {
        let answer = post(&gateway, &merchant.api_key, &path, &body).await;
        assert_eq!(answer.json::<Value>()["scheduled"], expected, "{body}");
    }
    late.wait_for(1).await;
    let page = list(&gateway, &merchant, "/v1/events?type=payment.declined").await;
    let declined = &page["data"][0]["id"];
    let body = json!({"event": declined});
    post(&gateway, &merchant.api_key, &path, &body).await;
    let told = |rows: &Value| {
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["state"] == "delivered").count() == 2
    };
    deliveries_when(&gateway, &merchant, &id, told).await;
    let kinds: BTreeSet<_> = late
        .arrivals()
        .iter()
        .map(|arrival| serde_json::from_slice::<Value>(&arrival.body).unwrap()["type"].to_string())
        .collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    gateway.finish().await;
}

#[tokio::test]
async fn redelivery_starts_a_thousand_at_a_time() {
    let gateway = gateway().await;
    let endpoint = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    // A ping is the cheapest event there is. Three endpoints, because no number that is kept may be
    // the security code that the tests type.
    let mut endpoints = Vec::new();
    for _ in 0..3 {
        endpoints.push(made(&gateway, &merchant, &endpoint, &["ping"]).await.0);
    }
    let id = endpoints[0].clone();
    let from = gateway.now();
    for pinged in endpoints.iter().cycle().take(1001) {
        let ping = format!("/v1/webhook-endpoints/{pinged}/ping");
        let answer = post(&gateway, &merchant.api_key, &ping, &json!({})).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    let path = format!("/v1/webhook-endpoints/{id}/redeliver");
    let mut body = json!({"from": from, "until": gateway.now()});
    let first: Value = post(&gateway, &merchant.api_key, &path, &body).await.json();
    assert_eq!(
        (&first["scheduled"], &first["has_more"]),
        (&json!(1000), &json!(true))
    );
    body["after"] = first["last_event"].clone();
    let rest: Value = post(&gateway, &merchant.api_key, &path, &body).await.json();
    assert_eq!(
        (&rest["scheduled"], &rest["has_more"]),
        (&json!(1), &json!(false))
    );
    body["after"] = rest["last_event"].clone();
    let none: Value = post(&gateway, &merchant.api_key, &path, &body).await.json();
    let nothing = json!({"scheduled": 0, "has_more": false, "last_event": null});
    assert_eq!(none, nothing);
    gateway.finish().await;
}

#[tokio::test]
async fn deliveries_are_paged_and_filtered_by_state() {
    let gateway = gateway().await;
    let endpoint =
        Endpoint::choosing(|_, place| Reaction::Status(if place == 0 { 410 } else { 200 }));
    let endpoint = endpoint.await;
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &endpoint, &["*"]).await;
    for _ in 0..5 {
        pay_for(&gateway, &merchant, None).await;
    }
    let path = format!("/v1/webhook-endpoints/{id}/deliveries");
    let all = list(&gateway, &merchant, &path).await;
    let all = ids(&all, "event");
    assert!(all.is_sorted_by(|a, b| a > b), "the newest first");
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map(|last| format!("&after={last}"));
        let page = format!("{path}?limit=2{}", after.unwrap_or_default());
        let page = list(&gateway, &merchant, &page).await;
        seen.extend(ids(&page, "event"));
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, all);
    let _beside = gateway.run_beside();
    // Gone after one of them: whatever was not delivered meanwhile is given up.
    let ended = |rows: &Value| {
        let mut rows = rows.as_array().unwrap().iter();
        rows.all(|row| row["state"] != "pending")
    };
    deliveries_when(&gateway, &merchant, &id, ended).await;
    let rows = deliveries_of(&gateway, &merchant, &id).await;
    for state in ["pending", "delivered", "failed"] {
        let page = list(&gateway, &merchant, &format!("{path}?state={state}")).await;
        let rows = rows.as_array().unwrap().iter();
        let expected = rows.filter(|row| row["state"] == state).count();
        assert_eq!(ids(&page, "event").len(), expected, "{state}");
    }
    gateway.finish().await;
}
