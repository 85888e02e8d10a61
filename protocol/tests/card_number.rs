//! Card numbers: validation while typing, and formatting.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use proptest::prelude::*;
use sealpay_protocol::card::{Brand, CardNumber, CardNumberError, Progress, luhn, number};

use CardNumberError::{FailedLuhn, Incomplete, Missing, NotDigits, TooLong};

/// The result of `parse` (the brand or the error) and of `check` (the progress or the error).
type Row = (
    &'static str,
    Result<Option<Brand>, CardNumberError>,
    Result<Progress, CardNumberError>,
);

const MAY_GROW: Result<Progress, CardNumberError> = Ok(Progress::Incomplete);
const COMPLETE: Result<Progress, CardNumberError> = Ok(Progress::Complete);

#[test]
fn numbers_are_validated_by_brand_length_and_check_digit() {
    let rows: &[Row] = &[
        ("", Err(Missing), MAY_GROW),
        (" - ", Err(Missing), MAY_GROW),
        ("4", Err(Incomplete), MAY_GROW),
        ("4242 4242 4242 424", Err(Incomplete), MAY_GROW),
        ("4242 4242 4242 4242", Ok(Some(Brand::Visa)), COMPLETE),
        ("4242-4242-4242-4242", Ok(Some(Brand::Visa)), COMPLETE),
        (
            "\u{202d}4242\u{a0}4242\u{2011}4242 4242\u{202c}",
            Ok(Some(Brand::Visa)),
            COMPLETE,
        ),
        (
            "４２４２ ４２４２ ４２４２ ４２４２",
            Ok(Some(Brand::Visa)),
            COMPLETE,
        ),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", Ok(Some(Brand::Visa)), COMPLETE),
        ("4242 4242 4242 424x", Err(NotDigits), Err(NotDigits)),
        ("4242.4242.4242.4242", Err(NotDigits), Err(NotDigits)),
        (
            "42424242424242424242424242x",
            Err(NotDigits),
            Err(NotDigits),
        ),
        // Sixteen digits that fail Luhn may still grow to nineteen, if the brand has such numbers.
        ("4242 4242 4242 4241", Err(FailedLuhn), MAY_GROW),
        ("42424242424242417", Err(Incomplete), MAY_GROW),
        ("4242424242424242423", Err(FailedLuhn), Err(FailedLuhn)),
        ("4242424242424242428", Ok(Some(Brand::Visa)), COMPLETE),
        ("42424242424242424280", Err(TooLong), Err(TooLong)),
        ("5555555555554444", Ok(Some(Brand::Mastercard)), COMPLETE),
        ("5555555555554445", Err(FailedLuhn), Err(FailedLuhn)),
        ("55555555555544440", Err(TooLong), Err(TooLong)),
        (
            "378282246310005",
            Ok(Some(Brand::AmericanExpress)),
            COMPLETE,
        ),
        ("378282246310006", Err(FailedLuhn), Err(FailedLuhn)),
        ("37828224631000", Err(Incomplete), MAY_GROW),
        ("3782822463100050", Err(TooLong), Err(TooLong)),
        ("30569309025904", Ok(Some(Brand::DinersClub)), COMPLETE),
        ("6011111111111117", Ok(Some(Brand::Discover)), COMPLETE),
        ("3530111333300000", Ok(Some(Brand::Jcb)), COMPLETE),
        ("2200000000000004", Ok(Some(Brand::Mir)), COMPLETE),
        ("6304000000000000", Ok(Some(Brand::Maestro)), COMPLETE),
        // UnionPay numbers need no check digit.
        ("6212345678900000003", Ok(Some(Brand::UnionPay)), COMPLETE),
        ("62123456789001", Ok(Some(Brand::UnionPay)), COMPLETE),
        ("6212345678901", Err(Incomplete), MAY_GROW),
        // Unknown brands: twelve to nineteen digits and the check digit.
        ("00000000000", Err(Incomplete), MAY_GROW),
        ("100000000008", Ok(None), COMPLETE),
        ("100000000009", Err(FailedLuhn), MAY_GROW),
        ("1000000000000000009", Ok(None), COMPLETE),
        ("1000000000000000008", Err(FailedLuhn), Err(FailedLuhn)),
        ("10000000000000000000", Err(TooLong), Err(TooLong)),
    ];
    for (text, parsed, checked) in rows {
        let brand = CardNumber::parse(text).map(|number| number.brand());
        assert_eq!(brand, *parsed, "parse {text:?}");
        assert_eq!(CardNumber::check(text), *checked, "check {text:?}");
    }
}

#[test]
fn masked_numbers_show_only_the_last_four_digits() {
    let number = CardNumber::parse("3782 822463 10005").unwrap();
    assert_eq!(number.digits(), "378282246310005");
    assert_eq!(number.last_four(), "0005");
    assert_eq!(number.masked(), "•••• 0005");
    assert_eq!(format!("{number:?}"), "CardNumber(redacted)");
}

#[test]
fn numbers_are_grouped_as_printed() {
    let rows = [
        ("", None, ""),
        ("4242", Some(Brand::Visa), "4242"),
        ("42424", Some(Brand::Visa), "4242 4"),
        (
            "4242424242424242428",
            Some(Brand::Visa),
            "4242 4242 4242 4242 428",
        ),
        (
            "378282246310005",
            Some(Brand::AmericanExpress),
            "3782 822463 10005",
        ),
        (
            "30569309025904",
            Some(Brand::DinersClub),
            "3056 930902 5904",
        ),
        ("100000000008", None, "1000 0000 0008"),
        ("1000000000000", None, "1000 0000 0000 0"),
    ];
    for (digits, brand, shown) in rows {
        assert_eq!(number::format(digits, brand), shown);
    }
}

