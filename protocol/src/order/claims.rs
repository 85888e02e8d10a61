//! The claims of an order.

use crate::agreement::AgreementTerms;
use crate::ids::{InvoiceId, MerchantId};
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
    /// Unique id of the order.
    pub jti: String,
    /// Issued at, seconds since 1970.
    pub iat: u64,
    /// Expires at, seconds since 1970.
    pub exp: u64,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's order number.
    pub order_ref: String,
    /// When the payment is captured.
    pub capture: Capture,
    /// Pages that may embed the widget.
    pub parent_origins: Vec<Origin>,
    /// One line for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The purchased items, for the shopper.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::optional_objects"
    )]
    pub items: Option<Vec<OrderItem>>,
    /// The merchant's reference for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// What may be stored for later payments; only with `customer` and the method `card`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "AgreementTerms::optional"
    )]
    pub agreement: Option<AgreementTerms>,
    /// The methods that the shopper may choose from; `card` if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<Method>>,
    /// The country of the billing address (ISO 3166-1 alpha-2), for fraud rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_country: Option<String>,
    /// Whether the shopper has to be authenticated; `automatic` if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<AuthenticationRequirement>,
    /// Requests an outcome from the simulated bank; test mode only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::optional_object"
    )]
    pub simulate: Option<Simulate>,
    /// The invoice that the payment pays; only in orders of the verifier's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceId>,
}

/// Whether the shopper has to be authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationRequirement {
    /// The rules decide.
    Automatic,
    /// A challenge is requested from the issuer.
    Required,
}

/// When the payment is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Capture {
    /// Together with the authorization.
    Automatic,
    /// Later, at the merchant's request.
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
    /// The name of the item.
    pub name: String,
    /// The quantity.
    pub quantity: u32,
    /// The amount of all of them, minor units.
    pub amount: i64,
}

/// The requested outcome of the simulated bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Simulate {
    /// Name of an outcome; `docs/reference/test-cards.md` lists them.
    #[cfg_attr(feature = "openapi", schema(example = "insufficient_funds"))]
    pub outcome: String,
}
