//! The ways to pay.

use crate::json;
use serde::{Deserialize, Deserializer, Serialize};

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Method {
    /// A payment card, sealed in the browser.
    Card,
    /// A wallet app, which the shopper confirms on the wallet's own page.
    Wallet,
    /// A bank transfer, which the shopper makes and which arrives later.
    BankTransfer,
}

impl Method {
    /// Every method, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Card, Self::Wallet, Self::BankTransfer];

    /// The name in JSON and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Wallet => "wallet",
            Self::BankTransfer => "bank_transfer",
        }
    }

    /// The method of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::named(deserializer, Self::from_name)
    }
}