#[test]
fn digits_of_every_script_become_ascii() {
    let rows = [
        ("", ""),
        ("4242-42 a42", "42424242"),
        ("４٤۴४৪๔", "444444"),
        // Khmer, Myanmar, Tamil and Gujarati.
        ("៤၄௪૪", "4444"),
        ("²⅓Ⅳ", ""),
    ];
    for (text, digits) in rows {
        assert_eq!(number::digits_of(text), digits, "{text:?}");
    }
}

#[test]
fn errors_have_unique_codes_and_messages() {
    let rows = [
        (NotDigits, "number_not_digits"),
        (Missing, "number_missing"),
        (TooLong, "number_too_long"),
        (Incomplete, "number_incomplete"),
        (FailedLuhn, "number_failed_luhn"),
    ];
    for (error, code) in rows {
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with("the card number "), "{error}");
    }
}

#[test]
fn luhn_accepts_only_digits() {
    for text in ["", "x", "4242 4242 4242 4242", "٤٢٤٢", "-0"] {
        assert!(!luhn::passes(text), "{text:?}");
    }
    assert!(luhn::passes("0"));
    assert!(luhn::passes("79927398713"));
    assert_eq!(luhn::check_digit("7992739871"), Some('3'));
    assert_eq!(luhn::check_digit(""), Some('0'));
    assert_eq!(luhn::check_digit("12a"), None);
}

fn with_check_digit(payload: &str) -> String {
    let mut digits = String::from(payload);
    digits.push(luhn::check_digit(payload).unwrap());
    digits
}

/// Valid numbers of all lengths, of brands with Luhn and of unknown brands.
fn right_number() -> impl Strategy<Value = String> {
    let beginnings = prop::sample::select(vec![
        "4", "51", "2221", "2720", "34", "37", "300", "36", "6011", "65", "9792", "2131", "3528",
        "620", "62100", "810", "589562", "506099", "493698", "5018", "63", "401178", "2200",
        "637095", "63737423", "606282", "1", "0", "99", "71",
    ]);
    (beginnings, "[0-9]{18}", 11_usize..=18)
        .prop_map(|(beginning, rest, length)| {
            let payload = format!("{beginning}{rest}");
            with_check_digit(&payload[..length])
        })
        .prop_filter("no such length", |digits| CardNumber::parse(digits).is_ok())
}

proptest! {
    #[test]
    fn every_prefix_of_a_valid_number_may_become_valid(digits in right_number()) {
        let brand = CardNumber::parse(&digits).unwrap().brand();
        let shown = number::format(&digits, brand);
        for end in 0..=shown.len() {
            prop_assert!(CardNumber::check(&shown[..end]).is_ok(), "{}", &shown[..end]);
        }
        prop_assert_eq!(CardNumber::check(&shown), Ok(Progress::Complete));
    }

    #[test]
    fn grouping_round_trips(
        digits in "[0-9]{0,25}",
        brand in prop::option::of(prop::sample::select(&Brand::ALL[..])),
    ) {
        prop_assert_eq!(number::digits_of(&number::format(&digits, brand)), digits);
    }

    #[test]
    fn parse_succeeds_exactly_when_check_is_complete(text in "[0-9 -]{0,24}") {
        let is_complete = CardNumber::check(&text) == Ok(Progress::Complete);
        prop_assert_eq!(CardNumber::parse(&text).is_ok(), is_complete);
    }

    #[test]
    fn final_errors_stay_errors_with_more_digits(
        text in "[0-9]{10,21}",
        more in "[0-9]{1,4}",
    ) {
        if CardNumber::check(&text).is_err() {
            let longer = text + &more;
            prop_assert!(CardNumber::check(&longer).is_err(), "{}", longer);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let parsed = CardNumber::parse(&text).map(|number| number.digits().to_owned());
        if let Ok(digits) = parsed {
            prop_assert_eq!(digits, number::digits_of(&text));
        }
    }

    #[test]
    fn luhn_detects_any_single_wrong_digit(
        payload in "[0-9]{1,18}",
        place in any::<prop::sample::Index>(),
        shift in 1_u8..10,
    ) {
        let right = with_check_digit(&payload);
        prop_assert!(luhn::passes(&right));
        let mut wrong = right.into_bytes();
        let place = place.index(wrong.len());
        wrong[place] = b'0' + (wrong[place] - b'0' + shift) % 10;
        prop_assert!(!luhn::passes(&String::from_utf8(wrong).unwrap()));
    }

    #[test]
    fn luhn_detects_swapped_neighbours_except_zero_and_nine(
        payload in "[0-9]{1,18}",
        place in any::<prop::sample::Index>(),
    ) {
        let mut digits = with_check_digit(&payload).into_bytes();
        let place = place.index(digits.len() - 1);
        let (left, right) = (digits[place], digits[place + 1]);
        let goes_unnoticed = left == right || left.abs_diff(right) == 9;
        digits.swap(place, place + 1);
        prop_assert_eq!(luhn::passes(&String::from_utf8(digits).unwrap()), goes_unnoticed);
    }
}
