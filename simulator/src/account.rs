//! Accounts, and the one question that a bank answers: may this much be taken?
//!
//! One formula serves both kinds: there is for use what lies on the account, and what may be
//! borrowed beyond it, less what is held. A debit account may borrow nothing; a credit account
//! lies at zero or below.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::limits;
use serde::Serialize;
use utoipa::ToSchema;

/// An account of the simulated bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// A keyed fingerprint of the card, or `persona:` and the name. No digit of the card is in it.
    pub id: String,
    /// The persona whose account it is.
    pub persona: Option<String>,
    /// Whose name stands on the card.
    pub holder: String,
    /// The bank that issued the card.
    pub issuer: String,
    /// The last four digits of the card.
    pub last4: String,
    /// The brand's slug.
    pub brand: String,
    /// Where the account is kept (ISO 3166-1).
    pub country: String,
    /// The currency of every amount below.
    pub currency: Currency,
    /// Debit or credit.
    pub kind: AccountKind,
    /// Whether it may be used.
    pub status: AccountStatus,
    /// What lies on the account; below zero is owed. Minor units.
    pub balance_minor: i64,
    /// What is held of it. Minor units.
    pub held_minor: i64,
    /// What may be owed, minor units; none is without limit. Zero for a debit account.
    pub credit_limit_minor: Option<i64>,
    /// The most that one payment may take, minor units.
    pub per_transaction_limit_minor: Option<i64>,
    /// How many payments a day (UTC) may make.
    pub daily_count_limit: Option<i64>,
    /// How much the payments of a day may take together, minor units.
    pub daily_sum_limit_minor: Option<i64>,
    /// The day that the next two count for, in days since 1970.
    pub day: i64,
    /// Payments approved on that day. What is let go later stays counted.
    pub day_count: i64,
    /// How much they took, minor units.
    pub day_sum_minor: i64,
    /// What the issuer does when it is asked who the shopper is.
    pub enrolment: Enrolment,
    /// Where one-time codes are sent (E.164, of a range that nobody has).
    pub phone: String,
    /// Wrong one-time codes in a row.
    pub wrong_codes: u32,
    /// Whether the bank has locked it over them.
    pub locked: bool,
    /// Until when no code is looked at because there were too many wrong ones, milliseconds since
    /// 1970; 0 where nothing is paused.
    pub codes_refused_until_ms: i64,
    /// When it came into being, milliseconds since 1970.
    pub created_at_ms: i64,
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
    /// Whose money is spent.
    AccountKind {
        /// The shopper's: there is no more than what lies on the account.
        Debit = "debit",
        /// The bank's, up to a limit.
        Credit = "credit",
    }
}

named! {
    /// Whether an account may be used.
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
    /// What an issuer does when it is asked who the shopper is.
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

/// How much an account may be asked for at once: what is more has no place in its sums.
const MOST_MINOR: i64 = 1_000_000_000_000_000_000;

/// What the bank says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be taken: so much in the account's currency.
    Approved(i64),
    /// It may not, for the reason with this key.
    Declined(&'static str),
}

impl Account {
    /// Whether wrong codes have to be waited over.
    pub(super) const fn refuses_codes(&self, now_ms: i64) -> bool {
        now_ms < self.codes_refused_until_ms
    }

    /// How many codes may still be tried.
    pub(super) const fn tries_left(&self) -> u32 {
        // A pause that is over has made them good.
        let wrong = if self.codes_refused_until_ms > 0 {
            0
        } else {
            self.wrong_codes
        };
        limits::ONE_TIME_CODE_ATTEMPTS.saturating_sub(wrong)
    }

    /// Whether nothing limits it, so that there is nothing to count.
    pub(super) fn is_unlimited(&self) -> bool {
        self.status == AccountStatus::Active
            && !self.locked
            && self.credit_limit_minor.is_none()
            && self.per_transaction_limit_minor.is_none()
            && self.daily_count_limit.is_none()
            && self.daily_sum_limit_minor.is_none()
    }

    /// What there is for use, minor units; none is without limit.
    #[must_use]
    pub fn available_minor(&self) -> Option<i64> {
        let limit = self.credit_limit_minor?;
        let beyond = self.balance_minor.saturating_add(limit);
        Some(beyond.saturating_sub(self.held_minor))
    }

    /// How many payments of a day, and how much: zero once the day is another.
    fn spent_on(&self, day: i64) -> (i64, i64) {
        if self.day == day {
            (self.day_count, self.day_sum_minor)
        } else {
            (0, 0)
        }
    }

    fn reason_of_status(&self) -> Option<&'static str> {
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

    /// The reasons stand in order of precedence. The update in the book asks the same in SQL; this
    /// one can also say which it was. No amount means that its currency cannot be exchanged.
    pub(super) fn decide(&self, amount_minor: Option<i64>, day: i64) -> Verdict {
        if let Some(reason) = self.reason_of_status() {
            return Verdict::Declined(reason);
        }
        if self.locked {
            return Verdict::Declined("pin_tries_exceeded");
        }
        if self.is_unlimited() {
            return Verdict::Approved(amount_minor.unwrap_or(0).min(MOST_MINOR));
        }
        let Some(amount) = amount_minor.filter(|amount| (0..=MOST_MINOR).contains(amount)) else {
            return Verdict::Declined("invalid_amount");
        };
        let (count, sum) = self.spent_on(day);
        let over = |limit: Option<i64>, asked: i64| limit.is_some_and(|limit| asked > limit);
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
pub(super) const fn locks(wrong_codes: u32) -> bool {
    wrong_codes >= limits::ONE_TIME_CODE_ATTEMPTS
}

/// The day of a moment, in days since 1970 (UTC).
pub(super) const fn day_of(now_ms: i64) -> i64 {
    now_ms.div_euclid(24 * 60 * 60 * 1000)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Account, AccountKind, AccountStatus, Enrolment, Verdict, day_of, locks};
    use sealpay_provider::decline;

    /// A debit account with 100.00 EUR and no limits.
    pub(in super::super) fn account() -> Account {
        Account {
            id: "card:test".into(),
            persona: None,
            holder: "Test Holder".into(),
            issuer: "Test Bank".into(),
            last4: "0000".into(),
            brand: "visa".into(),
            country: "DE".into(),
            currency: "EUR".parse().unwrap(),
            kind: AccountKind::Debit,
            status: AccountStatus::Active,
            balance_minor: 10_000,
            held_minor: 0,
            credit_limit_minor: Some(0),
            per_transaction_limit_minor: None,
            daily_count_limit: None,
            daily_sum_limit_minor: None,
            day: 0,
            day_count: 0,
            day_sum_minor: 0,
            enrolment: Enrolment::Code,
            phone: "+99910000000".into(),
            wrong_codes: 0,
            locked: false,
            codes_refused_until_ms: 0,
            created_at_ms: 0,
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
        // Everything is wrong at once, and is put right one after the other.
        let mut wrong = Account {
            status: AccountStatus::Lost,
            wrong_codes: 5,
            locked: true,
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
        let mut given = Vec::new();
        while let Verdict::Declined(reason) = wrong.decide(amount, 7) {
            given.push(reason);
            assert!(decline::find(reason).is_some(), "{reason}");
            match given.len() {
                1 => wrong.status = AccountStatus::Active,
                2 => wrong.locked = false,
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
        assert_eq!(given, expected);
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
