//! Voids, and authorizations that expire.

use super::ledger_entries;
use harness::gateway::TestGateway;
use sealpay_protocol::limits::HOLD_LIFETIME_SECONDS;
use sealpay_protocol::order::Capture;
use serde_json::json;

#[tokio::test]
async fn void_releases_the_whole_authorization() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    gateway
        .modify(payment, "void", &json!({"reference": "sold out"}))
        .await;
    assert_eq!(gateway.totals(payment).await, ("voided".into(), 0, 0, 0));
    for what in ["captures", "void", "refunds"] {
        assert_eq!(
            gateway.refused(payment, what, &json!({})).await,
            "state_conflict",
            "{what}"
        );
    }
    assert_eq!(gateway.published(payment).await, ["authorized", "voided"]);
    assert_eq!(
        ledger_entries(&gateway, payment).await,
        (Vec::new(), Vec::new())
    );
    gateway.finish().await;
}

#[tokio::test]
async fn void_after_a_partial_capture_releases_the_rest() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    gateway
        .modify(payment, "captures", &json!({"amount": 400}))
        .await;
    let made = gateway.modify(payment, "void", &json!({})).await;
    assert_eq!(made["amount"], 600);
    assert_eq!(
        gateway.totals(payment).await,
        ("captured".into(), 400, 0, 0)
    );
    gateway.finish().await;
}

#[tokio::test]
async fn captured_payment_cannot_be_voided() {
    let gateway = TestGateway::start().await;
    let payment = gateway.approved(Capture::Automatic, 1000, |_| ()).await;
    assert_eq!(
        gateway.refused(payment, "void", &json!({})).await,
        "state_conflict"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn authorization_expires_after_seven_days_and_captures_remain() {
    let gateway = TestGateway::start().await;
    let untouched = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    let begun = gateway.approved(Capture::Manual, 1000, |_| ()).await;
    gateway
        .modify(begun, "captures", &json!({"amount": 400}))
        .await;
    let lifetime = i64::try_from(HOLD_LIFETIME_SECONDS).unwrap();
    let before = gateway.payment(untouched).await["capture_before"]
        .as_i64()
        .unwrap();
    gateway.pass(lifetime - 60).await;
    assert_eq!(
        gateway.totals(untouched).await,
        ("authorized".into(), 0, 0, 0)
    );
    gateway.pass(61).await;
    assert!(i64::try_from(gateway.now()).unwrap() >= before);
    assert_eq!(gateway.totals(untouched).await, ("expired".into(), 0, 0, 0));
    assert_eq!(gateway.totals(begun).await, ("captured".into(), 400, 0, 0));
    let refused = gateway.refused(untouched, "captures", &json!({})).await;
    assert_eq!(refused, "state_conflict");
    assert!(gateway.payment(untouched).await["capture_before"].is_null());
    gateway.finish().await;
}
