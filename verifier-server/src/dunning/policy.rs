//! A dunning policy: the delays after declines, and what happens when they are used up.

use sealpay_provider::decline::DeclineClass;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use std::sync::LazyLock;
use utoipa::ToSchema;

/// Most retries of one class. No scheme allows more in 30 days for one card and amount.
pub const MAX_RETRIES: usize = 20;
/// Longest delay, hours: 60 days.
pub const MAX_DELAY_HOURS: u16 = 1440;
/// Longest time from the first try to the last, days.
pub const MAX_HORIZON_DAYS: u16 = 90;

/// Most reasons that wait for a payday. There are fewer in all.
pub const MAX_PAYDAY_REASONS: usize = 64;

/// What happens to the subscription when the policy is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndAction {
    /// It is canceled.
    Cancel,
    /// It becomes `unpaid`: no more tries, and invoices stay drafts.
    Unpaid,
    /// It stays `past_due`.
    Keep,
}

/// The hours from a decline of each class to the next try, one for each retry.
///
/// Only `later` and `back_off` may have any: other classes need the customer, new card data or the
/// outcome of the last try.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DelaysHours {
    /// The card may be approved later.
    pub later: Vec<u16>,
    /// A system is out of order.
    pub back_off: Vec<u16>,
    /// Must be empty: the card will never be approved.
    pub never_retry: Vec<u16>,
    /// Must be empty: card data is wrong.
    pub fix_data: Vec<u16>,
    /// Must be empty: the customer has to authenticate.
    pub step_up: Vec<u16>,
    /// Must be empty: the outcome of the last try is queried instead.
    pub unknown: Vec<u16>,
}

impl DelaysHours {
    fn for_class(&self, class: DeclineClass) -> &[u16] {
        match class {
            DeclineClass::Later => &self.later,
            DeclineClass::BackOff => &self.back_off,
            DeclineClass::NeverRetry => &self.never_retry,
            DeclineClass::FixData => &self.fix_data,
            DeclineClass::StepUp => &self.step_up,
            DeclineClass::Unknown => &self.unknown,
            DeclineClass::Approve => &[],
        }
    }
}

/// Days of the month on which customers have money, in the customer's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payday {
    /// Keys of the decline reasons that wait for a payday, such as `insufficient_funds`.
    pub reasons: Vec<String>,
    /// Days of the month, 1 to 31. Shorter months use their last day.
    pub on_days: Vec<i8>,
}

/// A checked policy. JSON is checked as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PolicyData", into = "PolicyData")]
pub struct DunningPolicy(PolicyData);

/// A policy as a merchant writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyData {
    /// The delays of each class.
    pub delays_hours: DelaysHours,
    /// The preference for paydays, if any.
    #[serde(default)]
    pub payday: Option<Payday>,
    /// No try is later than so many days after the first.
    pub horizon_days: u16,
    /// What happens at the end.
    pub end: EndAction,
}

/// Why a policy was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyError {
    /// Delays for a class that cannot be retried.
    NotRetryable(DeclineClass),
    /// More retries of a class than [`MAX_RETRIES`].
    TooManyRetries(DeclineClass),
    /// A delay is zero or longer than [`MAX_DELAY_HOURS`].
    DelayOutOfRange,
    /// The horizon is zero or longer than [`MAX_HORIZON_DAYS`].
    HorizonOutOfRange,
    /// A payday is not 1 to 31, or there are no paydays, more than 31, or too many reasons.
    PaydayOutOfRange,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRetryable(class) => {
                write!(f, "Declines of class {} cannot have delays.", name(*class))
            }
            Self::TooManyRetries(class) => {
                let name = name(*class);
                write!(f, "Class {name} must have at most {MAX_RETRIES} delays.")
            }
            Self::DelayOutOfRange => {
                write!(f, "A delay must be 1 to {MAX_DELAY_HOURS} hours.")
            }
            Self::HorizonOutOfRange => {
                write!(f, "The horizon must be 1 to {MAX_HORIZON_DAYS} days.")
            }
            Self::PaydayOutOfRange => write!(
                f,
                "Paydays must be 1 to 31 days of the month, for at most {MAX_PAYDAY_REASONS} reasons."
            ),
        }
    }
}

