//! Operations at a provider that does not answer are executed once.

use super::ledger_entries;
use harness::back_office::{key, path};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::{Value, json};
use verifier_server::modifications;

fn impatient(config: &mut verifier_server::config::Config) {
    config.provider_timeout_ms = 150;
}

#[tokio::test]
async fn refund_with_a_lost_response_is_executed_and_published_once() {
    let gateway = TestGateway::with(impatient).await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    gateway
        .fault(&json!({"target": "any", "kind": "response_lost", "next": 1}))
        .await;
    let (key, path) = (key(), path(payment, "refunds"));
    let first = gateway
        .write_with(&key, &path, &json!({"amount": 300}))
        .await;
    assert_eq!(first.status, 202, "{}", first.text());
    assert_eq!(first.json::<Value>()["state"], "pending");
    // Nothing else may be done to the payment until that is known.
    let refused = gateway
        .refused(payment, "refunds", &json!({"amount": 300}))
        .await;
    assert_eq!(refused, "modification_in_progress");
    assert_eq!(
        gateway.totals(payment).await,
        ("captured".into(), 1000, 0, 0)
    );
    gateway.move_clock(10);
    let recovered = modifications::reconcile::recover(&gateway.server.state.gateway).await;
    assert_eq!(recovered, Ok(1));
    let again = gateway
        .write_with(&key, &path, &json!({"amount": 300}))
        .await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json::<Value>()["state"], "succeeded");
    assert_eq!(
        gateway.totals(payment).await,
        ("partially_refunded".into(), 1000, 300, 0)
    );
    assert_eq!(
        gateway.published(payment).await,
        ["captured", "partially_refunded"]
    );
    assert_eq!(
        ledger_entries(&gateway, payment).await.1,
        ["capture 1000", "refund -300"]
    );
    gateway.finish().await;
}

#[tokio::test]
async fn capture_waits_for_an_unavailable_acquirer() {
    let gateway = TestGateway::with(impatient).await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    gateway
        .fault(&json!({"target": "any", "kind": "acquirer_down", "next": 1}))
        .await;
    let made = gateway.modify(payment, "captures", &json!({})).await;
    assert_eq!(made["state"], "pending");
    assert_eq!(
        gateway.totals(payment).await,
        ("authorized".into(), 0, 0, 0)
    );
    gateway.move_clock(10);
    assert_eq!(
        modifications::reconcile::recover(&gateway.server.state.gateway).await,
        Ok(1)
    );
    assert_eq!(
        gateway.totals(payment).await,
        ("captured".into(), 1000, 0, 0)
    );
    gateway.finish().await;
}
