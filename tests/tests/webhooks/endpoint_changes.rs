//! Changes of an endpoint are published to the merchant's other endpoints.

use super::receiver::{Endpoint, Reaction};
use super::rotation::fits;
use super::{deliveries_when, gateway, later, made, on_postgres, pay_for, post};
use harness::back_office::{key, write};
use harness::time::seen_when;
use serde_json::{Value, json};
use std::time::Duration;
use verifier_server::webhooks::endpoints::store::usage::ENDPOINT_CHANGES_AN_HOUR;

#[tokio::test]
async fn endpoint_change_is_published_to_the_other_endpoints() {
    let gateway = gateway().await;
    let watching = Endpoint::start(vec![Reaction::Status(200)]).await;
    let changed = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let stranger = gateway.register(None).await;
    let elsewhere = Endpoint::start(vec![Reaction::Status(200)]).await;
    made(&gateway, &stranger, &elsewhere, &["*"]).await;
    let kinds = [
        "webhook_endpoint.created",
        "webhook_endpoint.updated",
        "webhook_endpoint.secret_rotated",
        "webhook_endpoint.deleted",
    ];
    made(&gateway, &merchant, &watching, &kinds).await;
    let (id, secret) = made(&gateway, &merchant, &changed, &["*"]).await;
    let _beside = gateway.run_beside();
    let path = format!("/v1/webhook-endpoints/{id}");
    let moved = format!("http://{}/moved", changed.address);
    let api_key = &merchant.api_key;
    let updated = post(
        &gateway,
        api_key,
        &path,
        &json!({"url": moved, "state": "disabled"}),
    )
    .await;
    assert_eq!(updated.status, 200, "{}", updated.text());
    let rotate = format!("{path}/rotate-secret");
    let rotated = post(&gateway, api_key, &rotate, &json!({"overlap_seconds": 60})).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let mut delete = write(api_key, &path, &key(), &Value::Null);
    delete.method = "DELETE".into();
    delete.body.clear();
    for _ in 0..2 {
        assert_eq!(gateway.send(delete.clone()).await.status, 204);
    }
    let arrivals = watching.wait_for(kinds.len()).await;
    let mut bodies: Vec<Value> = arrivals
        .iter()
        .map(|arrival| serde_json::from_slice(&arrival.body).unwrap())
        .collect();
    bodies.sort_by_key(|body| body["data"]["sequence"].as_i64());
    for (place, (body, kind)) in bodies.iter().zip(kinds).enumerate() {
        assert_eq!(body["type"], kind);
        assert_eq!(body["merchant"], merchant.id.to_string());
        assert_eq!(body["data"]["sequence"], place + 1);
        let told = &body["data"]["webhook_endpoint"];
        assert_eq!(told["id"], id.as_str());
        let url = if place == 0 {
            changed.url()
        } else {
            moved.clone()
        };
        assert_eq!(told["url"], url);
        let state = if place == 0 { "active" } else { "disabled" };
        assert_eq!(told["state"], state, "{body}");
        assert!(!body.to_string().contains(&secret), "{body}");
    }
    assert!(bodies[2]["data"]["webhook_endpoint"]["previous_secret_until"].is_i64());
    assert_eq!(watching.arrivals().len(), kinds.len());
    // Its own changes are no news to it, but for where it was before it moved.
    let left: Vec<Value> = changed
        .arrivals()
        .iter()
        .map(|arrival| serde_json::from_slice(&arrival.body).unwrap())
        .collect();
    let mut farewell = bodies[1].clone();
    farewell["data"]["webhook_endpoint"]["url"] = format!("http://{}", changed.address).into();
    assert_eq!(left, [farewell]);
    assert_eq!(elsewhere.arrivals().len(), 0);
    gateway.finish().await;
}

/// An endpoint that is moved by a key that may write webhooks and read nothing takes nothing along
/// that the key may not read, and the address before is told.
#[tokio::test]
async fn pending_events_do_not_follow_a_moved_endpoint() {
    let gateway = gateway().await;
    let (down, elsewhere) = (
        Endpoint::start(vec![Reaction::Status(503), Reaction::Status(200)]).await,
        Endpoint::start(vec![Reaction::Status(200)]).await,
    );
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &down, &["*"]).await;
    let _beside = gateway.run_beside();
    pay_for(&gateway, &merchant, None).await;
    down.wait_for(1).await;
    let weak = gateway
        .limited_key(merchant.id, "webhooks:write", None)
        .await
        .0;
    let path = format!("/v1/webhook-endpoints/{id}");
    let all = json!({"url": elsewhere.url()});
    assert_eq!(
        post(&gateway, &weak, &path, &all).await.code(),
        "scope_missing"
    );
    let moved = json!({"url": elsewhere.url(), "event_types": ["ping"]});
    assert_eq!(post(&gateway, &weak, &path, &moved).await.status, 200);
    let arrivals = down.wait_for(2).await;
    let farewell: Value = serde_json::from_slice(&arrivals[1].body).unwrap();
    assert_eq!(farewell["type"], "webhook_endpoint.updated");
    let host = format!("http://{}", elsewhere.address);
    assert_eq!(farewell["data"]["webhook_endpoint"]["url"], host);
    let given_up = |rows: &Value| {
        rows.as_array().unwrap().iter().any(|row| {
            row["type"] == "payment.captured"
                && row["state"] == "failed"
                && row["last_error"] == "no longer subscribed"
        })
    };
    deliveries_when(&gateway, &merchant, &id, given_up).await;
    later(&gateway, 86_400);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(elsewhere.arrivals().len(), 0);
    assert_eq!(down.arrivals().len(), 2, "it is told once");
    gateway.finish().await;
}

