//! The stored details of a direct debit, and the rules on its dates.

use crate::agreements::model::{Mandate, PendingAgreement};
use crate::instruments::model::StoredCard;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use sealpay_protocol::ids::InstrumentId;
use sealpay_provider::direct_debit::{
    CollectionStatus, ReasonCode, ReasonKind, Scheme, SequenceType,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::LazyLock;

/// What stands for the brand of a card.
pub const BRAND: &str = "sepa_debit";

/// The details of a direct debit. The IBAN is not among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitDetails {
    /// The storable part of the account.
    pub account: StoredAccount,
    /// The mandate.
    pub mandate: Mandate,
    /// The scheme.
    pub scheme: Scheme,
    /// When the mandate was signed, milliseconds since 1970.
    pub signed_at_ms: i64,
    /// The text of the mandate, if the payment made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The place in the series of the mandate.
    pub sequence: SequenceType,
    /// When it is collected, `YYYY-MM-DD`: the requested date, until the bank has accepted it.
    pub collection_date: String,
    /// When it settled, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at_ms: Option<i64>,
    /// The R-transaction, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal: Option<DebitReversal>,
    /// The saved account that is debited; none for a typed IBAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    /// What the payment stores if the bank accepts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storing: Option<PendingAgreement>,
}

/// The part of an account that may be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAccount {
    /// The country (ISO 3166-1 alpha-2).
    pub country: String,
    /// The last four characters.
    pub last4: String,
    /// HMAC-SHA256 of the IBAN under a separate key, in base64url.
    pub fingerprint: String,
}

/// An R-transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitReversal {
    /// Its kind.
    pub kind: ReasonKind,
    /// Its reason.
    pub code: ReasonCode,
    /// When the bank reported it, milliseconds since 1970.
    pub at_ms: i64,
}

impl DebitReversal {
    /// The R-transaction of a status; none for a settlement.
    #[must_use]
    pub const fn from_status(status: CollectionStatus, at_ms: i64) -> Option<Self> {
        let (kind, code) = match status {
            CollectionStatus::Settled => return None,
            CollectionStatus::Rejected(code) => (ReasonKind::Reject, code),
            CollectionStatus::Returned(code) => (ReasonKind::Return, code),
            CollectionStatus::Refunded(code) => (ReasonKind::Refund, code),
        };
        Some(Self { kind, code, at_ms })
    }
}

impl DebitDetails {
    /// When the mandate lapses after this collection, milliseconds since 1970.
    #[must_use]
    pub fn lapses_at_ms(&self) -> Option<i64> {
        self.collection_date.parse().ok().map(lapses_at_ms)
    }
}

/// The account of a saved instrument.
impl From<&StoredCard> for StoredAccount {
    fn from(shown: &StoredCard) -> Self {
        Self {
            country: shown.country.clone().unwrap_or_default(),
            last4: shown.last4.clone(),
            fingerprint: shown.fingerprint.clone(),
        }
    }
}

/// An account as an instrument stores it. It has no expiry.
impl From<&StoredAccount> for StoredCard {
    fn from(account: &StoredAccount) -> Self {
        Self {
            brand: BRAND.to_owned(),
            last4: account.last4.clone(),
            expiry: String::new(),
            fingerprint: account.fingerprint.clone(),
            country: Some(account.country.clone()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    #[serde(deserialize_with = "zone")]
    zone: TimeZone,
    prenotification_days: LeadDays,
    lapse_months: i64,
}

/// Days from the pre-notification to the collection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeadDays {
    /// Of a payment in the form, whose mandate agrees to a shorter time.
    first: i64,
    /// Of a payment that the merchant starts.
    later: i64,
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(serde::de::Error::custom)
}

static SCHEDULE: LazyLock<Schedule> = LazyLock::new(|| {
    let file = serde_json::from_str(include_str!("../../../../data/direct_debit.json"));
    // The file is compiled in and a test parses it, so the fallback never ships.
    file.unwrap_or_else(|_| Schedule {
        zone: TimeZone::UTC,
        prenotification_days: LeadDays {
            first: 14,
            later: 14,
        },
        lapse_months: 36,
    })
});

/// The date of a time, milliseconds since 1970, where the banks are.
#[must_use]
pub fn date_of(at_ms: i64) -> Date {
    let moment = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    SCHEDULE.zone.to_datetime(moment).date()
}

/// The collection date to request: the debtor is notified now, and has time until then. The bank
/// moves it to a business day.
#[must_use]
pub fn requested_date(sequence: SequenceType, now_ms: i64) -> Date {
    let days = match sequence {
        SequenceType::Ooff | SequenceType::Frst => SCHEDULE.prenotification_days.first,
        SequenceType::Rcur | SequenceType::Fnal => SCHEDULE.prenotification_days.later,
    };
    let today = date_of(now_ms);
    today.checked_add(Span::new().days(days)).unwrap_or(today)
}

/// When a mandate lapses after a collection (EPC016-06: after 36 months without one), milliseconds
/// since 1970.
#[must_use]
pub fn lapses_at_ms(last_collection: Date) -> i64 {
    let months = Span::new().months(SCHEDULE.lapse_months);
    let lapses = last_collection.saturating_add(months);
    let moment = lapses.to_zoned(SCHEDULE.zone.clone());
    moment.map_or(i64::MAX, |moment| moment.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::{Schedule, date_of, lapses_at_ms, requested_date};
    use jiff::Timestamp;
    use jiff::civil::date;
    use sealpay_provider::direct_debit::SequenceType;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn the_file_parses() {
        let text = include_str!("../../../../data/direct_debit.json");
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        let days = &schedule.prenotification_days;
        assert_eq!((days.first, days.later, schedule.lapse_months), (1, 14, 36));
    }

    #[test]
    fn debtors_have_time_before_the_collection() {
        let late = at("2026-06-01T21:59:59Z");
        assert_eq!(date_of(late), date(2026, 6, 1));
        assert_eq!(date_of(late + 1000), date(2026, 6, 2));
        for (sequence, expected) in [
            (SequenceType::Ooff, date(2026, 6, 2)),
            (SequenceType::Frst, date(2026, 6, 2)),
            (SequenceType::Rcur, date(2026, 6, 15)),
            (SequenceType::Fnal, date(2026, 6, 15)),
        ] {
            assert_eq!(requested_date(sequence, late), expected, "{sequence:?}");
        }
    }

    #[test]
    fn mandates_lapse_after_36_months() {
        for (last, expected) in [
            (date(2026, 6, 2), "2029-06-01T22:00:00Z"),
            (date(2028, 2, 29), "2031-02-27T23:00:00Z"),
        ] {
            assert_eq!(lapses_at_ms(last), at(expected), "{last}");
        }
    }
}
