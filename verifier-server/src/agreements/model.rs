//! A stored agreement, and which payments it permits.

use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{AgreementId, CustomerId, InstrumentId, MerchantId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreementState {
    /// Payments are permitted.
    Active,
    /// The customer, the merchant or the issuer has ended it.
    Revoked,
}

sealpay_protocol::names! {
    AgreementState {
        Active = "active",
        Revoked = "revoked",
    }
}

/// An agreement, made by a payment that the customer started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The agreement.
    pub id: AgreementId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The customer.
    pub customer: CustomerId,
    /// The instrument that it permits to charge.
    pub instrument: InstrumentId,
    /// What it permits.
    pub kind: AgreementKind,
    /// The current state.
    pub state: AgreementState,
    /// The currency of all its payments.
    pub currency: Currency,
    /// The largest amount of one payment, minor units.
    pub maximum_minor: Option<i64>,
    /// The scheme's id of the first payment, which every later one quotes.
    pub network_transaction_id: Option<String>,
    /// The first payment.
    pub first_payment: PaymentId,
    /// The sentence that the customer agreed to, as the form showed it.
    pub consent: String,
    /// The mandate, of an agreement on direct debits.
    pub mandate: Option<Mandate>,
    /// When the mandate lapses without another collection, milliseconds since 1970.
    pub lapses_at_ms: Option<i64>,
    /// When the customer agreed, milliseconds since 1970.
    pub accepted_at_ms: i64,
    /// The number of events about this agreement.
    pub sequence: i64,
    /// When it was made, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// A mandate for direct debits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// The reference, unique for the creditor.
    pub reference: String,
    /// The creditor identifier (EPC262-08).
    pub creditor: String,
}

/// Why an agreement does not permit a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPermitted {
    /// It is not active.
    Inactive,
    /// Only the customer may start payments.
    CustomerInitiatedOnly,
    /// It is for payments in another currency.
    Currency(Currency),
    /// The amount is above the maximum, minor units.
    AboveMaximum(i64),
}

impl Agreement {
    /// The reference of the mandate, of an agreement on direct debits.
    #[must_use]
    pub fn mandate_reference(&self) -> Option<&str> {
        let mandate = self.mandate.as_ref();
        mandate.map(|mandate| mandate.reference.as_str())
    }

    /// Whether the merchant may start a payment of this amount.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn permits(&self, money: Money) -> Result<(), NotPermitted> {
        if self.state != AgreementState::Active {
            return Err(NotPermitted::Inactive);
        }
        if !self.kind.is_merchant_initiated() {
            return Err(NotPermitted::CustomerInitiatedOnly);
        }
        if money.currency() != self.currency {
            return Err(NotPermitted::Currency(self.currency));
        }
        match self.maximum_minor {
            Some(maximum) if money.amount_minor() > maximum => {
                Err(NotPermitted::AboveMaximum(maximum))
            }
            _ => Ok(()),
        }
    }
}

/// What a payment stores if it is approved: kept with the payment until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingAgreement {
    /// The customer, if there was one with the order's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The merchant's reference of the customer.
    pub reference: String,
    /// What the customer agreed to.
    pub terms: AgreementTerms,
    /// The sentence, as the form showed it.
    pub consent: String,
    /// When the customer agreed, milliseconds since 1970.
    pub accepted_at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::{Agreement, AgreementState, NotPermitted};
    use sealpay_protocol::agreement::AgreementKind;
    use sealpay_protocol::ids::{AgreementId, CustomerId, InstrumentId, MerchantId, PaymentId};
    use sealpay_protocol::money::Money;

    fn agreement() -> Agreement {
        Agreement {
            id: AgreementId::new(1, [1; 10]),
            merchant: MerchantId::new(1, [1; 10]),
            customer: CustomerId::new(1, [1; 10]),
            instrument: InstrumentId::new(1, [1; 10]),
            kind: AgreementKind::Subscription,
            state: AgreementState::Active,
            currency: "EUR".parse().unwrap(),
            maximum_minor: Some(5000),
            network_transaction_id: None,
            first_payment: PaymentId::new(1, [1; 10]),
            consent: "I agree.".into(),
            mandate: None,
            lapses_at_ms: None,
            accepted_at_ms: 0,
            sequence: 1,
            created_at_ms: 0,
            updated_at_ms: 0,
        }
    }

    #[test]
    fn agreements_permit_payments_within_their_terms() {
        let euros = |minor| Money::new(minor, "EUR".parse().unwrap());
        let eur = euros(1).currency();
        let unlimited = Agreement {
            maximum_minor: None,
            ..agreement()
        };
        let revoked = Agreement {
            state: AgreementState::Revoked,
            ..agreement()
        };
        let on_file = Agreement {
            kind: AgreementKind::CardOnFile,
            ..agreement()
        };
        let rows = [
            (agreement(), euros(5000), Ok(())),
            (
                agreement(),
                euros(5001),
                Err(NotPermitted::AboveMaximum(5000)),
            ),
            (unlimited, euros(999_999_999_999), Ok(())),
            (revoked, euros(1), Err(NotPermitted::Inactive)),
            (on_file, euros(1), Err(NotPermitted::CustomerInitiatedOnly)),
            (
                agreement(),
                Money::new(1, "USD".parse().unwrap()),
                Err(NotPermitted::Currency(eur)),
            ),
        ];
        for (place, (agreement, money, expected)) in rows.into_iter().enumerate() {
            assert_eq!(agreement.permits(money), expected, "row {place}");
        }
    }
}
