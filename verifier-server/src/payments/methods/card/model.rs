//! The stored card details of a payment.

use super::risk::Assessment;
use crate::instruments::model::StoredCard;
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
        }
    }
}
