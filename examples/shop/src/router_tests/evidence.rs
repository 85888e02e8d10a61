//! What the shop says to a dispute, and who may say it.

use super::desk::{SHOP, scene_with_desk, value_of};
use super::news::event_of;
use super::{Answer, Scene};
use axum::http::{StatusCode, header};
use serde_json::json;

/// An order with a dispute that waits for an answer.
async fn disputed(scene: &Scene) -> String {
    let reference = scene.order().await;
    let dispute = json!({ "dispute": {
        "id": "dis_1", "payment": "pay_1", "amount": 4_980, "currency": "EUR",
        "reason": "fraudulent", "state": "needs_response", "evidence_due_at": 1_764_000_000 } });
    let opened = event_of("dispute.opened", &reference, 2, &dispute);
    let answer = scene.deliver(&opened).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    reference
}

/// Sends evidence as the order's page would, with what is altered.
async fn send(
    scene: &Scene,
    reference: &str,
    (dispute, evidence): (&str, &str),
    origin: &str,
) -> Answer {
    let page = scene.open_desk(reference).await;
    let (token, key) = (&page.token, &page.key);
    let form = format!("token={token}&key={key}-dis_1&dispute={dispute}&evidence={evidence}");
    let headers = [
        (header::ORIGIN, origin),
        (header::COOKIE, page.cookie.as_str()),
    ];
    let path = format!("/orders/{reference}/evidence");
    scene.send_to(&path, form, &headers).await
}

#[tokio::test]
async fn a_dispute_is_answered_from_the_order() {
    let dispute = json!({ "state": "under_review" });
    let (scene, heard) = scene_with_desk("evidence", 200, dispute).await;
    let reference = disputed(&scene).await;
    let page = scene.get(&format!("/orders/{reference}")).await.text;
    assert_eq!(value_of(&page, "dispute"), "dis_1");
    assert!(page.contains("maxlength=\"4000\""), "{page}");
    let said = ("dis_1", "Delivered.%0D%0ASigned+for.");
    let answer = send(&scene, &reference, said, SHOP).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let address = answer.headers[header::LOCATION].to_str().unwrap();
    assert_eq!(address, format!("/orders/{reference}?done=evidence"));
    let heard = heard.lock().unwrap().join("\n");
    assert!(
        heard.starts_with("/v1/disputes/dis_1/evidence shop-"),
        "{heard}"
    );
    assert!(
        heard.ends_with("-dis_1 {\"evidence\":\"Delivered.\\nSigned for.\"}"),
        "{heard}"
    );
    assert!(scene.get(address).await.text.contains("Evidence sent."));
}

#[tokio::test]
async fn evidence_that_is_none_or_of_a_stranger_is_not_sent() {
    let (scene, heard) = scene_with_desk("no-evidence", 200, json!({})).await;
    let reference = disputed(&scene).await;
    let long = "x".repeat(4_001);
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let rows = [
        ("dis_1", "", SHOP, unprocessable),
        ("dis_1", "+%0D%0A", SHOP, unprocessable),
        ("dis_1", long.as_str(), SHOP, unprocessable),
        ("dis_2", "Delivered.", SHOP, unprocessable),
        ("../dis_1", "Delivered.", SHOP, unprocessable),
        (
            "dis_1",
            "Delivered.",
            "https://evil.example",
            StatusCode::FORBIDDEN,
        ),
    ];
    for (dispute, evidence, origin, expected) in rows {
        let answer = send(&scene, &reference, (dispute, evidence), origin).await;
        assert_eq!(answer.status, expected, "{dispute} {evidence} {origin}");
    }
    assert_eq!(heard.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_dispute_that_is_decided_says_so() {
    let problem = json!({ "code": "state_conflict", "detail": "The dispute is decided." });
    let (scene, _) = scene_with_desk("decided", 409, problem).await;
    let reference = disputed(&scene).await;
    let answer = send(&scene, &reference, ("dis_1", "Delivered."), SHOP).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("The dispute is decided."));
    assert!(answer.text.contains("Back to the order"));
}
