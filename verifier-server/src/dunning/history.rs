//! What a decision about a declined payment is based on.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sealpay_protocol::card::Brand;
use sealpay_protocol::money::Money;
use sealpay_provider::decline::{Decline, DeclineClass};

/// A stored card, or an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardCredential<'a> {
    /// Identifies the number with its expiry. It changes with every news of the account updater and
    /// ends what was known about the credential before.
    pub reference: &'a str,
    /// Identifies the number. Scheme limits count all tries of a number.
    pub fingerprint: &'a str,
    /// The card scheme; none for an account, to which no card scheme's limits apply.
    pub brand: Option<Brand>,
}

/// Why an issuer declined.
#[derive(Debug, Clone, Copy)]
pub struct CardDecline<'a> {
    reason: &'a Decline,
    advice_code: Option<&'a str>,
}

impl<'a> CardDecline<'a> {
    /// A decline, with the merchant advice code if the scheme sent one. `None`: it is an approval.
    #[must_use]
    pub fn new(reason: &'a Decline, advice_code: Option<&'a str>) -> Option<Self> {
        let is_decline = reason.class != DeclineClass::Approve;
        is_decline.then_some(Self {
            reason,
            advice_code,
        })
    }

    /// The reason.
    #[must_use]
    pub const fn reason(&self) -> &'a Decline {
        self.reason
    }

    /// Mastercard's merchant advice code, two digits.
    #[must_use]
    pub const fn advice_code(&self) -> Option<&'a str> {
        self.advice_code
    }
}

/// A try of a card without the customer.
#[derive(Debug, Clone, Copy)]
pub struct CardAttempt<'a> {
    /// When it was sent.
    pub at: Timestamp,
    /// The card that was tried.
    pub credential: CardCredential<'a>,
    /// The amount.
    pub amount: Money,
    /// The invoice that it was for.
    pub invoice_id: &'a str,
}

/// An earlier attempt and its outcome.
#[derive(Debug, Clone, Copy)]
pub struct PastAttempt<'a> {
    /// The attempt.
    pub attempt: CardAttempt<'a>,
    /// The decline; `None` if it was approved, or if its outcome is not known yet.
    pub decline: Option<CardDecline<'a>>,
}

/// What happened before a decision.
///
/// Schemes count tries with the customer apart, so these are only the merchant's.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// All attempts for the invoice, all with the credential since `credential_since`, and those of
    /// the last 30 days with its number. An old decline may forbid every later try.
    pub attempts: &'a [PastAttempt<'a>],
    /// The card that the next try uses.
    pub credential: CardCredential<'a>,
    /// When that card was stored or last updated.
    pub credential_since: Timestamp,
    /// Whether the account updater has been asked since then.
    pub is_updater_asked: bool,
    /// The customer's time zone, for paydays.
    pub zone: &'a TimeZone,
}
