//! The saved cards of an order's customer.

use crate::ids::InstrumentId;
use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// A saved card that the shopper may pay with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct InstrumentView {
    /// The saved card.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: InstrumentId,
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `YYYY-MM`.
    pub expiry: String,
}

/// Body of `POST /v1/instruments/remove`: the shopper removes a saved card.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct RemoveInstrumentRequest {
    /// The saved card.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub instrument: InstrumentId,
}

/// Response of `POST /v1/instruments/remove`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct InstrumentsView {
    /// The customer's remaining saved cards, the last used first.
    pub instruments: Vec<InstrumentView>,
}

/// A card, masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CardView {
    /// The brand's slug, or `unknown`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
}
