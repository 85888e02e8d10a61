//! The order page of a shopper who comes from the form.

use super::delivery::of_payment;
use super::{NOW, scene, verifier_key};
use axum::http::{StatusCode, header};

const CONFIRMING: &str = "we’re confirming your payment";
const LATE: &str = "If you’ve paid, please don’t pay again.";
const UNPAID: &str = "Go to payment";

#[tokio::test]
async fn a_payment_is_being_confirmed_for_some_minutes_and_no_longer() {
    let scene = scene("arrival", &[verifier_key()]);
    let reference = scene.order().await;
    let page = format!("/orders/{reference}");
    let noted = format!("{page}?from=form&since={NOW}");
    let later = format!("?from=form&since={}", NOW + 1);
    for query in ["?from=form", later.as_str()] {
        let answer = scene.get(&format!("{page}{query}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{query}");
        assert_eq!(answer.headers[header::LOCATION], noted, "{query}");
    }
    let rows = [
        (String::new(), UNPAID, ""),
        ("?from=elsewhere".into(), UNPAID, ""),
        (format!("?from=form&since={NOW}"), CONFIRMING, ""),
        (format!("?from=form&since={}", NOW - 299), CONFIRMING, ""),
        (format!("?from=form&since={}", NOW - 300), LATE, "-late"),
    ];
    for (query, said, late) in &rows {
        let text = scene.get(&format!("{page}{query}")).await.text;
        for sentence in [UNPAID, CONFIRMING, LATE] {
            assert_eq!(text.contains(sentence), sentence == *said, "{query}");
        }
        // What the page compares with its own.
        let status = scene.get(&format!("{page}/status{query}")).await.text;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let revision = status["revision"].as_str().unwrap();
        assert_eq!(revision.ends_with("-late"), !late.is_empty(), "{query}");
        let own = format!("data-revision=\"{revision}\"");
        assert!(text.contains(&own), "{query}");
    }
    scene
        .deliver(&of_payment(
            "1",
            &reference,
            1,
            "captured",
            serde_json::json!({}),
        ))
        .await;
    for (query, ..) in rows {
        let text = scene.get(&format!("{page}{query}")).await.text;
        assert!(text.contains("We’ve received your €49.80"), "{query}");
        let events = "href=\"http://localhost:8788/sim#pay_1\"";
        assert!(text.contains(events), "{query}");
    }
}

#[tokio::test]
async fn who_cancels_in_the_wallet_is_not_told_of_a_decline() {
    let scene = scene("cancelled", &[verifier_key()]);
    for (code, title) in [
        ("wallet_refused", "Payment cancelled"),
        ("insufficient_funds", "Payment declined"),
    ] {
        let reference = scene.order().await;
        let decline = serde_json::json!({ "code": code, "response_code": null, "class": "later",
            "message": "No." });
        let told = serde_json::json!({ "id": format!("pay_{code}"), "method": "wallet",
            "card": null, "decline": decline });
        scene
            .deliver(&of_payment(code, &reference, 1, "declined", told))
            .await;
        let page = scene.get(&format!("/orders/{reference}")).await.text;
        assert!(page.contains(title), "{code}: {page}");
        let says_so = page.contains("You cancelled in your wallet. You haven’t been charged.");
        assert_eq!(says_so, code == "wallet_refused", "{code}");
    }
}
