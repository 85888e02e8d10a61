//! The method-specific details of a payment, stored as one tagged column.

use super::bank_transfer::model::TransferInstructions;
use super::card::model::CardDetails;
use super::sepa_debit::model::DebitDetails;
use crate::agreements::model::{Mandate, PendingAgreement};
use crate::instruments::model::StoredCard;
use crate::payments::state::PaymentState;
use sealpay_protocol::ids::InstrumentId;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use sealpay_provider::creditor_reference;
use serde::{Deserialize, Serialize};

/// The method-specific details of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum PaymentDetails {
    /// By card.
    Card(Box<CardDetails>),
    /// By wallet; the wallet does not disclose the card.
    Wallet,
    /// By bank transfer.
    BankTransfer {
        /// The instructions and received credits; none until the bank has assigned an account.
        transfer: Option<TransferInstructions>,
    },
    /// By SEPA direct debit.
    SepaDebit(Box<DebitDetails>),
}

/// Indexed values, besides the identifiers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups {
    /// The card's fingerprint, if the fraud rules assessed it.
    pub assessed_card: Option<String>,
    /// The keyed hash of the network address, if the fraud rules assessed it.
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
            Self::SepaDebit(_) => Method::SepaDebit,
        }
    }

    /// The card details of a card payment.
    #[must_use]
    pub const fn card(&self) -> Option<&CardDetails> {
        match self {
            Self::Card(details) => Some(details),
            Self::Wallet | Self::BankTransfer { .. } | Self::SepaDebit(_) => None,
        }
    }

    /// The saved instrument that pays, if one does.
    #[must_use]
    pub fn instrument(&self) -> Option<InstrumentId> {
        match self {
            Self::Card(details) => details.instrument,
            Self::SepaDebit(details) => details.instrument,
            Self::Wallet | Self::BankTransfer { .. } => None,
        }
    }

    /// The state after the provider's approval.
    #[must_use]
    pub const fn approved_state(&self, capture: Capture) -> PaymentState {
        match (self, capture) {
            (Self::SepaDebit(_), _) => PaymentState::Pending,
            (_, Capture::Automatic) => PaymentState::Captured,
            (_, Capture::Manual) => PaymentState::Authorized,
        }
    }

    /// The details of a direct debit.
    #[must_use]
    pub const fn debit(&self) -> Option<&DebitDetails> {
        match self {
            Self::SepaDebit(details) => Some(details),
            Self::Card(_) | Self::Wallet | Self::BankTransfer { .. } => None,
        }
    }

    /// The mutable details of a direct debit.
    pub const fn debit_mut(&mut self) -> Option<&mut DebitDetails> {
        match self {
            Self::SepaDebit(details) => Some(details),
            Self::Card(_) | Self::Wallet | Self::BankTransfer { .. } => None,
        }
    }

    /// What can be shown of a card or an account; none of other methods.
    #[must_use]
    pub fn shown_instrument(&self) -> Option<StoredCard> {
        match self {
            Self::Card(details) => Some(details.card.clone()),
            Self::SepaDebit(details) => Some(StoredCard::from(&details.account)),
            Self::Wallet | Self::BankTransfer { .. } => None,
        }
    }

    /// What the payment stores if it is approved: the agreement, what can be shown of the
    /// instrument, and the mandate.
    #[must_use]
    pub fn storing(&self) -> Option<(&PendingAgreement, StoredCard, Option<&Mandate>)> {
        let (pending, mandate) = match self {
            Self::Card(details) => (details.storing.as_ref()?, None),
            Self::SepaDebit(details) => (details.storing.as_ref()?, Some(&details.mandate)),
            Self::Wallet | Self::BankTransfer { .. } => return None,
        };
        Some((pending, self.shown_instrument()?, mandate))
    }

    /// Forgets what was to be stored, once the payment has an outcome.
    pub fn end_storing(&mut self) {
        match self {
            Self::Card(details) => details.storing = None,
            Self::SepaDebit(details) => details.storing = None,
            Self::Wallet | Self::BankTransfer { .. } => {}
        }
    }

    /// The mutable card details of a card payment.
    pub const fn card_mut(&mut self) -> Option<&mut CardDetails> {
        match self {
            Self::Card(details) => Some(details),
            Self::Wallet | Self::BankTransfer { .. } | Self::SepaDebit(_) => None,
        }
    }

    /// The transfer instructions of a bank transfer.
    #[must_use]
    pub const fn transfer(&self) -> Option<&TransferInstructions> {
        match self {
            Self::BankTransfer { transfer } => transfer.as_ref(),
            Self::Card(_) | Self::Wallet | Self::SepaDebit(_) => None,
        }
    }

    /// The indexed values.
    #[must_use]
    pub fn lookups(&self) -> Lookups {
        let assessed = self.card().filter(|details| details.risk.is_some());
        Lookups {
            assessed_card: assessed.map(|details| details.card.fingerprint.clone()),
            assessed_address: assessed.and_then(|details| details.address.clone()),
            transfer_reference: self.transfer_reference(),
        }
    }

    /// The creditor reference of a transfer, in the indexed form.
    #[must_use]
    pub fn transfer_reference(&self) -> Option<String> {
        let transfer = self.transfer()?;
        Some(creditor_reference::plain(&transfer.reference))
    }
}
