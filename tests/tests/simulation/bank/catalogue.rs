//! Every persona of `GET /sim/personas`, and every outcome that an order can simulate.

use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, SessionView, ShopperState};
use sealpay_protocol::order::OrderClaims;
use sealpay_provider::decline;
use sealpay_provider::decline::Decline;
use serde_json::Value;
use std::collections::BTreeMap;

/// What has to come of an outcome: whether it is unknown first, and the reason if it is no.
struct Expected {
    unknown_first: bool,
    reason: Option<&'static Decline>,
}

fn expected_of(outcome: &str) -> Expected {
    let (unknown_first, reason) = match outcome {
        "approved" | "frictionless" | "attempted" | "authentication_unavailable" => (false, None),
        "not_authenticated" | "rejected" => (false, Some("threeds_failed")),
        "response_lost" => (true, None),
        "response_lost_declined" => (true, Some("do_not_honor")),
        // The bank of these tests is given up long before three seconds are over, and an issuer
        // that did not answer the network has booked nothing.
        "never_received" | "slow" | "response_timeout" => (true, Some("not_processed")),
        "error" => (false, Some("system_malfunction")),
        reason => (false, Some(reason)),
    };
    let reason = reason.map(|key| decline::find(key).expect("the reason is in the table"));
    Expected {
        unknown_first,
        reason,
    }
}

fn state_of(expected: &Expected) -> ShopperState {
    if expected.reason.is_some() {
        ShopperState::Declined
    } else {
        ShopperState::Captured
    }
}

/// What the shopper sees: a category and advice, and nothing that tells why.
fn check_shopper(name: &str, view: &PaymentView, text: &str, expected: &Expected) {
    assert_eq!(view.state, state_of(expected), "{name}: {text}");
    match (&view.decline, expected.reason) {
        (None, None) => assert_eq!(view.state, ShopperState::Captured, "{name}"),
        (Some(shown), Some(reason)) => {
            assert_eq!(Some(shown.category), reason.category, "{name}");
            assert_eq!(shown.advice, reason.advice, "{name}");
            assert!(
                !text.contains(&format!("\"{}\"", reason.key)),
                "{name}: {text}"
            );
            for member in ["\"code\"", "response_code", "\"class\"", "\"detail\""] {
                assert!(!text.contains(member), "{name}: {text}");
            }
        }
        _ => panic!("{name}: {text}"),
    }
}

/// What the merchant sees: everything that the bank said.
fn check_merchant(name: &str, payment: &Value, expected: &Expected) {
    let Some(reason) = expected.reason else {
        assert_eq!(
            (&payment["state"], &payment["decline"]),
            (&"captured".into(), &Value::Null)
        );
        return;
    };
    assert_eq!(payment["state"], "declined", "{name}");
    let shown = &payment["decline"];
    assert_eq!(shown["code"], reason.key.as_str(), "{name}");
    let response_code = reason.response_code.as_deref();
    assert_eq!(shown["response_code"].as_str(), response_code, "{name}");
    let class = serde_json::to_value(reason.class).unwrap();
    assert_eq!(shown["class"], class, "{name}");
    assert_eq!(shown["detail"], reason.detail.as_str(), "{name}");
}

fn check_events(name: &str, events: &[Value], payment: &Value, expected: &Expected) {
    let last = if expected.reason.is_some() {
        "payment.declined"
    } else {
        "payment.captured"
    };
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let told = if expected.unknown_first {
        vec!["payment.unknown", last]
    } else {
        vec![last]
    };
    assert_eq!(kinds, told, "{name}");
    for (place, event) in events.iter().enumerate() {
        let body = &event["body"];
        assert_eq!(
            (&event["sequence"], &body["data"]["sequence"]),
            (&(place + 1).into(), &(place + 1).into())
        );
        assert_eq!(body["type"], event["type"], "{name}");
    }
    let last = &events[events.len() - 1]["body"]["data"]["payment"];
    assert_eq!(
        last, payment,
        "{name}: the last event tells the payment as it stands"
    );
}

