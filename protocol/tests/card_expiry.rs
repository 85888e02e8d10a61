//! Expiry dates and the underlying calendar.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use proptest::prelude::*;
use sealpay_protocol::card::expiry::format_typing;
use sealpay_protocol::card::{Expiry, ExpiryError, Progress, YearMonth};

use ExpiryError::{InThePast, Incomplete, Missing, MonthInvalid, NotADate, TooFar};

fn month_of(year: u16, month: u8) -> YearMonth {
    YearMonth::new(year, month).unwrap()
}

fn november_2026() -> YearMonth {
    month_of(2026, 11)
}

const MAY_GROW: Result<Progress, ExpiryError> = Ok(Progress::Incomplete);
const COMPLETE: Result<Progress, ExpiryError> = Ok(Progress::Complete);

/// The result of `parse` (`YYYYMM` or the error) and of `check` (the progress or the error).
type Row = (
    &'static str,
    Result<&'static str, ExpiryError>,
    Result<Progress, ExpiryError>,
);

#[track_caller]
fn assert_rows(today: YearMonth, rows: &[Row]) {
    for (text, parsed, checked) in rows {
        let date = Expiry::parse(text, today).map(Expiry::to_yyyymm);
        assert_eq!(date, parsed.map(String::from), "parse {text:?}");
        assert_eq!(Expiry::check(text, today), *checked, "check {text:?}");
    }
}

#[test]
fn dates_parse_in_every_common_form() {
    assert_rows(
        november_2026(),
        &[
            ("12 / 30", Ok("203012"), COMPLETE),
            ("12/30", Ok("203012"), COMPLETE),
            ("12/2030", Ok("203012"), COMPLETE),
            ("1230", Ok("203012"), COMPLETE),
            ("122030", Ok("203012"), COMPLETE),
            ("1/30", Ok("203001"), COMPLETE),
            ("01/30", Ok("203001"), COMPLETE),
            ("5/2030", Ok("203005"), COMPLETE),
            ("530", Ok("203005"), COMPLETE),
            ("130", Ok("203001"), COMPLETE),
            ("52030", Ok("203005"), COMPLETE),
            ("12-30", Ok("203012"), COMPLETE),
            ("12.30", Ok("203012"), COMPLETE),
            ("12 30", Ok("203012"), COMPLETE),
            (" 12 \u{2013} 30 ", Ok("203012"), COMPLETE),
            ("\u{200e}12/30\u{200e}", Ok("203012"), COMPLETE),
            ("2030-12", Ok("203012"), COMPLETE),
            ("１２／３０", Ok("203012"), COMPLETE),
            ("١٢/٣٠", Ok("203012"), COMPLETE),
            // Without a separator.
            ("127", Ok("202701"), COMPLETE),
            ("12027", Ok("202701"), COMPLETE),
            ("0327", Ok("202703"), COMPLETE),
            ("032027", Ok("202703"), COMPLETE),
            ("202703", Ok("202703"), COMPLETE),
            ("20273", Ok("202703"), COMPLETE),
            ("122026", Ok("202612"), COMPLETE),
            // By name.
            ("Mar 2027", Ok("202703"), COMPLETE),
            ("march 27", Ok("202703"), COMPLETE),
            ("2027 Mar", Ok("202703"), COMPLETE),
            ("MAR-27", Ok("202703"), COMPLETE),
            ("Sept. 2027", Ok("202709"), COMPLETE),
            ("May, 2027", Ok("202705"), COMPLETE),
        ],
    );
}

