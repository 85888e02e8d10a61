//! When a direct debit is collected and what becomes of it: `data/direct_debit.json` has the lead
//! time, the cut-off, the deadlines of refunds, and the R-transactions of each outcome.

use crate::outcome::DebitScenario;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use sealpay_provider::direct_debit::{CollectionStatus, ReasonCode, ReasonKind, Scheme};
use sealpay_system::calendar::{self, Calendar};
use serde::{Deserialize, Deserializer};
use std::sync::LazyLock;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    #[serde(deserialize_with = "zone")]
    zone: TimeZone,
    #[serde(deserialize_with = "calendar")]
    calendar: &'static Calendar,
    /// Business days from the submission to the earliest collection date.
    lead_days: u32,
    /// Later submissions count as those of the next business day.
    #[serde(deserialize_with = "time")]
    cut_off: Time,
    /// When collections settle, on their date.
    #[serde(deserialize_with = "time")]
    settles: Time,
    /// Days after the settlement in which a debtor may have it refunded without a reason.
    refund_days: i64,
    /// The same for a collection that was not authorized.
    unauthorized_refund_days: i64,
    scenarios: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    outcome: String,
    kind: ReasonKind,
    code: ReasonCode,
    /// After the settlement.
    #[serde(default)]
    business_days: u32,
    /// After the settlement.
    #[serde(default)]
    days: i64,
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(serde::de::Error::custom)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn calendar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Calendar, D::Error> {
    Ok(calendar::of_name(&String::deserialize(deserializer)?))
}

static SCHEDULE: LazyLock<Schedule> = LazyLock::new(|| {
    let file = serde_json::from_str(include_str!("../../data/direct_debit.json"));
    // The file is part of the program and a test reads it; the fallback never ships.
    file.unwrap_or_else(|_| Schedule {
        zone: TimeZone::UTC,
        calendar: calendar::of_name("target2"),
        lead_days: 1,
        cut_off: Time::midnight(),
        settles: Time::midnight(),
        refund_days: 0,
        unauthorized_refund_days: 0,
        scenarios: Vec::new(),
    })
});

pub(super) fn schedule() -> &'static Schedule {
    &SCHEDULE
}

/// The kind of an R-transaction as news.
pub(super) const fn status_of(kind: ReasonKind, code: ReasonCode) -> CollectionStatus {
    match kind {
        ReasonKind::Reject => CollectionStatus::Rejected(code),
        ReasonKind::Return => CollectionStatus::Returned(code),
        ReasonKind::Refund => CollectionStatus::Refunded(code),
    }
}

impl Schedule {
    /// The collection date of a request that is submitted now: the requested date, or the first
    /// possible one after it.
    pub(super) fn collection_date(&self, requested: Date, now_ms: i64) -> Date {
        let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let local = self.zone.to_datetime(now);
        let today = local.date();
        let is_in_time = self.calendar.is_business_day(today) && local.time() < self.cut_off;
        let submitted = if is_in_time {
            today
        } else {
            self.calendar.next_business_day(today)
        };
        let earliest = self
            .calendar
            .nth_business_day_after(submitted, self.lead_days);
        earliest.max(self.calendar.business_day_from(requested))
    }

    /// When collections of a date settle, milliseconds since 1970.
    pub(super) fn settles_at_ms(&self, date: Date) -> i64 {
        let local = date.to_datetime(self.settles);
        let moment = self.zone.to_ambiguous_timestamp(local).compatible();
        moment.map_or(i64::MAX, Timestamp::as_millisecond)
    }

    /// A collection that settles, and when, milliseconds since 1970.
    pub(super) fn settled(&self, date: Date) -> Vec<(CollectionStatus, i64)> {
        vec![(CollectionStatus::Settled, self.settles_at_ms(date))]
    }

    /// What becomes of a collection, and when, milliseconds since 1970.
    pub(super) fn fate(
        &self,
        scenario: DebitScenario,
        scheme: Scheme,
        date: Date,
    ) -> Vec<(CollectionStatus, i64)> {
        let mut rows = self.scenarios.iter();
        let found = rows
            .find(|row| row.outcome == scenario.name() && is_permitted(row.kind, row.code, scheme));
        let mut fate = self.settled(date);
        let Some(row) = found else {
            return fate;
        };
        let day = self
            .calendar
            .nth_business_day_after(date, row.business_days);
        let day = day.checked_add(Span::new().days(row.days)).unwrap_or(day);
        let happens = (status_of(row.kind, row.code), self.settles_at_ms(day));
        if row.kind == ReasonKind::Reject {
            fate.clear();
        }
        fate.push(happens);
        fate
    }

    /// Whether a debtor may still have a collection refunded that settled at a time.
    pub(super) const fn is_refundable(
        &self,
        code: ReasonCode,
        settled_at_ms: i64,
        now_ms: i64,
    ) -> bool {
        let days = match code {
            ReasonCode::Md01 => self.unauthorized_refund_days,
            _ => self.refund_days,
        };
        now_ms < settled_at_ms.saturating_add(days.saturating_mul(DAY_MS))
    }
}

