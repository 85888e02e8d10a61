//! The audit trail: every write names its credential, there and on the resource that it creates.

use super::api_keys::key_for;
use crate::databases::on_both_databases;
use harness::back_office::{key, path, write};
use harness::gateway::TestGateway;
use harness::postgres::connect;
use harness::time::seen_when;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use verifier_server::auth::audit;
use verifier_server::maintain;

on_both_databases! {
    every_write_is_audited_with_its_credential,
    merchant_reads_its_own_audit_trail_in_pages,
    created_resources_name_their_credential,
    audit_row_is_written_after_the_client_disconnected,
    repeated_rejections_do_not_fill_the_audit_trail,
    writes_without_effect_do_not_fill_the_audit_trail,
    concurrent_writes_are_each_audited,
    last_use_of_a_key_is_recorded_to_the_hour,
}

async fn trail(gateway: &TestGateway, query: &str) -> Value {
    let path = format!("/v1/audit{query}");
    let page = gateway.get(&path, Some(&gateway.merchant.api_key)).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()
}

/// What the newest row says.
async fn newest(gateway: &TestGateway) -> Value {
    trail(gateway, "?limit=1").await["data"][0].clone()
}

async fn every_write_is_audited_with_its_credential(gateway: &TestGateway) {
    let payment = gateway.approved(Capture::Manual, 1000, |_| {}).await;
    let (api_key, id) = key_for(gateway, "*", None).await;
    let (reader, reader_id) = key_for(gateway, "payments:read", None).await;
    let body = json!({"url": "https://shop.example/webhooks"});
    let made = write(&api_key, "/v1/webhook-endpoints", &key(), &body);
    let made: Value = gateway.send(made).await.json();
    let endpoint = made["id"].as_str().unwrap();
    let of_it = |what: &str| format!("/v1/webhook-endpoints/{endpoint}{what}");
    let refund = path(payment, "refunds");
    #[rustfmt::skip]
    let rows = [
        (&api_key, "/v1/webhook-endpoints".to_owned(), body, "/v1/webhook-endpoints", "201"),
        (&api_key, of_it(""), json!({"description": "x"}), "/v1/webhook-endpoints/{id}", "200"),
        (&api_key, of_it("/ping"), json!({}), "/v1/webhook-endpoints/{id}/ping", "202"),
        (&api_key, path(payment, "captures"), json!({}), "/v1/payments/{id}/captures", "200"),
        (&api_key, refund.clone(), json!({"amount": 5000}), "/v1/payments/{id}/refunds", "422 amount_too_large"),
        (&reader, refund, json!({}), "/v1/payments/{id}/refunds", "403 scope_missing"),
    ];
    for (by, path, body, route, outcome) in rows {
        let answer = gateway.send(write(by, &path, &key(), &body)).await;
        let row = newest(gateway).await;
        let actor = if *by == reader { &reader_id } else { &id };
        assert_eq!(row["actor"], actor.as_str(), "{row}");
        assert_eq!(row["action"], format!("POST {route}"), "{row}");
        assert_eq!(
            row["request"],
            answer.header("x-request-id").unwrap(),
            "{row}"
        );
        let status = answer.status.as_u16().to_string();
        assert!(
            row["outcome"].as_str().unwrap().starts_with(&status),
            "{row} {status}"
        );
        assert_eq!(row["outcome"], outcome, "{row}");
        let named = path.split('/').nth(3);
        assert_eq!(row["subject"].as_str(), named, "{row}");
    }
    who_is_nobody_and_who_reads_leave_none(gateway, &of_it(""), &reader).await;
}