#[test]
fn incomplete_dates_may_become_valid_or_not() {
    assert_rows(
        november_2026(),
        &[
            ("", Err(Missing), MAY_GROW),
            (" / ", Err(Missing), MAY_GROW),
            ("0", Err(Incomplete), MAY_GROW),
            ("1", Err(Incomplete), MAY_GROW),
            ("5", Err(Incomplete), MAY_GROW),
            ("12", Err(Incomplete), MAY_GROW),
            ("12 / ", Err(Incomplete), MAY_GROW),
            ("12 / 3", Err(Incomplete), MAY_GROW),
            ("123", Err(Incomplete), MAY_GROW),
            ("12 / 7", Err(Incomplete), Err(TooFar)),
            ("12 / 203", Err(Incomplete), MAY_GROW),
            ("53", Err(Incomplete), MAY_GROW),
            ("5203", Err(Incomplete), MAY_GROW),
            // May become 12027, which is January 2027.
            ("1202", Err(Incomplete), MAY_GROW),
            ("1102", Err(InThePast), Err(InThePast)),
            // Past if it means 2020, but it may become 2030.
            ("12 / 20", Err(InThePast), MAY_GROW),
            ("12 / 1", Err(Incomplete), Err(InThePast)),
            ("12 / 19", Err(InThePast), Err(InThePast)),
            ("12 / 201", Err(Incomplete), Err(InThePast)),
            ("12 / 9", Err(Incomplete), Err(TooFar)),
            ("12 / 99", Err(TooFar), Err(TooFar)),
            ("12 / 999", Err(Incomplete), Err(TooFar)),
            ("12 / 0000", Err(InThePast), Err(InThePast)),
            ("12 / 9999", Err(TooFar), Err(TooFar)),
            ("12 / 20300", Err(NotADate), Err(NotADate)),
        ],
    );
}

#[test]
fn months_are_1_to_12() {
    assert_rows(
        november_2026(),
        &[
            ("00/30", Err(MonthInvalid), Err(MonthInvalid)),
            ("0/30", Err(MonthInvalid), Err(MonthInvalid)),
            ("00", Err(MonthInvalid), Err(MonthInvalid)),
            ("0030", Err(MonthInvalid), Err(MonthInvalid)),
            ("13/30", Err(MonthInvalid), Err(MonthInvalid)),
            ("1330", Err(MonthInvalid), Err(MonthInvalid)),
            ("9930", Err(MonthInvalid), Err(MonthInvalid)),
            ("99/", Err(MonthInvalid), Err(MonthInvalid)),
            ("2030-13", Err(MonthInvalid), Err(MonthInvalid)),
        ],
    );
}

#[test]
fn other_texts_are_no_date() {
    assert_rows(
        november_2026(),
        &[
            ("ab", Err(NotADate), Err(NotADate)),
            ("12/3o", Err(NotADate), Err(NotADate)),
            ("Dez 2030", Err(NotADate), Err(NotADate)),
            ("Dec", Err(NotADate), Err(NotADate)),
            ("Dec 3", Err(NotADate), Err(NotADate)),
            ("1 Dec 2030", Err(NotADate), Err(NotADate)),
            ("Dec Jan 2030", Err(NotADate), Err(NotADate)),
            ("/30", Err(NotADate), Err(NotADate)),
            ("31/12/30", Err(NotADate), Err(NotADate)),
            ("123/30", Err(NotADate), Err(NotADate)),
            ("2030-12-31", Err(NotADate), Err(NotADate)),
            ("1234567", Err(NotADate), Err(NotADate)),
            ("4242424242424242", Err(NotADate), Err(NotADate)),
        ],
    );
}

#[test]
fn dates_are_accepted_from_this_month_to_twenty_years_ahead() {
    assert_rows(
        november_2026(),
        &[
            ("10/26", Err(InThePast), Err(InThePast)),
            ("11/26", Ok("202611"), COMPLETE),
            ("12/26", Ok("202612"), COMPLETE),
            ("11/46", Ok("204611"), COMPLETE),
            ("12/46", Err(TooFar), Err(TooFar)),
            ("12/2046", Err(TooFar), Err(TooFar)),
            ("10/2026", Err(InThePast), Err(InThePast)),
        ],
    );
    // The last second of the month, and the next second.
    let last_second = 1_796_083_199;
    let rows = [
        (last_second, Ok("202611")),
        (last_second + 1, Err(InThePast)),
    ];
    for (now, parsed) in rows {
        let date = Expiry::parse("11/26", YearMonth::from_unix_seconds(now));
        assert_eq!(date.map(Expiry::to_yyyymm), parsed.map(String::from));
    }
}

#[test]
fn two_digit_years_roll_over_to_the_next_century() {
    let rows = [
        ("12/95", Ok("209512")),
        ("01/05", Ok("210501")),
        ("01/94", Err(InThePast)),
    ];
    for (text, parsed) in rows {
        let date = Expiry::parse(text, month_of(2095, 6)).map(Expiry::to_yyyymm);
        assert_eq!(date, parsed.map(String::from), "{text}");
    }
}

