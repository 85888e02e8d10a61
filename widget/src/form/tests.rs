use super::{Correction, DECLINED, Deletion, Edit, Field, Form, InvalidFields};
use sealpay_protocol::api::{Advice, CardField, DeclineCategory, DeclineView};
use sealpay_protocol::card::{Brand, YearMonth};

fn form() -> Form {
    Form::new(YearMonth::new(2026, 11).unwrap())
}

/// Applies an edit written with `|` for the caret and returns the field the same way.
fn edit(form: &mut Form, field: Field, text: &str, deletion: Option<Deletion>) -> String {
    let caret = text[..text.find('|').unwrap()].encode_utf16().count();
    let text = text.replace('|', "");
    let caret = form.edited(
        field,
        &Edit {
            text: &text,
            caret,
            deletion,
        },
    );
    let mut units: Vec<u16> = form.entry(field).text().encode_utf16().collect();
    units.insert(caret, u16::from(b'|'));
    String::from_utf16(&units).unwrap()
}

fn set(form: &mut Form, field: Field, text: &str) {
    form.edited(
        field,
        &Edit {
            text,
            caret: text.encode_utf16().count(),
            deletion: None,
        },
    );
}

fn fill(form: &mut Form, number: &str, expiry: &str, security_code: &str) {
    set(form, Field::Number, number);
    set(form, Field::Expiry, expiry);
    set(form, Field::SecurityCode, security_code);
}

#[test]
fn formatting_keeps_the_caret_in_place() {
    use Deletion::{Backward, Forward};
    let rows = [
        // before, after the edit, what was deleted, formatted
        ("", "4|", None, "4|"),
        ("4242", "42425|", None, "4242 5|"),
        ("4242 5", "4242 |", Some(Backward), "4242|"),
        ("4242 4242", "42429| 4242", None, "4242 9|424 2"),
        ("4242 4242", "4|42 4242", Some(Backward), "4|424 242"),
        // Only the space was deleted: the digit beside it was meant.
        ("4242 4242", "4242|4242", Some(Backward), "424|4 242"),
        ("4242 4242", "4242|4242", Some(Forward), "4242| 242"),
        // Typed and pasted separators and letters are dropped.
        ("", "4242-4242-4242-4242|", None, "4242 4242 4242 4242|"),
        ("", "4242 |", None, "4242|"),
        ("", "card: 4242|4242", None, "4242| 4242"),
        // American Express is printed 4-6-5.
        ("3782", "37828224631000|", None, "3782 822463 1000|"),
        // Digits of other scripts.
        ("", "\u{664}\u{662}\u{664}\u{662}\u{664}|", None, "4242 4|"),
        // A pasted emoji takes two units.
        ("", "\u{1F4B3}42|42", None, "42|42"),
    ];
    for (before, edited, deletion, shown) in rows {
        let mut form = form();
        set(&mut form, Field::Number, before);
        assert_eq!(
            edit(&mut form, Field::Number, edited, deletion),
            shown,
            "{before} → {edited}"
        );
    }
}

#[test]
fn expiry_date_is_formatted_while_typing() {
    use Deletion::Backward;
    let rows = [
        ("1|", None, "1|"),
        ("5|", None, "05 / |"),
        ("12|", None, "12 / |"),
        ("12 / 3|", None, "12 / 3|"),
        ("12/30|", None, "12 / 30|"),
        ("1230|", None, "12 / 30|"),
        ("12/2030|", None, "12 / 30|"),
        ("2030-12|", None, "12 / 30|"),
        // Backspace at the end deletes through the separator.
        ("12 / |", Some(Backward), "12 / |"),
        ("12 /|", Some(Backward), "12|"),
        ("1|", Some(Backward), "1|"),
        // In the middle nothing moves while deleting, and the next digit fits in.
        ("1| / 30", Some(Backward), "1| / 30"),
        ("11| / 30", None, "11| / 30"),
        ("| / 30", Some(Backward), "| / 30"),
    ];
    for (edited, deletion, shown) in rows {
        assert_eq!(
            edit(&mut form(), Field::Expiry, edited, deletion),
            shown,
            "{edited}"
        );
    }
}

