//! What a payment has of a card.

use super::risk::Assessment;
use sealpay_provider::authentication::Authentication;
use serde::{Deserialize, Serialize};

/// What a payment by card has of its method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDetails {
    /// The card, as far as it may be stored.
    pub card: StoredCard,
    /// Recognizes the shopper's network address again; none where nothing is assessed.
    pub address: Option<String>,
    /// What the fraud rules say; none for a persona's card.
    pub risk: Option<Assessment>,
    /// What the issuer says of the shopper, where it was asked.
    pub authentication: Option<Authentication>,
}

/// What may be stored of a card (PCI DSS 3.4.1, 3.5.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCard {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `YYYY-MM`.
    pub expiry: String,
    /// HMAC-SHA256 of the number under a key of its own, in base64url.
    pub fingerprint: String,
    /// Where it was issued (ISO 3166-1 alpha-2), as far as its first digits tell.
    pub country: Option<String>,
}

impl CardDetails {
    /// A card that nothing is known of but itself.
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
