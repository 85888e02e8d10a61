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
        "transfer": { "iban": "DE89370400440532013000", "holder": "Paper Lantern",
            "bic": "COBADEFFXXX", "expires_at": 1_763_800_000, "reference": "RF18 5390 0754",
                      "received": received, "overpaid": overpaid },
    })
}

fn stories() -> Vec<(&'static str, Vec<Chapter>)> {
    vec![
        ("overpaid", story_of_a_transfer()),
        ("never-came", story_of_a_transfer_that_never_came()),
        ("challenge", story_of_an_identity_check()),
        ("wallet", story_of_a_wallet()),
        ("later", story_of_what_follows()),
    ]
}

fn story_of_what_follows() -> Vec<Chapter> {
    let chapter = |state, told, order, page| Chapter {
        state,
        told,
        order,
        page,
        offered: false,
    };
    vec![
        chapter(
            "authorized",
            serde_json::json!({}),
            "reserved",
            &[
                "Order confirmed – not charged yet",
                "hold of €49.80 on your card",
            ][..],
        ),
        chapter(
            "partially_captured",
            serde_json::json!({ "amount_captured": 2_000 }),
            "partially_captured",
            &[
                "Partly paid",
                "We’ve charged €20.00 of €49.80",
                "Partly captured",
            ],
        ),
        chapter(
            "captured",
            serde_json::json!({ "amount_captured": 3_000 }),
            "paid",
            &["We’ve charged €30.00 of €49.80; the rest won’t be charged"],
        ),
        chapter(
            "partially_refunded",
            serde_json::json!({ "amount_captured": 3_000, "amount_refunded": 500 }),
            "partially_refunded",
            &[
                "Partly refunded",
                "We’ve refunded €5.00. It can take a few days",
                "<s>€49.80</s> <span class=\"unseen\">charged after refunds </span>€25.00",
            ],
        ),
        chapter(
            "refunded",
            serde_json::json!({ "amount_captured": 3_000, "amount_refunded": 3_000 }),
            "refunded",
            &["Refunded", "We’ve refunded €30.00"],
        ),
    ]
}

#[tokio::test]
async fn an_order_that_was_let_go_is_over_and_not_offered_again() {
    let scene = scene("let-go", &[verifier_key()]);
    let reference = scene.order().await;
    for (sequence, state) in [(1, "authorized"), (2, "voided")] {
        let told = of_payment(state, &reference, sequence, state, serde_json::json!({}));
        scene.deliver(&told).await;
    }
    assert_eq!(scene.state(&reference).await, "voided");
    let page = scene.get(&format!("/orders/{reference}")).await.text;
    assert!(page.contains("Cancelled") && page.contains("You haven’t been charged."));
    assert!(!page.contains(&format!("href=\"/checkout/{reference}\"")));
}

/// An event about a payment that was taken, with what is told besides.
pub(super) fn event_of<'a>(
    kind: &'a str,
    reference: &str,
    sequence: u64,
    besides: &serde_json::Value,
) -> super::delivery::Delivery<'a> {
    let mut told = of_payment(kind, reference, sequence, "captured", serde_json::json!({}));
    let mut body: serde_json::Value = serde_json::from_str(&told.body).unwrap();
    body["type"] = kind.into();
    let besides = besides.as_object().unwrap().clone();
    body["data"].as_object_mut().unwrap().extend(besides);
    told.body = body.to_string();
    told
}