#[test]
fn expiry_date_is_normalized_on_blur() {
    for (typed, left) in [("1 / 30", "01 / 30"), ("12", "12"), ("", ""), ("5", "05")] {
        let mut form = form();
        let edit = Edit {
            text: typed,
            caret: 0,
            deletion: Some(Deletion::Backward),
        };
        form.edited(Field::Expiry, &edit);
        form.blurred(Field::Expiry);
        assert_eq!(form.entry(Field::Expiry).text(), left, "{typed}");
    }
}

#[test]
fn errors_appear_on_blur_and_disappear_while_typing() {
    let mut form = form();
    set(&mut form, Field::Number, "4242 4242 4242 4241");
    assert_eq!(form.entry(Field::Number).error(), None, "not while typing");
    assert_eq!(form.blurred(Field::Number), Some("number_failed_luhn"));
    assert_eq!(
        form.entry(Field::Number).error(),
        Some("number_failed_luhn")
    );
    assert_eq!(form.blurred(Field::Number), None, "announced once");
    set(&mut form, Field::Number, "4242 4242 4242 424");
    assert_eq!(
        form.entry(Field::Number).error(),
        None,
        "it can still become right"
    );
    assert_eq!(form.blurred(Field::Number), Some("number_incomplete"));
    set(&mut form, Field::Number, "4242 4242 4242 4242");
    assert_eq!(form.entry(Field::Number).error(), None);
    assert_eq!(form.blurred(Field::Number), None);
}

#[test]
fn error_stays_while_the_text_cannot_become_valid() {
    let mut form = form();
    set(&mut form, Field::Expiry, "13/30");
    assert_eq!(form.blurred(Field::Expiry), Some("expiry_month_invalid"));
    set(&mut form, Field::Expiry, "13/3");
    assert_eq!(
        form.entry(Field::Expiry).error(),
        Some("expiry_month_invalid")
    );
    set(&mut form, Field::Expiry, "1");
    assert_eq!(form.entry(Field::Expiry).error(), None);
}

#[test]
fn empty_field_is_an_error_on_submit_but_not_on_blur() {
    let mut form = form();
    for field in Field::CARD {
        assert_eq!(form.blurred(field), None);
    }
    let rejection = form.submit().map(drop).unwrap_err();
    assert_eq!(
        rejection,
        InvalidFields {
            first: Field::Number,
            count: 3
        }
    );
    let errors = Field::CARD.map(|field| form.entry(field).error());
    let expected = [
        Some("number_missing"),
        Some("expiry_missing"),
        Some("security_code_not_three"),
        None,
    ];
    assert_eq!(errors, expected);
    set(&mut form, Field::Number, "4");
    assert_eq!(form.entry(Field::Number).error(), None);
}

#[test]
fn submit_reports_the_first_invalid_field() {
    let rows = [
        ("4242424242424242", "12/30", "12", Field::SecurityCode, 1),
        ("4242424242424242", "10/26", "123", Field::Expiry, 1),
        ("4242424242424241", "10/26", "1", Field::Number, 3),
    ];
    for (number, expiry, security_code, first, count) in rows {
        let mut form = form();
        fill(&mut form, number, expiry, security_code);
        assert_eq!(
            form.submit().map(drop).unwrap_err(),
            InvalidFields { first, count },
            "{first:?}"
        );
    }
}