/// Pays each row at the same time: a name for it, the outcome that the order asks for, the card,
/// and the outcome that is expected.
async fn pay_all(gateway: &TestGateway, rows: &[(String, Option<String>, String, String)]) {
    let checkouts: Vec<_> = rows
        .iter()
        .map(|(_, simulate, number, _)| {
            (
                gateway.browser(),
                gateway.order(simulate.as_deref()),
                attempt(),
                card(number),
            )
        })
        .collect();
    let openings = checkouts
        .iter()
        .map(|(browser, order, ..)| browser.open_session(order));
    let sessions = gateway.send_together(openings.collect()).await;
    let mut bodies = Vec::new();
    for ((browser, order, attempt, card), session) in checkouts.iter().zip(&sessions) {
        let session: SessionView = session.json();
        let body = browser.pay_body(order, &session, *attempt, card);
        bodies.push((session, body));
    }
    let requests = || {
        let attempts = checkouts.iter().zip(&bodies);
        let requests = attempts.map(|((browser, _, attempt, _), (session, body))| {
            browser.send_attempt(session, *attempt, body.clone())
        });
        requests.collect::<Vec<_>>()
    };
    let first = gateway.send_together(requests()).await;
    for ((name, _, _, outcome), answer) in rows.iter().zip(&first) {
        let expected = expected_of(outcome);
        let view: PaymentView = answer.json();
        if expected.unknown_first {
            assert_eq!(
                (answer.status.as_u16(), view.state),
                (202, ShopperState::Unknown),
                "{name}"
            );
            assert_eq!(view.decline, None, "{name}");
        } else {
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            check_shopper(name, &view, &answer.text(), &expected);
        }
    }
    assert_eq!(gateway.recover().await, 0, "no lease has run out");
    gateway.move_clock(5);
    let unknown = rows.iter().filter(|row| expected_of(&row.3).unknown_first);
    assert_eq!(gateway.recover().await, unknown.count());
    let second = gateway.send_together(requests()).await;
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in gateway.events().await {
        let payment = event["payment"].as_str().unwrap().to_owned();
        events.entry(payment).or_default().push(event);
    }
    for (((name, _, _, outcome), first), second) in rows.iter().zip(&first).zip(&second) {
        let expected = expected_of(outcome);
        let (before, view): (PaymentView, PaymentView) = (first.json(), second.json());
        assert_eq!(
            (second.status.as_u16(), view.payment),
            (200, before.payment),
            "{name}"
        );
        check_shopper(name, &view, &second.text(), &expected);
        let payment = gateway.payment(view.payment).await;
        check_merchant(name, &payment, &expected);
        check_events(
            name,
            &events[&view.payment.to_string()],
            &payment,
            &expected,
        );
    }
}

async fn catalogue(gateway: &TestGateway) -> Value {
    gateway.get("/sim/personas", None).await.json()
}

/// What comes of a first payment of 24.90 EUR where the account decides.
const OF_ACCOUNTS: [(&str, &str); 16] = [
    ("ben_balance", "approved"),
    ("cleo_credit_limit", "approved"),
    ("paul_payment_limit", "approved"),
    ("tess_three_a_day", "approved"),
    ("dora_daily_sum", "approved"),
    ("lena_all_limits", "approved"),
    ("dolly_dollar_account", "approved"),
    ("perry_pound_account", "approved"),
    ("yuki_yen_account", "approved"),
    ("bert_blocked", "restricted_card"),
    ("lotte_lost", "lost_card"),
    ("stan_stolen", "stolen_card"),
    ("cora_closed", "closed_account"),
    ("elmo_expired", "expired_card"),
    ("nina_not_activated", "blocked_first_use"),
    ("loki_locked", "pin_tries_exceeded"),
];

/// Outcomes that wait for the shopper.
const CHALLENGES: [&str; 2] = ["challenge_code", "challenge_passkey"];

/// What comes of a persona's first payment.
fn outcome_of<'a>(name: &str, outcome: &'a str) -> &'a str {
    if outcome != "account" {
        return outcome;
    }
    let decided = OF_ACCOUNTS.iter().find(|(persona, _)| *persona == name);
    decided
        .unwrap_or_else(|| panic!("{name} is not in the table"))
        .1
}

fn texts<'a>(list: &'a Value, member: &'a str) -> Vec<&'a str> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| row[member].as_str().expect("a text"))
        .collect()
}

