//! Attacks on the form of an order. Each text is signed with the merchant's key, so only its form
//! can be the reason for the rejection.

use crate::world::{self, MERCHANT_KEY_ID, NOW};
use ed25519_dalek::Signer;
use proptest::prelude::*;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::limits;
use sealpay_protocol::order::{self, CompactOrder, OrderError};

use OrderError::{Malformed, SignatureInvalid};

const HEADER: &str = r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"2025-11"}"#;

fn payload() -> String {
    serde_json::to_string(&world::claims()).unwrap()
}

/// Signs any two parts.
fn signed(header: &str, payload: &str) -> String {
    let signed = [header, payload].join(".");
    let key = world::signing_key(world::MERCHANT_SEED);
    let signature = base64url(&key.sign(signed.as_bytes()).to_bytes());
    [signed, signature].join(".")
}

fn signed_texts(header: &str, payload: &str) -> String {
    signed(
        &base64url(header.as_bytes()),
        &base64url(payload.as_bytes()),
    )
}

fn judged(compact: &str) -> Result<(), OrderError> {
    let key = world::signing_key(world::MERCHANT_SEED).verifying_key();
    let parsed = CompactOrder::parse(compact).map_err(|refusal| refusal.error())?;
    parsed
        .verify(&key, &world::verifier_origin(), NOW)
        .map(drop)
        .map_err(|refusal| refusal.error())
}

#[test]
fn a_valid_order_verifies() {
    let key = world::signing_key(world::MERCHANT_SEED);
    let compact = order::sign(&world::claims(), MERCHANT_KEY_ID, &key).unwrap();
    assert_eq!(compact, signed_texts(HEADER, &payload()));
    assert_eq!(judged(&compact), Ok(()));
    let parsed = CompactOrder::parse(&compact).unwrap();
    assert_eq!(
        (parsed.issuer(), parsed.key_id()),
        (world::merchant(), MERCHANT_KEY_ID)
    );
    let verified = parsed
        .verify(&key.verifying_key(), &world::verifier_origin(), NOW)
        .unwrap();
    assert_eq!(*verified.claims(), world::claims());
    assert_eq!(verified.money(), world::euros(2490));
    assert_eq!(order::claims_unverified(&compact), Some(world::claims()));
}

