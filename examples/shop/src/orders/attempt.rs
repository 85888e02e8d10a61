//! One attempt to pay an order, as the last event told of it.

use super::{News, OrderState};
use sealpay_protocol::method::Method;
use serde::{Deserialize, Serialize};

/// A payment, as the last event told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) payment: String,
    /// Counts the payment's events; a smaller one is older news.
    pub(crate) sequence: u64,
    pub(crate) state: AttemptState,
    pub(crate) method: Method,
    /// Brand and last digits; empty when no card was used.
    pub(crate) card: String,
    pub(crate) decline: Option<Decline>,
    pub(crate) details: Details,
    /// Seconds since 1970.
    pub(crate) created_at: u64,
    /// What was told of it so far, in the order in which it happened.
    pub(crate) news: Vec<News>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptState {
    /// The bank said no.
    Declined,
    /// Its time ran out.
    Expired,
    /// The shopper has to act, or has sent money that is not there yet.
    RequiresAction,
    /// The bank has not answered yet.
    Unknown,
    /// The bank holds the money.
    Authorized,
    /// Part of the money is taken, and the rest is held.
    PartiallyCaptured,
    /// The money is taken.
    Captured,
    /// Part of the money went back.
    PartiallyRefunded,
    /// All of the money went back.
    Refunded,
    /// The shop let go what was held.
    Voided,
}

/// Why the bank said no, in words for the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: String,
    pub(crate) response_code: Option<String>,
    pub(crate) class: String,
    pub(crate) message: String,
}

/// What else was told, for the shop's people. Names are kept as they came: a later verifier may
/// know more of them, and none of them decides anything here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) route: Option<Route>,
    pub(crate) risk: Option<Risk>,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) transfer: Option<Transfer>,
    /// Taken, minor units. A verifier that does not know of parts does not say this.
    pub(crate) amount_captured: Option<i64>,
    /// Given back, minor units.
    pub(crate) amount_refunded: Option<i64>,
    /// Taken back by the shopper's bank, or asked back, minor units.
    pub(crate) amount_disputed: Option<i64>,
}

/// Who was asked for the money, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    pub(crate) provider: String,
    pub(crate) reason: String,
}

/// What the fraud rules say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Risk {
    pub(crate) outcome: String,
    pub(crate) score: i64,
    pub(crate) reasons: Vec<String>,
}

/// What the issuer says of the shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Authentication {
    pub(crate) status: String,
    /// Electronic commerce indicator: who carries a fraud.
    pub(crate) eci: Option<String>,
    /// How the shopper proved who they are.
    pub(crate) challenge: Option<String>,
    /// Why the issuer was asked.
    pub(crate) reasons: Vec<String>,
}

/// Money that is expected on an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(crate) iban: String,
    /// Whose account it is. Orders from before the verifier told this have none.
    #[serde(default)]
    pub(crate) holder: String,
    #[serde(default)]
    pub(crate) bic: String,
    pub(crate) reference: String,
    /// Until when the money has to be there, seconds since 1970, while it is awaited.
    #[serde(default)]
    pub(crate) expires_at: Option<u64>,
    /// Minor units of the order's currency.
    pub(crate) received: i64,
    /// Minor units that came too much.
    pub(crate) overpaid: i64,
}

impl Attempt {
    /// What the order comes to by this attempt alone.
    pub(super) const fn comes_to(&self) -> OrderState {
        match (self.state, self.method) {
            (AttemptState::Declined, _) => OrderState::Declined,
            (AttemptState::Expired, _) => OrderState::Expired,
            (AttemptState::RequiresAction, Method::BankTransfer) => OrderState::WaitingForTransfer,
            (AttemptState::RequiresAction, Method::Card | Method::Wallet) => {
                OrderState::WaitingForShopper
            }
            (AttemptState::Unknown, _) => OrderState::Checking,
            (AttemptState::Authorized, _) => OrderState::Reserved,
            (AttemptState::PartiallyCaptured, _) => OrderState::PartlyPaid,
            (AttemptState::Captured, _) => OrderState::Paid,
            (AttemptState::PartiallyRefunded, _) => OrderState::PartlyRefunded,
            (AttemptState::Refunded, _) => OrderState::Refunded,
            (AttemptState::Voided, _) => OrderState::Voided,
        }
    }

    /// Whether there is money for which something would be sent.
    pub(crate) const fn has_money(&self) -> bool {
        matches!(
            self.state,
            AttemptState::Authorized
                | AttemptState::PartiallyCaptured
                | AttemptState::Captured
                | AttemptState::PartiallyRefunded
        )
    }

    /// What was taken, minor units, where the order is of so much.
    pub(crate) fn captured_minor(&self, total_minor: i64) -> i64 {
        let untold = match self.state {
            AttemptState::Captured | AttemptState::PartiallyRefunded | AttemptState::Refunded => {
                total_minor
            }
            _ => 0,
        };
        self.details.amount_captured.unwrap_or(untold)
    }

    /// What went back, minor units.
    pub(crate) fn refunded_minor(&self) -> i64 {
        self.details.amount_refunded.unwrap_or(0)
    }

    /// What is still held and may be taken, minor units.
    pub(crate) fn capturable_minor(&self, total_minor: i64) -> i64 {
        match self.state {
            AttemptState::Authorized | AttemptState::PartiallyCaptured => {
                total_minor.saturating_sub(self.captured_minor(total_minor))
            }
            _ => 0,
        }
    }

    /// What may go back, minor units: what was taken and what came too much, without what went back
    /// or is disputed.
    pub(crate) fn refundable_minor(&self, total_minor: i64) -> i64 {
        match self.state {
            AttemptState::PartiallyCaptured
            | AttemptState::Captured
            | AttemptState::PartiallyRefunded => self
                .captured_minor(total_minor)
                .saturating_add(self.overpaid_minor().unwrap_or(0))
                .saturating_sub(self.refunded_minor())
                .saturating_sub(self.details.amount_disputed.unwrap_or(0)),
            _ => 0,
        }
    }

    /// Whether somebody should look at it before anything is sent.
    pub(crate) fn is_to_be_reviewed(&self) -> bool {
        let review = |risk: &Risk| risk.outcome == "review";
        self.has_money() && self.details.risk.as_ref().is_some_and(review)
    }

    /// Minor units that came too much and have to go back.
    pub(crate) fn overpaid_minor(&self) -> Option<i64> {
        let transfer = self.details.transfer.as_ref()?;
        Some(transfer.overpaid).filter(|minor| *minor > 0)
    }
}

impl AttemptState {
    const ALL: [Self; 10] = [
        Self::Declined,
        Self::Expired,
        Self::RequiresAction,
        Self::Unknown,
        Self::Authorized,
        Self::PartiallyCaptured,
        Self::Captured,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Voided,
    ];

    /// The name under which it is stored and sent.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::RequiresAction => "requires_action",
            Self::Unknown => "unknown",
            Self::Authorized => "authorized",
            Self::PartiallyCaptured => "partially_captured",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
        }
    }

    /// Reads the name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
