//! Modifications of an authorized payment: captures, voids, refunds and expiries.
//!
//! Contains all rules on whether a modification is permitted, and on the resulting state of the
//! payment.

use crate::payments::methods::bank_transfer::model::AmountMatch;
use crate::payments::model::Payment;
use crate::payments::state::PaymentState;
use sealpay_protocol::ids::{MerchantId, ModificationId, PaymentId};
use sealpay_protocol::money::Money;
pub use sealpay_provider::modification::ModificationKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The type of the event about a failed modification; none for expiries, which no merchant
/// requested.
#[must_use]
pub const fn failure_event(kind: ModificationKind) -> Option<&'static str> {
    match kind {
        ModificationKind::Capture => Some("payment.capture_failed"),
        ModificationKind::Void => Some("payment.void_failed"),
        ModificationKind::Refund => Some("payment.refund_failed"),
        ModificationKind::Expiry => None,
    }
}

/// The state of a modification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModificationState {
    /// The provider is asked until the outcome is known.
    Pending,
    /// Executed.
    Succeeded,
    /// Declined by the provider; nothing was changed.
    Failed,
}

sealpay_protocol::names! {
    ModificationState {
        Pending = "pending",
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

/// A stored modification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modification {
    /// The modification; the provider never executes the same one twice.
    pub id: ModificationId,
    /// The payment.
    pub payment: PaymentId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The type of the modification.
    pub kind: ModificationKind,
    /// The amount to capture, release or refund.
    pub money: Money,
    /// For a capture: whether the remaining authorization is voided.
    pub is_final: bool,
    /// The merchant's reference.
    pub reference: Option<String>,
    /// The state.
    pub state: ModificationState,
    /// Key of the provider's reason, if it failed.
    pub failure: Option<String>,
    /// The credential that requested it; none for an expiry.
    pub created_by: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub updated_at_ms: i64,
    /// End of the lease; afterwards the provider is asked again.
    pub lease_until_ms: i64,
}

/// Why a payment cannot be modified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModificationError {
    /// Not permitted in the payment's state.
    State,
    /// More than the available amount, which is given in minor units.
    Amount(i64),
}

impl Payment {
    /// The amount that can still be captured, minor units.
    #[must_use]
    pub const fn capturable_minor(&self) -> i64 {
        match self.state {
            PaymentState::Authorized | PaymentState::PartiallyCaptured => self
                .money
                .amount_minor()
                .saturating_sub(self.captured_minor),
            _ => 0,
        }
    }

    /// The amount that can still be refunded, minor units: captured plus overpaid, minus
    /// refunded, disputed and returned.
    #[must_use]
    pub fn refundable_minor(&self) -> i64 {
        self.captured_minor
            .saturating_add(self.overpaid_minor())
            .saturating_sub(self.refunded_minor)
            .saturating_sub(self.disputed_minor)
            .saturating_sub(self.returned_minor)
    }

    /// The overpaid amount of a bank transfer, minor units, refunded or not.
    #[must_use]
    pub fn overpaid_minor(&self) -> i64 {
        match self.details.transfer() {
            Some(expected) if self.captured_minor > 0 => {
                match expected.sum(self.money.amount_minor()) {
                    AmountMatch::Over(minor) => minor,
                    AmountMatch::Short(_) | AmountMatch::Exact => 0,
                }
            }
            _ => 0,
        }
    }

    /// The part of the refunded amount that returned an overpayment; overpayments are refunded
    /// first.
    #[must_use]
    pub fn overpayment_refunded_minor(&self, refunded_minor: i64) -> i64 {
        refunded_minor.min(self.overpaid_minor())
    }

    /// The amount that the shopper's bank may still charge back, minor units.
    #[must_use]
    pub fn disputable_minor(&self) -> i64 {
        let returned = self.overpayment_refunded_minor(self.refunded_minor);
        self.refundable_minor()
            .saturating_sub(self.overpaid_minor().saturating_sub(returned))
    }

    /// The amount of a requested modification; the whole available amount if none is requested.
    ///
    /// # Errors
    /// Why the modification is not permitted now.
    pub fn modifiable(
        &self,
        kind: ModificationKind,
        asked_minor: Option<i64>,
    ) -> Result<i64, ModificationError> {
        use PaymentState::{Authorized, Captured, PartiallyCaptured, PartiallyRefunded};
        let (is_possible, left) = match kind {
            ModificationKind::Capture | ModificationKind::Void | ModificationKind::Expiry => (
                matches!(self.state, Authorized | PartiallyCaptured),
                self.capturable_minor(),
            ),
            ModificationKind::Refund => (
                matches!(self.state, PartiallyCaptured | Captured | PartiallyRefunded),
                self.refundable_minor(),
            ),
        };
        if !is_possible {
            return Err(ModificationError::State);
        }
        let amount = asked_minor.unwrap_or(left);
        if (1..=left).contains(&amount) {
            Ok(amount)
        } else {
            Err(ModificationError::Amount(left))
        }
    }

    /// The payment after a successful modification.
    #[must_use]
    pub fn modified(&self, modification: &Modification) -> Self {
        let amount = modification.money.amount_minor();
        let mut after = self.clone();
        match modification.kind {
            ModificationKind::Capture => {
                after.captured_minor = self.captured_minor.saturating_add(amount);
                let is_all = after.captured_minor == self.money.amount_minor();
                after.state = if is_all || modification.is_final {
                    PaymentState::Captured
                } else {
                    PaymentState::PartiallyCaptured
                };
            }
            // The captured amount stays; no further captures are possible.
            ModificationKind::Void | ModificationKind::Expiry if self.captured_minor > 0 => {
                after.state = PaymentState::Captured;
            }
            ModificationKind::Void => after.state = PaymentState::Voided,
            ModificationKind::Expiry => after.state = PaymentState::Expired,
            ModificationKind::Refund => {
                after.refunded_minor = self.refunded_minor.saturating_add(amount);
                let received = self.captured_minor.saturating_add(self.overpaid_minor());
                after.state = if after.refunded_minor == received {
                    PaymentState::Refunded
                } else {
                    PaymentState::PartiallyRefunded
                };
            }
        }
        after
    }
}

#[cfg(test)]
mod tests;
