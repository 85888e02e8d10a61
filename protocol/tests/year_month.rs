//! Months as ISO 8601 writes them, and when they begin.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use sealpay_protocol::card::{YearMonth, YearMonthError};

fn month_of(year: u16, month: u8) -> YearMonth {
    YearMonth::new(year, month).unwrap()
}

#[test]
fn months_are_read_as_they_are_written() {
    for (year, month) in [(1, 1), (1970, 1), (2024, 2), (2030, 12), (9999, 12)] {
        let expected = month_of(year, month);
        assert_eq!(expected.to_string().parse(), Ok(expected));
    }
    for text in [
        "",
        "-",
        "2030",
        "2030-",
        "2030-1",
        "2030-00",
        "2030-13",
        "0000-01",
        "203-12",
        "20300-1",
        "2030-+1",
        "+030-12",
        "2030-12 ",
        "2030-12-01",
        "2030/12",
        "２030-12",
    ] {
        assert_eq!(text.parse::<YearMonth>(), Err(YearMonthError), "{text:?}");
    }
}

#[test]
fn a_month_begins_a_second_after_the_one_before_it() {
    assert_eq!(month_of(1, 1).first_unix_second(), 0);
    assert_eq!(month_of(1970, 1).first_unix_second(), 0);
    // 2024-03-01, after a leap day, and 2030-12-01.
    assert_eq!(month_of(2024, 3).first_unix_second(), 1_709_251_200);
    assert_eq!(month_of(2030, 12).first_unix_second(), 1_922_313_600);
    for year in 1970..=2400 {
        for month in 1..=12 {
            let begins = month_of(year, month).first_unix_second();
            assert_eq!(YearMonth::from_unix_seconds(begins), month_of(year, month));
            if begins > 0 {
                let before = YearMonth::from_unix_seconds(begins - 1);
                assert!(before < month_of(year, month), "{year}-{month}");
            }
        }
    }
}
