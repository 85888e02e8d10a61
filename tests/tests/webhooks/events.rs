//! `GET /v1/events`: an event has what its webhook will carry.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, card};
use harness::gateway::TestGateway;
use serde_json::Value;

on_both_databases! {
    event_has_the_payload_of_its_webhook,
}

async fn event_has_the_payload_of_its_webhook(gateway: &TestGateway) {
    let paid = gateway.pay(None, &card(APPROVED)).await;
    let events = gateway.events_of(paid.payment).await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(
        (&event["type"], &event["sequence"]),
        (&"payment.captured".into(), &1.into())
    );
    assert_eq!(event["body"]["type"], "payment.captured");
    assert_eq!(event["body"]["data"]["sequence"], 1);
    assert_eq!(
        event["body"]["data"]["payment"],
        gateway.payment(paid.payment).await
    );
    assert_eq!(
        event["deliveries"],
        Value::Array(Vec::new()),
        "there is no endpoint"
    );
    let timestamp = event["body"]["timestamp"].as_str().unwrap();
    assert!(timestamp.len() == 20 && timestamp.starts_with("20") && timestamp.ends_with('Z'));
}
