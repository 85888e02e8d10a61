//! `/sim/payments`, and which payment a code and a fault belong to.

use super::{done, read, refused};
use harness::client::{APPROVED, Prepared, card};
use harness::gateway::TestGateway;
use serde_json::{Value, json};
use verifier_server::error::ErrorCode;

fn types(history: &Value) -> Vec<&str> {
    let events = history["events"].as_array().unwrap();
    let types = events.iter().map(|event| event["type"].as_str().unwrap());
    types.collect()
}

#[tokio::test]
async fn payment_is_shown_with_its_events_and_disputes() {
    let gateway = TestGateway::start().await;
    let payment = gateway.pay(None, &card(APPROVED)).await.payment;
    gateway.pay(None, &card(APPROVED)).await;
    let path = format!("/sim/payments/{payment}");
    let history = read(&gateway, &path).await;
    assert_eq!(history["payment"], gateway.payment(payment).await);
    assert_eq!(types(&history), ["payment.captured"]);
    assert_eq!(history["disputes"], json!([]));

    let order = json!({ "payment": payment, "reason": "fraudulent" }).to_string();
    let dispute = done(&gateway, "POST", "/sim/disputes", &order).await;
    let history = read(&gateway, &path).await;
    assert_eq!(types(&history), ["dispute.opened", "payment.captured"]);
    assert_eq!(history["disputes"], json!([dispute]));

    let unknown = "/sim/payments/pay_01m8jw740mbr358dyvkrfe7b51";
    for path in ["/sim/payments/pay_none", "/sim/payments/%00", unknown] {
        let request = Prepared::get_of(path, None);
        refused(&gateway, path, request, (ErrorCode::NotFound, None)).await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn code_and_applied_fault_name_their_payment() {
    let gateway = TestGateway::start().await;
    let asked = gateway.pay(Some("challenge_code"), &card(APPROVED)).await;
    let message = read(&gateway, "/sim/phone").await["data"][0].clone();
    assert_eq!(message["payment"], asked.payment.to_string());
    assert_eq!(message["code_state"], "valid");

    let fault = r#"{"kind":"latency","min_ms":1,"next":1}"#;
    let ordered = done(&gateway, "POST", "/sim/faults", fault).await;
    assert_eq!(ordered["last_struck"], Value::Null);
    assert_eq!(read(&gateway, "/sim/faults").await["spent"], json!([]));
    let struck = gateway.pay(None, &card(APPROVED)).await.payment;
    let faults = read(&gateway, "/sim/faults").await;
    assert_eq!(faults["data"], json!([]));
    assert_eq!(faults["spent"][0]["id"], ordered["id"]);
    assert_eq!(faults["spent"][0]["last_struck"], struck.to_string());
    gateway.finish().await;
}
