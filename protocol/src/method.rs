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
    /// A SEPA direct debit, which the merchant collects under the shopper's mandate.
    SepaDebit,
}

crate::names! {
    Method {
        Card = "card",
        Wallet = "wallet",
        BankTransfer = "bank_transfer",
        SepaDebit = "sepa_debit",
    }
}

crate::read_by_name!(Method);

impl Method {
    /// Whether it debits a bank account under a mandate.
    #[must_use]
    pub const fn is_direct_debit(self) -> bool {
        matches!(self, Self::SepaDebit)
    }
}
