//! An operator resolves a refund whose provider is gone.

use harness::gateway::TestGateway;
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::order::Capture;
use sealpay_provider::ProviderDecision;
use serde_json::json;
use verifier_server::attention;
use verifier_server::attention::Attention;
use verifier_server::modifications;
use verifier_server::modifications::by_hand::NotEnded;
use verifier_server::modifications::model::ModificationState;

/// A refund that waits for a provider that is not configured any more.
async fn stuck(gateway: &TestGateway) -> (PaymentId, ModificationId) {
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    gateway.tamper(&format!(
        "UPDATE payments SET provider = 'bygone' WHERE id = '{payment}'"
    ));
    let made = gateway
        .modify(payment, "refunds", &json!({"amount": 300}))
        .await;
    assert_eq!(made["state"], "pending", "{made}");
    (payment, made["id"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn refund_at_a_removed_provider_needs_attention_after_an_hour() {
    let gateway = TestGateway::start().await;
    stuck(&gateway).await;
    let inside = &gateway.server.state.gateway;
    assert_eq!(attention::look(inside).await, Ok(Attention::default()));
    gateway.move_clock(3_700);
    modifications::reconcile::recover(inside).await.unwrap();
    let seen = attention::look(inside).await.unwrap();
    assert_eq!((seen.modifications, seen.oldest_seconds / 100), (1, 37));
    gateway.server.state.metrics.attention(seen);
    let metrics = gateway.server.state.metrics.text();
    assert!(
        metrics.contains("sealpay_stuck_modifications 1"),
        "{metrics}"
    );
    let pending = modifications::by_hand::pending(inside).await.unwrap();
    assert_eq!(pending.len(), 1);
    gateway.finish().await;
}

#[tokio::test]
async fn operator_resolves_a_refund_as_the_provider_reports() {
    #[rustfmt::skip]
    let rows = [
        (ProviderDecision::approved(), "partially_refunded", 300, "partially_refunded"),
        (ProviderDecision::declined("not_processed"), "captured", 0, "refund_failed"),
    ];
    for (answer, state, refunded, told) in rows {
        let gateway = TestGateway::start().await;
        let (payment, id) = stuck(&gateway).await;
        let inside = &gateway.server.state.gateway;
        let ended = modifications::by_hand::end_by_hand(inside, id, answer.clone(), false).await;
        let ended = ended.unwrap();
        assert_ne!(ended.state, ModificationState::Pending);
        assert_eq!(
            gateway.totals(payment).await,
            (state.into(), 1000, refunded, 0)
        );
        assert_eq!(gateway.published(payment).await, ["captured", told]);
        let again = modifications::by_hand::end_by_hand(inside, id, answer, false).await;
        assert_eq!(again, Err(NotEnded::Ended(ended.state)));
        // The payment is free for the next one.
        assert_eq!(gateway.payment(payment).await["state"], state);
        gateway.finish().await;
    }
}

#[tokio::test]
async fn operation_still_being_reconciled_is_not_resolved_unless_forced() {
    let gateway = TestGateway::with(|config| config.provider_timeout_ms = 150).await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    gateway
        .fault(&json!({"target": "any", "kind": "request_lost", "next": 1}))
        .await;
    let made = gateway
        .modify(payment, "refunds", &json!({"amount": 300}))
        .await;
    let id: ModificationId = made["id"].as_str().unwrap().parse().unwrap();
    let inside = &gateway.server.state.gateway;
    let refused =
        modifications::by_hand::end_by_hand(inside, id, ProviderDecision::approved(), false).await;
    assert!(
        matches!(refused, Err(NotEnded::ProviderIsThere(_))),
        "{refused:?}"
    );
    let failed = ProviderDecision::declined("not_processed");
    let ended = modifications::by_hand::end_by_hand(inside, id, failed, true)
        .await
        .unwrap();
    assert_eq!(ended.state, ModificationState::Failed);
    let unknown = ModificationId::new(1, [1; 10]);
    let refused =
        modifications::by_hand::end_by_hand(inside, unknown, ProviderDecision::approved(), true)
            .await;
    assert_eq!(refused, Err(NotEnded::Unknown));
    gateway.finish().await;
}