#[test]
fn security_code_length_follows_the_brand() {
    let mut form = form();
    fill(&mut form, "378282246310005", "12/30", "123");
    assert_eq!(form.brand(), Some(Brand::AmericanExpress));
    assert_eq!(form.security_code_length(), 4);
    assert_eq!(
        form.blurred(Field::SecurityCode),
        Some("security_code_not_four")
    );
    set(&mut form, Field::Number, "4242424242424242");
    assert_eq!(
        form.entry(Field::SecurityCode).error(),
        None,
        "three will do for this one"
    );
    set(&mut form, Field::SecurityCode, "1234");
    let entry = form.entry(Field::SecurityCode);
    assert_eq!(entry.text(), "123", "a fourth digit is not taken");
    fill(&mut form, "378282246310005", "12/30", "1234");
    set(&mut form, Field::Number, "4242424242424242");
    assert_eq!(
        form.blurred(Field::SecurityCode),
        Some("security_code_not_three")
    );
}

#[test]
fn empty_security_code_error_says_where_it_is_printed() {
    for (number, code) in [
        ("4242424242424242", "security_code_not_three"),
        ("378282246310005", "security_code_not_four"),
    ] {
        let mut form = form();
        fill(&mut form, number, "12/30", "");
        assert!(form.submit().is_err());
        assert_eq!(form.entry(Field::SecurityCode).error(), Some(code));
    }
}

#[test]
fn pasted_tabs_and_line_breaks_in_a_name_become_spaces() {
    let mut form = form();
    set(&mut form, Field::Holder, "Ada\tLovelace\r\n");
    assert_eq!(form.blurred(Field::Holder), None);
    assert_eq!(form.entry(Field::Holder).text(), "Ada Lovelace  ");
}

#[test]
fn complete_form_returns_the_card_and_keeps_the_fields() {
    let mut form = form();
    fill(&mut form, "4242424242424242", "5/30", "123");
    set(&mut form, Field::Holder, " Ada Lovelace ");
    assert!(form.is_complete(&Field::CARD));
    let card = form.submit().unwrap();
    assert_eq!(card.number.digits(), "4242424242424242");
    assert_eq!(card.expiry.to_yyyymm(), "203005");
    assert_eq!(card.security_code.digits(), "123");
    assert_eq!(card.holder.unwrap().as_str(), "Ada Lovelace");
    assert_eq!(form.entry(Field::Number).text(), "4242 4242 4242 4242");
}

#[test]
fn holder_name_is_optional_and_rejects_a_card_number() {
    let mut form = form();
    fill(&mut form, "4242424242424242", "12/30", "123");
    assert!(form.submit().unwrap().holder.is_none());
    set(&mut form, Field::Holder, "4242424242424242");
    assert_eq!(form.blurred(Field::Holder), Some("holder_is_a_number"));
    assert!(form.submit().is_err());
}

#[test]
fn only_the_security_code_is_cleared_after_an_attempt() {
    let mut form = form();
    fill(&mut form, "4242424242424242", "12/30", "123");
    form.require_correction(Correction::None);
    let texts = Field::CARD.map(|field| form.entry(field).text().to_owned());
    assert_eq!(texts, ["4242 4242 4242 4242", "12 / 30", "", ""]);
    form.clear();
    assert!(
        Field::CARD
            .into_iter()
            .all(|field| form.entry(field).text().is_empty())
    );
}

#[test]
fn decline_marks_the_declined_field_or_clears_the_card() {
    let rows = [
        (
            Correction::Field(CardField::Number),
            Some(Field::Number),
            true,
        ),
        (
            Correction::Field(CardField::Expiry),
            Some(Field::Expiry),
            true,
        ),
        (
            Correction::Field(CardField::SecurityCode),
            Some(Field::SecurityCode),
            true,
        ),
        (Correction::AnotherCard, Some(Field::Number), false),
        (Correction::SecurityCode, Some(Field::SecurityCode), true),
        (Correction::None, None, true),
    ];
    for (correction, marked, keeps_number) in rows {
        let mut form = form();
        fill(&mut form, "4242424242424242", "12/30", "123");
        assert_eq!(
            form.require_correction(correction),
            marked,
            "{correction:?}"
        );
        let number = form.entry(Field::Number).text().to_owned();
        assert_eq!(!number.is_empty(), keeps_number, "{correction:?}");
        assert_eq!(form.entry(Field::SecurityCode).text(), "", "{correction:?}");
        for field in Field::CARD {
            let error = form.entry(field).error();
            assert_eq!(
                error.is_some(),
                marked == Some(field),
                "{correction:?} {field:?}"
            );
        }
    }
}

