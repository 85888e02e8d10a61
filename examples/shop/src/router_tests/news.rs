//! What the order page makes of the payments that it is told of.

use super::delivery::of_payment;
use super::{scene, verifier_key};
use axum::http::StatusCode;

/// A payment as it is told, and what the order page says after it.
struct Chapter {
    state: &'static str,
    told: serde_json::Value,
    order: &'static str,
    page: &'static [&'static str],
    /// Whether the page offers to pay, or to go on paying.
    offered: bool,
}

fn transfer(received: i64, overpaid: i64) -> serde_json::Value {
    serde_json::json!({
        "method": "bank_transfer", "card": null,
        "route": { "provider": "simulated_transfers", "reason": "method" },
        "transfer": { "iban": "DE89370400440532013000", "reference": "RF18 5390 0754",
                      "received": received, "overpaid": overpaid },
    })
}

fn stories() -> Vec<(&'static str, Vec<Chapter>)> {
    vec![
        ("overpaid", story_of_a_transfer()),
        ("never-came", story_of_a_transfer_that_never_came()),
        ("challenge", story_of_an_identity_check()),
        ("wallet", story_of_a_wallet()),
    ]
}

fn story_of_a_transfer() -> Vec<Chapter> {
    vec![
        Chapter {
            state: "requires_action",
            told: transfer(0, 0),
            order: "waiting_for_transfer",
            page: &[
                "Waiting for the bank transfer",
                "Please transfer €49.80",
                "DE89 3704 0044 0532 0130 00",
                "RF18 5390 0754",
                "Bank transfer",
            ],
            offered: false,
        },
        Chapter {
            state: "captured",
            told: transfer(5_480, 500),
            order: "paid",
            page: &["Overpaid by €5.00: send that back.", "€54.80"],
            offered: false,
        },
    ]
}

fn story_of_a_transfer_that_never_came() -> Vec<Chapter> {
    vec![
        Chapter {
            state: "requires_action",
            told: transfer(980, 0),
            order: "waiting_for_transfer",
            page: &["Please transfer €40.00"],
            offered: false,
        },
        Chapter {
            state: "expired",
            told: transfer(980, 0),
            order: "expired",
            page: &[
                "Payment expired",
                "Only €9.80 of €49.80 arrived in time",
                "Not enough came in time",
                "Pay again",
            ],
            offered: true,
        },
        Chapter {
            state: "expired",
            told: {
                let mut another = transfer(0, 0);
                another["id"] = "pay_2".into();
                another
            },
            order: "expired",
            page: &[
                "The money did not arrive in time",
                "The transfer never came",
            ],
            offered: true,
        },
    ]
}

fn story_of_an_identity_check() -> Vec<Chapter> {
    let authentication = |status: &str, eci: &str| {
        serde_json::json!({ "status": status, "eci": eci, "value": "AAAB", "challenge": "code",
                            "reasons": ["amount"] })
    };
    let risk = serde_json::json!({ "outcome": "review", "score": 75, "reasons": ["card_testing"] });
    vec![
        Chapter {
            state: "requires_action",
            told: serde_json::json!({ "risk": risk }),
            order: "waiting_for_shopper",
            page: &["Waiting for the shopper", "Go on with the payment"],
            offered: true,
        },
        Chapter {
            state: "declined",
            told: serde_json::json!({
                "authentication": authentication("not_authenticated", "07"),
                "decline": { "code": "threeds_failed", "response_code": null, "class": "step_up",
                             "message": "Authentication failed." } }),
            order: "declined",
            page: &[
                "Your bank could not confirm that it is you",
                "Not authenticated",
                "<code>07</code>",
                "Authentication failed.",
            ],
            offered: true,
        },
        Chapter {
            state: "captured",
            told: serde_json::json!({
                "id": "pay_2", "risk": risk,
                "authentication": authentication("authenticated", "05") }),
            order: "paid",
            page: &[
                "Look at this before you send anything.",
                "card_testing",
                "Authenticated",
                "<code>05</code>",
                "Harbor",
            ],
            offered: false,
        },
    ]
}

fn story_of_a_wallet() -> Vec<Chapter> {
    let wallet =
        |decline| serde_json::json!({ "method": "wallet", "card": null, "decline": decline });
    let refused = serde_json::json!({ "code": "wallet_refused", "response_code": null,
        "class": "step_up", "message": "The shopper refused." });
    vec![
        Chapter {
            state: "requires_action",
            told: wallet(serde_json::Value::Null),
            order: "waiting_for_shopper",
            page: &["Waiting for the shopper", "in your wallet", "Wallet"],
            offered: true,
        },
        Chapter {
            state: "declined",
            told: wallet(refused),
            order: "declined",
            page: &["The payment was refused in the wallet", "wallet_refused"],
            offered: true,
        },
    ]
}

#[tokio::test]
async fn every_kind_of_news_is_told_in_plain_words_and_offers_to_pay_only_when_that_is_safe() {
    for (name, chapters) in stories() {
        let scene = scene(name, &[verifier_key()]);
        let reference = scene.order().await;
        let first = scene.claims(&reference).await;
        let ids: Vec<_> = (1..=chapters.len())
            .map(|place| place.to_string())
            .collect();
        for (sequence, (id, chapter)) in (1..).zip(ids.iter().zip(chapters)) {
            let told = of_payment(id, &reference, sequence, chapter.state, chapter.told);
            let answer = scene.deliver(&told).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
            assert_eq!(scene.state(&reference).await, chapter.order, "{name} {id}");
            let page = scene.get(&format!("/orders/{reference}")).await.text;
            // The style sheet makes some capitals: they are not what this is about.
            let plain = page.to_lowercase();
            for words in chapter.page {
                assert!(
                    plain.contains(&words.to_lowercase()),
                    "{name} {id}: {words}"
                );
            }
            let link = format!("href=\"/checkout/{reference}\"");
            assert_eq!(page.contains(&link), chapter.offered, "{name} {id}");
            let form = scene.get(&format!("/checkout/{reference}")).await;
            let is_shown = form.status == StatusCode::OK;
            assert_eq!(is_shown, chapter.offered, "{name} {id}");
            if is_shown {
                let is_same = scene.claims(&reference).await.jti == first.jti;
                assert_eq!(is_same, chapter.order != "expired", "{name} {id}");
                let may_choose = form.text.contains("class=\"choices\"");
                let is_under_way = chapter.order == "waiting_for_shopper";
                assert_eq!(may_choose, !is_under_way, "{name} {id}");
            }
        }
    }
}

#[tokio::test]
async fn the_list_of_orders_says_what_to_look_at_first() {
    let scene = scene("look-first", &[verifier_key()]);
    let reference = scene.order().await;
    let mut told = transfer(5_480, 500);
    told["risk"] = serde_json::json!({ "outcome": "review", "score": 75, "reasons": [] });
    let waiting = of_payment("1", &reference, 1, "requires_action", told.clone());
    scene.deliver(&waiting).await;
    let warning = "Look at this before you send anything";
    assert!(!scene.get("/orders").await.text.contains(warning));
    scene
        .deliver(&of_payment("2", &reference, 2, "captured", told))
        .await;
    let list = scene.get("/orders").await.text;
    assert!(list.contains(warning) && list.contains("Overpaid by €5.00"));
    assert!(list.contains("Bank transfer"));
}