#[test]
fn the_header_has_exactly_three_members() {
    let kid = |kid: &str| format!(r#"{{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"{kid}"}}"#);
    let alg = |alg: &str| format!(r#"{{"alg":"{alg}","typ":"sealpay-order+jwt","kid":"1"}}"#);
    let with = |member: &str| {
        format!(r#"{{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":"1",{member}}}"#)
    };
    let (header, good) = (Err(Malformed("header")), Ok(()));
    let rows = [
        (alg("Ed25519"), good),
        (alg("EdDSA"), good),
        (alg("none"), Err(Malformed("alg"))),
        (alg("None"), Err(Malformed("alg"))),
        (alg(""), Err(Malformed("alg"))),
        (alg("HS256"), Err(Malformed("alg"))),
        (alg("RS256"), Err(Malformed("alg"))),
        (alg("ES256"), Err(Malformed("alg"))),
        (alg("Ed448"), Err(Malformed("alg"))),
        (alg("ed25519"), Err(Malformed("alg"))),
        (alg("Ed25519 "), Err(Malformed("alg"))),
        (with(r#""jku":"https://evil.example/jwks.json""#), header),
        (
            with(r#""jwk":{"kty":"OKP","crv":"Ed25519","x":""}"#),
            header,
        ),
        (with(r#""x5u":"https://evil.example/cert.pem""#), header),
        (with(r#""x5c":[]"#), header),
        (with(r#""crit":[]"#), header),
        (with(r#""crit":["b64"],"b64":false"#), header),
        (with(r#""cty":"JWT""#), header),
        (with(r#""zip":"DEF""#), header),
        (with(r#""alg":"Ed25519""#), header),
        (with(r#""kid":"2""#), header),
        (with(r#""typ":"sealpay-order+jwt""#), header),
        (r#"{"alg":"Ed25519","kid":"1"}"#.into(), header),
        (r#"{"typ":"sealpay-order+jwt","kid":"1"}"#.into(), header),
        (
            r#"{"alg":"Ed25519","typ":"sealpay-order+jwt"}"#.into(),
            header,
        ),
        (
            r#"{"alg":null,"typ":"sealpay-order+jwt","kid":"1"}"#.into(),
            header,
        ),
        (
            r#"{"alg":"Ed25519","typ":"sealpay-order+jwt","kid":1}"#.into(),
            header,
        ),
        (r#"["Ed25519","sealpay-order+jwt","1"]"#.into(), header),
        (
            r#"{"alg":"Ed25519","typ":"JWT","kid":"1"}"#.into(),
            Err(Malformed("typ")),
        ),
        (
            r#"{"alg":"Ed25519","typ":"Sealpay-Order+JWT","kid":"1"}"#.into(),
            Err(Malformed("typ")),
        ),
        ("{}".into(), header),
        ("null".into(), header),
        (String::new(), header),
        ([HEADER, "{}"].concat(), header),
        ([HEADER, "\0"].concat(), header),
        (["\u{feff}", HEADER].concat(), header),
        // JSON permits whitespace, and the signature covers it as received.
        ([" ", HEADER, "\n"].concat(), good),
        (kid("a"), good),
        (kid(&"k".repeat(64)), good),
        (kid("A-Z_a-z.0-9"), good),
        (kid(""), Err(Malformed("kid"))),
        (kid(&"k".repeat(65)), Err(Malformed("kid"))),
        (kid("../../etc/passwd"), Err(Malformed("kid"))),
        (kid("a b"), Err(Malformed("kid"))),
        (kid("é"), Err(Malformed("kid"))),
        (kid("' OR 1=1 --"), Err(Malformed("kid"))),
        (kid("a\\u0000"), Err(Malformed("kid"))),
    ];
    for (text, expected) in rows {
        let judged = judged(&signed_texts(&text, &payload()));
        // If a header member is invalid, the error names that member.
        let of_header = expected == header && matches!(judged, Err(Malformed(_)));
        assert!(of_header || judged == expected, "{text}: {judged:?}");
    }
}

#[test]
fn the_payload_is_one_object_with_known_claims() {
    let good = payload();
    let with = |member: &str| good.replacen('{', &["{", member, ","].concat(), 1);
    let item = r#""name":"Lantern","quantity":1,"amount":2490"#;
    let rows = [
        (good.clone(), true),
        (with(&format!(r#""items":[{{{item}}}]"#)), true),
        (with(r#""simulate":{"outcome":"approved"}"#), true),
        (with(r#""description":null"#), true),
        (with(r#""methods":["card","bank_transfer"]"#), true),
        (with(r#""authentication":"required""#), true),
        (with(r#""methods":["card","cash"]"#), false),
        (with(r#""methods":[{"card":null}]"#), false),
        (with(r#""methods":"card""#), false),
        (with(r#""authentication":"never""#), false),
        (with(r#""authentication":{"required":null}"#), false),
        (with(r#""billing_country":27"#), false),
        (with(r#""nbf":1763800000"#), false),
        (with(r#""amount":2490"#), false),
        (with(r#""iss":"mer_00000000000000000000000000""#), false),
        (with(r#""items":[["Lantern",1,2490]]"#), false),
        (with(&format!(r#""items":[{{{item},"sku":"7"}}]"#)), false),
        (with(&format!(r#""items":{{{item}}}"#)), false),
        (with(r#""simulate":["approved"]"#), false),
        (with(r#""simulate":{}"#), false),
        (
            with(r#""simulate":{"outcome":"approved","amount":1}"#),
            false,
        ),
        (good.replacen("2490", "2490.0", 1), false),
        (good.replacen("2490", "2.49e3", 1), false),
        (good.replacen("2490", "\"2490\"", 1), false),
        (good.replacen("2490", "9223372036854775808", 1), false),
        (good.replacen("1763800000", "-1", 1), false),
        (good.replacen("1763800000", "1763800000.5", 1), false),
        (good.replacen("\"automatic\"", "\"Automatic\"", 1), false),
        (good.replacen("\"automatic\"", "\"later\"", 1), false),
        (good.replacen("mer_", "chk_", 1), false),
        (
            good.replacen("https://pay.example", "https://pay.example/", 1),
            false,
        ),
        (good.replacen("https://shop.example", "*", 1), false),
        (good.replacen("https://shop.example", "null", 1), false),
        (good.replacen("\"order_ref\":\"A-1001\",", "", 1), false),
        (format!("[{good}]"), false),
        (format!("{good}{good}"), false),
        (format!("{good} x"), false),
        (String::from("null"), false),
        (String::new(), false),
    ];
    for (text, is_good) in rows {
        let judged = judged(&signed_texts(HEADER, &text));
        let refused = matches!(judged, Err(Malformed(_)));
        assert!(if is_good { judged.is_ok() } else { refused }, "{text}");
    }
    let not_utf8 = [
        &good.as_bytes()[..good.len() - 1],
        b",\"customer\":\"\xff\"}",
    ]
    .concat();
    let compact = signed(&base64url(HEADER.as_bytes()), &base64url(&not_utf8));
    assert_eq!(judged(&compact), Err(Malformed("customer")));
    let deep = ["{\"items\":", &"[".repeat(3000)].concat();
    assert_eq!(
        judged(&signed_texts(HEADER, &deep)),
        Err(Malformed("payload"))
    );
}

#[test]
fn the_three_parts_have_one_encoding() {
    let compact = signed_texts(HEADER, &payload());
    let parts: Vec<&str> = compact.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let rest_after = |cut: usize| &signature[..signature.len() - cut];
    // 59 bytes of header leave two bits unused in the last character, 64 of signature four.
    let trailing_bits = |text: &str| {
        let last = text.chars().last().unwrap();
        let next = char::from_u32(u32::from(last) + 1).unwrap();
        [&text[..text.len() - 1], &next.to_string()].concat()
    };
    let rows = [
        (String::new(), "order"),
        (".".into(), "order"),
        ("..".into(), "header"),
        ([header, payload].join("."), "order"),
        ([header, payload, ""].join("."), "signature"),
        ([header, "", signature].join("."), "payload"),
        (["", payload, signature].join("."), "header"),
        (signed(header, &[payload, payload].join(".")), "payload"),
        ([&compact, "."].concat(), "payload"),
        ([".", &compact].concat(), "header"),
        ([&compact, ".", signature].concat(), "payload"),
        (signed(&[header, "="].concat(), payload), "header"),
        (signed(header, &[payload, "="].concat()), "payload"),
        ([&compact, "="].concat(), "signature"),
        ([&compact, "=="].concat(), "signature"),
        (signed(&trailing_bits(header), payload), "header"),
        (
            [header, payload, &trailing_bits(signature)].join("."),
            "signature",
        ),
        ([" ", &compact].concat(), "header"),
        ([&compact, " "].concat(), "signature"),
        ([&compact, "\n"].concat(), "signature"),
        (compact.replacen('.', ". ", 1), "payload"),
        (signed(header, &payload.replacen('e', "+", 1)), "payload"),
        (signed(header, &payload.replacen('e', "é", 1)), "payload"),
        ([header, payload, rest_after(1)].join("."), "signature"),
        ([header, payload, rest_after(4)].join("."), "signature"),
        ([&compact, "AAAA"].concat(), "signature"),
    ];
    for (text, part) in rows {
        assert_eq!(judged(&text), Err(Malformed(part)), "{text}");
    }
}

#[test]
fn oversized_orders_are_rejected_before_parsing() {
    let room = limits::ORDER_CHARACTERS - signed_texts(HEADER, &payload()).len();
    // Three more spaces in the payload are four more characters of base64url.
    let fits = [payload(), " ".repeat(room / 4 * 3)].concat();
    let compact = signed_texts(HEADER, &fits);
    assert!((limits::ORDER_CHARACTERS - 4..=limits::ORDER_CHARACTERS).contains(&compact.len()));
    assert_eq!(judged(&compact), Ok(()));
    let too_long = [fits, " ".repeat(6)].concat();
    assert_eq!(
        judged(&signed_texts(HEADER, &too_long)),
        Err(Malformed("order"))
    );
    assert_eq!(judged(&"a".repeat(1 << 20)), Err(Malformed("order")));
}

#[test]
fn another_key_does_not_verify() {
    let key = world::signing_key(world::EPHEMERAL_SEED);
    let compact = order::sign(&world::claims(), MERCHANT_KEY_ID, &key).unwrap();
    assert_eq!(judged(&compact), Err(SignatureInvalid));
}

#[test]
fn mixed_parts_of_two_orders_do_not_verify() {
    let mut claims = world::claims();
    claims.amount = 1;
    let cheap = signed_texts(HEADER, &serde_json::to_string(&claims).unwrap());
    let dear = signed_texts(HEADER, &payload());
    assert_eq!((judged(&cheap), judged(&dear)), (Ok(()), Ok(())));
    let (_, signature) = dear.rsplit_once('.').unwrap();
    let (signed, _) = cheap.rsplit_once('.').unwrap();
    assert_eq!(
        judged(&[signed, signature].join(".")),
        Err(SignatureInvalid)
    );
}

proptest! {
    #[test]
    fn altering_any_character_is_detected(
        place: prop::sample::Index, replacement in "[A-Za-z0-9_.-]",
    ) {
        let good = signed_texts(HEADER, &payload());
        let mut altered = good.clone();
        let place = place.index(good.len());
        altered.replace_range(place..=place, &replacement);
        prop_assume!(altered != good);
        prop_assert!(judged(&altered).is_err());
    }

    #[test]
    fn any_text_is_rejected_without_panic(
        text in "\\PC{0,200}", header in "\\PC{0,80}", payload in "\\PC{0,200}",
    ) {
        prop_assert!(judged(&text).is_err());
        prop_assert!(judged(&signed_texts(&header, &payload)).is_err());
        drop(order::claims_unverified(&text));
    }
}