#[tokio::test]
async fn what_failed_and_what_is_disputed_is_told_to_the_shops_people() {
    let scene = scene("disputed", &[verifier_key()]);
    let reference = scene.order().await;
    let refund = serde_json::json!({ "modification": {
        "id": "mod_1", "payment": "pay_1", "kind": "refund", "amount": 505, "currency": "EUR",
        "state": "failed", "failure": { "code": "account_closed", "message": "The account is closed." } } });
    let dispute = |state: &str| {
        serde_json::json!({ "dispute": {
            "id": "dsp_1", "payment": "pay_1", "amount": 4_980, "currency": "EUR",
            "reason": "fraudulent", "state": state, "evidence_due_at": 1_764_000_000 } })
    };
    let rows = [
        ("payment.captured", serde_json::json!({}), "", ""),
        (
            "payment.refund_failed",
            refund,
            "Refund failed €5.05: account closed",
            "",
        ),
        (
            "dispute.opened",
            dispute("needs_response"),
            "disputed €49.80. Submit evidence by <time datetime=\"2025-11-24T16:00:00Z\">",
            "Disputed: €49.80",
        ),
        (
            "dispute.evidence_submitted",
            dispute("under_review"),
            "is reviewing your evidence about €49.80",
            "Dispute under review: €49.80",
        ),
        (
            "dispute.lost",
            dispute("lost"),
            "Dispute lost: €49.80 was returned to the cardholder.",
            "Dispute lost: €49.80",
        ),
    ];
    for (sequence, (kind, besides, on_page, in_list)) in (1..).zip(rows) {
        let answer = scene
            .deliver(&event_of(kind, &reference, sequence, &besides))
            .await;
        assert_eq!(
            answer.status,
            StatusCode::NO_CONTENT,
            "{kind}: {}",
            answer.text
        );
        assert_eq!(scene.state(&reference).await, "paid", "{kind}");
        let page = scene.get(&format!("/orders/{reference}")).await.text;
        assert!(page.contains(on_page), "{kind}: {page}");
        let is_disputed = ["dispute.opened", "dispute.evidence_submitted"].contains(&kind);
        let asked_back = "You asked your bank to return €49.80.";
        assert_eq!(page.contains(asked_back), is_disputed, "{kind}");
        assert!(scene.get("/orders").await.text.contains(in_list), "{kind}");
    }
}

#[tokio::test]
async fn news_that_this_shop_keeps_no_books_of_are_taken_without_harm() {
    let scene = scene("other-news", &[verifier_key()]);
    for kind in [
        "payout.paid",
        "payout.returned",
        "settlement.closed",
        "webhook_endpoint.disabled",
        "ping",
        "invoice.made",
    ] {
        let told = super::delivery::Delivery {
            id: kind,
            time: super::NOW,
            body: serde_json::json!({
                "type": kind, "merchant": super::merchant(), "data": { "sequence": 1 },
            })
            .to_string(),
            signature: None,
        };
        assert_eq!(
            scene.deliver(&told).await.status,
            StatusCode::NO_CONTENT,
            "{kind}"
        );
    }
    let reference = scene.order().await;
    let later = of_payment("later", &reference, 1, "polished", serde_json::json!({}));
    assert_eq!(scene.deliver(&later).await.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.state(&reference).await, "waiting");
}

fn story_of_a_transfer() -> Vec<Chapter> {
    vec![
        Chapter {
            state: "requires_action",
            told: transfer(0, 0),
            order: "waiting_for_transfer",
            page: &[
                "Waiting for your bank transfer",
                "Transfer €49.80",
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
            page: &["Overpaid by €5.00. Refund the difference.", "€54.80"],
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
            page: &["Transfer €40.00"],
            offered: false,
        },
        Chapter {
            state: "expired",
            told: transfer(980, 0),
            order: "expired",
            page: &[
                "Payment expired",
                "Only €9.80 of €49.80 arrived in time",
                "Underpaid",
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
            page: &["Your transfer didn’t arrive in time", "Not paid in time"],
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
            page: &["Waiting for you to confirm", "Continue payment"],
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
                "Your bank couldn’t confirm it’s you",
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
                "Review before shipping.",
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
            page: &["Waiting for you to confirm", "in your wallet", "Wallet"],
            offered: true,
        },
        Chapter {
            state: "declined",
            told: wallet(refused),
            order: "declined",
            page: &["You cancelled in your wallet", "wallet_refused"],
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
    let warning = "Review before shipping";
    assert!(!scene.get("/orders").await.text.contains(warning));
    scene
        .deliver(&of_payment("2", &reference, 2, "captured", told))
        .await;
    let list = scene.get("/orders").await.text;
    assert!(list.contains(warning) && list.contains("Overpaid by €5.00"));
    assert!(list.contains("Bank transfer"));
}
