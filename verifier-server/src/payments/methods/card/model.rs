//! The stored card details of a payment.

use super::risk::Assessment;
use crate::agreements::model::PendingAgreement;
use crate::instruments::model::StoredCard;
use sealpay_protocol::ids::InstrumentId;
use sealpay_provider::authentication::Authentication;
use serde::{Deserialize, Serialize};

/// The details of a card payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDetails {
    /// The storable part of the card.
    pub card: StoredCard,
    /// Keyed hash of the shopper's network address; none if no fraud rules apply.
    pub address: Option<String>,
    /// The result of the fraud rules; none for a persona's card.
    pub risk: Option<Assessment>,
    /// The result of the issuer's authentication, if requested.
    pub authentication: Option<Authentication>,
    /// The codes of the provider's decision.
    #[serde(default)]
    pub codes: CardCodes,
    /// The saved instrument that pays; none for a typed card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    /// What the payment stores if it is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storing: Option<PendingAgreement>,
}

/// The codes of the provider's decision about a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CardCodes {
    /// The issuer's code of the approval: six letters and digits (ISO 8583, data element 38).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<String>,
    /// The acquirer reference number, once money is captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acquirer_reference: Option<String>,
    /// The scheme's id of the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_transaction_id: Option<String>,
    /// The merchant advice code of a decline, two digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice_code: Option<String>,
}

impl CardDetails {
    /// Details of a card without further facts.
    #[must_use]
    pub const fn new(card: StoredCard) -> Self {
        Self {
            card,
            address: None,
            risk: None,
            authentication: None,
            codes: CardCodes {
                authorization_code: None,
                acquirer_reference: None,
                network_transaction_id: None,
                advice_code: None,
            },
            instrument: None,
            storing: None,
        }
    }
}
