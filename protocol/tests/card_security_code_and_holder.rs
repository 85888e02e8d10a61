//! The security code and the cardholder name; neither is printed by accident.

use proptest::prelude::*;
use sealpay_protocol::card::{
    Brand, Card, CardNumber, Expiry, Holder, HolderError, Progress, SecurityCode,
    SecurityCodeError, YearMonth,
};

const AMERICAN_EXPRESS: Option<Brand> = Some(Brand::AmericanExpress);
const VISA: Option<Brand> = Some(Brand::Visa);

#[test]
fn security_codes_have_the_length_of_their_brand() {
    use SecurityCodeError::{Incomplete, Missing, NotDigits, TooLong};
    let rows = [
        ("", VISA, Err(Missing), Ok(Progress::Incomplete)),
        ("12", VISA, Err(Incomplete), Ok(Progress::Incomplete)),
        ("123", VISA, Ok("123"), Ok(Progress::Complete)),
        ("1234", VISA, Err(TooLong), Err(TooLong)),
        (
            "123",
            AMERICAN_EXPRESS,
            Err(Incomplete),
            Ok(Progress::Incomplete),
        ),
        ("1234", AMERICAN_EXPRESS, Ok("1234"), Ok(Progress::Complete)),
        ("12345", AMERICAN_EXPRESS, Err(TooLong), Err(TooLong)),
        ("12", None, Err(Incomplete), Ok(Progress::Incomplete)),
        ("123", None, Ok("123"), Ok(Progress::Complete)),
        ("1234", None, Ok("1234"), Ok(Progress::Complete)),
        ("12345", None, Err(TooLong), Err(TooLong)),
        (" 123 ", VISA, Ok("123"), Ok(Progress::Complete)),
        ("١٢٣", VISA, Ok("123"), Ok(Progress::Complete)),
        ("12a", VISA, Err(NotDigits), Err(NotDigits)),
        ("abcdefgh", VISA, Err(NotDigits), Err(NotDigits)),
        ("000", VISA, Ok("000"), Ok(Progress::Complete)),
    ];
    for (text, brand, parsed, checked) in rows {
        let code = SecurityCode::parse(text, brand).map(|code| code.digits().to_owned());
        assert_eq!(code, parsed.map(String::from), "parse {text:?} {brand:?}");
        assert_eq!(
            SecurityCode::check(text, brand),
            checked,
            "check {text:?} {brand:?}"
        );
    }
}

#[test]
fn holder_names_are_validated() {
    use HolderError::{ControlCharacter, IsANumber, Missing, NoLetter, TooLong};
    let longest = "é".repeat(111);
    let too_long = "é".repeat(111) + "x";
    let rows = [
        ("", Err(Missing), Ok(Progress::Incomplete)),
        ("   ", Err(Missing), Ok(Progress::Incomplete)),
        ("A", Ok("A"), Ok(Progress::Complete)),
        (
            "  Ada Lovelace ",
            Ok("Ada Lovelace"),
            Ok(Progress::Complete),
        ),
        (
            "Jean-Luc d'Arc 3.",
            Ok("Jean-Luc d'Arc 3."),
            Ok(Progress::Complete),
        ),
        ("李小龙", Ok("李小龙"), Ok(Progress::Complete)),
        ("فاطمة", Ok("فاطمة"), Ok(Progress::Complete)),
        ("می\u{200c}نا", Ok("می\u{200c}نا"), Ok(Progress::Complete)),
        ("Łukasz Żółć", Ok("Łukasz Żółć"), Ok(Progress::Complete)),
        (&longest, Ok(longest.as_str()), Ok(Progress::Complete)),
        (&too_long, Err(TooLong), Err(TooLong)),
        ("Ada\0", Err(ControlCharacter), Err(ControlCharacter)),
        ("4242 4242 4242 4242", Err(IsANumber), Err(IsANumber)),
        ("4242-4242-4242-4242", Err(IsANumber), Err(IsANumber)),
        ("12/30", Err(IsANumber), Err(IsANumber)),
        ("7", Err(IsANumber), Err(IsANumber)),
        ("٤٢٤٢ ٤٢٤٢", Err(IsANumber), Err(IsANumber)),
        ("Ada 4242 4242 4242 4242", Err(IsANumber), Err(IsANumber)),
        (
            "Ada 12345678901",
            Ok("Ada 12345678901"),
            Ok(Progress::Complete),
        ),
        ("?!", Err(NoLetter), Ok(Progress::Incomplete)),
        ("-", Err(NoLetter), Ok(Progress::Incomplete)),
        ("🦀", Err(NoLetter), Ok(Progress::Incomplete)),
        ("«»", Err(NoLetter), Ok(Progress::Incomplete)),
        ("。", Err(NoLetter), Ok(Progress::Incomplete)),
        ("★ 5", Err(NoLetter), Ok(Progress::Incomplete)),
    ];
    for (text, parsed, checked) in rows {
        let holder = Holder::parse(text).map(|holder| holder.as_str().to_owned());
        assert_eq!(holder, parsed.map(String::from), "parse {text:?}");
        assert_eq!(Holder::check(text), checked, "check {text:?}");
    }
}