#[test]
fn the_envelope_form_is_six_digits() {
    let today = november_2026();
    let rows = [
        ("203012", Ok("2030-12")),
        ("202611", Ok("2026-11")),
        ("202610", Err(InThePast)),
        ("204612", Err(TooFar)),
        ("203000", Err(MonthInvalid)),
        ("203013", Err(MonthInvalid)),
        ("20301", Err(NotADate)),
        ("2030012", Err(NotADate)),
        ("2030 1", Err(NotADate)),
        ("+20301", Err(NotADate)),
        ("1230", Err(NotADate)),
        ("", Err(NotADate)),
        ("٢٠٣", Err(NotADate)),
    ];
    for (text, parsed) in rows {
        let date = Expiry::from_yyyymm(text, today).map(|expiry| expiry.to_string());
        assert_eq!(date, parsed.map(String::from), "{text:?}");
    }
}

#[test]
fn errors_have_unique_codes_and_messages() {
    let rows = [
        (NotADate, "expiry_not_a_date"),
        (Missing, "expiry_missing"),
        (MonthInvalid, "expiry_month_invalid"),
        (Incomplete, "expiry_incomplete"),
        (InThePast, "expiry_in_the_past"),
        (TooFar, "expiry_too_far"),
    ];
    for (error, code) in rows {
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains("the expiry date"), "{error}");
    }
}

#[test]
fn typed_dates_are_formatted_as_printed_on_cards() {
    let rows = [
        ("", ""),
        ("0", "0"),
        ("1", "1"),
        ("5", "05 / "),
        ("12", "12 / "),
        ("13", "01 / 3"),
        ("00", "00 / "),
        ("0/", "0"),
        ("1/", "01 / "),
        ("05 / 3", "05 / 3"),
        ("05 / 30", "05 / 30"),
        ("530", "05 / 30"),
        ("1230", "12 / 30"),
        ("12040 ", "01 / 40"),
        ("1330", "13 / 30"),
        ("12/2030", "12 / 30"),
        ("122030", "12 / 30"),
        ("52030", "05 / 30"),
        ("5/2030", "05 / 30"),
        ("2030-12", "12 / 30"),
        ("12 / 20", "12 / 20"),
        ("12 / 203", "12 / 203"),
        ("12 / 305", "12 / 30"),
        ("12/1930", "12 / 1930"),
        ("12 / 303030", "12 / 3030"),
        ("abc", ""),
        ("/", ""),
        ("  12", "12 / "),
        ("1a2b3", "12 / 3"),
        ("１２３", "12 / 3"),
        // The result of Backspace on `12 / `, on `12 /` and on `05 / `.
        ("12 /", "12"),
        ("05 /", "05"),
        // Filled in or pasted at once.
        ("127", "01 / 27"),
        ("12027", "01 / 27"),
        ("1202", "01 / 202"),
        ("202703", "03 / 27"),
        ("20273", "03 / 27"),
        ("Mar 2027", "03 / 27"),
        ("Exp: 12/27", "12 / 27"),
        ("valid thru 1227", "12 / 27"),
        ("März 2027", "März 2027"),
        ("mars 27", "mars 27"),
        ("1. März 2027", "1. März 2027"),
    ];
    for (typed, shown) in rows {
        assert_eq!(format_typing(typed, november_2026()), shown, "{typed:?}");
    }
}

#[test]
fn dates_can_be_typed_and_deleted_key_by_key() {
    let mut field = String::new();
    for key in "1230".chars() {
        field.push(key);
        field = format_typing(&field, november_2026());
    }
    assert_eq!(field, "12 / 30");
    let mut left = Vec::new();
    while field.pop().is_some() {
        field = format_typing(&field, november_2026());
        left.push(field.clone());
    }
    assert_eq!(left, ["12 / 3", "12 / ", "12", "1", ""]);
}

