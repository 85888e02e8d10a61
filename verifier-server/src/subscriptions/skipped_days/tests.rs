use super::super::anchor::zone_of_name;
use super::{SKIPPED, nth_day};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

/// Every clock change of the bundled database that skips a whole day.
#[test]
fn the_list_has_every_date_that_a_zone_left_out() {
    let mut found: BTreeMap<Date, Vec<String>> = BTreeMap::new();
    let end: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    for name in jiff::tz::db().available() {
        let Some(zone) = zone_of_name(name.as_str()) else {
            continue;
        };
        let changes = zone.following(Timestamp::MIN);
        for change in changes.take_while(|change| change.timestamp() < end) {
            let before = change.timestamp() - jiff::SignedDuration::from_secs(1);
            let before = zone.to_datetime(before).date();
            let after = zone.to_datetime(change.timestamp()).date();
            let mut day = before.tomorrow().unwrap();
            while day < after {
                found.entry(day).or_default().push(name.to_string());
                day = day.tomorrow().unwrap();
            }
        }
    }
    assert_eq!(
        found.keys().copied().collect::<Vec<_>>(),
        SKIPPED,
        "{found:?}"
    );
    let apia = &found[&date(2011, 12, 30)];
    assert_eq!(apia[..], ["Pacific/Apia", "Pacific/Fakaofo"]);
}

#[test]
fn days_that_were_left_out_are_not_counted() {
    let zone = zone_of_name("Pacific/Apia").unwrap();
    let december = |day| date(2011, 12, day);
    let rows = [
        (december(29), 0, december(29)),
        (december(29), 1, december(31)),
        (december(30), 0, december(31)),
        (december(30), 1, date(2012, 1, 1)),
        (december(30), -1, december(29)),
        (december(31), -1, december(29)),
        (december(31), -2, december(28)),
        (december(1), 29, december(31)),
    ];
    for (from, days, expected) in rows {
        assert_eq!(nth_day(&zone, from, days), Some(expected), "{from} {days}");
        let berlin = zone_of_name("Europe/Berlin").unwrap();
        let plain = from + jiff::Span::new().days(days);
        assert_eq!(nth_day(&berlin, from, days), Some(plain), "{from} {days}");
    }
    for days in [i64::MIN, -8_000_000, 8_000_000, i64::MAX] {
        assert_eq!(nth_day(&zone, december(1), days), None, "{days}");
    }
}
