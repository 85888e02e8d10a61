use super::{Catalog, Explanation, LANGUAGES};
use sealpay_protocol::api::{AgreementKind, DeclineCategory};
use sealpay_protocol::card::{
    CardNumber, CardNumberError, Expiry, ExpiryError, Holder, HolderError, SecurityCodeError,
};
use sealpay_protocol::limits::{CONSENT_CHARACTERS, MANDATE_CHARACTERS};

/// Every error code of a field.
fn field_codes() -> Vec<&'static str> {
    use CardNumberError as N;
    use ExpiryError as E;
    use HolderError as H;
    use SecurityCodeError as S;
    let mut codes: Vec<&str> = [
        N::NotDigits,
        N::Missing,
        N::TooLong,
        N::Incomplete,
        N::FailedLuhn,
    ]
    .map(N::code)
    .to_vec();
    codes.extend(
        [
            E::Missing,
            E::NotADate,
            E::MonthInvalid,
            E::Incomplete,
            E::InThePast,
            E::TooFar,
        ]
        .map(E::code),
    );
    codes.push(S::NotDigits.code());
    codes.extend(["security_code_not_three", "security_code_not_four"]);
    codes.extend(
        [
            H::Missing,
            H::TooLong,
            H::ControlCharacter,
            H::IsANumber,
            H::NoLetter,
        ]
        .map(H::code),
    );
    codes
}

/// Every code of feedback on a challenge or an offer.
const FEEDBACK: [&str; 12] = [
    "code_expired",
    "security_code_again",
    "code_incomplete",
    "code_refused",
    "code_sent",
    "resend_not_allowed",
    "passkey_refused",
    "passkey_wrong_page",
    "passkey_failed",
    "not_sent",
    "passkey_saved",
    "passkey_not_saved",
];

#[test]
fn every_language_has_a_sentence_for_every_code() {
    for catalog in LANGUAGES {
        let fallback = catalog.error("no such code");
        for code in field_codes() {
            let sentence = catalog.error(code);
            assert_ne!(sentence, fallback, "{} {code}", catalog.language);
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        for code in FEEDBACK {
            let sentence = catalog.error(code);
            assert_ne!(sentence, fallback, "{} {code}", catalog.language);
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        let fallback = catalog.panel("no such code");
        let codes = [
            "checking",
            "interrupted",
            "unreachable",
            "session_expired",
            "too_many_attempts",
            "outcome_unknown",
            "possibly_paid",
            "origin_not_allowed",
            "malformed_order",
            "order_reused",
            "open_elsewhere",
            "not_embedded",
            "sealing_key_unusable",
            "sealed_card_refused",
            "instrument_unavailable",
            "consent",
            "payment_not_made",
            "payment_voided",
            "cancelled",
            "abandoned",
            "method_not_offered",
            "code",
            "passkey",
            "wallet",
            "wallet_hidden",
            "wallet_closed",
            "transfer",
        ];
        for code in codes {
            let Explanation { heading, sentence } = catalog.panel(code);
            assert_ne!(catalog.panel(code), fallback, "{} {code}", catalog.language);
            assert!(sentence.ends_with('.') && !heading.ends_with('.'), "{code}");
        }
    }
}

#[test]
fn plurals_follow_the_count() {
    let english = Catalog::for_locale("en");
    let left = [0, 1, 2].map(english.attempts_left);
    assert_eq!(
        left,
        ["0 attempts left.", "1 attempt left.", "2 attempts left."]
    );
    let more = [1, 2].map(english.more_items);
    assert_eq!(more, ["Show 1 more item", "Show 2 more items"]);
}

#[test]
fn consent_is_one_line_that_names_merchant_and_maximum() {
    // The longest name that a merchant can have, and a long amount.
    let merchant = "M".repeat(80);
    let maximum = "999,999,999,999.99 EUR";
    for catalog in LANGUAGES {
        let mut sentences = Vec::new();
        for kind in AgreementKind::ALL {
            if !kind.is_merchant_initiated() || kind.is_mandate() {
                continue;
            }
            let sentence = (catalog.agreement)(kind, &merchant, Some(maximum));
            assert!(sentence.contains(maximum), "{sentence}");
            let shorter = (catalog.agreement)(kind, &merchant, None);
            assert!(shorter.len() + maximum.len() < sentence.len(), "{shorter}");
            assert!(
                shorter.contains(&merchant) && !shorter.contains("  "),
                "{shorter}"
            );
            sentences.extend([sentence, shorter]);
        }
        sentences.push([catalog.save_card, ". ", catalog.save_card_note].concat());
        // An identifier has at most 35 characters.
        let creditor = "I".repeat(35);
        for is_b2b in [false, true] {
            let mandate = (catalog.mandate_text)(&merchant, &creditor, is_b2b);
            assert!(mandate.chars().count() <= MANDATE_CHARACTERS, "{mandate}");
            assert!(
                mandate.contains(&merchant) && mandate.contains(&creditor),
                "{mandate}"
            );
            assert_eq!(mandate.contains("eight weeks"), !is_b2b, "{mandate}");
            assert!(
                mandate.ends_with('.') && !mandate.contains('\n') && !mandate.contains("  "),
                "{mandate}"
            );
        }
        for (place, sentence) in sentences.iter().enumerate() {
            assert!(sentence.chars().count() <= CONSENT_CHARACTERS, "{sentence}");
            assert!(
                sentence.ends_with('.') && !sentence.contains('\n'),
                "{sentence}"
            );
            assert!(!sentences[..place].contains(sentence), "{sentence}");
        }
    }
}

#[test]
fn every_decline_category_has_a_heading_and_a_sentence() {
    for catalog in LANGUAGES {
        for category in DeclineCategory::ALL {
            let Explanation { heading, sentence } = (catalog.decline)(category);
            let is_complete = sentence.ends_with('.') && !heading.ends_with('.');
            assert!(is_complete, "{} {}", catalog.language, category.name());
        }
    }
}

#[test]
fn declines_do_not_mention_what_the_form_does_not_ask_for() {
    for category in DeclineCategory::ALL {
        let sentence = (Catalog::for_locale("en").decline)(category).sentence;
        let sentence = sentence.to_lowercase();
        let mut words = sentence.split(|character: char| !character.is_alphanumeric());
        let is_unknown = |word| ["pin", "address", "billing"].contains(&word);
        assert!(!words.any(is_unknown), "{}", category.name());
    }
}

#[test]
fn unknown_locales_fall_back_to_english() {
    for locale in ["en", "en-GB", "tlh", "", "EN-us"] {
        assert_eq!(Catalog::for_locale(locale).language, "en", "{locale}");
    }
}

#[test]
fn error_sentences_never_contain_the_input() {
    // The sentences are constants: none can contain a digit of the card.
    let codes = [
        CardNumber::parse("4242424242424241")
            .map(drop)
            .unwrap_err()
            .code(),
        Expiry::parse(
            "13 / 30",
            sealpay_protocol::card::YearMonth::new(2026, 11).unwrap(),
        )
        .map(drop)
        .unwrap_err()
        .code(),
        Holder::parse("4242424242424242")
            .map(drop)
            .unwrap_err()
            .code(),
    ];
    for code in codes {
        assert!(
            !Catalog::for_locale("en").error(code).contains("4242"),
            "{code}"
        );
    }
}
