//! `seal` and `open`.

use super::{NOW, ask, key, seed, with};
use serde_json::{Value, json};

fn context() -> Value {
    json!({
        "verifier_origin": "https://pay.example",
        "merchant": crate::world::merchant(),
        "session": crate::world::session(),
        "amount": 2490,
        "currency": "EUR",
        "session_expires_at": NOW + 1800,
        "attempt": crate::world::attempt(),
        "thumbprint": crate::world::ephemeral_thumbprint().as_str(),
        "order_digest": seed(7),
    })
}

#[test]
fn sealed_cards_open() {
    let key = key("sealing", 0);
    let card = json!({"number": "4242 4242 4242 4242", "expiry": "12/30", "security_code": "123"});
    let random = sealpay_protocol::encoding::hex(&crate::world::counting::<64>(0));
    let question = json!({
        "public_key": key["public_key"],
        "card": card,
        "context": context(),
        "now": NOW,
        "random": random,
    });
    let with_holder = with(
        &question,
        json!({"card.holder": "Ada Lovelace", "random": null}),
    );
    let bad = [
        (with(&question, json!({"card": null})), "malformed_request"),
        (
            with(
                &question,
                json!({"card": ["4242424242424242", "12/30", "123", null]}),
            ),
            "malformed_request",
        ),
        (
            with(&question, json!({"card.number": 4_242_424_242_424_241_u64})),
            "malformed_request",
        ),
        (
            with(&question, json!({"card.pin": "1234"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"card.number": "4242424242424241"})),
            "number_failed_luhn",
        ),
        (
            with(&question, json!({"card.expiry": "10/25"})),
            "expiry_in_the_past",
        ),
        (
            with(&question, json!({"card.security_code": "12"})),
            "security_code_incomplete",
        ),
        (
            with(&question, json!({"card.holder": "4242424242424241"})),
            "holder_is_a_number",
        ),
        (
            with(&question, json!({"public_key": "AAAA"})),
            "key_invalid",
        ),
        (
            with(&question, json!({"random": "00"})),
            "malformed_request",
        ),
        (with(&question, json!({"now": -1})), "malformed_request"),
        (
            with(&question, json!({"context": null})),
            "malformed_request",
        ),
        (
            with(&question, json!({"context.amount": 0})),
            "amount_invalid",
        ),
        (
            with(&question, json!({"context.amount": 24.9})),
            "malformed_request",
        ),
        (
            with(&question, json!({"context.currency": "eur"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"context.attempt": "att_1"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"context.thumbprint": "AAAA"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"context.order_digest": "00"})),
            "malformed_request",
        ),
        (
            with(&question, json!({"context.extra": 1})),
            "malformed_request",
        ),
    ];
    let again = with(&question, json!({"random": null}));
    let sealed = ask(
        "seal",
        &[question.clone(), question, with_holder, again],
        &bad,
    );
    assert_eq!(sealed[0], sealed[1]);
    assert_ne!(sealed[0]["sealed"], sealed[3]["sealed"]);
    let questions: Vec<Value> = sealed
        .iter()
        .map(|answer| {
            json!({
                "seed": key["seed"],
                "sealed": answer["sealed"],
                "context": context(),
                "now": NOW,
            })
        })
        .collect();
    let refused = "sealed_card_refused";
    let bad = [
        (
            with(&questions[0], json!({"sealed.kid": "0000000000000000"})),
            refused,
        ),
        (with(&questions[0], json!({"sealed.v": 2})), refused),
        (with(&questions[0], json!({"sealed.ct": ""})), refused),
        (
            with(
                &questions[0],
                json!({"sealed.ct": sealed[2]["sealed"]["ct"]}),
            ),
            refused,
        ),
        (with(&questions[0], json!({"seed": seed(1)})), refused),
        (
            with(&questions[0], json!({"context.amount": 2491})),
            refused,
        ),
        (
            with(
                &questions[0],
                json!({"context.session": "chk_00000000000000000000000000"}),
            ),
            refused,
        ),
        (
            with(&questions[0], json!({"now": NOW + 200_000_000})),
            refused,
        ),
        (
            with(&questions[0], json!({"sealed.ct": null})),
            "malformed_request",
        ),
        (
            with(&questions[0], json!({"sealed.aad": ""})),
            "malformed_request",
        ),
        (
            with(&questions[0], json!({"sealed.v": "1"})),
            "malformed_request",
        ),
        (
            with(&questions[0], json!({"seed": "00"})),
            "malformed_request",
        ),
    ];
    let opened = ask("open", &questions, &bad);
    let expected = json!({
        "number": "4242424242424242",
        "expiry": "203012",
        "security_code": "123",
        "holder": null,
    });
    assert_eq!(opened[0]["card"], expected);
    assert_eq!(opened[2]["card"]["holder"], "Ada Lovelace");
    assert_eq!(opened[0]["associated_data"], sealed[0]["associated_data"]);
    assert_eq!(opened[0]["plaintext"].as_str().unwrap().len(), 512);
}
