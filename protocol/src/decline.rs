//! The part of a decline that a shopper may see: a category to word in the shopper's language, what
//! to do next, and the field to correct. It never reveals why the issuer is suspicious.

use serde::{Deserialize, Serialize};

/// The reason for a decline, as far as a shopper may see it; each category has one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DeclineCategory {
    /// The issuer gave no reason that may be shown.
    CardDeclined,
    /// The card cannot cover the amount.
    NotEnoughFunds,
    /// The amount is over the limit of one payment or period.
    AmountOverLimit,
    /// The card has reached its number of payments for now.
    LimitReached,
    /// The card does not support the amount or currency.
    AmountNotAccepted,
    /// The card cannot be used with this merchant.
    CardNotAccepted,
    /// The card is restricted until the shopper contacts the bank.
    CardRestricted,
    /// The card is not activated yet.
    CardNotActivated,
    /// The bank wants the shopper to call first.
    BankWantsACall,
    /// Too many incorrect codes.
    AttemptsExceeded,
    /// No account has this number.
    NumberNotValid,
    /// The card has expired.
    CardExpired,
    /// The security code does not match.
    SecurityCodeNotValid,
    /// The bank requires authentication that is not available here.
    AuthenticationUnavailable,
    /// The bank could not authenticate the shopper.
    NotAuthenticated,
    /// The shopper did not confirm in time.
    NotConfirmedInTime,
    /// The bank cannot be reached.
    BankNotResponding,
    /// A system failed; nothing was charged.
    ProcessingError,
    /// The payment may have been made already.
    PossiblyPaid,
    /// The cardholder stopped payments.
    PaymentStopped,
    /// The shopper cancelled on the wallet's page.
    CancelledInWallet,
    /// The bank account cannot be debited.
    AccountNotDebited,
}

crate::names! {
    DeclineCategory {
        CardDeclined = "card_declined",
        NotEnoughFunds = "not_enough_funds",
        AmountOverLimit = "amount_over_limit",
        LimitReached = "limit_reached",
        AmountNotAccepted = "amount_not_accepted",
        CardNotAccepted = "card_not_accepted",
        CardRestricted = "card_restricted",
        CardNotActivated = "card_not_activated",
        BankWantsACall = "bank_wants_a_call",
        AttemptsExceeded = "attempts_exceeded",
        NumberNotValid = "number_not_valid",
        CardExpired = "card_expired",
        SecurityCodeNotValid = "security_code_not_valid",
        AuthenticationUnavailable = "authentication_unavailable",
        NotAuthenticated = "not_authenticated",
        NotConfirmedInTime = "not_confirmed_in_time",
        BankNotResponding = "bank_not_responding",
        ProcessingError = "processing_error",
        PossiblyPaid = "possibly_paid",
        PaymentStopped = "payment_stopped",
        CancelledInWallet = "cancelled_in_wallet",
        AccountNotDebited = "account_not_debited",
    }
}

crate::read_by_name!(DeclineCategory);

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
    fn every_category_round_trips_through_json() {
        for category in DeclineCategory::ALL {
            let json = serde_json::to_string(&category).unwrap();
            assert_eq!(json, format!("\"{}\"", category.name()));
            let read: DeclineCategory = serde_json::from_str(&json).unwrap();
            assert_eq!(read, category);
        }
        assert_eq!(DeclineCategory::from_name("lost_card"), None);
    }
}