impl Error for PolicyError {}

const fn name(class: DeclineClass) -> &'static str {
    match class {
        DeclineClass::Approve => "approve",
        DeclineClass::NeverRetry => "never_retry",
        DeclineClass::FixData => "fix_data",
        DeclineClass::Later => "later",
        DeclineClass::StepUp => "step_up",
        DeclineClass::BackOff => "back_off",
        DeclineClass::Unknown => "unknown",
    }
}

impl TryFrom<PolicyData> for DunningPolicy {
    type Error = PolicyError;

    fn try_from(data: PolicyData) -> Result<Self, PolicyError> {
        for class in [
            DeclineClass::NeverRetry,
            DeclineClass::FixData,
            DeclineClass::StepUp,
            DeclineClass::Unknown,
        ] {
            if !data.delays_hours.for_class(class).is_empty() {
                return Err(PolicyError::NotRetryable(class));
            }
        }
        for class in [DeclineClass::Later, DeclineClass::BackOff] {
            let delays = data.delays_hours.for_class(class);
            if delays.len() > MAX_RETRIES {
                return Err(PolicyError::TooManyRetries(class));
            }
            let is_delay = |hours: &u16| (1..=MAX_DELAY_HOURS).contains(hours);
            if !delays.iter().all(is_delay) {
                return Err(PolicyError::DelayOutOfRange);
            }
        }
        if !(1..=MAX_HORIZON_DAYS).contains(&data.horizon_days) {
            return Err(PolicyError::HorizonOutOfRange);
        }
        let has_days = |payday: &Payday| {
            let days = &payday.on_days;
            let is_few = days.len() <= 31 && payday.reasons.len() <= MAX_PAYDAY_REASONS;
            is_few && !days.is_empty() && days.iter().all(|day| (1..=31).contains(day))
        };
        if !data.payday.as_ref().is_none_or(has_days) {
            return Err(PolicyError::PaydayOutOfRange);
        }
        Ok(Self(data))
    }
}

impl From<DunningPolicy> for PolicyData {
    fn from(policy: DunningPolicy) -> Self {
        policy.0
    }
}

static BUILT_IN: LazyLock<DunningPolicy> = LazyLock::new(|| {
    // The file is compiled in and a test parses it, so the policy is never the one without retries.
    let policy = serde_json::from_str(include_str!("../../data/dunning.json"));
    policy.unwrap_or(DunningPolicy(PolicyData {
        delays_hours: DelaysHours::default(),
        payday: None,
        horizon_days: 1,
        end: EndAction::Keep,
    }))
});

impl DunningPolicy {
    /// The policy of merchants without their own.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Hours from a decline to the next try, after so many earlier declines of its class; `None`
    /// if that was the last try.
    #[must_use]
    pub fn delay_hours(&self, class: DeclineClass, earlier: usize) -> Option<u16> {
        self.0.delays_hours.for_class(class).get(earlier).copied()
    }

    /// The paydays that this reason waits for.
    #[must_use]
    pub fn payday_for(&self, reason_key: &str) -> Option<&Payday> {
        let payday = self.0.payday.as_ref()?;
        let is_listed = payday.reasons.iter().any(|key| key == reason_key);
        Some(payday).filter(|_| is_listed)
    }

    /// No try is later than so many days after the first.
    #[must_use]
    pub const fn horizon_days(&self) -> u16 {
        self.0.horizon_days
    }

    /// What happens to the subscription when the policy is exhausted.
    #[must_use]
    pub const fn end(&self) -> EndAction {
        self.0.end
    }
}

#[cfg(test)]
mod tests;