/// A farewell says nothing about the endpoint, which is elsewhere.
#[tokio::test]
async fn failed_change_notice_does_not_count_against_the_endpoint() {
    let gateway = gateway().await;
    let (before, after) = (
        Endpoint::start(vec![Reaction::Status(410)]).await,
        Endpoint::start(vec![Reaction::Status(200)]).await,
    );
    let merchant = gateway.register(None).await;
    let (id, _) = made(&gateway, &merchant, &before, &["*"]).await;
    let _beside = gateway.run_beside();
    let path = format!("/v1/webhook-endpoints/{id}");
    let moved = post(
        &gateway,
        &merchant.api_key,
        &path,
        &json!({"url": after.url()}),
    )
    .await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    let ended = |rows: &Value| rows[0]["state"] == "failed";
    deliveries_when(&gateway, &merchant, &id, ended).await;
    let seen: Value = gateway.read(&merchant, &path).await;
    assert_eq!(
        (&seen["state"], &seen["failing_since"]),
        (&json!("active"), &Value::Null)
    );
    pay_for(&gateway, &merchant, None).await;
    after.wait_for(1).await;
    assert_eq!(before.arrivals().len(), 1);
    gateway.finish().await;
}

/// A key that may write webhooks can rotate a secret, move the endpoint and delete it. Its receiver
/// is notified for a day all the same, verifiably, and without the path of the new address.
#[tokio::test]
async fn former_url_is_notified_for_a_day_with_a_valid_signature() {
    let gateway = gateway().await;
    let down = Endpoint::start(vec![Reaction::Status(503)]).await;
    let elsewhere = Endpoint::start(vec![Reaction::Status(200)]).await;
    let merchant = gateway.register(None).await;
    let (id, secret) = made(&gateway, &merchant, &down, &["*"]).await;
    let weak = gateway
        .limited_key(merchant.id, "webhooks:write", None)
        .await
        .0;
    let path = format!("/v1/webhook-endpoints/{id}");
    for _ in 0..3 {
        let rotate = format!("{path}/rotate-secret");
        let rotated = post(&gateway, &weak, &rotate, &json!({"overlap_seconds": 0})).await;
        assert_eq!(rotated.status, 200, "{}", rotated.text());
    }
    let moved = json!({"url": elsewhere.url(), "event_types": ["ping"]});
    assert_eq!(post(&gateway, &weak, &path, &moved).await.status, 200);
    let mut delete = write(&weak, &path, &key(), &Value::Null);
    delete.method = "DELETE".into();
    delete.body.clear();
    assert_eq!(gateway.send(delete).await.status, 204);
    let _beside = gateway.run_beside();
    let farewell = "SELECT attempts, state FROM deliveries WHERE farewell_url IS NOT NULL";
    let pauses = [2, 5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 0];
    for (place, pause) in pauses.into_iter().enumerate() {
        let state = if pause == 0 { "failed" } else { "pending" };
        let expected = vec![vec![(place + 1).to_string(), state.to_owned()]];
        let look = async || gateway.rows(farewell).await;
        seen_when("the farewell", look, |rows| *rows == expected).await;
        later(&gateway, pause * 11 / 10 + 1);
    }
    let arrivals = down.arrivals();
    assert_eq!(arrivals.len(), pauses.len());
    for arrival in &arrivals {
        assert!(fits(arrival, &secret), "the receiver knows no other secret");
        let body: Value = serde_json::from_slice(&arrival.body).unwrap();
        let told = &body["data"]["webhook_endpoint"];
        assert_eq!(told["url"], format!("http://{}", elsewhere.address));
    }
    assert_eq!(elsewhere.arrivals().len(), 0);
    gateway.finish().await;
}

