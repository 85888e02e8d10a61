use super::super::history::{CardAttempt, CardCredential, CardDecline};
use super::{SchemeAdvice, SchemeLimits};
use jiff::{SignedDuration, Timestamp};
use sealpay_protocol::card::Brand;
use sealpay_protocol::money::Money;
use sealpay_provider::decline::find;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn at(text: &str) -> Timestamp {
    format!("{text}Z").parse().unwrap()
}

fn credential(brand: Brand, fingerprint: &str) -> CardCredential<'_> {
    CardCredential {
        reference: "cred_1",
        fingerprint,
        brand: Some(brand),
    }
}

fn attempt(brand: Brand, at: Timestamp) -> CardAttempt<'static> {
    CardAttempt {
        at,
        credential: credential(brand, "card"),
        amount: Money::new(990, "EUR".parse().unwrap()),
        invoice_id: "inv_1",
    }
}

#[test]
fn the_file_parses_and_has_the_published_limits() {
    let file = include_str!("../../../data/scheme_limits.json");
    serde_json::from_str::<SchemeLimits>(file).unwrap();
    let limits = SchemeLimits::built_in();
    let counts = [limits.tries.len(), limits.never.len(), limits.advice.len()];
    assert_eq!(counts, [4, 1, 11]);
    // Every reason is one of the provider's table.
    for key in limits
        .account_updater
        .iter()
        .chain(&limits.never_by_merchant)
    {
        assert!(find(key).is_some(), "{key}");
    }
}

#[test]
fn tries_beyond_a_limit_wait_for_the_first_instant_allowed() {
    let visa = Brand::Visa;
    let mastercard = Brand::Mastercard;
    let rows = [
        // Brand, first try, hours between tries, tries so far, wanted, allowed.
        (
            visa,
            "2026-01-01T00:00:00",
            24,
            19,
            "2026-01-20T00:00:00",
            "2026-01-20T00:00:00",
        ),
        (
            visa,
            "2026-01-01T00:00:00",
            24,
            20,
            "2026-01-21T00:00:00",
            "2026-01-31T00:00:00",
        ),
        (
            visa,
            "2026-01-01T00:00:00",
            24,
            20,
            "2026-01-30T23:59:59",
            "2026-01-31T00:00:00",
        ),
        (
            visa,
            "2026-01-01T00:00:00",
            24,
            20,
            "2026-01-31T00:00:00",
            "2026-01-31T00:00:00",
        ),
        (
            visa,
            "2026-01-01T00:00:00",
            24,
            22,
            "2026-01-23T00:00:00",
            "2026-02-02T00:00:00",
        ),
        // Before 2025-05-19 the limit is 15, and on that day it is 20.
        (
            visa,
            "2025-03-01T00:00:00",
            24,
            14,
            "2025-03-15T00:00:00",
            "2025-03-15T00:00:00",
        ),
        (
            visa,
            "2025-03-01T00:00:00",
            24,
            15,
            "2025-03-16T00:00:00",
            "2025-03-31T00:00:00",
        ),
        (
            visa,
            "2025-05-01T00:00:00",
            24,
            15,
            "2025-05-16T00:00:00",
            "2025-05-19T00:00:00",
        ),
        (
            visa,
            "2025-05-01T00:00:00",
            24,
            15,
            "2025-05-18T23:59:59",
            "2025-05-19T00:00:00",
        ),
        (
            visa,
            "2025-05-01T00:00:00",
            20,
            20,
            "2025-05-18T00:00:00",
            "2025-05-31T00:00:00",
        ),
        // Ten in a day, and 35 in 30 days.
        (
            mastercard,
            "2026-01-01T00:00:00",
            1,
            9,
            "2026-01-01T09:00:00",
            "2026-01-01T09:00:00",
        ),
        (
            mastercard,
            "2026-01-01T00:00:00",
            1,
            10,
            "2026-01-01T10:00:00",
            "2026-01-02T00:00:00",
        ),
        (
            mastercard,
            "2026-01-01T00:00:00",
            4,
            34,
            "2026-01-06T16:00:00",
            "2026-01-06T16:00:00",
        ),
        (
            mastercard,
            "2026-01-01T00:00:00",
            4,
            35,
            "2026-01-06T20:00:00",
            "2026-01-31T00:00:00",
        ),
        // Schemes without published limits.
        (
            Brand::AmericanExpress,
            "2026-01-01T00:00:00",
            1,
            99,
            "2026-01-05T04:00:00",
            "2026-01-05T04:00:00",
        ),
    ];
    for (brand, first, hours, count, wanted, allowed) in rows {
        let tries: Vec<_> = (0..count)
            .map(|place| attempt(brand, at(first) + SignedDuration::from_hours(hours * place)))
            .collect();
        let limits = SchemeLimits::built_in();
        let planned = attempt(brand, at(wanted));
        let find =
            |credential, amount| limits.first_allowed(&credential, amount, &tries, planned.at);
        let found = find(planned.credential, planned.amount);
        assert_eq!(found, at(allowed), "{brand:?} {first} {count} {wanted}");
        // Another card is not concerned; another amount is, if the limit is one of the card.
        let other = credential(brand, "other");
        assert_eq!(find(other, planned.amount), planned.at);
        let found = find(planned.credential, Money::new(991, "EUR".parse().unwrap()));
        assert_eq!(
            found,
            if brand == mastercard {
                at(allowed)
            } else {
                planned.at
            }
        );
    }
}