#[test]
fn decline_error_disappears_on_edit() {
    let mut form = form();
    fill(&mut form, "4242424242424242", "12/30", "123");
    form.require_correction(Correction::AnotherCard);
    assert_eq!(
        form.blurred(Field::Number),
        None,
        "an empty field says nothing new"
    );
    assert_eq!(form.entry(Field::Number).error(), Some(DECLINED));
    set(&mut form, Field::Number, "5");
    assert_eq!(form.entry(Field::Number).error(), None);
}

#[test]
fn decline_correction_prefers_field_then_card_then_advice() {
    let decline = |advice, field, replace_card| DeclineView {
        advice,
        category: DeclineCategory::CardDeclined,
        field,
        replace_card,
    };
    let number = Some(CardField::Number);
    let rows = [
        (
            decline(Advice::CheckDetails, number, true),
            Correction::Field(CardField::Number),
        ),
        (
            decline(Advice::TryOtherCard, None, true),
            Correction::AnotherCard,
        ),
        (decline(Advice::TryOtherCard, None, false), Correction::None),
        (decline(Advice::ContactBank, None, false), Correction::None),
        (
            decline(Advice::TryAgain, None, false),
            Correction::SecurityCode,
        ),
        (
            decline(Advice::TryLater, None, false),
            Correction::SecurityCode,
        ),
    ];
    for (decline, correction) in rows {
        assert_eq!(
            Correction::from_decline(&decline),
            correction,
            "{decline:?}"
        );
    }
}

#[test]
fn card_number_that_is_too_long_is_not_truncated() {
    let mut form = form();
    set(&mut form, Field::Number, "42424242424242421234567890");
    assert_eq!(form.blurred(Field::Number), Some("number_too_long"));
}

#[test]
fn debug_output_contains_no_input() {
    let mut form = form();
    fill(&mut form, "4242424242424242", "12/30", "987");
    let printed = format!("{form:?}");
    assert!(
        !printed.contains("4242") && !printed.contains("987"),
        "{printed}"
    );
}

/// Random edits, on the host only, where they are fast.
#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::super::{Deletion, Edit, Field};
    use super::{form, set};
    use proptest::prelude::*;
    use sealpay_protocol::card::number;

    proptest! {
        #[test]
        fn any_edit_keeps_digits_and_caret_consistent(
            digits in "[0-9]{0,19}",
            at in 0_usize..24,
            typed in "[0-9 -]{0,4}",
        ) {
            let mut form = form();
            set(&mut form, Field::Number, &digits);
            let shown = form.entry(Field::Number).text().to_owned();
            let at = at.min(shown.len());
            let text = [&shown[..at], &typed, &shown[at..]].concat();
            let caret = at + typed.len();
            let before = number::digits_of(&text[..caret]);
            let placed = form.edited(Field::Number, &Edit { text: &text, caret, deletion: None });
            let after = form.entry(Field::Number).text();
            let digits = number::digits_of(&text);
            let digits = &digits[..digits.len().min(20)];
            prop_assert_eq!(number::digits_of(after), digits);
            prop_assert_eq!(number::digits_of(&after[..placed]), &before[..before.len().min(20)]);
        }

        #[test]
        fn no_text_makes_a_field_panic(text in "\\PC{0,40}", caret in 0_usize..80, way in 0_usize..3) {
            let deletion = [None, Some(Deletion::Backward), Some(Deletion::Forward)][way];
            for field in Field::CARD {
                let mut form = form();
                let placed = form.edited(field, &Edit { text: &text, caret, deletion });
                form.blurred(field);
                let _ = form.submit().map(drop);
                let _ = placed;
            }
        }
    }
}
