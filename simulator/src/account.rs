//! Accounts, and whether one allows an amount.
//!
//! One formula serves both kinds: the available amount is the balance and the credit limit, less the
//! held amount. A debit account has a credit limit of zero; a credit account has a balance of zero
//! or below.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::limits;
use serde::Serialize;
use utoipa::ToSchema;

/// An account of the simulated bank. Amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// A keyed fingerprint of the card, or `persona:` and the name. It has no digit of the card.
    pub(crate) id: String,
    /// The persona that owns the account.
    pub(crate) persona: Option<String>,
    /// The name on the card.
    pub(crate) holder: String,
    /// The bank that issued the card.
    pub(crate) issuer: String,
    /// The last four digits of the card.
    pub(crate) last4: String,
    /// The brand's slug.
    pub(crate) brand: String,
    /// ISO 3166-1.
    pub(crate) country: String,
    pub(crate) currency: Currency,
    pub(crate) kind: AccountKind,
    pub(crate) status: AccountStatus,
    /// A negative balance is owed to the bank.
    pub(crate) balance_minor: i64,
    /// The part of the balance that is on hold.
    pub(crate) held_minor: i64,
    /// None is without limit. Zero for a debit account.
    pub(crate) credit_limit_minor: Option<i64>,
    /// The largest amount of one payment.
    pub(crate) per_transaction_limit_minor: Option<i64>,
    /// The number of payments in a day (UTC).
    pub(crate) daily_count_limit: Option<i64>,
    /// The sum of the payments in a day (UTC).
    pub(crate) daily_sum_limit_minor: Option<i64>,
    /// The day of the next two members, in days since 1970.
    pub(crate) day: i64,
    /// Payments approved on that day. A void does not change it.
    pub(crate) day_count: i64,
    /// Their sum.
    pub(crate) day_sum_minor: i64,
    /// What the issuer does when it authenticates the shopper.
    pub(crate) enrolment: Enrolment,
    /// Where one-time codes are sent (E.164, in a range that is not assigned).
    pub(crate) phone: String,
    /// Wrong one-time codes in a row.
    pub(crate) wrong_codes: u32,
    /// Until when no codes are accepted after too many wrong ones, milliseconds since 1970; 0 where
    /// they are.
    pub(crate) codes_refused_until_ms: i64,
    /// Milliseconds since 1970.
    pub(crate) created_at_ms: i64,
}

macro_rules! named {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        sealpay_protocol::names! { $name { $($variant = $text),* } }

        sealpay_protocol::read_by_name!($name);
    };
}

named! {
    /// Whether the account is debit or credit.
    AccountKind {
        /// The shopper's: there is no more than what lies on the account.
        Debit = "debit",
        /// The bank's, up to a limit.
        Credit = "credit",
    }
}

named! {
    /// The status of an account.
    AccountStatus {
        /// It may.
        Active = "active",
        /// The bank blocked it.
        Blocked = "blocked",
        /// Its card was reported lost.
        Lost = "lost",
        /// Its card was reported stolen.
        Stolen = "stolen",
        /// It is closed.
        Closed = "closed",
        /// Its card expired, whatever date stands on it.
        Expired = "expired",
        /// Its card is new and was not activated.
        NotActivated = "not_activated",
    }
}

named! {
    /// An issuer's response to an authentication request.
    Enrolment {
        /// It takes no part; the network stands for the attempt.
        None = "none",
        /// It is sure without asking the shopper.
        Frictionless = "frictionless",
        /// It sends a one-time code.
        Code = "code",
        /// It asks for a passkey, where the card has one, and otherwise for a code.
        Passkey = "passkey",
        /// It cannot say, and stands for the attempt.
        Attempted = "attempted",
        /// It says that the shopper is somebody else.
        NotAuthenticated = "not_authenticated",
        /// It refuses.
        Rejected = "rejected",
        /// It cannot be reached.
        Unavailable = "unavailable",
    }
}

/// The largest amount of one payment: sums of larger ones could overflow.
const MOST_MINOR: i64 = 1_000_000_000_000_000_000;

