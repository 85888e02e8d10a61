//! The claims of an order at and beyond their limits, and the precedence of errors.

use crate::world::{self, MERCHANT_KEY_ID, NOW};
use sealpay_protocol::limits;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::{self, CompactOrder, OrderClaims, OrderError, OrderItem, Simulate};

use OrderError::{
    AmountInvalid, AnotherVerifier, CurrencyUnknown, Expired, Malformed, SignatureInvalid,
};

fn judged(claims: &OrderClaims, now: u64) -> Result<(), OrderError> {
    let key = world::signing_key(world::MERCHANT_SEED);
    let compact = order::sign(claims, MERCHANT_KEY_ID, &key).unwrap();
    let parsed = CompactOrder::parse(&compact).map_err(|refusal| refusal.error())?;
    parsed
        .verify(&key.verifying_key(), &world::verifier_origin(), now)
        .map(drop)
        .map_err(|refusal| refusal.error())
}

/// The claims with a change applied.
pub(crate) fn with(change: impl FnOnce(&mut OrderClaims)) -> OrderClaims {
    let mut claims = world::claims();
    change(&mut claims);
    claims
}

pub(crate) fn check(
    rows: impl IntoIterator<Item = (&'static str, OrderClaims, Result<(), OrderError>)>,
) {
    for (name, claims, expected) in rows {
        assert_eq!(judged(&claims, NOW), expected, "{name}");
    }
}

#[test]
fn times_are_bounded() {
    let lasting = |iat: u64, exp: u64| with(|claims| (claims.iat, claims.exp) = (iat, exp));
    let (early, late) = (Err(Expired("iat")), Err(Expired("exp")));
    check([
        (
            "made now, for half an hour",
            lasting(NOW, NOW + 1800),
            Ok(()),
        ),
        ("for a second more", lasting(NOW, NOW + 1801), late),
        ("for a second", lasting(NOW, NOW + 1), Ok(())),
        ("for no time", lasting(NOW, NOW), late),
        ("backwards", lasting(NOW, NOW - 1), late),
        (
            "made half an hour ago, a second left",
            lasting(NOW - 1799, NOW + 1),
            Ok(()),
        ),
        ("just over", lasting(NOW - 1800, NOW), late),
        ("long over", lasting(NOW - 3600, NOW - 1800), late),
        ("made in a minute", lasting(NOW + 60, NOW + 1860), Ok(())),
        (
            "made in more than a minute",
            lasting(NOW + 61, NOW + 1800),
            early,
        ),
        ("made at the beginning of time", lasting(0, 1800), late),
        (
            "made at the end of time",
            lasting(u64::MAX, u64::MAX),
            early,
        ),
        ("good until the end of time", lasting(NOW, u64::MAX), late),
    ]);
    // No overflow with the largest possible clock.
    assert_eq!(judged(&world::claims(), u64::MAX), late);
}

#[test]
fn amounts_and_currencies_are_bounded() {
    let paying = |amount: i64, currency: &str| {
        with(|claims| {
            claims.amount = amount;
            claims.currency = currency.into();
        })
    };
    check([
        ("one cent", paying(1, "EUR"), Ok(())),
        ("nothing", paying(0, "EUR"), Err(AmountInvalid)),
        ("less than nothing", paying(-1, "EUR"), Err(AmountInvalid)),
        (
            "the least there is",
            paying(i64::MIN, "EUR"),
            Err(AmountInvalid),
        ),
        ("twelve digits", paying(999_999_999_999, "EUR"), Ok(())),
        (
            "thirteen digits",
            paying(1_000_000_000_000, "EUR"),
            Err(AmountInvalid),
        ),
        (
            "the most there is",
            paying(i64::MAX, "EUR"),
            Err(AmountInvalid),
        ),
        ("yen", paying(1, "JPY"), Ok(())),
        ("no currency", paying(1, ""), Err(CurrencyUnknown)),
        ("small letters", paying(1, "eur"), Err(CurrencyUnknown)),
        ("no such currency", paying(1, "XXX"), Err(CurrencyUnknown)),
        ("gold", paying(1, "XAU"), Err(CurrencyUnknown)),
        (
            "a long currency",
            paying(1, &"EUR".repeat(99)),
            Err(CurrencyUnknown),
        ),
    ]);
}

#[test]
fn names_and_references_are_bounded() {
    let jti = |text: &str| with(|claims| claims.jti = text.into());
    let order_ref = |text: &str| with(|claims| claims.order_ref = text.into());
    let customer = |text: &str| with(|claims| claims.customer = Some(text.into()));
    let simulate = |text: &str| {
        with(|claims| {
            claims.simulate = Some(Simulate {
                outcome: text.into(),
            })
        })
    };
    check([
        ("jti of 7", jti("1234567"), Err(Malformed("jti"))),
        ("jti of 8", jti("12345678"), Ok(())),
        ("jti of 64", jti(&"j".repeat(64)), Ok(())),
        ("jti of 65", jti(&"j".repeat(65)), Err(Malformed("jti"))),
        ("jti with all that is allowed", jti("AZaz09._-"), Ok(())),
        ("jti with a space", jti("1234 5678"), Err(Malformed("jti"))),
        ("jti with a slash", jti("1234/5678"), Err(Malformed("jti"))),
        (
            "jti with a zero byte",
            jti("1234\u{0}5678"),
            Err(Malformed("jti")),
        ),
        ("no order_ref", order_ref(""), Err(Malformed("order_ref"))),
        ("order_ref of 1", order_ref("1"), Ok(())),
        ("order_ref of 64", order_ref(&"r".repeat(64)), Ok(())),
        (
            "order_ref of 65",
            order_ref(&"r".repeat(65)),
            Err(Malformed("order_ref")),
        ),
        (
            "order_ref of printable ASCII",
            order_ref(" ~<script>\"'"),
            Ok(()),
        ),
        (
            "order_ref with a line break",
            order_ref("A\r\nB: c"),
            Err(Malformed("order_ref")),
        ),
        (
            "order_ref with a delete",
            order_ref("A\u{7f}"),
            Err(Malformed("order_ref")),
        ),
        (
            "order_ref beyond ASCII",
            order_ref("№ 7"),
            Err(Malformed("order_ref")),
        ),
        (
            "no customer's name",
            customer(""),
            Err(Malformed("customer")),
        ),
        ("customer of 64", customer(&"c".repeat(64)), Ok(())),
        (
            "customer of 65",
            customer(&"c".repeat(65)),
            Err(Malformed("customer")),
        ),
        (
            "customer beyond ASCII",
            customer("é"),
            Err(Malformed("customer")),
        ),
        ("an outcome", simulate("insufficient_funds"), Ok(())),
        ("no outcome", simulate(""), Err(Malformed("simulate"))),
        (
            "outcome of 65",
            simulate(&"o".repeat(65)),
            Err(Malformed("simulate")),
        ),
        (
            "an outcome with a space",
            simulate("a b"),
            Err(Malformed("simulate")),
        ),
    ]);
}

#[test]
fn methods_are_not_empty_and_unique() {
    use Method::{BankTransfer, Card, Wallet};
    let methods = |methods: &[Method]| with(|claims| claims.methods = Some(methods.to_vec()));
    check([
        ("a card", methods(&[Card]), Ok(())),
        ("all", methods(&[BankTransfer, Card, Wallet]), Ok(())),
        ("none", methods(&[]), Err(Malformed("methods"))),
        (
            "one twice",
            methods(&[Card, Wallet, Card]),
            Err(Malformed("methods")),
        ),
    ]);
}

#[test]
fn billing_country_is_two_capital_letters() {
    let country = |text: &str| with(|claims| claims.billing_country = Some(text.into()));
    let refused = Err(Malformed("billing_country"));
    check([
        ("Germany", country("DE"), Ok(())),
        ("nothing", country(""), refused),
        ("three letters", country("DEU"), refused),
        ("small letters", country("de"), refused),
        ("digits", country("27"), refused),
        ("one letter of two bytes", country("É"), refused),
    ]);
}

#[test]
fn parent_origins_are_one_to_eight() {
    let origins = |count: usize| {
        let origin = world::origin("https://shop.example");
        with(|claims| claims.parent_origins = vec![origin; count])
    };
    let refused = Err(Malformed("parent_origins"));
    check([
        ("none", origins(0), refused),
        ("one", origins(1), Ok(())),
        ("eight", origins(8), Ok(())),
        ("nine", origins(9), refused),
    ]);
}

#[test]
fn shopper_texts_are_one_short_line_of_visible_characters() {
    let described = |text: &str| with(|claims| claims.description = Some(text.into()));
    let refused = Err(Malformed("description"));
    check([
        (
            "a sentence",
            described("Two paper lanterns – 紙の灯籠"),
            Ok(()),
        ),
        ("markup is only text", described("<b>bold</b>"), Ok(())),
        ("an emoji of several characters", described("👩‍👩‍👧"), Ok(())),
        ("140 characters", described(&"é".repeat(140)), Ok(())),
        ("141 characters", described(&"é".repeat(141)), refused),
        ("nothing", described(""), refused),
        ("a line break", described("a\nb"), Ok(())),
        ("a tab", described("a\tb"), Ok(())),
        ("a mark of width zero", described("a\u{200b}b"), refused),
        ("tags", described("a\u{e0041}b"), refused),
        (
            "a pile of marks",
            described(&["a", &"\u{301}".repeat(7)].concat()),
            refused,
        ),
        ("a zero byte", described("a\u{0}b"), refused),
        (
            "a control character of Latin-1",
            described("a\u{86}b"),
            refused,
        ),
        ("a line separator", described("a\u{2028}b"), Ok(())),
        ("a paragraph separator", described("a\u{2029}b"), Ok(())),
        ("a right-to-left override", described("a\u{202e}b"), refused),
        ("a right-to-left mark", described("a\u{200f}b"), Ok(())),
        ("an isolate", described("a\u{2066}b"), refused),
        ("an Arabic letter mark", described("a\u{61c}b"), Ok(())),
    ]);
}

#[test]
fn items_add_up_to_the_amount() {
    let item = |name: &str, quantity, amount| OrderItem {
        name: name.into(),
        quantity,
        amount,
    };
    let items = |items: Vec<OrderItem>| with(|claims| claims.items = Some(items));
    let one = |name: &str, quantity| items(vec![item(name, quantity, 2490)]);
    let many = |count: i64| {
        let mut list = vec![item("Pin", 1, 1); usize::try_from(count).unwrap()];
        list[0].amount = 2490 - (count - 1);
        items(list)
    };
    let refused = Err(Malformed("items"));
    let overflow = vec![
        item("A", 1, i64::MAX),
        item("B", 1, i64::MAX),
        item("C", 1, 2492),
    ];
    check([
        ("one", one("Lantern", 1), Ok(())),
        (
            "with a voucher",
            items(vec![item("A", 1, 3000), item("Voucher", 1, -510)]),
            Ok(()),
        ),
        ("a cent less", items(vec![item("A", 1, 2489)]), refused),
        ("a cent more", items(vec![item("A", 1, 2491)]), refused),
        (
            "the amount is for all of the quantity",
            items(vec![item("A", 2, 1245)]),
            refused,
        ),
        ("none", items(vec![]), refused),
        ("twenty-one", many(21), Ok(())),
        ("two hundred", many(200), Ok(())),
        ("two hundred and one", many(201), refused),
        ("quantity 0", one("A", 0), refused),
        ("quantity 9999", one("A", 9999), Ok(())),
        ("quantity 10000", one("A", 10_000), refused),
        ("no name", one("", 1), refused),
        ("80 characters of name", one(&"é".repeat(80), 1), Ok(())),
        ("81 characters of name", one(&"é".repeat(81), 1), refused),
        ("a name of two lines", one("a\nb", 1), Ok(())),
        (
            "a sum that wraps around to the amount",
            items(overflow),
            refused,
        ),
    ]);
}

#[test]
fn orders_for_another_verifier_are_rejected() {
    let meant = |text: &str| with(|claims| claims.aud = world::origin(text));
    check([
        ("this one", meant("https://pay.example"), Ok(())),
        (
            "another host",
            meant("https://pay2.example"),
            Err(AnotherVerifier),
        ),
        (
            "another port",
            meant("https://pay.example:8443"),
            Err(AnotherVerifier),
        ),
        (
            "another scheme",
            meant("http://pay.example"),
            Err(AnotherVerifier),
        ),
        (
            "a host below",
            meant("https://a.pay.example"),
            Err(AnotherVerifier),
        ),
    ]);
}

#[test]
fn errors_are_reported_in_the_order_of_the_checks() {
    let mut claims = with(|claims| {
        claims.order_ref.clear();
        claims.items = Some(vec![]);
        claims.currency = "???".into();
        claims.amount = 0;
        claims.exp = NOW;
        claims.iat = NOW + 61;
        claims.aud = world::origin("https://another.example");
    });
    let stranger = world::signing_key(world::EPHEMERAL_SEED);
    let compact = order::sign(&claims, MERCHANT_KEY_ID, &stranger).unwrap();
    let parsed = CompactOrder::parse(&compact).unwrap();
    let key = world::signing_key(world::MERCHANT_SEED).verifying_key();
    let refused = parsed.verify(&key, &world::verifier_origin(), NOW);
    let refused = refused.map_err(|refusal| refusal.error());
    assert_eq!(refused.map(drop), Err(SignatureInvalid));
    type Mend = fn(&mut OrderClaims);
    let steps: [(OrderError, Mend); 7] = [
        (AnotherVerifier, |claims| {
            claims.aud = world::verifier_origin()
        }),
        (Expired("iat"), |claims| claims.iat = NOW),
        (Expired("exp"), |claims| claims.exp = NOW + 1),
        (CurrencyUnknown, |claims| claims.currency = "EUR".into()),
        (AmountInvalid, |claims| claims.amount = 1),
        (Malformed("order_ref"), |claims| {
            claims.order_ref = "A".into()
        }),
        (Malformed("items"), |claims| claims.items = None),
    ];
    for (error, mend) in steps {
        assert_eq!(judged(&claims, NOW), Err(error));
        mend(&mut claims);
    }
    assert_eq!(judged(&claims, NOW), Ok(()));
}

#[test]
fn every_error_has_a_code_and_a_message() {
    let rows = [
        (Malformed("jti"), "malformed_order", Some("jti")),
        (SignatureInvalid, "order_signature_invalid", None),
        (AnotherVerifier, "order_for_another_verifier", Some("aud")),
        (Expired("iat"), "order_expired", Some("iat")),
        (AmountInvalid, "amount_invalid", Some("amount")),
        (CurrencyUnknown, "currency_unknown", Some("currency")),
    ];
    for (error, code, claim) in rows {
        assert_eq!((error.code(), error.claim()), (code, claim));
        let sentence = error.to_string();
        assert!(
            sentence.starts_with("The ") && sentence.ends_with('.'),
            "{sentence}"
        );
    }
}

/// The largest order within all limits fits into the longest compact text.
#[test]
fn an_order_at_all_limits_fits() {
    let name = "n".repeat(limits::ITEM_NAME_CHARACTERS);
    let mut claims = with(|claims| {
        claims.amount = limits::AMOUNT_MINOR;
        claims.order_ref = "r".repeat(limits::REFERENCE_CHARACTERS);
        claims.jti = "j".repeat(64);
        claims.description = Some("d".repeat(limits::DESCRIPTION_CHARACTERS));
        claims.customer = Some("c".repeat(limits::REFERENCE_CHARACTERS));
        claims.parent_origins =
            vec![world::origin("https://a.shop.example"); limits::PARENT_ORIGINS];
    });
    let item = |amount| OrderItem {
        name: name.clone(),
        quantity: limits::ITEM_QUANTITY,
        amount,
    };
    let mut items = vec![item(1); limits::ORDER_ITEMS - 1];
    let others = i64::try_from(items.len()).unwrap();
    items.push(item(limits::AMOUNT_MINOR - others));
    claims.items = Some(items);
    assert_eq!(judged(&claims, NOW), Ok(()));
}
