//! The details of order errors, and input that is normalized instead of rejected.

use crate::order_claims::with;
use crate::world::{self, MERCHANT_KEY_ID, NOW};
use sealpay_protocol::order::{self, CompactOrder, OrderClaims, OrderItem};
/// The error for these claims: the invalid member and the sentence.
fn told(claims: &OrderClaims) -> (Option<String>, String) {
    let key = world::signing_key(world::MERCHANT_SEED);
    let compact = order::sign(claims, MERCHANT_KEY_ID, &key).unwrap();
    let parsed = CompactOrder::parse(&compact).unwrap();
    let refused = parsed.verify(&key.verifying_key(), &world::verifier_origin(), NOW);
    let refusal = refused.unwrap_err();
    (refusal.param().map(str::to_owned), refusal.to_string())
}

#[test]
fn errors_name_the_item_and_whether_count_or_sum_is_wrong() {
    let item = |name: &str, quantity, amount| OrderItem {
        name: name.into(),
        quantity,
        amount,
    };
    let items = |items: Vec<OrderItem>| with(|claims| claims.items = Some(items));
    let with_second = |second: OrderItem| items(vec![item("Lamp", 1, 2490), second]);
    let rows = [
        (
            items(vec![item("Lamp", 1, 2990), item("Voucher", 1, -501)]),
            "items",
            "The amounts of items add up to 2489, but amount is 2490.",
        ),
        (
            items(vec![item("Lamp", 1, 10); 201]),
            "items",
            "items has 201 entries; 1 to 200 are accepted, and items may be left out.",
        ),
        (
            with_second(item(&"n".repeat(81), 1, 0)),
            "items[1].name",
            "items[1].name has 81 characters; at most 80 are accepted.",
        ),
        (
            with_second(item("", 1, 0)),
            "items[1].name",
            "items[1].name has nothing to read in it.",
        ),
        (
            with_second(item("La\u{202e}mp", 1, 0)),
            "items[1].name",
            "items[1].name has a character that nobody sees or that changes the direction of \
             writing, U+202E; leave it out.",
        ),
        (
            with_second(item("Lamp", 0, 0)),
            "items[1].quantity",
            "items[1].quantity must be a whole number from 1 to 9999, not 0.",
        ),
        (
            with(|claims| claims.order_ref = "Größe".into()),
            "order_ref",
            "order_ref must be 1 to 64 printable ASCII characters.",
        ),
    ];
    for (claims, param, sentence) in rows {
        assert_eq!(told(&claims), (Some(param.to_owned()), sentence.to_owned()));
    }
}

#[test]
fn line_breaks_and_tabs_become_spaces_in_the_verified_order() {
    let claims = with(|claims| {
        claims.description = Some("Two\r\nlanterns".into());
        claims.items = Some(vec![OrderItem {
            name: "Lamp\tred".into(),
            quantity: 1,
            amount: 2490,
        }]);
    });
    let key = world::signing_key(world::MERCHANT_SEED);
    let compact = order::sign(&claims, MERCHANT_KEY_ID, &key).unwrap();
    let parsed = CompactOrder::parse(&compact).unwrap();
    let order = parsed
        .verify(&key.verifying_key(), &world::verifier_origin(), NOW)
        .unwrap();
    let claims = order.claims();
    assert_eq!(claims.description.as_deref(), Some("Two lanterns"));
    assert_eq!(claims.items.as_ref().unwrap()[0].name, "Lamp red");
}
