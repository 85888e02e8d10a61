//! Changing an account on purpose: what may be ordered, and what cannot be.

use super::{ControlError, invalid};
use crate::account::{AccountKind, AccountStatus, Enrolment};
use sealpay_protocol::limits;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// What is to change of an account: any of these. Limits may be null, which takes them away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccountRequest {
    /// Whether it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
    /// What lies on it, minor units; a debit account cannot go below zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance_minor: Option<i64>,
    /// What may be owed, minor units. Credit accounts only.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub credit_limit_minor: Option<Option<i64>>,
    /// The most that one payment may take, minor units.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub per_transaction_limit_minor: Option<Option<i64>>,
    /// How many payments a day (UTC) may make.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub daily_count_limit: Option<Option<i64>>,
    /// How much the payments of a day (UTC) may take together, minor units.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub daily_sum_limit_minor: Option<Option<i64>>,
    /// What the issuer does when it is asked who the shopper is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<Enrolment>,
    /// Where one-time codes are sent: `+` and 8 to 15 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Wrong one-time codes in a row; five lock the account and zero unlocks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_codes: Option<u32>,
}

/// A member that is there, even as null, is not a member that is missing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl AccountRequest {
    /// The first of its members that has to do with money or status.
    pub(super) fn of_money(&self) -> Option<&'static str> {
        let members = [
            (self.status.is_some(), "status"),
            (self.balance_minor.is_some(), "balance_minor"),
            (self.credit_limit_minor.is_some(), "credit_limit_minor"),
            (
                self.per_transaction_limit_minor.is_some(),
                "per_transaction_limit_minor",
            ),
            (self.daily_count_limit.is_some(), "daily_count_limit"),
            (
                self.daily_sum_limit_minor.is_some(),
                "daily_sum_limit_minor",
            ),
        ];
        members
            .into_iter()
            .find_map(|(given, name)| given.then_some(name))
    }

    /// Says whether an account of that kind can be so.
    pub(super) fn check(&self, kind: AccountKind) -> Result<(), ControlError> {
        let most = limits::AMOUNT_MINOR;
        let debit = kind == AccountKind::Debit;
        let least = if debit { 0 } else { -most };
        if let Some(balance) = self.balance_minor
            && !(least..=most).contains(&balance)
        {
            let reason = format!("The balance must be from {least} to {most} minor units.");
            return Err(invalid("balance_minor", reason));
        }
        if debit && self.credit_limit_minor.is_some() {
            let reason = "A debit account has no credit limit.";
            return Err(invalid("credit_limit_minor", reason));
        }
        let bounded = [
            ("credit_limit_minor", self.credit_limit_minor),
            (
                "per_transaction_limit_minor",
                self.per_transaction_limit_minor,
            ),
            ("daily_count_limit", self.daily_count_limit),
            ("daily_sum_limit_minor", self.daily_sum_limit_minor),
        ];
        for (field, limit) in bounded {
            if limit
                .flatten()
                .is_some_and(|limit| !(0..=most).contains(&limit))
            {
                let reason = format!("The limit must be from 0 to {most}, or null.");
                return Err(invalid(field, reason));
            }
        }
        if self.phone.as_deref().is_some_and(|phone| !is_phone(phone)) {
            let reason = "The phone number must be + and 8 to 15 digits.";
            return Err(invalid("phone", reason));
        }
        let most = limits::ONE_TIME_CODE_ATTEMPTS;
        if self.wrong_codes.is_some_and(|count| count > most) {
            let reason = format!("There can be at most {most} wrong codes.");
            return Err(invalid("wrong_codes", reason));
        }
        Ok(())
    }
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{AccountKind, AccountRequest};
    use crate::control::ControlError;

    fn refused(kind: AccountKind, json: &str) -> Option<&'static str> {
        let order: AccountRequest = serde_json::from_str(json).unwrap();
        match order.check(kind) {
            Ok(()) => None,
            Err(ControlError::Invalid { field, reason }) => {
                assert!(reason.ends_with('.'), "{reason}");
                Some(field)
            }
            Err(other) => panic!("{json}: {other:?}"),
        }
    }

    #[test]
    fn every_bound_of_an_account_is_looked_at() {
        use AccountKind::{Credit, Debit};
        let most = "999999999999";
        let more = "1000000000000";
        let rows = [
            (Debit, "{}".to_owned(), None),
            (Debit, r#"{"balance_minor":0}"#.into(), None),
            (
                Debit,
                r#"{"balance_minor":-1}"#.into(),
                Some("balance_minor"),
            ),
            (Credit, r#"{"balance_minor":-1}"#.into(), None),
            (Credit, format!(r#"{{"balance_minor":-{most}}}"#), None),
            (
                Credit,
                format!(r#"{{"balance_minor":-{more}}}"#),
                Some("balance_minor"),
            ),
            (
                Credit,
                format!(r#"{{"balance_minor":{more}}}"#),
                Some("balance_minor"),
            ),
            (Credit, r#"{"credit_limit_minor":null}"#.into(), None),
            (
                Debit,
                r#"{"credit_limit_minor":null}"#.into(),
                Some("credit_limit_minor"),
            ),
            (
                Debit,
                r#"{"credit_limit_minor":5}"#.into(),
                Some("credit_limit_minor"),
            ),
            (
                Credit,
                r#"{"credit_limit_minor":-1}"#.into(),
                Some("credit_limit_minor"),
            ),
            (
                Debit,
                r#"{"daily_count_limit":0,"daily_sum_limit_minor":null}"#.into(),
                None,
            ),
            (
                Debit,
                r#"{"daily_count_limit":-1}"#.into(),
                Some("daily_count_limit"),
            ),
            (
                Debit,
                r#"{"daily_sum_limit_minor":-1}"#.into(),
                Some("daily_sum_limit_minor"),
            ),
            (
                Debit,
                format!(r#"{{"per_transaction_limit_minor":{more}}}"#),
                Some("per_transaction_limit_minor"),
            ),
            (Debit, r#"{"phone":"+99912345678"}"#.into(), None),
            (Debit, r#"{"phone":"99912345678"}"#.into(), Some("phone")),
            (Debit, r#"{"phone":"+9991234"}"#.into(), Some("phone")),
            (
                Debit,
                r#"{"phone":"+9991234567890123"}"#.into(),
                Some("phone"),
            ),
            (Debit, r#"{"phone":"+999 1234567"}"#.into(), Some("phone")),
            (Debit, r#"{"wrong_codes":5}"#.into(), None),
            (Debit, r#"{"wrong_codes":6}"#.into(), Some("wrong_codes")),
        ];
        for (kind, json, expected) in rows {
            assert_eq!(refused(kind, &json), expected, "{kind:?} {json}");
        }
    }

    #[test]
    fn what_is_no_order_is_refused_by_name() {
        let rows = [
            (r#"{"balance":1}"#, "unknown field `balance`"),
            (r#"{"currency":"USD"}"#, "unknown field `currency`"),
            (r#"{"status":"happy"}"#, "unknown variant `happy`"),
            (r#"{"balance_minor":1.5}"#, "invalid type"),
            (r#"{"wrong_codes":-1}"#, "invalid value"),
        ];
        for (json, expected) in rows {
            let error = serde_json::from_str::<AccountRequest>(json).unwrap_err();
            assert!(error.to_string().contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn a_limit_that_is_null_is_not_a_limit_that_is_missing() {
        let order: AccountRequest = serde_json::from_str(r#"{"daily_count_limit":null}"#).unwrap();
        assert_eq!(order.daily_count_limit, Some(None));
        assert_eq!(order.daily_sum_limit_minor, None);
        assert_eq!(order.of_money(), Some("daily_count_limit"));
        assert_eq!(AccountRequest::default().of_money(), None);
        let back = serde_json::to_string(&order).unwrap();
        assert_eq!(back, r#"{"daily_count_limit":null}"#);
    }
}
