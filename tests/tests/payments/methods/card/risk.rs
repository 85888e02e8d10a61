//! The fraud rules and their consequences.

use super::suspect::Suspect;
use super::{bank_authorizations_of, number};
use crate::databases::on_both_databases;
use harness::checkout::simulate;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use harness::log;
use sealpay_protocol::api::{ActionView, PaymentView, ShopperState};
use serde_json::{Value, json};

on_both_databases! {
    frequently_used_card_is_challenged,
    repeatedly_declined_card_is_flagged,
    foreign_card_is_challenged_and_a_domestic_card_is_not,
    amount_ten_times_the_previous_maximum_is_flagged,
    session_with_many_attempts_is_flagged,
    address_trying_many_cards_is_challenged_and_a_foreign_card_blocked,
    two_risk_reasons_are_challenged_and_flagged_for_review,
}

async fn frequently_used_card_is_challenged(gateway: &TestGateway) {
    let card = number("41", 1);
    for _ in 0..6 {
        let allowed = Suspect::card(&card).pay(gateway).await;
        allowed.is(ShopperState::Captured, "allow", 0, &[]);
    }
    let asked = Suspect::card(&card).pay(gateway).await;
    asked.is(
        ShopperState::RequiresAction,
        "step_up",
        40,
        &["card_velocity_hour"],
    );
    // The challenge is met, and the payment goes on.
    let code = gateway.newest_code().await;
    let known = asked.checkout.type_code(asked.view.payment, &code).await;
    assert_eq!(known.action, Some(ActionView::Continue));
    let paid = asked.checkout.pay(&asked.attempt).await;
    assert_eq!(paid.state, ShopperState::Captured);
    let payment = gateway.payment(paid.payment).await;
    assert_eq!(payment["authentication"]["reasons"], json!(["risk"]));
    assert_eq!(payment["authentication"]["challenge"], "code");
    // Another card, and the same card an hour later, are not suspected.
    let other = Suspect::card(&number("41", 2)).pay(gateway).await;
    other.is(ShopperState::Captured, "allow", 0, &[]);
    gateway.move_clock(60 * 60);
    let later = Suspect::card(&card).pay(gateway).await;
    later.is(ShopperState::Captured, "allow", 0, &[]);
}

async fn repeatedly_declined_card_is_flagged(gateway: &TestGateway) {
    let card = number("41", 1);
    for _ in 0..4 {
        let suspect = Suspect {
            outcome: Some("do_not_honor"),
            ..Suspect::card(&card)
        };
        let declined = suspect.pay(gateway).await;
        declined.is(ShopperState::Declined, "allow", 0, &[]);
    }
    let asked = Suspect::card(&card).pay(gateway).await;
    asked.is(
        ShopperState::RequiresAction,
        "step_up",
        40,
        &["card_many_declines"],
    );
    gateway.move_clock(24 * 60 * 60);
    let later = Suspect::card(&card).pay(gateway).await;
    later.is(ShopperState::Captured, "allow", 0, &[]);
}

async fn foreign_card_is_challenged_and_a_domestic_card_is_not(gateway: &TestGateway) {
    let rows = [
        // The Netherlands.
        ("41", Some("NL"), false),
        ("41", Some("DE"), true),
        ("41", None, false),
        ("44", Some("US"), false),
        ("44", Some("CA"), true),
    ];
    for (place, (prefix, country, is_suspect)) in (0..).zip(rows) {
        let suspect = Suspect {
            country,
            ..Suspect::card(&number(prefix, place))
        };
        let paid = suspect.pay(gateway).await;
        match is_suspect {
            true => paid.is(
                ShopperState::RequiresAction,
                "step_up",
                40,
                &["issuer_abroad"],
            ),
            false => paid.is(ShopperState::Captured, "allow", 0, &[]),
        }
    }
}

async fn amount_ten_times_the_previous_maximum_is_flagged(gateway: &TestGateway) {
    let card = number("41", 1);
    let of = |amount| Suspect {
        amount,
        ..Suspect::card(&card)
    };
    for amount in [100, 300, 200] {
        // Two payments are no habit.
        of(amount)
            .pay(gateway)
            .await
            .is(ShopperState::Captured, "allow", 0, &[]);
    }
    let asked = of(3_000).pay(gateway).await;
    asked.is(
        ShopperState::RequiresAction,
        "step_up",
        40,
        &["amount_unusual"],
    );
    of(2_999)
        .pay(gateway)
        .await
        .is(ShopperState::Captured, "allow", 0, &[]);
    of(3_000)
        .pay(gateway)
        .await
        .is(ShopperState::Captured, "allow", 0, &[]);
}

async fn session_with_many_attempts_is_flagged(gateway: &TestGateway) {
    let checkout = gateway
        .checkout(|claims| simulate(claims, "do_not_honor"))
        .await;
    for place in 0..6 {
        let view = checkout.pay(&checkout.by_card(&number("41", place))).await;
        assert_eq!(
            view.state,
            if place < 5 {
                ShopperState::Declined
            } else {
                ShopperState::RequiresAction
            }
        );
        let payment = gateway.payment(view.payment).await;
        let reasons = if place < 5 {
            json!([])
        } else {
            json!(["session_many_attempts"])
        };
        assert_eq!(payment["risk"]["reasons"], reasons, "{place}");
    }
}

