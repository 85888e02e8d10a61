//! The claims of an order as they are written.

use crate::ids::MerchantId;
use crate::json;
use crate::method::Method;
use crate::origin::Origin;
use serde::{Deserialize, Serialize};

/// The payload of an order; `docs/reference/protocol.md` section 3 gives the limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderClaims {
    /// The merchant.
    pub iss: MerchantId,
    /// The verifier's origin.
    pub aud: Origin,
    /// Names the order once.
    pub jti: String,
    /// Made at, seconds since 1970.
    pub iat: u64,
    /// Refused from, seconds since 1970.
    pub exp: u64,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// When the money is taken.
    pub capture: Capture,
    /// Pages that may embed the widget.
    pub parent_origins: Vec<Origin>,
    /// One line for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is bought, for the shopper.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::optional_objects"
    )]
    pub items: Option<Vec<OrderItem>>,
    /// The merchant's reference for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The methods that the shopper may choose from; a card when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<Method>>,
    /// The country of the billing address (ISO 3166-1 alpha-2); fraud rules look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_country: Option<String>,
    /// Whether the shopper has to be asked who they are; `automatic` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<AuthenticationRequirement>,
    /// Asks the simulated bank for an outcome; test mode only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::optional_object"
    )]
    pub simulate: Option<Simulate>,
}

/// Whether the shopper has to be asked who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationRequirement {
    /// The rules decide.
    Automatic,
    /// The issuer is asked for a challenge.
    Required,
}

/// When the money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Capture {
    /// Together with the authorization.
    Automatic,
    /// Later, when the merchant asks for it.
    Manual,
}

crate::names! {
    Capture {
        Automatic = "automatic",
        Manual = "manual",
    }
}

crate::read_by_name!(Capture);

crate::names! {
    AuthenticationRequirement {
        Automatic = "automatic",
        Required = "required",
    }
}

crate::read_by_name!(AuthenticationRequirement);

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderItem {
    /// What it is.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Minor units for all of them together.
    pub amount: i64,
}

/// What the tester wants the simulated bank to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulate {
    /// Name of an outcome; docs/reference/test-cards.md lists them.
    pub outcome: String,
}