/// Pings, however many, do not use up the number of changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pings_do_not_use_up_the_change_limit() {
    for gateway in [Some(gateway().await), on_postgres().await] {
        let Some(gateway) = gateway else {
            eprintln!("skipped without Postgres");
            continue;
        };
        let merchant = gateway.register(None).await;
        let receiver = Endpoint::start(vec![Reaction::Status(200)]).await;
        let (id, _) = made(&gateway, &merchant, &receiver, &["*"]).await;
        let weak = gateway
            .limited_key(merchant.id, "webhooks:write", None)
            .await
            .0;
        let path = format!("/v1/webhook-endpoints/{id}");
        let (ping, rotate) = (format!("{path}/ping"), format!("{path}/rotate-secret"));
        let requests = (0..60).map(|number| match number % 6 {
            0 => write(&merchant.api_key, &rotate, &key(), &json!({})),
            1 => {
                let change = json!({"description": number.to_string()});
                write(&merchant.api_key, &path, &key(), &change)
            }
            _ => write(&weak, &ping, &key(), &json!({})),
        });
        let answers = gateway.send_together(requests.collect()).await;
        for answer in answers {
            assert!(answer.status.is_success(), "{}", answer.text());
        }
        let numbers =
            format!("SELECT sequence FROM events WHERE subject = '{id}' ORDER BY sequence");
        let numbers: Vec<_> = gateway.rows(&numbers).await.into_iter().flatten().collect();
        let expected: Vec<_> = (1..=61).map(|number| number.to_string()).collect();
        assert_eq!(numbers, expected);
        gateway.finish().await;
    }
}

/// Each request is allowed by itself: one takes the endpoint elsewhere and has it hear of nothing, the
/// others ask for what it hears of already. Together they must not read everything elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_do_not_combine_into_a_forbidden_one() {
    for gateway in [Some(gateway().await), on_postgres().await] {
        let Some(gateway) = gateway else {
            eprintln!("skipped without Postgres");
            continue;
        };
        let merchant = gateway.register(None).await;
        let weak = gateway
            .limited_key(merchant.id, "webhooks:write", None)
            .await
            .0;
        let receiver = Endpoint::start(vec![Reaction::Status(200)]).await;
        for round in 0..12 {
            let (id, _) = made(&gateway, &merchant, &receiver, &["*"]).await;
            let path = format!("/v1/webhook-endpoints/{id}");
            let elsewhere = format!("http://127.0.0.1:9/{round}");
            let moved = json!({"url": elsewhere, "event_types": ["ping"]});
            let wider = json!({"event_types": ["*"]});
            let requests = [&wider, &wider, &moved, &wider, &wider, &wider];
            let sent = requests.map(|body| post(&gateway, &weak, &path, body));
            futures_util::future::join_all(sent).await;
            let seen: Value = gateway.read(&merchant, &path).await;
            let allowed = [
                (json!(receiver.url()), json!(["*"])),
                (json!(elsewhere), json!(["ping"])),
            ];
            let is = (seen["url"].clone(), seen["event_types"].clone());
            assert!(allowed.contains(&is), "{seen}");
            let mut delete = write(&merchant.api_key, &path, &key(), &Value::Null);
            delete.method = "DELETE".into();
            delete.body.clear();
            assert_eq!(gateway.send(delete).await.status, 204);
        }
        gateway.finish().await;
    }
}

/// Changes are told all others, so that there is an end to them; and what changes nothing is not told.
#[tokio::test]
async fn changes_are_limited_and_no_op_changes_publish_nothing() {
    let gateway = gateway().await;
    let merchant = gateway.register(None).await;
    let receiver = Endpoint::start(vec![Reaction::Status(200)]).await;
    let (id, _) = made(&gateway, &merchant, &receiver, &["ping"]).await;
    let path = format!("/v1/webhook-endpoints/{id}");
    let nothing = post(&gateway, &merchant.api_key, &path, &json!({})).await;
    assert_eq!(nothing.status, 200, "{}", nothing.text());
    let told = "SELECT kind FROM events WHERE kind <> 'webhook_endpoint.created'";
    assert_eq!(gateway.rows(told).await, Vec::<Vec<String>>::new());
    for change in 0..ENDPOINT_CHANGES_AN_HOUR {
        let other = json!({"description": change.to_string()});
        let changed = post(&gateway, &merchant.api_key, &path, &other).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
    }
    let one_more = post(
        &gateway,
        &merchant.api_key,
        &path,
        &json!({"description": "x"}),
    )
    .await;
    one_more.assert_refused(429, "limit_reached");
    // Another credential of the merchant is not kept from setting things right.
    let (other, _) = gateway.limited_key(merchant.id, "*", None).await;
    let rotated = post(
        &gateway,
        &other,
        &format!("{path}/rotate-secret"),
        &json!({}),
    )
    .await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    later(&gateway, 3600);
    let after = post(
        &gateway,
        &merchant.api_key,
        &path,
        &json!({"description": "x"}),
    )
    .await;
    assert_eq!(after.status, 200, "{}", after.text());
    gateway.finish().await;
}
