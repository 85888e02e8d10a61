//! Acquirers that are down, silent or slow: another one is asked only if the request was certainly
//! not received.

use super::bank_authorizations_of;
use crate::databases::on_both_databases;
use harness::checkout::simulate;
use harness::client::{APPROVED, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::ShopperState;
use serde_json::{Value, json};

const AMEX: &str = "378282246310005";

on_both_databases! {
    unavailable_acquirer_is_skipped_and_none_is_asked_twice,
    unresponsive_acquirer_is_queried_for_the_outcome,
    fault_share_is_deterministic,
    failover_works_after_a_challenge,
}

/// A fault, the card, and what is expected: the decline, the route, the book.
type Row = (
    Value,
    &'static str,
    Option<&'static str>,
    [&'static str; 2],
    Option<&'static str>,
);

fn down(target: &str, next: u32) -> Value {
    json!({"kind": "acquirer_down", "target": target, "next": next})
}

async fn unavailable_acquirer_is_skipped_and_none_is_asked_twice(gateway: &TestGateway) {
    let passed_over = "european_cards, harbor was not reached";
    #[rustfmt::skip]
    let rows: [Row; 6] = [
        (down("harbor", 1), APPROVED, None, ["meridian", passed_over], Some("meridian")),
        (down("any", 1), APPROVED, None, ["meridian", passed_over], Some("meridian")),
        (down("any", 2), APPROVED, Some("system_malfunction"), ["meridian", passed_over], None),
        (down("meridian", 1), APPROVED, None, ["harbor", "european_cards"], Some("harbor")),
        (down("meridian", 1), AMEX, Some("system_malfunction"), ["meridian", "cheapest"], None),
        (down("harbor", 1), AMEX, None, ["meridian", "cheapest"], Some("meridian")),
    ];
    for (fault, number, reason, [provider, why], asked) in rows {
        let what = format!("{fault}, {number}");
        gateway.fault(&fault).await;
        let view = gateway.pay(None, &card(number)).await;
        let payment = gateway.payment(view.payment).await;
        assert_eq!(payment["decline"]["code"].as_str(), reason, "{what}");
        assert_eq!(
            payment["route"],
            json!({"provider": provider, "reason": why}),
            "{what}"
        );
        let book = bank_authorizations_of(gateway, view.payment).await;
        let expected: Vec<_> = asked.map(|asked| [asked, "booked"]).into_iter().collect();
        assert_eq!(book, expected, "{what}");
        let state = if reason.is_some() {
            "declined"
        } else {
            "captured"
        };
        assert_eq!(gateway.published(view.payment).await, [state], "{what}");
        let gone = gateway.get("/sim/faults", None).await;
        assert_eq!(gone.status, 200);
        let mut request = harness::client::Prepared::get_of("/sim/faults", None);
        request.method = "DELETE".into();
        assert_eq!(gateway.send(request).await.status, 204);
    }
}

/// A fault that leaves open what became of a request, and what the acquirer says when it is asked.
async fn unresponsive_acquirer_is_queried_for_the_outcome(gateway: &TestGateway) {
    #[rustfmt::skip]
    let rows = [
        (vec![("response_lost", "harbor")], "captured", ["harbor", "booked"]),
        (vec![("request_lost", "harbor")], "not_processed", ["harbor", "struck_out"]),
        (vec![("latency", "harbor")], "not_processed", ["harbor", "struck_out"]),
        // The first is certainly not reached, and the second may have booked.
        (vec![("acquirer_down", "harbor"), ("response_lost", "meridian")], "captured", ["meridian", "booked"]),
        (vec![("acquirer_down", "harbor"), ("request_lost", "meridian")], "not_processed", ["meridian", "struck_out"]),
    ];
    for (faults, outcome, book) in rows {
        for (kind, target) in &faults {
            let mut fault = json!({"kind": kind, "target": target, "next": 1});
            if *kind == "latency" {
                fault["min_ms"] = json!(2_000);
            }
            gateway.fault(&fault).await;
        }
        let checkout = gateway.checkout(|_| {}).await;
        let attempt = checkout.by_card(APPROVED);
        let view = checkout.pay(&attempt).await;
        assert_eq!(view.state, ShopperState::Unknown, "{faults:?}");
        assert_eq!(checkout.pay(&attempt).await.state, ShopperState::Unknown);
        let payment = gateway.payment(view.payment).await;
        assert_eq!(payment["route"]["provider"], book[0], "{faults:?}");
        gateway.move_clock(10);
        assert_eq!(gateway.recover().await, 1, "{faults:?}");
        let payment = gateway.payment(view.payment).await;
        let code = payment["decline"]["code"].as_str();
        assert_eq!(
            code.or(payment["state"].as_str()),
            Some(outcome),
            "{faults:?}"
        );
        // Nobody else was asked.
        assert_eq!(
            bank_authorizations_of(gateway, view.payment).await,
            [book],
            "{faults:?}"
        );
        let last = if outcome == "captured" {
            "captured"
        } else {
            "declined"
        };
        assert_eq!(
            gateway.published(view.payment).await,
            ["unknown", last],
            "{faults:?}"
        );
        let seen = checkout.pay(&attempt).await.state;
        assert_eq!(seen == ShopperState::Captured, outcome == "captured");
    }
}

async fn fault_share_is_deterministic(gateway: &TestGateway) {
    let all = json!({"kind": "issuer_down", "target": "issuer", "share_per_mille": 1000});
    let fault = gateway.fault(&all).await;
    for number in [APPROVED, AMEX] {
        let view = gateway.pay(None, &card(number)).await;
        let payment = gateway.payment(view.payment).await;
        // An issuer that is down was asked: no other acquirer reaches it better.
        assert_eq!(payment["decline"]["code"], "issuer_unavailable");
        assert_eq!(payment["decline"]["response_code"], "91");
        assert_eq!(bank_authorizations_of(gateway, view.payment).await.len(), 1);
    }
    let path = format!("/sim/faults/{}", fault["id"].as_str().unwrap());
    let mut request = harness::client::Prepared::get_of(&path, None);
    request.method = "DELETE".into();
    assert_eq!(gateway.send(request).await.status, 204);
    let half =
        json!({"kind": "acquirer_down", "target": "harbor", "share_per_mille": 500, "seed": 7});
    gateway.fault(&half).await;
    let mut by_harbor = 0;
    for _ in 0..40 {
        let view = gateway.pay(None, &card(APPROVED)).await;
        assert_eq!(view.state, ShopperState::Captured);
        let payment = gateway.payment(view.payment).await;
        by_harbor += u32::from(payment["route"]["provider"] == "harbor");
    }
    assert!((5..36).contains(&by_harbor), "{by_harbor}");
}

async fn failover_works_after_a_challenge(gateway: &TestGateway) {
    for (faults, outcome) in [
        (vec![down("harbor", 1)], ShopperState::Captured),
        (vec![down("any", 2)], ShopperState::Declined),
    ] {
        let checkout = gateway
            .checkout(|claims| simulate(claims, "challenge_code"))
            .await;
        let attempt = checkout.by_card(APPROVED);
        let waiting = checkout.pay(&attempt).await;
        let code = gateway.newest_code().await;
        checkout.type_code(waiting.payment, &code).await;
        for fault in &faults {
            gateway.fault(fault).await;
        }
        let view = checkout.pay(&attempt).await;
        assert_eq!(view.state, outcome, "{faults:?}");
        let payment = gateway.payment(view.payment).await;
        let reason = "european_cards, harbor was not reached";
        assert_eq!(
            payment["route"],
            json!({"provider": "meridian", "reason": reason})
        );
        assert_eq!(payment["authentication"]["challenge"], "code");
        let booked = bank_authorizations_of(gateway, view.payment).await.len();
        assert_eq!(booked, usize::from(outcome == ShopperState::Captured));
    }
}
