//! The rules of the card schemes for repeated tries, as dated rows.
//!
//! A row replaces the earlier row of the same kind from 00:00 UTC of its date. The dates are those
//! of the schemes' announcements: Visa raised its limit from 15 to 20 tries on 2025-05-19.

use super::history::{CardAttempt, CardCredential, CardDecline};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sealpay_protocol::card::Brand;
use sealpay_protocol::money::Money;
use serde::{Deserialize, Deserializer};
use std::sync::LazyLock;

/// What the tries of a limit have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LimitScope {
    /// The card number.
    Card,
    /// The card number and the amount.
    CardAndAmount,
}

/// What a merchant advice code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemeAdvice {
    /// The card must not be tried again.
    Never,
    /// The issuer has new data of the card.
    NewData,
    /// The card may be approved later.
    Later,
    /// The card must not be tried for so many hours.
    NotBeforeHours(u16),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriesRow {
    #[serde(deserialize_with = "brand")]
    brand: Brand,
    #[serde(deserialize_with = "midnight")]
    valid_from: Timestamp,
    tries: usize,
    window_hours: u16,
    per: LimitScope,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeverRow {
    #[serde(deserialize_with = "brand")]
    brand: Brand,
    #[serde(deserialize_with = "midnight")]
    valid_from: Timestamp,
    response_codes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdviceRow {
    #[serde(deserialize_with = "brand")]
    brand: Brand,
    #[serde(deserialize_with = "midnight")]
    valid_from: Timestamp,
    code: String,
    action: SchemeAdvice,
}

fn brand<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Brand, D::Error> {
    let slug = String::deserialize(deserializer)?;
    let found = Brand::ALL.into_iter().find(|brand| brand.slug() == slug);
    found.ok_or_else(|| serde::de::Error::custom(format!("{slug} is not a brand")))
}

/// The first instant of a date in UTC; `null` is before everything.
fn midnight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(Timestamp::MIN);
    };
    let date: Date = text.parse().map_err(serde::de::Error::custom)?;
    let midnight = date.to_zoned(TimeZone::UTC);
    let midnight = midnight.map_err(serde::de::Error::custom)?;
    Ok(midnight.timestamp())
}

/// Every rule.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeLimits {
    tries: Vec<TriesRow>,
    never: Vec<NeverRow>,
    advice: Vec<AdviceRow>,
    /// Reasons after which the account updater may have new data.
    account_updater: Vec<String>,
    /// Reasons that a typing customer can correct and a merchant cannot.
    never_by_merchant: Vec<String>,
}

static BUILT_IN: LazyLock<SchemeLimits> = LazyLock::new(|| {
    // The file is compiled in and a test parses it, so the limits are never empty.
    serde_json::from_str(include_str!("../../data/scheme_limits.json")).unwrap_or_default()
});

/// The instant some hours later; the last instant of all if there is none.
pub(super) fn hours_after(at: Timestamp, hours: u16) -> Timestamp {
    let later = at.checked_add(SignedDuration::from_hours(i64::from(hours)));
    later.unwrap_or(Timestamp::MAX)
}

impl SchemeLimits {
    /// The rules that are compiled in.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Whether the scheme, or the reason itself, forbids a merchant to try this card again.
    #[must_use]
    pub fn is_forbidden(
        &self,
        brand: impl Into<Option<Brand>>,
        decline: &CardDecline<'_>,
        at: Timestamp,
    ) -> bool {
        let brand = brand.into();
        let reason = decline.reason();
        let never = newest(&self.never, at, |row| {
            (Some(row.brand) == brand).then_some(row.valid_from)
        });
        let is_on_list = never.is_some_and(|row| {
            row.response_codes
                .iter()
                .any(|code| Some(code) == reason.response_code.as_ref())
        });
        is_on_list
            || self.never_by_merchant.contains(&reason.key)
            || self.advice(brand, decline, at) == Some(SchemeAdvice::Never)
    }

