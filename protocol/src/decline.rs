//! What a shopper learns of a decline: a category to word in the shopper's language, what to do
//! next, and the field to correct. None of it tells why the issuer is suspicious.

use crate::json;
use serde::{Deserialize, Deserializer, Serialize};

/// Why a payment was declined, as far as a shopper may know: each category has one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DeclineCategory {
    /// The issuer gave no reason that a shopper may know.
    CardDeclined,
    /// The card cannot cover the amount.
    NotEnoughFunds,
    /// The amount is over the limit of one payment or period.
    AmountOverLimit,
    /// The card has paid as often as it may for now.
    LimitReached,
    /// The amount or currency does not suit the card.
    AmountNotAccepted,
    /// The card cannot pay this merchant.
    CardNotAccepted,
    /// The card is restricted until the shopper speaks to the bank.
    CardRestricted,
    /// The card is new.
    CardNotActivated,
    /// The bank wants to speak to the shopper first.
    BankWantsACall,
    /// Too many incorrect codes.
    AttemptsExceeded,
    /// No account has this number.
    NumberNotValid,
    /// The card has expired.
    CardExpired,
    /// The security code does not match.
    SecurityCodeNotValid,
    /// The bank requires a confirmation that cannot be had here.
    AuthenticationUnavailable,
    /// The bank could not confirm who the shopper is.
    NotAuthenticated,
    /// The shopper did not confirm in time.
    NotConfirmedInTime,
    /// The bank cannot be reached.
    BankNotResponding,
    /// A system failed; nothing was charged.
    ProcessingError,
    /// The payment may have been made already.
    PossiblyPaid,
    /// The cardholder had payments stopped.
    PaymentStopped,
    /// The shopper cancelled on the wallet's page.
    CancelledInWallet,
    /// The transfer did not arrive in time.
    TransferLate,
}

impl DeclineCategory {
    /// Every category.
    pub const ALL: [Self; 22] = [
        Self::CardDeclined,
        Self::NotEnoughFunds,
        Self::AmountOverLimit,
        Self::LimitReached,
        Self::AmountNotAccepted,
        Self::CardNotAccepted,
        Self::CardRestricted,
        Self::CardNotActivated,
        Self::BankWantsACall,
        Self::AttemptsExceeded,
        Self::NumberNotValid,
        Self::CardExpired,
        Self::SecurityCodeNotValid,
        Self::AuthenticationUnavailable,
        Self::NotAuthenticated,
        Self::NotConfirmedInTime,
        Self::BankNotResponding,
        Self::ProcessingError,
        Self::PossiblyPaid,
        Self::PaymentStopped,
        Self::CancelledInWallet,
        Self::TransferLate,
    ];

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CardDeclined => "card_declined",
            Self::NotEnoughFunds => "not_enough_funds",
            Self::AmountOverLimit => "amount_over_limit",
            Self::LimitReached => "limit_reached",
            Self::AmountNotAccepted => "amount_not_accepted",
            Self::CardNotAccepted => "card_not_accepted",
            Self::CardRestricted => "card_restricted",
            Self::CardNotActivated => "card_not_activated",
            Self::BankWantsACall => "bank_wants_a_call",
            Self::AttemptsExceeded => "attempts_exceeded",
            Self::NumberNotValid => "number_not_valid",
            Self::CardExpired => "card_expired",
            Self::SecurityCodeNotValid => "security_code_not_valid",
            Self::AuthenticationUnavailable => "authentication_unavailable",
            Self::NotAuthenticated => "not_authenticated",
            Self::NotConfirmedInTime => "not_confirmed_in_time",
            Self::BankNotResponding => "bank_not_responding",
            Self::ProcessingError => "processing_error",
            Self::PossiblyPaid => "possibly_paid",
            Self::PaymentStopped => "payment_stopped",
            Self::CancelledInWallet => "cancelled_in_wallet",
            Self::TransferLate => "transfer_late",
        }
    }

    /// The category of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|category| category.name() == name)
    }
}

impl<'de> Deserialize<'de> for DeclineCategory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::named(deserializer, Self::from_name)
    }
}

/// A field of the card form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CardField {
    /// The card number.
    Number,
    /// The expiry date.
    Expiry,
    /// The security code.
    SecurityCode,
}

#[cfg(test)]
mod tests {
    use super::DeclineCategory;

    #[test]
    fn every_category_is_read_back_by_the_name_that_json_has() {
        for category in DeclineCategory::ALL {
            let json = serde_json::to_string(&category).unwrap();
            assert_eq!(json, format!("\"{}\"", category.name()));
            let read: DeclineCategory = serde_json::from_str(&json).unwrap();
            assert_eq!(read, category);
        }
        assert_eq!(DeclineCategory::from_name("lost_card"), None);
    }
}
