//! A tester's change of an account.

use super::{ControlError, invalid};
use crate::account::{AccountKind, AccountStatus, Enrolment};
use sealpay_protocol::limits;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// The members to change. Null removes a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccountRequest {
    /// The status of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
    /// The balance, minor units; a debit account cannot be negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance_minor: Option<i64>,
    /// The credit limit, minor units. Credit accounts only.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub credit_limit_minor: Option<Option<i64>>,
    /// Maximum amount of one payment, minor units.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub per_transaction_limit_minor: Option<Option<i64>>,
    /// Maximum number of payments in a day (UTC).
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub daily_count_limit: Option<Option<i64>>,
    /// Maximum total of payments in a day (UTC), minor units.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub daily_sum_limit_minor: Option<Option<i64>>,
    /// The issuer's response to an authentication request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<Enrolment>,
    /// The phone number for one-time codes: `+` and 8 to 15 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Wrong one-time codes in a row; five lock the account and zero unlocks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_codes: Option<u32>,
}

/// A member that is null is not a member that is missing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl AccountRequest {
    /// The first of its members that changes the account's decisions.
    pub(crate) fn first_payment_field(&self) -> Option<&'static str> {
        let members = [
            (self.status.is_some(), "status"),
            (self.balance_minor.is_some(), "balance_minor"),
        ];
        let limits = self.limits();
        let limits = limits.map(|(name, limit)| (limit.is_some(), name));
        let mut members = members.into_iter().chain(limits);
        members.find_map(|(is_given, name)| is_given.then_some(name))
    }

    const fn limits(&self) -> [(&'static str, Option<Option<i64>>); 4] {
        [
            ("credit_limit_minor", self.credit_limit_minor),
            (
                "per_transaction_limit_minor",
                self.per_transaction_limit_minor,
            ),
            ("daily_count_limit", self.daily_count_limit),
            ("daily_sum_limit_minor", self.daily_sum_limit_minor),
        ]
    }

    /// Checks the members for an account of this kind.
    pub(crate) fn check(&self, kind: AccountKind) -> Result<(), ControlError> {
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
        for (field, limit) in self.limits() {
            let limit = limit.flatten();
            if limit.is_some_and(|limit| !(0..=most).contains(&limit)) {
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
        let request: AccountRequest = serde_json::from_str(json).unwrap();
        match request.check(kind) {
            Ok(()) => None,
            Err(ControlError::Invalid { field, reason }) => {
                assert!(reason.ends_with('.'), "{reason}");
                Some(field)
            }
            Err(other) => panic!("{json}: {other:?}"),
        }
    }

    const BALANCE: Option<&str> = Some("balance_minor");
    const CREDIT_LIMIT: Option<&str> = Some("credit_limit_minor");
    const PER_TRANSACTION: Option<&str> = Some("per_transaction_limit_minor");
    const DAILY_SUM: Option<&str> = Some("daily_sum_limit_minor");

    #[test]
    fn every_limit_of_an_account_is_checked() {
        use AccountKind::{Credit, Debit};
        let rows = [
            (Debit, "{}", None),
            (Debit, r#"{"balance_minor":0}"#, None),
            (Debit, r#"{"balance_minor":-1}"#, BALANCE),
            (Credit, r#"{"balance_minor":-1}"#, None),
            (Credit, r#"{"balance_minor":-999999999999}"#, None),
            (Credit, r#"{"balance_minor":-1000000000000}"#, BALANCE),
            (Credit, r#"{"balance_minor":1000000000000}"#, BALANCE),
            (Credit, r#"{"credit_limit_minor":null}"#, None),
            (Debit, r#"{"credit_limit_minor":null}"#, CREDIT_LIMIT),
            (Debit, r#"{"credit_limit_minor":5}"#, CREDIT_LIMIT),
            (Credit, r#"{"credit_limit_minor":-1}"#, CREDIT_LIMIT),
            (Debit, r#"{"daily_count_limit":0}"#, None),
            (Debit, r#"{"daily_sum_limit_minor":null}"#, None),
            (
                Debit,
                r#"{"daily_count_limit":-1}"#,
                Some("daily_count_limit"),
            ),
            (Debit, r#"{"daily_sum_limit_minor":-1}"#, DAILY_SUM),
            (
                Debit,
                r#"{"per_transaction_limit_minor":1000000000000}"#,
                PER_TRANSACTION,
            ),
            (Debit, r#"{"phone":"+99912345678"}"#, None),
            (Debit, r#"{"phone":"99912345678"}"#, Some("phone")),
            (Debit, r#"{"phone":"+9991234"}"#, Some("phone")),
            (Debit, r#"{"phone":"+9991234567890123"}"#, Some("phone")),
            (Debit, r#"{"phone":"+999 1234567"}"#, Some("phone")),
            (Debit, r#"{"wrong_codes":5}"#, None),
            (Debit, r#"{"wrong_codes":6}"#, Some("wrong_codes")),
        ];
        for (kind, json, expected) in rows {
            assert_eq!(refused(kind, json), expected, "{kind:?} {json}");
        }
    }

    #[test]
    fn an_unreadable_request_names_the_member() {
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
    fn a_null_limit_differs_from_a_missing_one() {
        let request: AccountRequest =
            serde_json::from_str(r#"{"daily_count_limit":null}"#).unwrap();
        assert_eq!(request.daily_count_limit, Some(None));
        assert_eq!(request.daily_sum_limit_minor, None);
        assert_eq!(request.first_payment_field(), Some("daily_count_limit"));
        assert_eq!(AccountRequest::default().first_payment_field(), None);
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(json, r#"{"daily_count_limit":null}"#);
    }
}
