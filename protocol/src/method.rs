//! The ways to pay.

use serde::Serialize;

/// A payment method.
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

crate::names! {
    Method {
        Card = "card",
        Wallet = "wallet",
        BankTransfer = "bank_transfer",
    }
}

crate::read_by_name!(Method);
