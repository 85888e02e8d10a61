use super::{
    SCHEDULES, Schedule, business_date, business_day_before, business_days_after, closes_at_ms,
    cut_off_ms, settlement_date, zone_name,
};
use jiff::civil::{Date, date, time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use sealpay_protocol::currency::Currency;
use sealpay_system::calendar;
use std::collections::HashSet;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn at_ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn words<const N: usize>(row: &str) -> [&str; N] {
    let words: Vec<_> = row.split(' ').collect();
    words.try_into().unwrap()
}

/// The calendar table: a currency, a time, its business date and its settlement date.
#[test]
fn times_map_to_business_and_settlement_dates() {
    let rows = [
        // Before and after a cut-off in winter: 18:00 in Berlin is 17:00 UTC. T+2.
        "EUR 2026-11-23T16:59:59.999Z 2026-11-23 2026-11-25",
        "EUR 2026-11-23T17:00:00Z 2026-11-24 2026-11-26",
        // In summer it is 16:00 UTC.
        "EUR 2026-07-01T15:59:59.999Z 2026-07-01 2026-07-03",
        "EUR 2026-07-01T16:00:00Z 2026-07-02 2026-07-06",
        // Clocks go forward in Berlin on 2026-03-29, and back on 2026-10-25.
        "EUR 2026-03-28T16:59:59.999Z 2026-03-28 2026-03-31",
        "EUR 2026-03-28T17:00:00Z 2026-03-29 2026-03-31",
        "EUR 2026-03-29T15:59:59.999Z 2026-03-29 2026-03-31",
        "EUR 2026-03-29T16:00:00Z 2026-03-30 2026-04-01",
        "EUR 2026-10-24T15:59:59.999Z 2026-10-24 2026-10-27",
        "EUR 2026-10-24T16:00:00Z 2026-10-25 2026-10-27",
        "EUR 2026-10-25T16:59:59.999Z 2026-10-25 2026-10-27",
        "EUR 2026-10-25T17:00:00Z 2026-10-26 2026-10-28",
        // New York: 17:00 is 22:00 UTC in winter and 21:00 in summer; forward on 2026-03-08, back
        // on 2026-11-01.
        "USD 2026-03-07T21:59:59.999Z 2026-03-07 2026-03-10",
        "USD 2026-03-07T22:00:00Z 2026-03-08 2026-03-10",
        "USD 2026-03-08T20:59:59.999Z 2026-03-08 2026-03-10",
        "USD 2026-03-08T21:00:00Z 2026-03-09 2026-03-11",
        "USD 2026-10-31T20:59:59.999Z 2026-10-31 2026-11-03",
        "USD 2026-11-01T21:59:59.999Z 2026-11-01 2026-11-03",
        "USD 2026-11-01T22:00:00Z 2026-11-02 2026-11-04",
        // London: 17:30; forward on 2026-03-29, back on 2026-10-25. T+1.
        "GBP 2026-03-28T17:29:59.999Z 2026-03-28 2026-03-30",
        "GBP 2026-03-29T16:29:59.999Z 2026-03-29 2026-03-30",
        "GBP 2026-03-29T16:30:00Z 2026-03-30 2026-03-31",
        "GBP 2026-10-25T17:29:59.999Z 2026-10-25 2026-10-26",
        "GBP 2026-10-25T17:30:00Z 2026-10-26 2026-10-27",
        // A cut-off after midnight: 02:00 in Toronto is 07:00 UTC in winter.
        "CAD 2026-11-24T04:59:59.999Z 2026-11-23 2026-11-25",
        "CAD 2026-11-24T05:00:00Z 2026-11-23 2026-11-25",
        "CAD 2026-11-24T06:59:59.999Z 2026-11-23 2026-11-25",
        "CAD 2026-11-24T07:00:00Z 2026-11-24 2026-11-26",
        // 02:00 is skipped in Toronto on 2026-03-08: 03:00 is the cut-off, also 07:00 UTC.
        "CAD 2026-03-08T06:59:59.999Z 2026-03-07 2026-03-10",
        "CAD 2026-03-08T07:00:00Z 2026-03-08 2026-03-10",
        // 02:00 occurs twice in Sydney on 2026-04-05: the first counts, 15:00 UTC the day before.
        "AUD 2026-04-04T14:59:59.999Z 2026-04-04 2026-04-07",
        "AUD 2026-04-04T15:00:00Z 2026-04-05 2026-04-07",
        // Without a schedule of its own: midnight UTC, T+3.
        "KWD 2026-11-23T23:59:59.999Z 2026-11-23 2026-11-26",
        "KWD 2026-11-24T00:00:00Z 2026-11-24 2026-11-27",
        "JPY 2026-11-23T05:59:59.999Z 2026-11-23 2026-11-26",
        "JPY 2026-11-23T06:00:00Z 2026-11-24 2026-11-27",
        // Month ends and the leap day.
        "EUR 2026-01-30T12:00:00Z 2026-01-30 2026-02-03",
        "EUR 2028-02-25T12:00:00Z 2028-02-25 2028-02-29",
        "EUR 2028-02-29T12:00:00Z 2028-02-29 2028-03-02",
        "EUR 2028-02-29T17:00:00Z 2028-03-01 2028-03-03",
        "GBP 2027-02-28T12:00:00Z 2027-02-28 2027-03-01",
        // Easter, 2024 to 2030: the Wednesday before.
        "EUR 2024-03-27T12:00:00Z 2024-03-27 2024-04-02",
        "EUR 2025-04-16T12:00:00Z 2025-04-16 2025-04-22",
        "EUR 2026-04-01T12:00:00Z 2026-04-01 2026-04-07",
        "EUR 2027-03-24T12:00:00Z 2027-03-24 2027-03-30",
        "EUR 2028-04-12T12:00:00Z 2028-04-12 2028-04-18",
        "EUR 2029-03-28T12:00:00Z 2029-03-28 2029-04-03",
        "EUR 2030-04-17T12:00:00Z 2030-04-17 2030-04-23",
        // New Year: on a Friday, on a Saturday, on a Sunday.
        "EUR 2026-12-30T12:00:00Z 2026-12-30 2027-01-04",
        "EUR 2021-12-30T12:00:00Z 2021-12-30 2022-01-03",
        "GBP 2021-12-31T12:00:00Z 2021-12-31 2022-01-04",
        "USD 2022-12-30T12:00:00Z 2022-12-30 2023-01-04",
        // Christmas in the United Kingdom: on a Saturday, on a Sunday, on a Friday.
        "GBP 2021-12-24T12:00:00Z 2021-12-24 2021-12-29",
        "GBP 2022-12-23T12:00:00Z 2022-12-23 2022-12-28",
        "GBP 2026-12-24T12:00:00Z 2026-12-24 2026-12-29",
        // Independence Day on a Saturday, and on a Sunday.
        "USD 2026-07-02T12:00:00Z 2026-07-02 2026-07-06",
        "USD 2027-07-02T12:00:00Z 2027-07-02 2027-07-07",
        "GBP 2023-05-05T12:00:00Z 2023-05-05 2023-05-09",
    ];
    for row in rows {
        let [code, moment, sold, settled] = words(row);
        let currency = currency(code);
        let found = business_date(currency, at_ms(moment));
        assert_eq!(found, day(sold), "{code} {moment}");
        assert_eq!(
            settlement_date(currency, found),
            day(settled),
            "{code} {moment}"
        );
    }
}

#[test]
fn settlements_close_at_six_local_time() {
    let rows = [
        "EUR 2026-11-25 2026-11-25T05:00:00Z",
        "EUR 2026-07-03 2026-07-03T04:00:00Z",
        "USD 2026-11-25 2026-11-25T11:00:00Z",
        "USD 2026-07-06 2026-07-06T10:00:00Z",
        "GBP 2026-11-25 2026-11-25T06:00:00Z",
        "GBP 2026-07-03 2026-07-03T05:00:00Z",
        "JPY 2026-11-25 2026-11-24T21:00:00Z",
        "KWD 2026-11-25 2026-11-25T06:00:00Z",
    ];
    for row in rows {
        let [code, date, moment] = words(row);
        assert_eq!(
            closes_at_ms(currency(code), day(date)),
            at_ms(moment),
            "{code} {date}"
        );
    }
}

/// Times every seven hours and a bit, and around each cut-off, over eight years.
#[test]
fn settlement_dates_are_monotonic_and_close_after_the_cut_off() {
    let codes: Vec<_> = SCHEDULES.iter().map(|row| row.currency.as_str()).collect();
    let currencies = Currency::all().filter(|c| codes.contains(&c.code()) || c.code() == "KWD");
    for currency in currencies {
        let mut before = (Date::MIN, Date::MIN, i64::MIN);
        let mut look = |at_ms: i64| {
            let sold = business_date(currency, at_ms);
            let settled = settlement_date(currency, sold);
            let closes = closes_at_ms(currency, settled);
            assert!(cut_off_ms(currency, sold) > at_ms, "{currency} {at_ms}");
            let day_before = sold.yesterday().unwrap();
            assert!(
                cut_off_ms(currency, day_before) <= at_ms,
                "{currency} {at_ms}"
            );
            assert!(
                closes > cut_off_ms(currency, sold),
                "{currency} {sold} {settled}"
            );
            let now = (sold, settled, closes);
            assert!(
                now.0 >= before.0 && now.1 >= before.1 && now.2 >= before.2,
                "{currency}"
            );
            before = now;
            sold
        };
        let end = at_ms("2032-01-01T00:00:00Z");
        let mut moment = at_ms("2024-01-01T00:00:00Z");
        let mut last = Date::MIN;
        while moment < end {
            let sold = look(moment);
            if sold != last {
                // The next step stays within the day or passes this cut-off.
                last = sold;
                let cut_off = cut_off_ms(currency, sold);
                if cut_off - moment <= 25_234_567 {
                    assert_eq!(look(cut_off - 1), sold);
                    assert_eq!(look(cut_off), sold.tomorrow().unwrap());
                    moment = cut_off;
                }
            }
            moment += 25_234_567;
        }
    }
}

#[test]
fn every_currency_has_dates_at_the_ends_of_time() {
    for currency in Currency::all() {
        for at_ms in [i64::MIN, -1, 0, i64::MAX] {
            let sold = business_date(currency, at_ms);
            let settled = settlement_date(currency, sold);
            assert!(settled >= sold, "{currency} {at_ms}");
            let _ = (cut_off_ms(currency, sold), closes_at_ms(currency, settled));
        }
    }
    assert_eq!(business_date(currency("KWD"), -1), day("1969-12-31"));
}

#[test]
fn business_days_follow_the_calendar_of_the_currency() {
    let thursday = day("2026-04-02");
    let rows = [
        ("EUR", "2026-04-07"),
        ("GBP", "2026-04-07"),
        ("USD", "2026-04-03"),
    ];
    for (code, expected) in rows {
        assert_eq!(
            business_days_after(currency(code), thursday, 1),
            day(expected),
            "{code}"
        );
    }
    assert_eq!(
        business_day_before(currency("EUR"), day("2026-04-07")),
        thursday
    );
}

#[test]
fn schedules_parse_and_name_existing_calendars() {
    assert_eq!(SCHEDULES.len(), 14);
    let names: HashSet<_> = SCHEDULES.iter().map(|row| row.currency.as_str()).collect();
    assert_eq!(names.len(), 14);
    for row in SCHEDULES.iter() {
        assert!(
            row.currency == "*" || row.currency.parse::<Currency>().is_ok(),
            "{row:?}"
        );
        assert!(!row.calendar.name.is_empty(), "{row:?} names no calendar");
        assert!(
            (1..=3).contains(&row.days) && row.zone.iana_name().is_some(),
            "{row:?}"
        );
    }
    assert_eq!(zone_name(currency("EUR")), "Europe/Berlin");
    assert_eq!(zone_name(currency("KWD")), "UTC");
}

/// With a fictional schedule, to cover its whole year.
#[test]
fn skipped_times_move_later_and_repeated_times_use_the_first() {
    let schedule = Schedule {
        currency: String::new(),
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        cut_off: time(2, 30, 0, 0),
        cut_off_on_the_day_after: false,
        days: 1,
        calendar: calendar::of_name("target2"),
        closes: time(6, 0, 0, 0),
    };
    let rows = [
        (date(2026, 3, 28), "2026-03-28T01:30:00Z"),
        (date(2026, 3, 29), "2026-03-29T01:30:00Z"),
        (date(2026, 3, 30), "2026-03-30T00:30:00Z"),
        (date(2026, 10, 25), "2026-10-25T00:30:00Z"),
        (date(2026, 10, 26), "2026-10-26T01:30:00Z"),
    ];
    for (date, moment) in rows {
        assert_eq!(schedule.cut_off_ms(date), at_ms(moment), "{date}");
    }
    let days = Span::new().days(1);
    let cut_offs = date(2026, 1, 1)
        .series(days)
        .take(365)
        .map(|day| schedule.cut_off_ms(day));
    assert!(cut_offs.is_sorted_by(|a, b| a < b));
}