async fn with_a_hasty_verifier() -> TestGateway {
    let gateway = TestGateway::with(|config| config.provider_timeout_ms = 150).await;
    // However busy the machine is, no lease runs out by itself.
    gateway.clock.stop();
    gateway
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_persona_has_its_outcome() {
    let gateway = with_a_hasty_verifier().await;
    let personas = &catalogue(&gateway).await["personas"];
    let names = texts(personas, "name");
    assert!(names.len() > 50, "{names:?}");
    let rows: Vec<_> = names
        .into_iter()
        .zip(texts(personas, "number"))
        .zip(texts(personas, "outcome"))
        .filter(|(_, outcome)| !CHALLENGES.contains(outcome))
        .map(|((name, number), outcome)| {
            let outcome = outcome_of(name, outcome);
            (name.into(), None, number.into(), outcome.into())
        })
        .collect();
    pay_all(&gateway, &rows).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_can_be_simulated_with_any_card() {
    let gateway = with_a_hasty_verifier().await;
    let outcomes = &catalogue(&gateway).await["outcomes"];
    let named = texts(outcomes, "name")
        .into_iter()
        .zip(texts(outcomes, "kind"));
    let is_of_accounts = |kind: &str| matches!(kind, "transfer" | "direct_debit");
    let with_a_card =
        named.filter(|(name, kind)| !is_of_accounts(kind) && !CHALLENGES.contains(name));
    let names: Vec<_> = with_a_card.map(|(name, _)| name).collect();
    assert!(names.len() > 50 && names.contains(&"approved"), "{names:?}");
    // The order wins over the card: an approved one, and a persona's with another outcome.
    for number in [APPROVED, "4000000000009995"] {
        let rows: Vec<_> = names
            .iter()
            .map(|name| {
                let row = format!("{name} with {}", &number[12..]);
                (
                    row,
                    Some((*name).to_owned()),
                    number.to_owned(),
                    (*name).to_owned(),
                )
            })
            .collect();
        pay_all(&gateway, &rows).await;
        gateway.move_clock(60);
    }
    gateway.finish().await;
}

#[tokio::test]
async fn challenged_personas_require_an_action_first() {
    let gateway = TestGateway::start().await;
    let personas = &catalogue(&gateway).await["personas"];
    let rows = texts(personas, "number")
        .into_iter()
        .zip(texts(personas, "outcome"));
    let challenged: Vec<_> = rows
        .filter(|(_, outcome)| CHALLENGES.contains(outcome))
        .collect();
    for outcome in CHALLENGES {
        assert!(challenged.iter().any(|(_, found)| *found == outcome));
    }
    for (number, outcome) in challenged {
        for (simulate, number) in [(None, number), (Some(outcome), APPROVED)] {
            let view = gateway.pay(simulate, &card(number)).await;
            assert_eq!(
                view.state,
                ShopperState::RequiresAction,
                "{outcome} {simulate:?}"
            );
        }
    }
    gateway.finish().await;
}

#[tokio::test]
async fn special_amounts_are_declined_for_their_reason() {
    let gateway = TestGateway::start().await;
    let catalogue = catalogue(&gateway).await;
    let amounts = catalogue["amounts"].as_array().unwrap();
    assert!(amounts.len() > 30, "{amounts:?}");
    for (amount, reason) in [(990_005, "do_not_honor"), (990_043, "stolen_card")] {
        let mut rows = amounts.iter();
        let listed = rows.find(|row| row["amount_minor"] == amount).unwrap();
        assert_eq!(listed["outcome"], reason);
        let claims = OrderClaims {
            amount,
            ..gateway.claims()
        };
        let order = gateway.merchant.sign(&claims);
        let browser = gateway.browser();
        let session = gateway.open(&browser, &order).await;
        // A card whose issuer is sure, for so much is not paid without asking.
        let personas = catalogue["personas"].as_array().unwrap();
        let mut personas = personas.iter();
        let persona = personas
            .find(|persona| persona["name"] == "ben_balance")
            .unwrap();
        let card = card(persona["number"].as_str().unwrap());
        let answer = gateway
            .send(browser.pay(&order, &session, attempt(), &card))
            .await;
        let view: PaymentView = answer.json();
        let payment = gateway.payment(view.payment).await;
        assert_eq!(payment["decline"]["code"], reason, "{}", answer.text());
    }
    gateway.finish().await;
}

#[tokio::test]
async fn stolen_card_is_indistinguishable_to_the_shopper() {
    let gateway = TestGateway::start().await;
    let mut shown = BTreeMap::new();
    for outcome in [
        "do_not_honor",
        "lost_card",
        "stolen_card",
        "pickup_card",
        "risk_blocked",
    ] {
        let view = gateway.pay(Some(outcome), &card(APPROVED)).await;
        let decline = serde_json::to_string(&view.decline).unwrap();
        shown.entry(decline).or_insert_with(Vec::new).push(outcome);
    }
    assert_eq!(shown.len(), 1, "{shown:?}");
    gateway.finish().await;
}

#[tokio::test]
async fn any_other_card_is_approved_and_its_brand_stored() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("4111111111111111", "visa", "1111"),
        ("5454545454545454", "mastercard", "5454"),
        ("371449635398431", "american-express", "8431"),
        ("6011000990139424", "discover", "9424"),
    ];
    for (number, brand, last4) in rows {
        let view = gateway.pay(None, &card(number)).await;
        assert_eq!(view.state, ShopperState::Captured, "{number}");
        let shown = view.card.unwrap();
        assert_eq!((shown.brand.as_str(), shown.last4.as_str()), (brand, last4));
    }
    gateway.finish().await;
}
