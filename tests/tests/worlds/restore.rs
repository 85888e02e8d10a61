//! The restored world is that of the snapshot, in everything that can be seen.

use super::{RESTORE_WITHIN, Verifier};
use crate::databases::on_both_databases;
use harness::back_office;
use serde_json::{Value, json};
use tokio::time::Instant;

const DAY: u64 = 24 * 60 * 60;

/// All that merchants and testers see, and the ledger.
async fn seen(verifier: &Verifier) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in ["balance", "payments", "events", "settlements", "payouts"] {
        seen.push(verifier.get(&format!("/v1/{path}")).await);
    }
    for path in ["accounts", "faults", "webhooks", "phone"] {
        let path = format!("/sim/{path}");
        seen.push(verifier.sim("GET", &path, Value::Null).await.unwrap());
    }
    seen.push(json!(verifier.ahead_seconds().await));
    seen.push(json!(verifier.ledger()));
    seen
}

async fn change_everything(verifier: &Verifier) {
    let payment = verifier.pay().await;
    verifier.pay().await;
    let path = back_office::path(payment, "refunds");
    let key = &verifier.merchant.api_key;
    let refund = back_office::write(key, &path, "refund", &json!({"amount": 100}));
    let refunded = verifier.send(refund).await.unwrap();
    assert!(refunded.status().is_success(), "{refunded:?}");
    let fault = json!({"kind": "request_lost", "next": 1, "target": "payouts"});
    verifier.sim("POST", "/sim/faults", fault).await.unwrap();
    let account = json!({"status": "blocked"});
    let path = "/sim/accounts/ada_approved";
    verifier.sim("PUT", path, account).await.unwrap();
    verifier.advance(9 * DAY).await;
}

async fn restored_world_is_that_of_the_snapshot(verifier: &Verifier) {
    for _ in 0..3 {
        verifier.pay().await;
    }
    verifier.advance(5 * DAY).await;
    verifier.pay().await;
    let saved = verifier.save("before").await;
    assert_eq!(saved["name"], "before");
    assert_eq!(saved["state"], "complete");
    assert_eq!(saved["ahead_seconds"], 5 * DAY);
    let before = seen(verifier).await;
    for round in 0..2 {
        change_everything(verifier).await;
        let after = seen(verifier).await;
        assert_ne!(after, before);
        let started = Instant::now();
        let clock = verifier.restore("before").await.unwrap();
        let took = started.elapsed();
        eprintln!("round {round}: restored in {took:?}");
        assert!(took < RESTORE_WITHIN, "{took:?}");
        assert_eq!(clock["ahead_seconds"], 5 * DAY);
        let restored = seen(verifier).await;
        for (is, was) in restored.iter().zip(&before) {
            assert_eq!(is, was);
        }
    }
    // The restored world goes on.
    verifier.pay().await;
    verifier.advance(4 * DAY).await;
    verifier.ledger();
    let trail = verifier.command(&["audit", "--verify"]);
    assert!(trail.is_ok(), "{trail:?}");
}

/// The address that was registered later gets nothing, and what was paid later can be paid again.
async fn nothing_in_memory_is_of_the_replaced_world(verifier: &Verifier) {
    verifier.save("before").await;
    let browser = verifier.browser().await;
    let order = verifier.merchant.order(&verifier.setup.origin, None);
    let opened = browser.open_session(&order);
    let session: Value = verifier.answer(opened.clone()).await.unwrap();
    assert_eq!(
        verifier.answer::<Value>(opened.clone()).await,
        Err("nonce_replayed".into())
    );
    let key = verifier
        .command(&["merchant", "add-api-key", &verifier.merchant.id.to_string()])
        .unwrap();
    let key: Value = serde_json::from_str(&key).unwrap();
    let key = key["api_key"].as_str().unwrap();
    let list = harness::client::Prepared::get_of("/v1/payments", Some(key));
    verifier.answer::<Value>(list.clone()).await.unwrap();
    verifier.advance(30 * DAY).await;
    verifier.restore("before").await.unwrap();
    let refused = verifier.answer::<Value>(list).await;
    assert_eq!(refused, Err("api_key_invalid".into()));
    assert_eq!(verifier.ahead_seconds().await, 0);
    // The nonce was used in the replaced world only, and so was the order.
    let again: Value = verifier.answer(opened).await.unwrap();
    assert_ne!(again["session"], session["session"]);
}

on_both_databases! {
    Verifier:
    restored_world_is_that_of_the_snapshot,
    nothing_in_memory_is_of_the_replaced_world,
}
