use super::{Catalog, LANGUAGES};
use sealpay_protocol::card::{
    CardNumber, CardNumberError, Expiry, ExpiryError, Holder, HolderError, SecurityCodeError,
};

/// Every code that a field can show.
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

/// Every code of what is said about a challenge or an offer.
const SAID: [&str; 12] = [
    "code_expired",
    "security_code_again",
    "code_incomplete",
    "code_refused",
    "code_sent",
    "resend_refused",
    "passkey_refused",
    "passkey_wrong_page",
    "passkey_unused",
    "not_sent",
    "passkey_kept",
    "passkey_not_kept",
];

#[test]
fn every_language_has_a_sentence_for_every_code() {
    for texts in LANGUAGES {
        let fallback = texts.error("no such code");
        for code in field_codes() {
            let sentence = texts.error(code);
            assert_ne!(sentence, fallback, "{} {code}", texts.language);
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        for code in SAID {
            let sentence = texts.error(code);
            assert_ne!(sentence, fallback, "{} {code}", texts.language);
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        let fallback = texts.panel("no such code");
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
            "nothing_was_paid",
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
            let (heading, sentence) = texts.panel(code);
            assert_ne!((heading, sentence), fallback, "{} {code}", texts.language);
            assert!(sentence.ends_with('.') && !heading.ends_with('.'), "{code}");
        }
    }
}

#[test]
fn plurals_follow_the_count() {
    let texts = Catalog::for_locale("en");
    let told = [0, 1, 2].map(texts.attempts_left);
    assert_eq!(
        told,
        ["0 attempts left.", "1 attempt left.", "2 attempts left."]
    );
}

#[test]
fn unknown_locales_fall_back_to_english() {
    for locale in ["en", "en-GB", "tlh", "", "EN-us"] {
        assert_eq!(Catalog::for_locale(locale).language, "en", "{locale}");
    }
}

#[test]
fn error_sentences_never_contain_the_input() {
    // The sentences are fixed texts: no digit of a card can be in one.
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
