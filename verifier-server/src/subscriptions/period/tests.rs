use super::super::interval::{Interval, IntervalUnit};
use super::{PeriodError, first_period, index_at, period, start_date, start_of};
use crate::subscriptions::anchor::Anchor;
use jiff::civil::{Date, Time, date, time};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn at(text: &str) -> Timestamp {
    let text = if text.len() == 16 {
        format!("{text}:00Z")
    } else {
        format!("{text}Z")
    };
    text.parse().unwrap()
}

fn interval(text: &str) -> Interval {
    let unit = match text.chars().last().unwrap() {
        'D' => IntervalUnit::Day,
        'W' => IntervalUnit::Week,
        'M' => IntervalUnit::Month,
        _ => IntervalUnit::Year,
    };
    let interval = Interval::new(unit, text[1..text.len() - 1].parse().unwrap()).unwrap();
    assert_eq!(interval.to_string(), text);
    interval
}

#[test]
fn starts_match_the_calendar() {
    let mut starts = 0;
    for line in include_str!("starts.txt").lines() {
        let Some((row, expected)) = line.split_once(": ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let words: Vec<_> = row.split(' ').collect();
        let [zone, date, day, time, length, first] = words[..] else {
            panic!("{row}");
        };
        let time = time.parse().unwrap();
        let anchor = Anchor::new(date.parse().unwrap(), day.parse().unwrap(), time, zone).unwrap();
        let interval = interval(length);
        let first: i64 = first.parse().unwrap();
        for (index, start) in (first..).zip(expected.split(' ')) {
            let found = start_of(&anchor, interval, index);
            assert_eq!(found, Ok(at(start)), "{row}, number {index}");
            assert_eq!(index_at(&anchor, interval, at(start)), Ok(index), "{row}");
            let before = at(start) - SECOND;
            assert_eq!(index_at(&anchor, interval, before), Ok(index - 1), "{row}");
            starts += 1;
        }
    }
    assert_eq!(starts, 369);
}

fn monthly(anchor: &str, zone: &str) -> (Anchor, Interval) {
    let date: Date = anchor.parse().unwrap();
    let anchor = Anchor::new(date, date.day(), Time::midnight(), zone).unwrap();
    (anchor, interval("P1M"))
}

#[test]
fn periods_beyond_the_calendar_are_errors() {
    let (anchor, month) = monthly("2024-01-31", "Europe/Berlin");
    let last = i64::from(9999 - 2024) * 12 + 11;
    let first = i64::from(-9999 - 2024) * 12;
    for unit in IntervalUnit::ALL {
        for count in [1, unit.max_count()] {
            let interval = Interval::new(unit, count).unwrap();
            for index in [i64::MIN, i64::MIN + 1, -8_000_000, 8_000_000, i64::MAX] {
                let found = period(&anchor, interval, index);
                assert_eq!(found, Err(PeriodError::OutOfRange), "{interval} {index}");
            }
            for instant in [Timestamp::MIN, Timestamp::MAX] {
                let found = index_at(&anchor, interval, instant);
                assert_eq!(found, Err(PeriodError::OutOfRange), "{interval} {instant}");
            }
        }
    }
    assert!(start_of(&anchor, month, last - 1).is_ok());
    assert!(start_of(&anchor, month, first + 1).is_ok());
    assert_eq!(
        start_of(&anchor, month, last + 1),
        Err(PeriodError::OutOfRange)
    );
    assert_eq!(
        start_of(&anchor, month, first - 1),
        Err(PeriodError::OutOfRange)
    );
}

#[test]
fn first_periods_start_with_the_subscription() {
    let (anchor, month) = monthly("2024-03-01", "UTC");
    let rows = [
        // Start of the subscription; number of the period, start of the whole one, end.
        (
            "2024-02-01T00:00",
            Ok((-1, "2024-02-01T00:00", "2024-03-01T00:00")),
        ),
        (
            "2024-02-15T12:00",
            Ok((-1, "2024-02-01T00:00", "2024-03-01T00:00")),
        ),
        (
            "2024-03-01T00:00",
            Ok((0, "2024-03-01T00:00", "2024-04-01T00:00")),
        ),
        (
            "2024-04-11T00:00",
            Ok((1, "2024-04-01T00:00", "2024-05-01T00:00")),
        ),
        ("2024-01-31T23:59:59", Err(PeriodError::StartTooEarly)),
        ("1024-01-31T00:00", Err(PeriodError::StartTooEarly)),
    ];
    for (start, expected) in rows {
        let found = first_period(&anchor, month, at(start));
        let Ok((index, whole, end)) = expected else {
            assert_eq!(found.map(|_| ()), expected.map(|_| ()), "{start}");
            continue;
        };
        let found = found.unwrap();
        assert_eq!(found.index, index, "{start}");
        assert_eq!(
            (found.whole.start(), found.whole.end()),
            (at(whole), at(end))
        );
        assert_eq!((found.part.start(), found.part.end()), (at(start), at(end)));
        assert_eq!(found.is_partial(), start != whole, "{start}");
    }
}

/// Zones with clock changes of an hour, of half an hour, at midnight, of a day, and none; and every
/// zone there is.
fn zones() -> impl Strategy<Value = String> {
    let named = prop::sample::select(vec![
        "Africa/Casablanca",
        "America/New_York",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "Pacific/Apia",
        "Pacific/Kwajalein",
        "UTC",
    ]);
    let all: Vec<_> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let all: Vec<_> = all
        .into_iter()
        .filter(|name| name != "Etc/Unknown")
        .collect();
    prop_oneof![named.prop_map(str::to_owned), prop::sample::select(all)]
}

fn anchors() -> impl Strategy<Value = Anchor> {
    // Half of the times are near midnight or 02:00, where clocks change.
    let near = prop::sample::select(vec![0, 1, 1800, 5400, 7200, 8100, 9000, 10_800, 86_399]);
    let seconds = prop_oneof![near, 0..86_400_i32];
    let dates = (1970_i16..2110, 1_i8..=12, 1_i8..=31);
    let any = (zones(), dates, seconds.clone());
    // Around the day that Apia left out.
    let midnight = prop_oneof![Just(0), seconds];
    let december = (Just(2011_i16), Just(12_i8), 20_i8..=31);
    let apia = (Just("Pacific/Apia".to_owned()), december, midnight);
    prop_oneof![8 => any, 2 => apia].prop_map(|(zone, (year, month, day), seconds)| {
        let last = date(year, month, 1).days_in_month();
        let date = date(year, month, day.min(last));
        let time = Time::midnight() + SignedDuration::from_secs(seconds.into());
        Anchor::new(date, day, time, &zone).unwrap()
    })
}

fn intervals() -> impl Strategy<Value = Interval> {
    let units = prop::sample::select(IntervalUnit::ALL.to_vec());
    (units, 1_u16..=1095).prop_map(|(unit, count)| {
        let max = unit.max_count();
        let small = count % 2 == 0;
        let count = if small { 1 } else { count.min(max) };
        Interval::new(unit, count).unwrap()
    })
}

/// The anchor that period `index` would have as the first of its own series.
fn re_anchored(anchor: &Anchor, interval: Interval, index: i64) -> Option<Anchor> {
    let zone = anchor.zone();
    let local = zone.to_datetime(start_of(anchor, interval, index).unwrap());
    let is_monthly = matches!(interval.unit(), IntervalUnit::Month | IntervalUnit::Year);
    let day = if is_monthly {
        anchor.day()
    } else {
        local.day()
    };
    // A start that a clock change moved, by hours or past a day that the zone left out, is not where
    // a series is anchored.
    let date = start_date(anchor, interval, index).unwrap();
    let is_moved = local != date.to_datetime(anchor.time());
    Anchor::new(local.date(), day, anchor.time(), anchor.zone_name())
        .ok()
        .filter(|_| !is_moved)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn periods_tile_time_and_contain_their_instants(
        anchor in anchors(), interval in intervals(), index in -300_i64..300, part in 0_u32..1000,
    ) {
        let here = period(&anchor, interval, index).unwrap();
        let next = period(&anchor, interval, index + 1).unwrap();
        prop_assert!(here.start() < here.end());
        prop_assert_eq!(here.end(), next.start());
        prop_assert_eq!(here.start().subsec_nanosecond(), 0);
        prop_assert_eq!(index_at(&anchor, interval, here.start()), Ok(index));
        prop_assert_eq!(index_at(&anchor, interval, here.start() - SECOND), Ok(index - 1));
        prop_assert_eq!(index_at(&anchor, interval, here.end() - SECOND), Ok(index));
        let length = here.end().duration_since(here.start()).as_millis();
        let inside = i64::try_from(length * i128::from(part) / 1000).unwrap();
        let inside = here.start() + SignedDuration::from_millis(inside);
        prop_assert!(here.contains(inside));
        prop_assert_eq!(index_at(&anchor, interval, inside), Ok(index));
    }

    #[test]
    fn series_continue_in_the_same_way_from_each_of_their_periods(
        anchor in anchors(), interval in intervals(), index in -60_i64..60, further in -60_i64..60,
    ) {
        let Some(later) = re_anchored(&anchor, interval, index) else {
            return Ok(());
        };
        prop_assert_eq!(
            start_of(&later, interval, further),
            start_of(&anchor, interval, index + further)
        );
    }

    #[test]
    fn local_times_and_days_stay_the_same(
        anchor in anchors(), interval in intervals(), index in -300_i64..300,
    ) {
        let local = anchor.zone().to_datetime(start_of(&anchor, interval, index).unwrap());
        // Only a clock change moves a start, and never to an earlier local time of that date.
        if local.time() != anchor.time() {
            let before = start_of(&anchor, interval, index).unwrap() - SECOND;
            let change = anchor.zone().following(before).next().unwrap();
            prop_assert_eq!(change.timestamp(), before + SECOND);
        } else if matches!(interval.unit(), IntervalUnit::Month | IntervalUnit::Year) {
            prop_assert_eq!(local.day(), anchor.day().min(local.date().days_in_month()));
        }
    }
}

#[test]
fn anchors_of_an_instant_start_with_it() {
    let rows = [
        (
            "2024-02-29T22:59:59",
            "Europe/Berlin",
            date(2024, 2, 29),
            time(23, 59, 59, 0),
        ),
        (
            "2024-02-29T23:00",
            "Europe/Berlin",
            date(2024, 3, 1),
            time(0, 0, 0, 0),
        ),
        (
            "2024-02-29T18:14",
            "Asia/Kathmandu",
            date(2024, 2, 29),
            time(23, 59, 0, 0),
        ),
    ];
    for (start, zone, date, time) in rows {
        let anchor = Anchor::at(at(start) + SignedDuration::from_millis(999), zone).unwrap();
        assert_eq!((anchor.date(), anchor.time()), (date, time), "{start}");
        assert_eq!((anchor.day(), anchor.zone_name()), (date.day(), zone));
        assert_eq!(start_of(&anchor, interval("P1M"), 0), Ok(at(start)));
    }
    // The second 02:30 of a day on which clocks go back belongs to period 0 as well.
    let second = at("2024-10-27T01:30");
    let anchor = Anchor::at(second, "Europe/Berlin").unwrap();
    assert_eq!(
        start_of(&anchor, interval("P1D"), 0),
        Ok(second - SignedDuration::from_hours(1))
    );
    assert_eq!(index_at(&anchor, interval("P1D"), second), Ok(0));
}