async fn who_is_nobody_and_who_reads_leave_none(
    gateway: &TestGateway,
    endpoint: &str,
    reader: &str,
) {
    let count = trail(gateway, "?limit=100").await["data"]
        .as_array()
        .unwrap()
        .len();
    gateway
        .send(write("sk_test_none", endpoint, &key(), &json!({})))
        .await;
    gateway.get("/v1/payments", Some(reader)).await;
    let after = trail(gateway, "?limit=100").await["data"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(after, count);
    let inner = &gateway.server.state.gateway;
    let verified = audit::verify(inner.store(), inner.encryption(), |_| Ok(())).await;
    assert_eq!(
        verified.map(|(rows, _)| rows),
        Ok(i64::try_from(count).unwrap())
    );
}

async fn merchant_reads_its_own_audit_trail_in_pages(gateway: &TestGateway) {
    let other = gateway.register(None).await;
    let url = json!({"url": "https://shop.example/webhooks"});
    for _ in 0..3 {
        gateway.write("/v1/webhook-endpoints", &url).await;
        gateway
            .send(write(&other.api_key, "/v1/webhook-endpoints", &key(), &url))
            .await;
    }
    let all = trail(gateway, "").await;
    assert_eq!(
        (all["data"].as_array().unwrap().len(), &all["has_more"]),
        (3, &false.into())
    );
    let first = trail(gateway, "?limit=2").await;
    assert_eq!(first["has_more"], true);
    let after = first["data"][1]["request"].as_str().unwrap();
    let second = trail(gateway, &format!("?limit=2&after={after}")).await;
    assert_eq!(second["data"], json!([all["data"][2]]));
    for query in ["?limit=0", "?after=x", "?after=", "?other=1"] {
        let path = format!("/v1/audit{query}");
        let answer = gateway.get(&path, Some(&other.api_key)).await;
        assert_eq!(answer.code(), "invalid_parameter", "{query}");
    }
}

async fn audit_row_is_written_after_the_client_disconnected(gateway: &TestGateway) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    let refund = path(payment, "refunds");
    let body = json!({"amount": 1});
    let mut sent = Box::pin(gateway.send(write(&gateway.merchant.api_key, &refund, &key(), &body)));
    // The server has begun with it when the connection is gone.
    assert!(futures_util::poll!(&mut sent).is_pending());
    drop(sent);
    let of_it = |page: &Value| {
        let rows = page["data"].as_array().unwrap().iter();
        rows.filter(|row| row["subject"] == payment.to_string())
            .count()
    };
    let look = async || of_it(&trail(gateway, "?limit=100").await);
    seen_when("the number of rows", look, |rows| *rows == 1).await;
    let made = path(payment, "modifications");
    let refunds = gateway.read(&gateway.merchant, &made).await;
    assert_eq!(refunds["data"][0]["state"], "succeeded", "{refunds}");
}

/// How many rows a credential has left.
async fn rows_of(gateway: &TestGateway, credential: &str) -> usize {
    let (mut rows, mut after) = (0, String::new());
    loop {
        let page = trail(gateway, &format!("?limit=100{after}")).await;
        let page = page["data"].as_array().unwrap();
        let of_it = page.iter().filter(|row| row["actor"] == credential);
        rows += of_it.count();
        let Some(last) = page.last() else {
            return rows;
        };
        after = format!("&after={}", last["request"].as_str().unwrap());
    }
}

async fn repeated_rejections_do_not_fill_the_audit_trail(gateway: &TestGateway) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    let (reader, reader_id) = key_for(gateway, "payments:read", None).await;
    let refund = path(payment, "refunds");
    for _ in 0..150 {
        let refused = gateway
            .send(write(&reader, &refund, &key(), &json!({})))
            .await;
        assert_eq!(refused.code(), "scope_missing");
    }
    let rows = rows_of(gateway, &reader_id).await;
    assert!((100..=110).contains(&rows), "{rows}");
    // Another credential leaves its own.
    let body = json!({"amount": 5000});
    let refused = write(&gateway.merchant.api_key, &refund, &key(), &body);
    assert_eq!(gateway.send(refused).await.code(), "amount_too_large");
    assert_eq!(newest(gateway).await["outcome"], "422 amount_too_large");
}

/// Changes to what is so already, and requests that came before: as many of them as refused ones.
async fn writes_without_effect_do_not_fill_the_audit_trail(gateway: &TestGateway) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    let url = json!({"url": "https://shop.example/webhooks"});
    let made: Value = gateway.write("/v1/webhook-endpoints", &url).await.json();
    let endpoint = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
    let (weak, weak_id) = key_for(gateway, "webhooks:write", None).await;
    let (other, other_id) = key_for(gateway, "*", None).await;
    let refund = write(
        &other,
        &path(payment, "refunds"),
        &key(),
        &json!({"amount": 1}),
    );
    let again = json!({"from": 0, "until": 1});
    for round in 0..150 {
        let change = if round % 2 == 0 {
            write(&weak, &endpoint, &key(), &json!({}))
        } else {
            write(&weak, &endpoint, "the-same", &json!({"description": "x"}))
        };
        assert_eq!(gateway.send(change).await.status, 200);
        assert_eq!(gateway.send(refund.clone()).await.status, 200);
    }
    for id in [weak_id, other_id] {
        let rows = rows_of(gateway, &id).await;
        assert!((101..=111).contains(&rows), "{rows}");
    }
    // What changes something leaves its row, whatever came before.
    let changed = write(&weak, &endpoint, &key(), &json!({"description": "y"}));
    let changed = gateway.send(changed).await;
    assert_eq!(
        newest(gateway).await["request"],
        changed.header("x-request-id").unwrap()
    );
    // An empty time has no events.
    let nothing = write(&other, &format!("{endpoint}/redeliver"), &key(), &again);
    let nothing: Value = gateway.send(nothing).await.json();
    assert_eq!(nothing["scheduled"], 0, "{nothing}");
    assert_eq!(
        newest(gateway).await["request"],
        changed.header("x-request-id").unwrap()
    );
}