#[test]
fn the_last_instant_of_all_is_no_endless_wait() {
    let tries: Vec<_> = (0..40)
        .map(|_| attempt(Brand::Visa, Timestamp::MAX - DAY))
        .collect();
    let last = attempt(Brand::Visa, Timestamp::MAX - SECOND);
    let limits = SchemeLimits::built_in();
    let found = limits.first_allowed(&last.credential, last.amount, &tries, last.at);
    assert_eq!(found, Timestamp::MAX);
}

#[test]
fn never_lists_and_advice_codes_are_of_their_scheme() {
    let limits = SchemeLimits::built_in();
    let (visa, mastercard) = (Brand::Visa, Brand::Mastercard);
    let rows = [
        // Brand, reason, advice code; forbidden, asks the updater.
        (visa, "pickup_card", None, true, false),
        (visa, "invalid_transaction", None, true, false),
        (visa, "invalid_number", None, true, false),
        (visa, "lost_card", None, true, true),
        (visa, "closed_account", None, true, true),
        (visa, "stop_payment_order", None, true, false),
        (visa, "revocation_one", None, true, false),
        (visa, "revocation_all", None, true, false),
        (visa, "insufficient_funds", None, false, false),
        (visa, "expired_card", None, false, true),
        (visa, "do_not_honor", Some("03"), false, false),
        (mastercard, "pickup_card", None, false, false),
        (mastercard, "invalid_number", None, true, false),
        (mastercard, "do_not_honor", Some("03"), true, false),
        (mastercard, "lost_card", Some("21"), true, false),
        (mastercard, "do_not_honor", Some("01"), false, true),
        (mastercard, "do_not_honor", Some("02"), false, false),
        (mastercard, "do_not_honor", Some("99"), false, false),
        (mastercard, "avs_mismatch", None, false, false),
    ];
    let now = at("2026-01-01T00:00:00");
    for (brand, key, advice, is_forbidden, asks_updater) in rows {
        let decline = CardDecline::new(find(key).unwrap(), advice).unwrap();
        let found = limits.is_forbidden(brand, &decline, now);
        assert_eq!(found, is_forbidden, "{brand:?} {key} {advice:?}");
        let found = limits.asks_updater(brand, &decline, now);
        assert_eq!(found, asks_updater, "{brand:?} {key} {advice:?}");
    }
    let hours = [
        ("24", 1),
        ("25", 24),
        ("26", 48),
        ("27", 96),
        ("28", 144),
        ("29", 192),
        ("30", 240),
    ];
    for (code, hours) in hours {
        let decline = CardDecline::new(find("do_not_honor").unwrap(), Some(code)).unwrap();
        let found = limits.advice(mastercard, &decline, now);
        assert_eq!(found, Some(SchemeAdvice::NotBeforeHours(hours)), "{code}");
        assert_eq!(limits.advice(visa, &decline, now), None);
    }
}

#[test]
fn a_newer_row_replaces_the_older_from_its_date() {
    let json = r#"{
        "tries": [], "account_updater": [], "never_by_merchant": [],
        "never": [
            {"brand": "visa", "valid_from": null, "response_codes": ["51"]},
            {"brand": "visa", "valid_from": "2026-07-01", "response_codes": ["05"]}
        ],
        "advice": [
            {"brand": "mastercard", "valid_from": "2026-07-01", "code": "40", "action": "never"}
        ]
    }"#;
    let limits: SchemeLimits = serde_json::from_str(json).unwrap();
    let before = at("2026-06-30T23:59:59");
    for (key, day, expected) in [
        ("insufficient_funds", before, true),
        ("insufficient_funds", before + SECOND, false),
        ("do_not_honor", before, false),
        ("do_not_honor", before + SECOND, true),
    ] {
        let decline = CardDecline::new(find(key).unwrap(), None).unwrap();
        assert_eq!(
            limits.is_forbidden(Brand::Visa, &decline, day),
            expected,
            "{key} {day}"
        );
    }
    let decline = CardDecline::new(find("do_not_honor").unwrap(), Some("40")).unwrap();
    assert_eq!(limits.advice(Brand::Mastercard, &decline, before), None);
    let advice = limits.advice(Brand::Mastercard, &decline, before + SECOND);
    assert_eq!(advice, Some(SchemeAdvice::Never));
    for wrong in [
        r#"{"brand": "vista", "valid_from": null, "response_codes": []}"#,
        r#"{"brand": "visa", "valid_from": "2026-02-30", "response_codes": []}"#,
        r#"{"brand": "visa", "response_codes": []}"#,
    ] {
        assert!(
            serde_json::from_str::<super::NeverRow>(wrong).is_err(),
            "{wrong}"
        );
    }
}