#[test]
fn invisible_characters_of_a_name_are_removed() {
    let rows = [
        ("\u{202B}Ada Example\u{202C}", "Ada Example"),
        ("\u{2068}Ada Example\u{2069}", "Ada Example"),
        ("Ada\tExample", "Ada Example"),
        ("Ada\r\n", "Ada"),
        ("Ada\nExample", "Ada Example"),
        ("Ada\u{A0}Example\u{3000}", "Ada Example"),
        ("Ada\u{200B}Example", "AdaExample"),
        ("\u{FEFF}Ada\u{61C}", "Ada"),
        ("O’Example", "O’Example"),
        ("Example, Ada", "Example, Ada"),
        // Persian needs joiners; a joiner that joins nothing is removed.
        ("علی\u{200C}رضا", "علی\u{200C}رضا"),
        ("علی\u{200C}\u{200C}رضا\u{200C}", "علی\u{200C}رضا"),
        ("A\u{200D}da", "Ada"),
    ];
    for (text, name) in rows {
        let holder = Holder::parse(text).unwrap();
        assert_eq!(holder.as_str(), name, "{text:?}");
        assert_eq!(Holder::parse(holder.as_str()).unwrap().as_str(), name);
    }
    let tagged = Holder::parse("A\u{E0041}da").map(drop);
    assert_eq!(tagged, Err(HolderError::ControlCharacter));
}

#[test]
fn real_names_fit_in_every_script() {
    let names = [
        "ก".repeat(33),
        "മ".repeat(40),
        "木".repeat(33),
        "e\u{301}".repeat(60),
        "a".repeat(97),
    ];
    for name in names {
        assert_eq!(Holder::parse(&name).unwrap().as_str(), name);
    }
}

#[test]
fn errors_have_unique_codes_and_messages() {
    let rows = [
        (SecurityCodeError::NotDigits, "security_code_not_digits"),
        (SecurityCodeError::Missing, "security_code_missing"),
        (SecurityCodeError::TooLong, "security_code_too_long"),
        (SecurityCodeError::Incomplete, "security_code_incomplete"),
    ];
    for (error, code) in rows {
        assert_eq!(error.code(), code);
        assert!(
            error.to_string().starts_with("the security code "),
            "{error}"
        );
    }
    let rows = [
        (HolderError::Missing, "holder_missing"),
        (HolderError::TooLong, "holder_too_long"),
        (HolderError::ControlCharacter, "holder_control_character"),
        (HolderError::IsANumber, "holder_is_a_number"),
        (HolderError::NoLetter, "holder_no_letter"),
    ];
    for (error, code) in rows {
        assert_eq!(error.code(), code);
        assert!(
            error.to_string().starts_with("the name on the card "),
            "{error}"
        );
    }
}

#[test]
fn cards_do_not_print_their_secrets() {
    let number = CardNumber::parse("4242 4242 4242 4242").unwrap();
    let security_code = SecurityCode::parse("987", number.brand()).unwrap();
    let today = YearMonth::new(2026, 11).unwrap();
    let card = Card {
        number,
        expiry: Expiry::parse("12/30", today).unwrap(),
        security_code,
        holder: Some(Holder::parse("Ada Lovelace").unwrap()),
    };
    let printed = format!("{card:?} {card:#?}");
    for secret in ["4242", "987", "Ada"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("redacted"), "{printed}");
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        for brand in [None, VISA, AMERICAN_EXPRESS] {
            let parsed = SecurityCode::parse(&text, brand).is_ok();
            prop_assert_eq!(parsed, SecurityCode::check(&text, brand) == Ok(Progress::Complete));
        }
        let parsed = Holder::parse(&text).is_ok();
        prop_assert_eq!(parsed, Holder::check(&text) == Ok(Progress::Complete));
    }

    #[test]
    fn names_are_trimmed_and_otherwise_unchanged(text in "[ ]{0,2}[A-Za-zÀ-ɏ' -]{1,40}[ ]{0,2}") {
        if let Ok(holder) = Holder::parse(&text) {
            prop_assert_eq!(holder.as_str(), text.trim());
        }
    }
}
