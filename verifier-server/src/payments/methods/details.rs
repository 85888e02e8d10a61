//! What a payment has of its method: one value, stored as one tagged column.

use super::bank_transfer::model::TransferInstructions;
use super::card::model::CardDetails;
use sealpay_protocol::method::Method;
use sealpay_provider::creditor_reference;
use serde::{Deserialize, Serialize};

/// What a payment has of its method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum PaymentDetails {
    /// By card.
    Card(Box<CardDetails>),
    /// By wallet: everything is known to the wallet alone.
    Wallet,
    /// By bank transfer.
    BankTransfer {
        /// Where the money has to go, and what has come; none before the bank has said so.
        transfer: Option<TransferInstructions>,
    },
}

/// What a payment is looked up by, besides its identifiers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups {
    /// The card's fingerprint, where the fraud rules assessed it.
    pub assessed_card: Option<String>,
    /// Recognizes the network address again, where the fraud rules assessed it.
    pub assessed_address: Option<String>,
    /// The creditor reference (ISO 11649), without spaces.
    pub transfer_reference: Option<String>,
}

impl PaymentDetails {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Card(_) => Method::Card,
            Self::Wallet => Method::Wallet,
            Self::BankTransfer { .. } => Method::BankTransfer,
        }
    }

    /// Of a payment by card.
    #[must_use]
    pub const fn card(&self) -> Option<&CardDetails> {
        match self {
            Self::Card(details) => Some(details),
            Self::Wallet | Self::BankTransfer { .. } => None,
        }
    }

    /// Of a payment by card, to be changed.
    pub const fn card_mut(&mut self) -> Option<&mut CardDetails> {
        match self {
            Self::Card(details) => Some(details),
            Self::Wallet | Self::BankTransfer { .. } => None,
        }
    }

    /// The transfer that is expected, or came.
    #[must_use]
    pub const fn transfer(&self) -> Option<&TransferInstructions> {
        match self {
            Self::BankTransfer { transfer } => transfer.as_ref(),
            Self::Card(_) | Self::Wallet => None,
        }
    }

    /// What the payment is looked up by.
    #[must_use]
    pub fn lookups(&self) -> Lookups {
        let assessed = self.card().filter(|details| details.risk.is_some());
        Lookups {
            assessed_card: assessed.map(|details| details.card.fingerprint.clone()),
            assessed_address: assessed.and_then(|details| details.address.clone()),
            transfer_reference: self.transfer_reference(),
        }
    }

    /// The reference of a transfer that is expected, or came, as it is looked up by.
    #[must_use]
    pub fn transfer_reference(&self) -> Option<String> {
        let transfer = self.transfer()?;
        Some(creditor_reference::plain(&transfer.reference))
    }
}