/// Whether an account allows an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does: the amount in the account's currency.
    Approved(i64),
    /// It does not: the key of the reason.
    Declined(&'static str),
}

impl Account {
    /// A credit account without limits, before its first payment.
    pub(crate) fn new(id: String, currency: Currency, now_ms: i64) -> Self {
        Self {
            id,
            persona: None,
            holder: String::new(),
            issuer: String::new(),
            last4: String::new(),
            brand: String::new(),
            country: String::new(),
            currency,
            kind: AccountKind::Credit,
            status: AccountStatus::Active,
            balance_minor: 0,
            held_minor: 0,
            credit_limit_minor: None,
            per_transaction_limit_minor: None,
            daily_count_limit: None,
            daily_sum_limit_minor: None,
            day: 0,
            day_count: 0,
            day_sum_minor: 0,
            enrolment: Enrolment::None,
            phone: String::new(),
            wrong_codes: 0,
            codes_refused_until_ms: 0,
            created_at_ms: now_ms,
        }
    }

    /// Whether the bank has locked it after wrong codes. A pause is not a lock: payments that need
    /// no code go on.
    pub(crate) const fn is_locked(&self) -> bool {
        locks(self.wrong_codes) && self.codes_refused_until_ms == 0
    }

    /// Whether no codes are accepted for a while.
    pub(crate) const fn refuses_codes(&self, now_ms: i64) -> bool {
        now_ms < self.codes_refused_until_ms
    }

    /// How many codes may still be entered.
    pub(crate) const fn tries_left(&self) -> u32 {
        // A pause that is over resets the count.
        let wrong = if self.codes_refused_until_ms > 0 {
            0
        } else {
            self.wrong_codes
        };
        limits::ONE_TIME_CODE_ATTEMPTS.saturating_sub(wrong)
    }

    /// Whether nothing limits it, so that nothing is counted.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.status == AccountStatus::Active
            && !self.is_locked()
            && self.credit_limit_minor.is_none()
            && self.per_transaction_limit_minor.is_none()
            && self.daily_count_limit.is_none()
            && self.daily_sum_limit_minor.is_none()
    }

    /// The available amount, minor units; none is without limit.
    pub(crate) fn available_minor(&self) -> Option<i64> {
        let limit = self.credit_limit_minor?;
        let beyond = self.balance_minor.saturating_add(limit);
        Some(beyond.saturating_sub(self.held_minor))
    }

    /// Number and sum of the payments of a day: zero on another day.
    fn spent_on(&self, day: i64) -> (i64, i64) {
        if self.day == day {
            (self.day_count, self.day_sum_minor)
        } else {
            (0, 0)
        }
    }

    const fn status_decline(&self) -> Option<&'static str> {
        match self.status {
            AccountStatus::Active => None,
            AccountStatus::Blocked => Some("restricted_card"),
            AccountStatus::Lost => Some("lost_card"),
            AccountStatus::Stolen => Some("stolen_card"),
            AccountStatus::Closed => Some("closed_account"),
            AccountStatus::Expired => Some("expired_card"),
            AccountStatus::NotActivated => Some("blocked_first_use"),
        }
    }

    /// The reasons are in order of precedence. The update in the journal has the same conditions in
    /// SQL; this one also gives the reason. No amount means that its currency cannot be exchanged.
    pub(crate) fn decide(&self, amount_minor: Option<i64>, day: i64) -> Verdict {
        if let Some(reason) = self.status_decline() {
            return Verdict::Declined(reason);
        }
        if self.is_locked() {
            return Verdict::Declined("pin_tries_exceeded");
        }
        if self.is_unlimited() {
            return Verdict::Approved(amount_minor.unwrap_or(0).min(MOST_MINOR));
        }
        let Some(amount) = amount_minor.filter(|amount| (0..=MOST_MINOR).contains(amount)) else {
            return Verdict::Declined("invalid_amount");
        };
        let (count, sum) = self.spent_on(day);
        let over = |limit: Option<i64>, value: i64| limit.is_some_and(|limit| value > limit);
        if over(self.per_transaction_limit_minor, amount) {
            Verdict::Declined("amount_limit_exceeded")
        } else if over(self.daily_count_limit, count.saturating_add(1)) {
            Verdict::Declined("count_limit_exceeded")
        } else if over(self.daily_sum_limit_minor, sum.saturating_add(amount)) {
            Verdict::Declined("amount_limit_exceeded")
        } else if over(self.available_minor(), amount) {
            Verdict::Declined("insufficient_funds")
        } else {
            Verdict::Approved(amount)
        }
    }
}

