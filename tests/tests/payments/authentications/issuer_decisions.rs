//! Decisions of the issuer without a challenge, and their effect on the payment.

use super::authorization_count;
use crate::databases::on_both_databases;
use harness::checkout::simulate;
use harness::gateway::TestGateway;
use sealpay_protocol::order::AuthenticationRequirement;
use sealpay_simulator::persona;
use serde_json::{Value, json};

const MASTERCARD: &str = "5555555555554444";
const VISA: &str = "4242424242424242";

on_both_databases! {
    issuer_decision_determines_the_authorization,
}

/// What is asked for: an outcome, whether the merchant wishes a challenge, and what is expected:
/// the result, and whether it is paid.
const ROWS: [(&str, bool, &str, bool); 10] = [
    ("frictionless", false, "authenticated", true),
    ("frictionless", true, "authenticated", true),
    ("attempted", false, "attempted", true),
    ("attempted", true, "attempted", true),
    ("not_authenticated", false, "not_authenticated", false),
    ("not_authenticated", true, "not_authenticated", false),
    ("rejected", false, "rejected", false),
    ("rejected", true, "rejected", false),
    ("authentication_unavailable", false, "unavailable", true),
    // Where a challenge had to be, nothing less will do.
    ("authentication_unavailable", true, "unavailable", false),
];

/// The electronic commerce indicator of a result: of Visa, and of Mastercard.
fn indicators(status: &str) -> [&'static str; 2] {
    match status {
        "authenticated" => ["05", "02"],
        "attempted" => ["06", "01"],
        _ => ["07", "00"],
    }
}

async fn issuer_decision_determines_the_authorization(gateway: &TestGateway) {
    for (outcome, required, status, is_paid) in ROWS {
        let indicators = indicators(status);
        for (number, eci) in [(VISA, indicators[0]), (MASTERCARD, indicators[1])] {
            let what = format!("{outcome}, required: {required}, {eci}");
            let checkout = gateway
                .checkout(|claims| {
                    simulate(claims, outcome);
                    claims.authentication = required.then_some(AuthenticationRequirement::Required);
                })
                .await;
            let view = checkout.pay(&checkout.by_card(number)).await;
            let payment = gateway.payment(view.payment).await;
            let (state, code) = match is_paid {
                true => ("captured", Value::Null),
                false => ("declined", json!("threeds_failed")),
            };
            assert_eq!(payment["state"], state, "{what}");
            assert_eq!(payment["decline"]["code"], code, "{what}");
            let told = &payment["authentication"];
            let mut reasons = vec!["staged"];
            if required {
                reasons.insert(0, "merchant");
            }
            let expected = json!({
                "status": status, "eci": eci, "challenge": null, "reasons": reasons,
                "value": told["value"],
            });
            assert_eq!(*told, expected, "{what}");
            let is_vouched_for = ["authenticated", "attempted"].contains(&status);
            // Twenty bytes in base64.
            let length = told["value"].as_str().map(str::len);
            assert_eq!(length, is_vouched_for.then_some(28), "{what}");
            assert_eq!(
                authorization_count(gateway, view.payment).await,
                usize::from(is_paid),
                "{what}"
            );
            assert_eq!(gateway.published(view.payment).await, [state], "{what}");
            let events = gateway.events_of(view.payment).await;
            let in_event = &events[0]["body"]["data"]["payment"]["authentication"];
            assert_eq!(in_event, told, "{what}");
        }
    }
}

/// Every persona that is there for it does what its description says, for any amount.
#[tokio::test]
async fn authentication_personas_have_the_expected_outcomes() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("fred_frictionless", "captured", Some("authenticated")),
        ("atta_attempted", "captured", Some("attempted")),
        (
            "nadia_not_authenticated",
            "declined",
            Some("not_authenticated"),
        ),
        ("reza_rejected", "declined", Some("rejected")),
        ("una_unavailable", "captured", Some("unavailable")),
        ("cody_challenge_code", "requires_action", None),
        ("kay_challenge_passkey", "requires_action", None),
    ];
    for (name, state, status) in rows {
        let found = persona::all().iter().find(|persona| persona.name == name);
        let number = &found.expect("there is such a persona").number;
        for amount in [100, 2_490, 3_000, 25_000] {
            let checkout = gateway.checkout(|claims| claims.amount = amount).await;
            let view = checkout.pay(&checkout.by_card(number)).await;
            let payment = gateway.payment(view.payment).await;
            let told = payment["authentication"]["status"].as_str();
            assert_eq!(
                (payment["state"].as_str(), told),
                (Some(state), status),
                "{name} {amount}"
            );
            assert_eq!(
                payment["risk"],
                Value::Null,
                "{name}: a persona is not suspected"
            );
        }
    }
    gateway.finish().await;
}

/// A large amount makes the issuer be asked; a merchant's wish makes it ask the shopper.
#[tokio::test]
async fn large_amounts_and_merchant_requirements_trigger_authentication() {
    let gateway = TestGateway::start().await;
    let rows = [
        (24_999, "EUR", false, json!(null), "captured"),
        (25_000, "EUR", false, json!(["amount"]), "captured"),
        (20_000, "GBP", false, json!(["amount"]), "captured"),
        (19_999, "GBP", false, json!(null), "captured"),
        // A card that is trusted is asked all the same when the merchant wants it.
        (100, "EUR", true, json!(null), "requires_action"),
        (25_000, "EUR", true, json!(null), "requires_action"),
    ];
    for (amount, currency, required, reasons, state) in rows {
        let what = format!("{amount} {currency}, required: {required}");
        let checkout = gateway
            .checkout(|claims| {
                claims.amount = amount;
                claims.currency = currency.into();
                claims.authentication = required.then_some(AuthenticationRequirement::Required);
            })
            .await;
        let view = checkout.pay(&checkout.by_card(VISA)).await;
        let payment = gateway.payment(view.payment).await;
        assert_eq!(payment["state"], state, "{what}");
        assert_eq!(payment["authentication"]["reasons"], reasons, "{what}");
    }
    gateway.finish().await;
}