async fn address_trying_many_cards_is_challenged_and_a_foreign_card_blocked(gateway: &TestGateway) {
    let thief = Some("203.0.113.7");
    for place in 0..6 {
        let suspect = Suspect {
            from: thief,
            ..Suspect::card(&number("41", place))
        };
        suspect
            .pay(gateway)
            .await
            .is(ShopperState::Captured, "allow", 0, &[]);
    }
    let card = number("41", 6);
    let asked = Suspect {
        from: thief,
        ..Suspect::card(&card)
    };
    let asked = asked.pay(gateway).await;
    asked.is(
        ShopperState::RequiresAction,
        "step_up",
        60,
        &["card_testing"],
    );
    let blocked = Suspect {
        from: thief,
        country: Some("DE"),
        ..Suspect::card(&number("41", 7))
    };
    let blocked = blocked.pay(gateway).await;
    blocked.is(
        ShopperState::Declined,
        "block",
        100,
        &["card_testing", "issuer_abroad"],
    );
    let id = blocked.view.payment;
    assert_eq!(blocked.payment["decline"]["code"], "risk_blocked");
    assert_eq!(
        blocked.payment["route"],
        json!({"provider": "", "reason": "risk"})
    );
    assert_eq!(blocked.payment["authentication"], Value::Null);
    assert_eq!(
        bank_authorizations_of(gateway, id).await,
        Vec::<Vec<String>>::new(),
        "nobody was asked"
    );
    let events = gateway.events_of(id).await;
    assert_eq!(
        events[0]["body"]["data"]["payment"]["risk"],
        blocked.payment["risk"]
    );
    let logged = log::lines_about(&id.to_string());
    assert!(
        logged
            .iter()
            .any(|line| line.contains("card_testing issuer_abroad")),
        "{logged:?}"
    );

    // To the shopper it looks like any other decline.
    let refused = Suspect {
        outcome: Some("do_not_honor"),
        ..Suspect::card(&number("41", 8))
    };
    let refused = refused.pay(gateway).await;
    assert_eq!(blocked.view.decline, refused.view.decline);
    for view in [&asked.view, &blocked.view] {
        let shown = serde_json::to_string(view).unwrap();
        for word in ["risk", "fraud", "testing", "abroad", "score", "velocity"] {
            assert!(!shown.contains(word), "{word}: {shown}");
        }
    }
    // Somebody else, a persona from there, and the same address an hour later are not suspected.
    for (from, card) in [
        ("203.0.113.8", number("41", 9)),
        ("203.0.113.7", APPROVED.into()),
    ] {
        let suspect = Suspect {
            from: Some(from),
            ..Suspect::card(&card)
        };
        let paid = suspect.pay(gateway).await;
        assert_eq!(paid.view.state, ShopperState::Captured);
    }
    gateway.move_clock(60 * 60);
    let later = Suspect {
        from: thief,
        ..Suspect::card(&number("41", 10))
    };
    later
        .pay(gateway)
        .await
        .is(ShopperState::Captured, "allow", 0, &[]);
    // Where somebody lives is not kept.
    let kept = gateway.rows("SELECT * FROM payments").await;
    assert!(!format!("{kept:?}").contains("203.0.113"));
}

async fn two_risk_reasons_are_challenged_and_flagged_for_review(gateway: &TestGateway) {
    let card = number("41", 1);
    for _ in 0..6 {
        Suspect::card(&card).pay(gateway).await;
    }
    let suspect = Suspect {
        country: Some("DE"),
        ..Suspect::card(&card)
    };
    let reviewed = suspect.pay(gateway).await;
    let reasons = ["card_velocity_hour", "issuer_abroad"];
    // A higher score never asks for less.
    reviewed.is(ShopperState::RequiresAction, "review", 80, &reasons);
    let code = gateway.newest_code().await;
    let payment = reviewed.view.payment;
    reviewed.checkout.type_code(payment, &code).await;
    let paid = reviewed.checkout.pay(&reviewed.attempt).await;
    assert_eq!(paid.state, ShopperState::Captured);
    let told = gateway.payment(payment).await;
    assert_eq!(
        (&told["risk"], &told["authentication"]["reasons"]),
        (&reviewed.payment["risk"], &json!(["risk"]))
    );
}

/// What a persona does is promised, however often and from wherever it is used.
#[tokio::test]
async fn personas_are_exempt_from_fraud_rules() {
    let gateway = TestGateway::start().await;
    for _ in 0..12 {
        let suspect = Suspect {
            from: Some("203.0.113.7"),
            country: Some("JP"),
            ..Suspect::card(APPROVED)
        };
        let paid = suspect.pay(&gateway).await;
        assert_eq!(
            (paid.view.state, &paid.payment["risk"]),
            (ShopperState::Captured, &Value::Null)
        );
    }
    gateway.finish().await;
}

/// The cards of one merchant say nothing about those of another.
#[tokio::test]
async fn card_velocity_is_separate_per_merchant() {
    let gateway = TestGateway::start().await;
    let card = number("41", 1);
    for _ in 0..7 {
        Suspect::card(&card).pay(&gateway).await;
    }
    let other = gateway.register(None).await;
    let claims = harness::client::Merchant::claims(&other, &gateway.origin);
    let order = other.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let attempt = harness::client::attempt();
    let request = browser.pay(&order, &session, attempt, &harness::client::card(&card));
    let paid: PaymentView = gateway.send(request).await.json();
    assert_eq!(paid.state, ShopperState::Captured);
    gateway.finish().await;
}