/// A trail that does not get on holds up the writes whose rows wait, and no payment; what is given up
/// by the database is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pending_audit_rows_do_not_delay_payments() {
    let Some(gateway) = TestGateway::on_postgres().await else {
        eprintln!("skipped without Postgres");
        return;
    };
    let gateway = Arc::new(gateway);
    let url = json!({"url": "https://shop.example/webhooks"});
    let made: Value = gateway.write("/v1/webhook-endpoints", &url).await.json();
    let endpoint = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
    let (weak, weak_id) = key_for(&gateway, "webhooks:write", None).await;
    let before = rows_of(&gateway, &weak_id).await;
    let database = gateway.database_url().unwrap();
    let holder = connect(database).await.unwrap();
    let hold = "BEGIN; UPDATE audit_head SET sequence = sequence";
    holder.batch_execute(hold).await.unwrap();
    let writes = (0..60).map(|_| {
        let change = write(&weak, &endpoint, &key(), &json!({}));
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move { gateway.send(change).await.status.as_u16() })
    });
    let writes: Vec<_> = writes.collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(
        writes.iter().all(|write| !write.is_finished()),
        "their rows are not there yet"
    );
    let began = tokio::time::Instant::now();
    for _ in 0..5 {
        gateway.approved(Capture::Automatic, 1000, |_| {}).await;
    }
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(4),
        "payments wait for the trail: {took:?}"
    );
    // As its statement timeout does.
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let cancelled = holder.simple_query(cancel).await.unwrap();
    assert!(cancelled.len() > 1, "{cancelled:?}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    holder.batch_execute("COMMIT").await.unwrap();
    for write in writes {
        assert_eq!(write.await.unwrap(), 200);
    }
    assert_eq!(rows_of(&gateway, &weak_id).await, before + 60);
    let inner = &gateway.server.state.gateway;
    let verified = audit::verify(inner.store(), inner.encryption(), |_| Ok(())).await;
    assert!(verified.is_ok(), "{verified:?}");
    Arc::into_inner(gateway).unwrap().finish().await;
}

/// A row is durable before the answer to its request is given.
async fn concurrent_writes_are_each_audited(gateway: &TestGateway) {
    let url = json!({"url": "https://shop.example/webhooks"});
    let made: Value = gateway.write("/v1/webhook-endpoints", &url).await.json();
    let endpoint = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
    let requests = (0..40).map(|_| write(&gateway.merchant.api_key, &endpoint, &key(), &json!({})));
    let answers = gateway.send_together(requests.collect()).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let (rows, _) = gateway
        .server
        .state
        .gateway
        .store()
        .audit
        .head()
        .await
        .unwrap();
    assert_eq!(rows, 41, "each was durable before its answer");
}

async fn created_resources_name_their_credential(gateway: &TestGateway) {
    let payment = gateway.approved(Capture::Manual, 1000, |_| {}).await;
    let (api_key, id) = key_for(gateway, "*", None).await;
    let captured = write(&api_key, &path(payment, "captures"), &key(), &json!({}));
    let captured: Value = gateway.send(captured).await.json();
    assert_eq!(captured["created_by"], id.as_str(), "{captured}");
    let dispute = gateway.dispute(payment, None).await;
    let evidence = format!("/v1/disputes/{dispute}/evidence");
    let body = json!({"evidence": "It was sent on Monday."});
    let answered: Value = gateway
        .send(write(&api_key, &evidence, &key(), &body))
        .await
        .json();
    assert_eq!(answered["answered_by"], id.as_str(), "{answered}");
    let body = json!({"url": "https://shop.example/webhooks"});
    let made = write(&api_key, "/v1/webhook-endpoints", &key(), &body);
    let made: Value = gateway.send(made).await.json();
    assert_eq!(made["created_by"], id.as_str(), "{made}");
    // The events of both say it too.
    let all = gateway
        .get(&format!("/v1/events?subject={payment}"), Some(&api_key))
        .await;
    let all: Value = all.json();
    let told = |pointer: &str| {
        let events = all["data"].as_array().unwrap().iter();
        events
            .filter(|event| event.pointer(pointer) == Some(&json!(id)))
            .count()
    };
    assert_eq!(told("/body/data/modification/created_by"), 1, "{all}");
    assert_eq!(told("/body/data/dispute/answered_by"), 1, "{all}");
}

async fn last_use_of_a_key_is_recorded_to_the_hour(gateway: &TestGateway) {
    let (api_key, id) = key_for(gateway, "payments:read", None).await;
    let inner = &gateway.server.state.gateway;
    let known = async || {
        maintain::write_last_uses(inner).await.unwrap();
        let found = inner.store().api_keys.get(id.parse().unwrap()).await;
        found.unwrap().unwrap().last_used_at_ms
    };
    assert_eq!(known().await, None);
    let hour = |now: u64| Some(i64::try_from(now / 3600 * 3600 * 1000).unwrap());
    for _ in 0..2 {
        gateway.get("/v1/payments", Some(&api_key)).await;
        assert_eq!(known().await, hour(gateway.now()));
        gateway.move_clock(3600);
    }
}
