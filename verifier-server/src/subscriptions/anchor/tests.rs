use super::{Anchor, AnchorError, first_instant, zone_of_name};
use jiff::civil::{date, time};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

#[test]
fn anchors_are_checked() {
    let berlin = "Europe/Berlin";
    let rows = [
        (date(2024, 2, 29), 29, berlin, Ok(())),
        (date(2024, 2, 29), 31, berlin, Ok(())),
        (date(2023, 2, 28), 29, berlin, Ok(())),
        (
            date(2024, 2, 28),
            29,
            berlin,
            Err(AnchorError::DateNotOnDay),
        ),
        (
            date(2024, 1, 30),
            31,
            berlin,
            Err(AnchorError::DateNotOnDay),
        ),
        (
            date(2024, 1, 31),
            30,
            berlin,
            Err(AnchorError::DateNotOnDay),
        ),
        (date(2024, 1, 1), 0, berlin, Err(AnchorError::DayOutOfRange)),
        (
            date(2024, 1, 31),
            32,
            berlin,
            Err(AnchorError::DayOutOfRange),
        ),
        (
            date(2024, 1, 1),
            -1,
            berlin,
            Err(AnchorError::DayOutOfRange),
        ),
        (date(2024, 1, 1), 1, "UTC", Ok(())),
        (date(2024, 1, 1), 1, "", Err(AnchorError::UnknownZone)),
        (
            date(2024, 1, 1),
            1,
            "Europe/Atlantis",
            Err(AnchorError::UnknownZone),
        ),
        (
            date(2024, 1, 1),
            1,
            "Etc/Unknown",
            Err(AnchorError::UnknownZone),
        ),
        (date(2024, 1, 1), 1, "+01:00", Err(AnchorError::UnknownZone)),
        (
            date(2024, 1, 1),
            1,
            "CET-1CEST,M3.5.0,M10.5.0/3",
            Err(AnchorError::UnknownZone),
        ),
        (
            date(2024, 1, 1),
            1,
            "../../etc/passwd",
            Err(AnchorError::UnknownZone),
        ),
    ];
    for (date, day, zone, expected) in rows {
        let made = Anchor::new(date, day, time(9, 30, 0, 0), zone);
        assert_eq!(made.map(|_| ()), expected, "{date} {day} {zone}");
    }
    let made = Anchor::new(date(2024, 1, 1), 1, time(9, 30, 0, 1), "UTC");
    assert_eq!(made, Err(AnchorError::FractionOfSecond));
    // Names are found in any case, and stored as the database spells them.
    let made = Anchor::new(date(2024, 1, 1), 1, time(9, 30, 0, 0), "europe/BERLIN");
    assert_eq!(made.unwrap().zone_name(), berlin);
}

#[test]
fn local_times_beyond_the_calendar_have_no_instant() {
    let zone = zone_of_name("America/New_York").unwrap();
    let last = date(9999, 12, 31).at(23, 59, 59, 0);
    assert_eq!(first_instant(&zone, last), None);
    let first = date(-9999, 1, 1).at(0, 0, 0, 0);
    let zone = zone_of_name("Asia/Kathmandu").unwrap();
    assert_eq!(first_instant(&zone, first), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Around every clock change: the instant shows the local time or a later one, and the second
    /// before it an earlier one.
    #[test]
    fn instants_are_the_first_to_show_a_local_time(
        zone in any::<prop::sample::Index>(),
        from in -5_000_000_000_i64..5_000_000_000,
        distance in -90_000_i64..90_000,
    ) {
        let names: Vec<_> = jiff::tz::db().available().collect();
        let name = zone.get(&names).as_str();
        let Some(zone) = zone_of_name(name) else { return Ok(()) };
        let from = Timestamp::from_second(from).unwrap();
        let change = zone.following(from).next().map_or(from, |change| change.timestamp());
        let local = change.to_zoned(zone.clone()).datetime() + SignedDuration::from_secs(distance);
        let found = first_instant(&zone, local).unwrap();
        prop_assert!(zone.to_datetime(found) >= local, "{} {}", name, local);
        let before = found - SignedDuration::from_secs(1);
        prop_assert!(zone.to_datetime(before) < local, "{} {}", name, local);
    }
}
