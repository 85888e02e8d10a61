use super::{Calendar, all, of_name};
use jiff::civil::{Date, date};
use std::collections::HashSet;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn words<const N: usize>(row: &str) -> [&str; N] {
    let words: Vec<_> = row.split(' ').collect();
    words.try_into().unwrap()
}

fn holidays(calendar: &Calendar, year: i16) -> Vec<String> {
    let days = date(year, 1, 1).series(jiff::Span::new().days(1));
    days.take_while(|day| day.year() == year)
        .filter(|day| calendar.holiday_on(*day).is_some())
        .map(|day| day.strftime("%m-%d").to_string())
        .collect()
}

/// The published holidays of a year of each calendar.
#[test]
fn holidays_match_the_published_ones() {
    let rows = [
        "target2 2024 01-01 03-29 04-01 05-01 12-25 12-26",
        "target2 2025 01-01 04-18 04-21 05-01 12-25 12-26",
        "target2 2026 01-01 04-03 04-06 05-01 12-25 12-26",
        "target2 2027 01-01 03-26 03-29 05-01 12-25 12-26",
        "target2 2028 01-01 04-14 04-17 05-01 12-25 12-26",
        "target2 2029 01-01 03-30 04-02 05-01 12-25 12-26",
        "target2 2030 01-01 04-19 04-22 05-01 12-25 12-26",
        "federal_reserve 2021 01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25 12-25",
        "federal_reserve 2022 01-01 01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26",
        "federal_reserve 2023 01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-11 11-23 12-25",
        "federal_reserve 2024 01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25",
        "federal_reserve 2025 01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
        "federal_reserve 2026 01-01 01-19 02-16 05-25 06-19 07-04 09-07 10-12 11-11 11-26 12-25",
        "federal_reserve 2027 01-01 01-18 02-15 05-31 06-19 07-05 09-06 10-11 11-11 11-25 12-25",
        "federal_reserve 2028 01-01 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-11 11-23 12-25",
        "england_and_wales 2019 01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26",
        "england_and_wales 2020 01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
        "england_and_wales 2021 01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
        "england_and_wales 2022 01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
        "england_and_wales 2023 01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
        "england_and_wales 2024 01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
        "england_and_wales 2025 01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
        "england_and_wales 2026 01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
        "england_and_wales 2027 01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
        "england_and_wales 2028 01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
        "england_and_wales 2011 01-03 04-22 04-25 04-29 05-02 05-30 08-29 12-26 12-27",
        "england_and_wales 2012 01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26",
        "england_and_wales 2002 01-01 03-29 04-01 05-06 06-03 06-04 08-26 12-25 12-26",
        "weekends 2026",
    ];
    for row in rows {
        let mut words = row.split(' ');
        let (name, year) = (words.next().unwrap(), words.next().unwrap());
        let found = holidays(of_name(name), year.parse().unwrap());
        assert_eq!(found, words.collect::<Vec<_>>(), "{name} {year}");
    }
}

#[test]
fn weekend_holidays_follow_the_rules_of_their_calendar() {
    let rows = [
        // Independence Day on a Saturday: banks are open on Friday.
        "federal_reserve 2026-07-03 open",
        "federal_reserve 2026-07-06 open",
        // On a Sunday: closed on Monday.
        "federal_reserve 2027-07-05 closed",
        // New Year on a Saturday: open on the Friday before and the Monday after.
        "federal_reserve 2021-12-31 open",
        "federal_reserve 2022-01-03 open",
        "england_and_wales 2022-01-03 closed",
        "target2 2022-01-03 open",
        // New Year on a Sunday.
        "federal_reserve 2023-01-02 closed",
        "england_and_wales 2023-01-02 closed",
        "target2 2023-01-02 open",
        // Christmas on a Saturday and on a Sunday.
        "england_and_wales 2021-12-27 closed",
        "england_and_wales 2021-12-28 closed",
        "england_and_wales 2021-12-29 open",
        "england_and_wales 2022-12-26 closed",
        "england_and_wales 2022-12-27 closed",
        "england_and_wales 2022-12-28 open",
        "target2 2021-12-27 open",
        // Juneteenth before it was a holiday, and the leap day.
        "federal_reserve 2020-06-19 open",
        "target2 2028-02-29 open",
        "target2 2026-05-01 closed",
        "weekends 2026-12-25 open",
        "weekends 2026-12-26 closed",
    ];
    for row in rows {
        let [name, text, expected] = words(row);
        let is_open = of_name(name).is_business_day(day(text));
        assert_eq!(is_open, expected == "open", "{name} {text}");
    }
}

#[test]
fn business_days_skip_weekends_and_holidays() {
    let rows = [
        "target2 2026-11-23 0 2026-11-23",
        "target2 2026-11-22 0 2026-11-22",
        "target2 2026-11-23 1 2026-11-24",
        "target2 2026-11-27 1 2026-11-30",
        "target2 2026-11-28 1 2026-11-30",
        // Thursday before Easter 2026: Tuesday, Wednesday, Thursday.
        "target2 2026-04-02 1 2026-04-07",
        "target2 2026-04-02 2 2026-04-08",
        "target2 2026-04-02 3 2026-04-09",
        // Christmas 2025 is on a Thursday.
        "target2 2025-12-24 1 2025-12-29",
        "england_and_wales 2021-12-24 1 2021-12-29",
        "england_and_wales 2026-12-24 1 2026-12-29",
        "federal_reserve 2026-07-02 2 2026-07-06",
        "federal_reserve 2026-11-25 1 2026-11-27",
        "target2 2028-02-28 1 2028-02-29",
        "target2 2028-02-28 2 2028-03-01",
        "target2 2027-02-26 1 2027-03-01",
        "target2 2026-12-31 1 2027-01-04",
        "weekends 2026-01-30 1 2026-02-02",
        "weekends 9999-12-30 5 9999-12-31",
    ];
    for row in rows {
        let [name, from, days, expected] = words(row);
        let found = of_name(name).nth_business_day_after(day(from), days.parse().unwrap());
        assert_eq!(found, day(expected), "{name} {from} + {days}");
    }
}

#[test]
fn previous_business_day_inverts_next_business_day() {
    for calendar in all() {
        for date in date(2024, 1, 1)
            .series(jiff::Span::new().days(1))
            .take(3_000)
        {
            let next = calendar.next_business_day(date);
            assert!(calendar.is_business_day(next) && next > date);
            let before = calendar.previous_business_day(next);
            assert!(calendar.is_business_day(before) && before <= date);
            assert_eq!(
                before == date,
                calendar.is_business_day(date),
                "{} {date}",
                calendar.name
            );
        }
    }
}

#[test]
fn calendars_parse_and_names_are_unique() {
    let names: HashSet<_> = all()
        .iter()
        .map(|calendar| calendar.name.as_str())
        .collect();
    let expected = [
        "target2",
        "federal_reserve",
        "england_and_wales",
        "weekends",
    ];
    assert_eq!((names, all().len()), (HashSet::from(expected), 4));
    assert!(all().iter().all(|calendar| !calendar.title.is_empty()));
    assert!(of_name("nobody").is_business_day(day("2026-12-25")));
    let rows = [
        ("2026-04-03", "Good Friday"),
        ("2022-12-26", "Boxing Day"),
        ("2022-12-27", "Christmas Day"),
        ("2021-12-27", "Christmas Day"),
        ("2021-12-28", "Boxing Day"),
    ];
    for (date, name) in rows {
        let found = of_name("england_and_wales").holiday_on(day(date));
        assert_eq!(found, Some(name), "{date}");
    }
}
