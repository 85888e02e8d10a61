//! What payments mean for their order, and when it may be signed.

use super::{event, shop};
use crate::basket::Basket;
use crate::integration::state::{Order, Payment};
use crate::pages::OrderStatus;
use sealpay_protocol::method::Method;
use serde::Deserialize;
use serde_json::json;

const NOW: u64 = 1_763_800_000;

fn payment(id: &str, sequence: u64, method: Method, state: &str) -> Payment {
    let other = json!({ "id": id, "method": method, "sequence": sequence });
    let event = event("PL-1", sequence, state, other);
    Payment::deserialize(&event["data"]["payment"]).unwrap()
}

fn order() -> Order {
    Basket::order("moon-lantern", 2, NOW).unwrap().unwrap()
}

/// Events in the order of their arrival, and the state of the order after them.
const EVENTS: &str = "\
pay_a 1 card declined, pay_b 1 card captured => paid
pay_b 1 card captured, pay_a 1 card declined => paid
pay_a 1 card unknown, pay_a 2 card captured => paid
pay_a 2 card declined, pay_a 1 card unknown => declined
pay_a 2 card captured, pay_a 2 card declined => paid
pay_a 1 card declined, pay_b 1 card unknown => checking
pay_a 1 wallet requires_action => waiting_for_shopper
pay_a 1 card requires_action, pay_a 2 card declined => declined
pay_b 1 bank_transfer requires_action, pay_a 1 card declined => waiting_for_transfer
pay_b 1 bank_transfer requires_action, pay_b 2 bank_transfer expired => expired
pay_a 1 card declined, pay_b 1 bank_transfer expired => expired
pay_b 1 card declined, pay_a 1 bank_transfer expired => declined
pay_b 1 bank_transfer expired, pay_c 1 card captured => paid
pay_a 1 card captured, pay_a 2 card refunded => refunded
pay_a 1 card authorized, pay_a 2 card voided => voided";

#[test]
fn best_payment_counts_whatever_the_order_of_events() {
    for row in EVENTS.lines() {
        let (events, expected) = row.split_once(" => ").unwrap();
        let mut order = order();
        for event in events.split(", ") {
            let [id, sequence, method, state] = event.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{event}")
            };
            let method = Method::from_name(method).unwrap();
            order.apply(payment(id, sequence.parse().unwrap(), method, state));
        }
        assert_eq!(OrderStatus::from_order(&order).name, expected, "{row}");
    }
}

#[test]
fn order_is_signed_again_only_when_no_payment_is_in_progress() {
    use Method::{BankTransfer, Card, Wallet};
    /// While the first signed order is valid, in its last moments, and after.
    const SAME: [&str; 3] = ["first", "second", "second"];
    const NEW: [&str; 3] = ["second"; 3];
    const SAME_ONLY: [&str; 3] = ["first", "first", ""];
    const NONE: [&str; 3] = [""; 3];
    let rows = [
        (Card, "declined", SAME),
        (Card, "requires_action", SAME_ONLY),
        (Wallet, "requires_action", SAME_ONLY),
        (BankTransfer, "requires_action", NONE),
        (BankTransfer, "expired", NEW),
        (Card, "expired", NEW),
        (Card, "unknown", NONE),
        (Card, "authorized", NONE),
        (BankTransfer, "captured", NONE),
        (Card, "refunded", NONE),
    ];
    let merchant = &shop("signed-again").merchant;
    let sign = |order: &mut Order, name: &str, now| {
        let signed = merchant.claims(order, Vec::new(), name.into(), now);
        let signed = merchant.sign(order, &signed, "").unwrap();
        let claims = signed.map(|text| sealpay_protocol::order::claims_unverified(&text).unwrap());
        claims.map_or_else(String::new, |claims| claims.jti)
    };
    for (method, state, expected) in rows {
        for (later, expected) in [0, 1_700, 1_800].into_iter().zip(expected) {
            let mut order = order();
            assert_eq!(sign(&mut order, "first", NOW), "first");
            order.apply(payment("pay_a", 1, method, state));
            let signed = sign(&mut order, "second", NOW + later);
            assert_eq!(signed, expected, "{method:?} {state} {later}");
        }
    }
    // The expiry of an earlier payment leaves the one in progress its signed order.
    let mut order = order();
    sign(&mut order, "first", NOW);
    order.apply(payment("pay_b", 1, Card, "requires_action"));
    order.apply(payment("pay_a", 2, BankTransfer, "expired"));
    assert_eq!(sign(&mut order, "second", NOW), "first");
}