#[test]
fn timestamps_convert_to_their_month() {
    let rows = [
        (0, 1970, 1),
        (2_678_399, 1970, 1),
        (2_678_400, 1970, 2),
        (68_255_999, 1972, 2), // 1972-02-29, the first leap day
        (68_256_000, 1972, 3),
        (951_782_399, 2000, 2), // 2000-02-28
        (951_868_799, 2000, 2), // 2000-02-29, a leap year by the rule of 400
        (951_868_800, 2000, 3),
        (946_684_799, 1999, 12),
        (946_684_800, 2000, 1),
        (1_709_251_199, 2024, 2), // 2024-02-29
        (1_709_251_200, 2024, 3),
        (1_763_800_000, 2025, 11),
        (1_772_323_199, 2026, 2), // 2026-02-28, no leap year
        (1_772_323_200, 2026, 3),
        (2_147_483_648, 2038, 1),
        (4_107_542_399, 2100, 2), // 2100-02-28, no leap year by the rule of 100
        (4_107_542_400, 2100, 3),
        (253_402_300_799, 9999, 12),
        (253_402_300_800, 9999, 12),
        (u64::MAX, 9999, 12),
    ];
    for (seconds, year, month) in rows {
        assert_eq!(
            YearMonth::from_unix_seconds(seconds),
            month_of(year, month),
            "{seconds}"
        );
    }
}

#[test]
fn months_of_two_thousand_years_match_a_day_by_day_count() {
    let (mut year, mut month, mut day) = (1970_u16, 1_u8, 1_u8);
    for days in 0..2_000 * 365_u64 {
        let first_second = days * 86_400;
        let expected = month_of(year, month);
        assert_eq!(
            YearMonth::from_unix_seconds(first_second),
            expected,
            "day {days}"
        );
        assert_eq!(
            YearMonth::from_unix_seconds(first_second + 86_399),
            expected,
            "day {days}"
        );
        let is_leap =
            year.is_multiple_of(400) || year.is_multiple_of(4) && !year.is_multiple_of(100);
        let length = match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
}

#[test]
fn month_13_and_year_zero_are_rejected() {
    for (year, month) in [(2026, 0), (2026, 13), (0, 1), (10_000, 1)] {
        assert_eq!(YearMonth::new(year, month), None);
    }
    assert_eq!(month_of(9999, 12).to_string(), "9999-12");
    assert!(month_of(2026, 12) < month_of(2027, 1));
}

proptest! {
    #[test]
    fn valid_dates_parse_in_every_form(months_ahead in 0_u32..=240) {
        let today = november_2026();
        let ordinal = 2026 * 12 + 10 + months_ahead;
        let (year, month) = (ordinal / 12, ordinal % 12 + 1);
        let six_digits = format!("{year:04}{month:02}");
        let forms = [
            format!("{month:02} / {:02}", year % 100),
            format!("{month}/{year}"),
            format!("{month:02}{:02}", year % 100),
            format!("{month:02}{year}"),
            format!("{year}-{month:02}"),
        ];
        for form in forms {
            let expiry = Expiry::parse(&form, today).unwrap();
            prop_assert_eq!(expiry.to_yyyymm(), six_digits.clone(), "{}", form);
            prop_assert_eq!(Expiry::parse(&format_typing(&form, today), today), Ok(expiry), "{}", form);
            prop_assert_eq!(Expiry::from_yyyymm(&six_digits, today), Ok(expiry));
            // Nobody types the year first.
            if !form.contains('-') {
                for end in 0..=form.len() {
                    let typed = &form[..end];
                    prop_assert!(Expiry::check(typed, today).is_ok(), "{typed:?} of {form:?}");
                }
            }
        }
    }

    #[test]
    fn parse_succeeds_exactly_when_check_is_complete(
        text in "[0-9]{0,4}[/ -]{0,2}[0-9]{0,4}",
    ) {
        let is_complete = Expiry::check(&text, november_2026()) == Ok(Progress::Complete);
        prop_assert_eq!(Expiry::parse(&text, november_2026()).is_ok(), is_complete);
    }

    #[test]
    fn formatting_is_idempotent(text in "[0-9]{0,6}[/ -]{0,2}[0-9]{0,6}") {
        let shown = format_typing(&text, november_2026());
        // A month alone is the result of deleting, and is extended when typing continues.
        if shown.len() != 2 {
            prop_assert_eq!(format_typing(&shown, november_2026()), shown);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), now in any::<u64>()) {
        let today = YearMonth::from_unix_seconds(now);
        let parsed = Expiry::parse(&text, today).is_ok();
        prop_assert_eq!(parsed, Expiry::check(&text, today) == Ok(Progress::Complete));
        let shown = format_typing(&text, november_2026());
        prop_assert!(shown.len() <= "MM / YYYY".len() || text.trim_start().starts_with(&shown));
    }
}