/// Whether so many wrong codes lock an account.
pub(crate) const fn locks(wrong_codes: u32) -> bool {
    wrong_codes >= limits::ONE_TIME_CODE_ATTEMPTS
}

/// The day of a moment, in days since 1970 (UTC).
pub(crate) const fn day_of(now_ms: i64) -> i64 {
    now_ms.div_euclid(24 * 60 * 60 * 1000)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Account, AccountKind, AccountStatus, Enrolment, Verdict, day_of, locks};
    use sealpay_provider::decline;

    /// A debit account with 100.00 EUR and no limits.
    pub(crate) fn account() -> Account {
        Account {
            kind: AccountKind::Debit,
            balance_minor: 10_000,
            credit_limit_minor: Some(0),
            ..Account::new("card:test".into(), "EUR".parse().unwrap(), 0)
        }
    }

    #[test]
    fn names_are_those_of_json() {
        for status in AccountStatus::ALL {
            let json = serde_json::to_value(status).unwrap();
            assert_eq!(json, status.name());
            assert_eq!(AccountStatus::from_name(status.name()), Some(status));
        }
        for enrolment in Enrolment::ALL {
            let json = serde_json::to_value(enrolment).unwrap();
            assert_eq!(json, enrolment.name());
        }
        for kind in AccountKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn the_first_reason_that_applies_is_given() {
        // Every condition fails at first; they are corrected one after the other.
        let mut wrong = Account {
            status: AccountStatus::Lost,
            wrong_codes: 5,
            per_transaction_limit_minor: Some(1),
            daily_count_limit: Some(1),
            daily_sum_limit_minor: Some(1),
            day: 7,
            day_count: 1,
            day_sum_minor: 1,
            balance_minor: 0,
            ..account()
        };
        let mut amount = None;
        let mut reasons = Vec::new();
        while let Verdict::Declined(reason) = wrong.decide(amount, 7) {
            reasons.push(reason);
            assert!(decline::find(reason).is_some(), "{reason}");
            match reasons.len() {
                1 => wrong.status = AccountStatus::Active,
                2 => wrong.wrong_codes = 0,
                3 => amount = Some(2),
                4 => wrong.per_transaction_limit_minor = None,
                5 => wrong.daily_count_limit = None,
                6 => wrong.daily_sum_limit_minor = None,
                7 => wrong.balance_minor = 2,
                _ => break,
            }
        }
        let expected = [
            "lost_card",
            "pin_tries_exceeded",
            "invalid_amount",
            "amount_limit_exceeded",
            "count_limit_exceeded",
            "amount_limit_exceeded",
            "insufficient_funds",
        ];
        assert_eq!(reasons, expected);
        assert_eq!(wrong.decide(amount, 7), Verdict::Approved(2));
    }

    #[test]
    fn sums_at_the_end_of_the_range_do_not_wrap() {
        let full = Account {
            balance_minor: i64::MIN,
            held_minor: i64::MAX,
            day_sum_minor: i64::MAX,
            day_count: i64::MAX,
            daily_count_limit: Some(i64::MAX),
            ..account()
        };
        let declined = Verdict::Declined("insufficient_funds");
        assert_eq!(full.decide(Some(1), 0), declined);
        for amount in [-1, i64::MIN, i64::MAX] {
            let declined = Verdict::Declined("invalid_amount");
            assert_eq!(full.decide(Some(amount), 0), declined, "{amount}");
        }
    }

    #[test]
    fn a_day_ends_at_midnight_utc_and_five_wrong_codes_lock() {
        assert_eq!((day_of(86_399_999), day_of(86_400_000)), (0, 1));
        assert_eq!((locks(4), locks(5)), (false, true));
    }
}