    /// Whether the account updater may have new data after this decline.
    #[must_use]
    pub fn asks_updater(
        &self,
        brand: impl Into<Option<Brand>>,
        decline: &CardDecline<'_>,
        at: Timestamp,
    ) -> bool {
        match self.advice(brand, decline, at) {
            Some(SchemeAdvice::Never) => false,
            Some(SchemeAdvice::NewData) => true,
            _ => self.account_updater.contains(&decline.reason().key),
        }
    }

    /// What the scheme's merchant advice code asks for.
    #[must_use]
    pub fn advice(
        &self,
        brand: impl Into<Option<Brand>>,
        decline: &CardDecline<'_>,
        at: Timestamp,
    ) -> Option<SchemeAdvice> {
        let brand = brand.into();
        let code = decline.advice_code()?;
        let row = newest(&self.advice, at, |row| {
            (Some(row.brand) == brand && row.code == code).then_some(row.valid_from)
        });
        row.map(|row| row.action)
    }

    /// The first instant, not before `wanted`, at which the scheme allows another try.
    ///
    /// A window of 30 days has at most so many tries, the new one included; a try leaves it exactly
    /// 30 days later.
    #[must_use]
    pub fn first_allowed(
        &self,
        credential: &CardCredential<'_>,
        amount: Money,
        attempts: &[CardAttempt<'_>],
        wanted: Timestamp,
    ) -> Timestamp {
        let mut at = wanted;
        // Each round is later, and goes to the end of a try's window or to the date of a row.
        while let Some(later) = self.blocked_until(credential, amount, attempts, at) {
            at = later;
        }
        at
    }

    /// When a limit that forbids a try at this instant is worth another look; `None`: it is allowed.
    fn blocked_until(
        &self,
        credential: &CardCredential<'_>,
        amount: Money,
        attempts: &[CardAttempt<'_>],
        at: Timestamp,
    ) -> Option<Timestamp> {
        let of_brand = || {
            self.tries
                .iter()
                .filter(|row| Some(row.brand) == credential.brand)
        };
        let in_force = of_brand().filter(|row| {
            let replaced = |other: &TriesRow| {
                (other.per, other.window_hours) == (row.per, row.window_hours)
                    && row.valid_from < other.valid_from
                    && other.valid_from <= at
            };
            row.valid_from <= at && !of_brand().any(replaced)
        });
        let free_at = |row: &TriesRow| {
            let is_counted = |attempt: &&CardAttempt<'_>| {
                let is_same = attempt.credential.fingerprint == credential.fingerprint;
                let is_same_amount = row.per == LimitScope::Card || attempt.amount == amount;
                // A planned try may be before others that are already in the history.
                is_same && is_same_amount && hours_after(attempt.at, row.window_hours) > at
            };
            let counted = attempts.iter().filter(is_counted);
            let mut free: Vec<_> = counted
                .map(|attempt| hours_after(attempt.at, row.window_hours))
                .collect();
            free.sort_unstable();
            // So many have to leave the window before there is room for one more.
            let surplus = (free.len() + 1)
                .checked_sub(row.tries)
                .filter(|count| *count > 0)?;
            free.get(surplus - 1).copied()
        };
        let blocked = in_force.filter_map(free_at).max()?;
        let next_row = of_brand()
            .map(|row| row.valid_from)
            .filter(|from| *from > at)
            .min();
        Some(next_row.map_or(blocked, |next| next.min(blocked)))
    }
}

/// The newest row in force at an instant, among those for which `valid_from` is known.
fn newest<'a, T>(
    rows: &'a [T],
    at: Timestamp,
    valid_from: impl Fn(&'a T) -> Option<Timestamp>,
) -> Option<&'a T> {
    let dated = rows.iter().filter_map(|row| Some((valid_from(row)?, row)));
    let in_force = dated.filter(|(from, _)| *from <= at);
    in_force.max_by_key(|(from, _)| *from).map(|(_, row)| row)
}

#[cfg(test)]
mod tests;