/// Whether a scheme has an R-transaction: in the B2B scheme only unauthorized collections are
/// refunded (EPC222-07).
pub(super) fn is_permitted(kind: ReasonKind, code: ReasonCode, scheme: Scheme) -> bool {
    let is_refused =
        scheme == Scheme::B2b && kind == ReasonKind::Refund && code != ReasonCode::Md01;
    code.is_for(kind) && !is_refused
}

#[cfg(test)]
mod tests {
    use super::{SCHEDULE, Schedule, is_permitted};
    use crate::outcome::DebitScenario;
    use jiff::Timestamp;
    use jiff::civil::date;
    use sealpay_provider::direct_debit::{CollectionStatus, ReasonCode, ReasonKind, Scheme};

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn the_file_parses_and_has_a_row_for_each_scenario() {
        let parsed: Schedule =
            serde_json::from_str(include_str!("../../data/direct_debit.json")).unwrap();
        assert_eq!(parsed.scenarios.len(), DebitScenario::ALL.len());
        for row in &parsed.scenarios {
            assert!(DebitScenario::from_name(&row.outcome).is_some(), "{row:?}");
            assert!(is_permitted(row.kind, row.code, Scheme::Core), "{row:?}");
        }
    }

    #[test]
    fn collection_dates_are_business_days_after_the_lead_time() {
        // Summer time: 10:30 in Berlin is 08:30 UTC. Easter Monday 2026 is 6 April.
        let rows = [
            ("2026-06-01T08:29:59Z", date(2026, 6, 1), date(2026, 6, 2)),
            ("2026-06-01T08:30:00Z", date(2026, 6, 1), date(2026, 6, 3)),
            ("2026-06-01T08:00:00Z", date(2026, 6, 9), date(2026, 6, 9)),
            ("2026-06-01T08:00:00Z", date(2026, 6, 13), date(2026, 6, 15)),
            ("2026-06-05T08:00:00Z", date(2026, 6, 5), date(2026, 6, 8)),
            ("2026-06-06T08:00:00Z", date(2026, 6, 6), date(2026, 6, 9)),
            ("2026-04-02T08:00:00Z", date(2026, 4, 3), date(2026, 4, 7)),
            ("2026-04-02T09:00:00Z", date(2026, 4, 3), date(2026, 4, 8)),
            (
                "2026-12-24T09:00:00Z",
                date(2026, 12, 25),
                date(2026, 12, 28),
            ),
        ];
        for (now, requested, expected) in rows {
            let found = SCHEDULE.collection_date(requested, at(now));
            assert_eq!(found, expected, "{now} {requested}");
        }
    }

    #[test]
    fn r_transactions_come_when_their_scheme_has_them() {
        let day = date(2026, 6, 3);
        let settled = (CollectionStatus::Settled, at("2026-06-03T07:00:00Z"));
        let fate = |scenario, scheme| SCHEDULE.fate(scenario, scheme, day);
        assert_eq!(
            fate(DebitScenario::Rejected, Scheme::Core),
            [(CollectionStatus::Rejected(ReasonCode::Ms03), settled.1)]
        );
        let unfunded = CollectionStatus::Returned(ReasonCode::Am04);
        let returned = (unfunded, at("2026-06-05T07:00:00Z"));
        for scheme in Scheme::ALL {
            assert_eq!(fate(DebitScenario::Unfunded, scheme), [settled, returned]);
        }
        let refunded = CollectionStatus::Refunded(ReasonCode::Md06);
        let refunded = (refunded, at("2026-07-18T07:00:00Z"));
        let core = fate(DebitScenario::Refunded, Scheme::Core);
        assert_eq!(core, [settled, refunded]);
        assert_eq!(fate(DebitScenario::Refunded, Scheme::B2b), [settled]);
        // Winter time by then.
        let disputed = CollectionStatus::Refunded(ReasonCode::Md01);
        let disputed = (disputed, at("2027-05-19T07:00:00Z"));
        for scheme in Scheme::ALL {
            assert_eq!(
                fate(DebitScenario::Unauthorized, scheme),
                [settled, disputed]
            );
        }
    }

    #[test]
    fn refunds_have_deadlines() {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        for (code, days, expected) in [
            (ReasonCode::Md06, 55, true),
            (ReasonCode::Md06, 56, false),
            (ReasonCode::Ms03, 56, false),
            (ReasonCode::Md01, 395, true),
            (ReasonCode::Md01, 396, false),
        ] {
            let found = SCHEDULE.is_refundable(code, 1_000, 1_000 + days * DAY_MS);
            assert_eq!(found, expected, "{code:?} after {days} days");
        }
        assert!(!is_permitted(
            ReasonKind::Reject,
            ReasonCode::Md06,
            Scheme::Core
        ));
    }
}
